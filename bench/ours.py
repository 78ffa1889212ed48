"""``proxreg.fit_path`` as a contender, and ``proxreg.solve_path`` inside a jitted function."""

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


def pure(problem: Problem, tol: float, options: dict) -> Solver:
    """The path as one jitted function of data that are on the device; ``options`` go to ``solve_path``."""
    pr = fresh()
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def path(X: Any, y: Any, alphas: Any) -> Any:
        model = pr.LinearModel(X, y, loss=problem.loss)
        penalty = pr.ElasticNet(1.0, problem.l1_ratio)
        return pr.solve_path(model, penalty, alphas, tol=tol, max_steps=10**6, **options)

    def prepare(X: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple:
        labels = (y > 0).astype(float) if problem.loss == "logistic" else y
        data = jax.block_until_ready([jnp.asarray(array) for array in (X, labels, alphas)])

        def solve() -> Any:
            return jax.block_until_ready(path(*data))

        def read(found: Any) -> tuple:
            said = {"converged": (found.status == 0).tolist(), "device": jax.devices()[0].device_kind}
            return np.asarray(found.w), count(np.asarray(found.num_steps)) | said

        return solve, read

    return path_solver(problem, prepare, order="C")


def fresh() -> Any:
    """The library, in a process that compiles everything itself."""
    import jax

    import proxreg as pr

    jax.config.update("jax_enable_compilation_cache", False)
    return pr
