"""``proxreg.fit_path`` as a contender."""

from typing import Any

import numpy as np

from bench.judged import count, path_solver
from bench.problems import Problem
from bench.workers import Solver


def build(problem: Problem, tol: float, options: dict) -> Solver:
    """``options`` go to ``fit_path``; float64 and steps without end are the defaults here."""
    pr = fresh()
    import jax

    options = {"dtype": "float64", "max_steps": 10**6} | options

    def prepare(X: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple:
        given = {"alphas": alphas, "l1_ratio": problem.l1_ratio, "loss": problem.loss, "fit_intercept": False}
        data = X.astype(options["dtype"], copy=False), y.astype(options["dtype"])

        def solve() -> Any:
            return pr.fit_path(*data, **given, tol=tol, **options)

        def read(path: Any) -> tuple:
            said = {"converged": path.converged.tolist(), "device": jax.devices()[0].device_kind}
            return path.coef, count(path.num_steps) | said

        return solve, read

    return path_solver(problem, prepare, order="C")


def fresh() -> Any:
    """The library, in a process that compiles everything itself."""
    import jax

    import proxreg as pr

    jax.config.update("jax_enable_compilation_cache", False)
    return pr
