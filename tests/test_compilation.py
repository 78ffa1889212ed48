"""Kept programs: a later process compiles nothing that an earlier one has compiled."""

import subprocess
import sys

FIT = """
import sys
import jax, numpy as np
import proxreg as pr

hits, misses = [], []
def listen(event, **_):
    (hits if event.endswith("cache_hits") else misses if event.endswith("cache_misses") else []).append(event)
jax.monitoring.register_event_listener(listen)
pr.keep_programs(sys.argv[1] + "-other")
jax.jit(lambda x: x + 1)(1.0)
pr.keep_programs(sys.argv[1])
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
    assert len(list(folder.iterdir())) > 3
