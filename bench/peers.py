"""The path solvers of other libraries, as contenders: ``(problem, tol, option) -> solver``."""

import inspect
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench.judged import count, path_solver
from bench.problems import Problem
from bench.workers import Solver

PEER = "scikit-learn"


def installed(problem: Problem) -> dict[str, Any]:
    """Those of celer and skglm that are there and solve this problem: celer has the lasso alone."""
    known = {"celer": celer, "skglm": skglm}
    return {name: known[name] for name in known if find_spec(name) and (problem.l1_ratio == 1 or name != "celer")}


def sklearn(problem: Problem, tol: float, gram: bool) -> Solver:
    """``enet_path``, which is ``lasso_path`` at l1_ratio 1, on its preferred memory order and without its copy of X."""
    from sklearn.linear_model import enet_path

    def prepare(X: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple:
        options: Any = {"l1_ratio": problem.l1_ratio, "alphas": alphas, "precompute": gram, "copy_X": False}
        return (
            lambda: enet_path(X, y, **options, tol=tol, max_iter=10**6, return_n_iter=True),
            lambda answer: (answer[1].T, count(answer[3])),
        )

    return path_solver(problem, prepare)


def liblinear(problem: Problem, tol: float, option: None) -> Solver:
    """``LogisticRegression(solver="liblinear")``, alpha by alpha; it cannot start from the last one's answer."""
    del option
    from sklearn.linear_model import LogisticRegression

    named = inspect.signature(LogisticRegression).parameters["penalty"].default == "deprecated"
    lasso: Any = {"l1_ratio": 1.0} if named else {"penalty": "l1"}

    def prepare(X: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple:
        def solve() -> list:
            common = lasso | {"solver": "liblinear", "fit_intercept": False, "random_state": 0, "max_iter": 10**5}
            return [LogisticRegression(C=1 / (len(y) * alpha), tol=tol, **common).fit(X, y) for alpha in alphas]

        def read(models: list) -> tuple:
            return np.concatenate([model.coef_ for model in models]), count([model.n_iter_ for model in models])

        return solve, read

    return path_solver(problem, prepare, order="C")


def celer(problem: Problem, tol: float, option: None) -> Solver:
    """``celer_path``: working sets, dual extrapolation; its logistic loss is a sum, not a mean."""
    del option
    from celer import celer_path  # pyright: ignore[reportMissingImports]

    def prepare(X: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple:
        logistic = problem.loss == "logistic"
        options = {"pb": "logreg" if logistic else "lasso", "alphas": alphas * (len(y) if logistic else 1)}
        return (
            lambda: celer_path(X, y, **options, tol=tol, max_iter=200, max_epochs=10**6),
            lambda answer: (answer[1].T, {}),
        )

    return path_solver(problem, prepare)


def skglm(problem: Problem, tol: float, option: None) -> Solver:
    """``AndersonCD.path``: working sets and Anderson acceleration; its tolerance is on subgradients."""
    del option
    from skglm.datafits import Logistic, Quadratic  # pyright: ignore[reportMissingImports]
    from skglm.penalties import L1_plus_L2  # pyright: ignore[reportMissingImports]
    from skglm.solvers import AndersonCD  # pyright: ignore[reportMissingImports]
    from skglm.utils.jit_compilation import compiled_clone  # pyright: ignore[reportMissingImports]

    def prepare(X: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple:
        scale = float(np.max(np.abs(y @ X)) / len(y))
        datafit = Logistic() if problem.loss == "logistic" else Quadratic()

        def solve() -> tuple:
            solver = AndersonCD(tol=tol * scale, fit_intercept=False, max_iter=200, max_epochs=10**6)
            return solver.path(X, y, compiled_clone(datafit), compiled_clone(L1_plus_L2(1.0, problem.l1_ratio)), alphas)

        return solve, lambda answer: (answer[1].T, {})

    return path_solver(problem, prepare)
