"""Folds whose rows to fit on have no finite optimum: of a single class, without events, separated by free columns."""

from typing import Any

import numpy as np

from proxreg._warnings import DataWarning, warn
from proxreg.convergence import Cause
from proxreg.engine import infinite_intercept, why_infinite
from proxreg.folds import Fold
from proxreg.metrics import Metric
from proxreg.path_problem import PathProblem, labels

POLICIES = ("raise", "infinite", "drop")


def infinite_folds(problem: PathProblem, folds: list[Fold], policy: str) -> dict[int, float]:
    """Return the infinite intercept of each fold that has one, by the fold's number; raise or warn as the policy says.

    ``policy`` is "raise", "infinite" or "drop".
    """
    if policy not in POLICIES:
        raise ValueError(f"degenerate_folds must be one of {', '.join(map(repr, POLICIES))}, got {policy!r}")
    found: dict[int, float] = {}
    if not problem.task.fit_intercept:
        return found
    weights = problem.task.data.sample_weight
    for number, fold in enumerate(folds):
        for task in problem.tasks:
            own = None if weights is None else weights[fold.train]
            intercept = infinite_intercept(task.loss, task.data.y[fold.train], own)
            if intercept:
                found[number] = intercept
    if not found:
        return found
    first = next(iter(found))
    sign = "-" if found[first] < 0 else ""
    what = f"fold {first} {why_infinite(problem.task.loss)} to fit on: its intercept is {sign}infinity"
    if policy == "raise" or (policy == "infinite" and problem.several):
        ways = "'drop'" if problem.several else "'infinite' or 'drop'"
        raise ValueError(
            f"{what}; shuffle the rows (key=jax.random.key(0)), pass a splitter that stratifies, or "
            f"degenerate_folds={ways}"
        )
    if policy == "drop":
        if len(folds) - len(found) < 2:
            raise ValueError(f"{what}, and fewer than 2 folds are left without such; shuffle the rows")
        warn(f"{what}; {len(found)} of {len(folds)} folds left out", DataWarning)
    return found


def limit_of(
    problem: PathProblem, whole: dict[str, np.ndarray], fold: Fold, intercept: float, metric: Metric
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the fits of a fold at its infinite intercept, with loss 0 and no coefficients, and how well they do."""
    task = problem.task
    found: dict[str, Any] = {name: np.zeros_like(values) for name, values in whole.items()}
    found["intercept"] = np.full_like(whole["intercept"], intercept)
    found["converged"] = np.ones_like(whole["converged"])
    weights = np.ones(len(task.data.y)) if task.data.sample_weight is None else task.data.sample_weight
    rows = fold.test[weights[fold.test] > 0]
    eta = np.full((1, rows.size), intercept, task.dtype)
    value = metric.of_rows(task.loss, eta, task.data.y[rows], weights[rows])
    return found, np.broadcast_to(value, problem.grid.shape).astype(float)


def without_optimum(
    problem: PathProblem, found: dict[str, np.ndarray], value: np.ndarray, number: int, metric: Metric, policy: str
) -> np.ndarray | None:
    """Return how well the fits of a fold do, infinitely badly where they have no optimum; None if it is to be left out.

    There the coefficients are as large as the solver cared to go, and so is the loss of a row on the wrong side.
    """
    endless = found["cause"].reshape(value.shape) == Cause.UNBOUNDED
    if not endless.any():
        return value
    where = labels(problem)[int(np.argmax(endless.ravel()))]
    why = "along some unpenalised direction its loss falls for ever"
    what = f"fold {number} has no finite optimum on its rows to fit on ({where}): {why}"
    if policy == "raise":
        raise ValueError(
            f"{what}; penalise such columns, leave alpha = 0 out, shuffle the rows (key=jax.random.key(0)), or pass "
            "degenerate_folds='infinite' or 'drop'"
        )
    if policy == "drop":
        warn(f"{what}; it is left out", DataWarning)
        return None
    return value if metric.larger else np.where(endless, np.inf, value)
