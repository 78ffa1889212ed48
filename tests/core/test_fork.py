"""A forked child of a process in which JAX was at work: it refuses instead of waiting for ever."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

SCRIPT = """
import os, sys, warnings
warnings.simplefilter("ignore")
import jax, numpy as np
import proxreg as pr, proxreg.sklearn as ps

X = np.random.default_rng(0).standard_normal((30, 3))
y, classes = X[:, 0] + 1, np.arange(30) % 3
key = np.asarray(jax.random.key_data(jax.random.key(0))) if sys.argv[1] == "after" else None
path = None
if sys.argv[1] == "after":
    path = pr.fit_path(X, (y > 1).astype(int), loss="logistic", n_alphas=3)
    model = pr.LinearModel(X, y)

doors = {
    "fit": lambda: pr.fit(X, y, penalty=pr.L1(0.1)),
    "fit_path": lambda: pr.fit_path(X, y, n_alphas=3),
    "cv_path": lambda: pr.cv_path(X, y, n_alphas=3),
    "alpha_max": lambda: pr.alpha_max(X, y),
    "bootstrap": lambda: pr.bootstrap(X, y, key=None, alphas=0.1),
    "stability_selection": lambda: pr.stability_selection(X, y, key=None),
    "ridge_cv": lambda: pr.ridge_cv(X, y),
    "adaptive": lambda: pr.adaptive(X, y),
    "relax": lambda: pr.relax(path),
    "information_criterion": lambda: pr.information_criterion(path),
    "predict": lambda: path.predict(X),
    "fista": lambda: pr.fista(model, pr.L1(0.1)),
    "coordinate_descent": lambda: pr.coordinate_descent(model, pr.L1(0.1)),
    "Lasso": lambda: ps.Lasso().fit(X, y),
    "LogisticRegression": lambda: ps.LogisticRegression().fit(X, classes),
}
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
if sys.argv[1] == "before":
    print("converged" if doors["fit_path"]().converged.all() else "not converged", flush=True)
else:
    for name, call in doors.items():
        try:
            call()
        except RuntimeError as error:
            print(name, "spawn" in str(error) and "loky" in str(error), flush=True)
        else:
            print(name, "computed", flush=True)
os._exit(0)
"""


def run(when):
    return subprocess.run([sys.executable, "-c", SCRIPT, when], capture_output=True, text=True, timeout=240)


def test_every_door_refuses_after_a_fit_and_says_what_to_do():
    done = run("after")
    assert done.returncode == 0, done.stderr
    said = dict(line.split() for line in done.stdout.splitlines())
    assert len(said) == 15
    assert set(said.values()) == {"True"}, said


def test_a_child_of_a_process_that_has_computed_nothing_computes():
    done = run("before")
    assert done.stdout.strip() == "converged", done.stderr
