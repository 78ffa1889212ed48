"""A path solver as a worker runs it: a problem's data, a quiet call that is timed, and a judge that is not."""

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from bench import certificate, certificate_logistic, problems
from bench.problems import Problem
from bench.workers import Solver

Prepare = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[Callable[[], Any], Callable[[Any], tuple[Any, dict]]]]


def path_solver(problem: Problem, prepare: Prepare, order: Literal["C", "F"] = "F") -> Solver:
    """``prepare(X, y, alphas)`` gives ``solve() -> answer`` and ``read(answer) -> coef (n_alphas, p), more facts``."""
    X, y = problems.make(problem, order)
    alphas = problems.alphas(problem, X, y)
    solve, read = prepare(X, y, alphas)

    def judge(answer: Any) -> dict:
        coef, more = read(answer)
        if problem.loss == "logistic":
            gap = certificate_logistic.relative_gap(X, y, coef, alphas)
        else:
            gap = certificate.relative_gap(X, y, coef, 0.0, alphas, problem.l1_ratio, fit_intercept=False)
        return facts(gap) | more

    return quietly(solve), judge


def facts(gap: np.ndarray, steps: Any = None) -> dict:
    """What contests ask of an answer: the relative gap of every lane, the worst, and steps where they are counted."""
    gap = np.where(np.isfinite(gap), gap, np.inf)
    known = {"gap": gap.ravel().tolist(), "worst_gap": float(np.max(gap)), "max_steps": None, "mean_steps": None}
    return known if steps is None else known | count(steps)


def count(steps: Any) -> dict:
    """Over the lanes."""
    return {"max_steps": int(np.max(steps)), "mean_steps": float(np.mean(steps))}


def quietly(solve: Callable[[], Any]) -> Callable[[], Any]:
    """The same without warnings: the certificate decides, not the solver's opinion of itself."""

    def call() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return solve()

    return call
