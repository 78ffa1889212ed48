"""Compiled programs and the memory that they take stay bounded, however many sizes of data a process meets."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
import proxreg.sklearn as ps
from proxreg._core import programs
from proxreg.solvers.fista import _fista

pytestmark = pytest.mark.skipif(not programs.MAPS.exists(), reason="memory maps are counted on Linux")

MANY_SHAPES = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import proxreg as pr, proxreg.sklearn as ps
from proxreg._core import programs

def maps():
    return programs.MAPS.read_bytes().count(b"\\n")

def memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

rng = np.random.default_rng(0)
seen = set()
def problem(k):
    n, p, classes = 20 + k % 37, 2 + k % 23, 3 + k % 5
    seen.add((n, p, classes))
    X = rng.standard_normal((n, p))
    return X, np.arange(n) % classes, X[:, 0] + rng.standard_normal(n)

def fits(k):
    X, classes, y = problem(k)
    ps.LogisticRegression(C=0.1, tol=1e-3).fit(X, classes)
    if k % 4 == 0:
        pr.fit_path(X, (y > 0).astype(int), loss="logistic", n_alphas=3 + k % 7, tol=1e-2)
        pr.fit_path(X, y, n_alphas=3 + k % 7, tol=1e-2)

for k in range(100):
    fits(k)
first = maps(), memory()
for k in range(100, 400):
    fits(k)
print(len(seen), *first, maps(), memory())
"""


@pytest.mark.slow
def test_four_hundred_shapes_in_one_process():
    done = subprocess.run([sys.executable, "-c", MANY_SHAPES], capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, done.stderr[-2000:]
    shapes, maps, memory, more_maps, more_memory = map(float, done.stdout.split())
    assert shapes == 400
    assert more_maps < min(maps + 3000, 15_000)
    assert more_memory < memory + 150  # megabytes


def test_a_function_keeps_so_many_programs_and_then_none(monkeypatch):
    monkeypatch.setattr(programs, "MAX_PROGRAMS", 3)
    programs.bound_programs()
    for size in range(2, 7):
        pr.fista(pr.LinearModel(np.eye(size), np.ones(size)), pr.L1(0.1))
    assert programs._size(_fista) >= 4
    assert programs.bound_programs() >= 4
    assert programs._size(_fista) == 0
    assert programs.bound_programs() == 0


def test_where_maps_run_out_the_librarys_programs_go_and_the_users_stay(monkeypatch):
    users = jax.jit(lambda x: x + 1)
    users(jnp.ones(3))
    pr.fista(pr.LinearModel(np.eye(2), np.ones(2)), pr.L1(0.1))
    monkeypatch.setattr(programs, "MAX_SHARE", 0.0)
    monkeypatch.setattr(programs, "COUNT_EVERY", 0)
    assert programs.bound_programs() >= 1
    assert programs._size(_fista) == 0
    assert programs._size(users) == 1


def test_the_entrance_of_fits_bounds_programs(monkeypatch):
    monkeypatch.setattr(programs, "MAX_PROGRAMS", 0)
    pr.fista(pr.LinearModel(np.eye(2), np.ones(2)), pr.L1(0.1))
    pr.alpha_max(np.eye(2), np.arange(2.0))
    assert programs._size(_fista) == 0


def logistic(n, p, alphas):
    X = np.random.default_rng(p).standard_normal((n, p))
    pr.fit_path(X, (X[:, 0] > 0).astype(int), loss="logistic", n_alphas=alphas, min_ratio=0.5, tol=1e-2)


def multinomial(n, p, classes):
    X = np.random.default_rng(p).standard_normal((n, p))
    ps.LogisticRegression(C=0.1, tol=1e-2).fit(X, np.arange(n) % classes)


@pytest.mark.parametrize(
    ("fit", "first", "second"),
    [
        (logistic, (30, 1030, 3), (40, 1150, 3)),
        (logistic, (30, 5, 17), (40, 9, 18)),
        (multinomial, (50, 4, 3), (60, 7, 4)),
    ],
    ids=["wide", "lanes", "classes"],
)
def test_other_data_of_about_the_same_size_compile_nothing(fit, first, second):
    fit(*first)
    before = sum(map(programs._size, programs._jitted()))
    fit(*second)
    assert sum(map(programs._size, programs._jitted())) == before
