"""Kept programs: a later process compiles nothing that an earlier one has compiled."""

import os
import subprocess
import sys

import pytest

FIT = """
import sys
import jax, numpy as np
import proxreg as pr

hits, misses = [], []
def listen(event, **_):
    (hits if event.endswith("cache_hits") else misses if event.endswith("cache_misses") else []).append(event)
jax.monitoring.register_event_listener(listen)
pr.enable_compilation_cache(sys.argv[1] + "-other")
jax.jit(lambda x: x + 1)(1.0)
pr.enable_compilation_cache(sys.argv[1])
X = np.random.default_rng(0).standard_normal((40, 5))
pr.fit_path(X, X[:, 0], n_alphas=4)
print(len(hits), len(misses))
"""


def test_the_second_process_finds_what_the_first_has_kept(tmp_path):
    counts, folder = [], tmp_path / "kept"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", FIT, str(folder)], check=True, capture_output=True, text=True)
        counts.append([int(word) for word in done.stdout.split()])
    (hits, misses), (again_hits, again_misses) = counts
    assert hits == 0 < misses
    assert again_misses == 0
    assert again_hits >= misses
    assert len(list(folder.glob("*/*-cache"))) > 3


ESTIMATOR = """
import numpy as np
from proxreg.sklearn import Lasso

X = np.random.default_rng(0).standard_normal((40, 5))
Lasso(alpha=0.1).fit(X, X[:, 0])
"""
LISTEN = """
import jax
misses = []
jax.monitoring.register_event_listener(lambda event, **_: event.endswith("cache_misses") and misses.append(event))
"""


def run(program, **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "PROXREG_"))}
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment | variables
    )
    return done.stdout


def kept(folder):
    return sorted(folder.rglob("*-cache"))


@pytest.mark.skipif(sys.platform != "linux", reason="where the user's cache folder is differs by system")
def test_estimators_keep_programs_in_the_users_cache_folder(tmp_path):
    program = LISTEN + ESTIMATOR + "print(len(misses))"
    assert int(run(program, XDG_CACHE_HOME=str(tmp_path))) > 0
    programs = kept(tmp_path / "proxreg")
    assert programs
    assert int(run(program, XDG_CACHE_HOME=str(tmp_path))) == 0
    assert kept(tmp_path / "proxreg") == programs


def test_the_cache_can_be_moved_or_switched_off(tmp_path):
    home, other, own = tmp_path / "home", tmp_path / "other", tmp_path / "own"
    base = {"XDG_CACHE_HOME": str(home), "HOME": str(home)}
    run(ESTIMATOR, PROXREG_COMPILATION_CACHE="off", **base)
    assert not home.exists()
    run(ESTIMATOR, PROXREG_COMPILATION_CACHE=str(other), **base)
    assert kept(other)
    assert not home.exists()
    run(ESTIMATOR, JAX_COMPILATION_CACHE_DIR=str(own), **base)  # JAX's own setting stays
    assert not home.exists()


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    run(ESTIMATOR, PROXREG_COMPILATION_CACHE=str(file))


def test_processes_share_the_cache(tmp_path):
    """Three at once: none warns, each reads whole programs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "PROXREG_"))}
    command = [sys.executable, "-W", "error", "-c", ESTIMATOR]
    workers = [
        subprocess.Popen(command, env=environment | {"PROXREG_COMPILATION_CACHE": str(tmp_path)}) for _ in range(3)
    ]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert kept(tmp_path)
