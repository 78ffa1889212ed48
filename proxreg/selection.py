"""Cross-validation: a path for every fold, judged on the rows that it has not seen."""

import dataclasses
import warnings
from typing import Any

import numpy as np

from proxreg._progress import report, unheard
from proxreg._warnings import DataWarning
from proxreg.convergence import remedy, warn_unless_converged
from proxreg.cv_result import CVPath
from proxreg.degenerate_folds import infinite_folds, limit_of, without_optimum
from proxreg.engine import Moments, OneBlasThread, determines
from proxreg.folds import Fold, make_folds
from proxreg.metrics import Metric, as_metric
from proxreg.path_problem import PathProblem, answer, as_path, labels, pose, solved
from proxreg.penalties import Penalty
from proxreg.rules import places, warn_at_the_edge
from proxreg.task import Task, tasks_from, tasks_of

LIGHT = 1e-6  # a fold's rows of no more of the weight than this are summed by themselves
DIGITS = 100  # units of rounding of the terms of a held-out error that must be left of it


def cv_path(
    X: Any,
    y: Any,
    *,
    folds: Any = 5,
    repeats: int = 1,
    key: Any = None,
    metric: str = "loss",
    degenerate_folds: str = "raise",
    alphas: Any = None,
    n_alphas: int = 100,
    min_ratio: float | None = None,
    l1_ratio: Any = 1.0,
    loss: Any = "squared",
    penalty: Penalty | None = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    exclude: Any = None,
    positive: bool = False,
    lower: Any = None,
    upper: Any = None,
    max_features: int | None = None,
    tol: float = 1e-4,
    max_steps: int | None = None,
    solver: str = "auto",
    dtype: Any = None,
    feature_names: Any = None,
) -> CVPath:
    """Fits a grid of strengths on all rows and on the rows outside each fold, and judges by the rows inside.

    The loss is the objective's own, without the penalty: half the squared error for the squared loss, a weighted mean
    over the rows of a fold. Over folds it is a plain mean, as in scikit-learn, with the standard error
    ``se = sqrt(var / (folds - 1))``; repeats are no new data, and ``folds`` in it stays the number of folds of each.
    All folds share the alphas of the whole data. For the squared loss with moderately many columns one pass over X
    serves everything: the statistics of the rows outside a fold are those of all rows less the fold's own.

    Args:
      folds: a number K (rows in their order, cut in K; each class is cut, where there are classes and one response),
        labels ``(n,)`` that name a fold per row, a splitter of scikit-learn, or the pairs of rows that it splits in.
      repeats, key: shuffle before cutting, ``repeats`` times, by a ``jax.random`` key.
      metric: "loss"; "mse"; "deviance", twice the loss; for a classification "accuracy" or "auc", which are best where
        they are largest. It is what ``mean_loss`` then is.
      degenerate_folds: what to do where the rows to fit on have a single class, or no event, so that their best
        intercept is infinite, or classes that columns without a penalty separate: "raise" an error that names the fold,
        "infinite" takes the limit at its word (the loss of rows of the other kind is infinite), "drop" leaves these
        folds out, with a warning.
      The others are those of ``fit_path``, ``y (n, T)`` among them: one pass over X serves all responses.

    Raises:
      ValueError: where an argument is no good, saying what to pass instead.

    >>> import proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> cv = pr.cv_path(X, y, l1_ratio=[0.5, 1.0], standardize=True, folds=5, n_alphas=20, dtype="float64")
    >>> print(cv.mean_loss.shape, cv.l1_ratio_min, round(cv.alpha_min, 2))
    (2, 20) 1.0 0.06
    """
    chosen: list[Fold] = []

    def parts(response, classes):
        chosen.extend(make_folds(folds, response, classes, repeats, key))
        return [fold.test for fold in chosen]

    problem = pose(
        X,
        y,
        alphas=alphas,
        n_alphas=n_alphas,
        min_ratio=min_ratio,
        l1_ratio=l1_ratio,
        loss=loss,
        penalty=penalty,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
        offset=offset,
        penalty_factor=penalty_factor,
        exclude=exclude,
        positive=positive,
        lower=lower,
        upper=upper,
        max_features=max_features,
        tol=tol,
        max_steps=max_steps,
        solver=solver,
        dtype=dtype,
        feature_names=feature_names,
        parts=parts,
    )
    kind = as_metric(metric, problem.task.loss)
    _require_weight(problem, chosen)
    if kind.name == "auc":
        _require_both(problem, chosen)
    infinite = infinite_folds(problem, chosen, degenerate_folds)
    report(0, len(chosen) + 1)
    with unheard():
        problem, whole = solved(problem)
    fits = [whole]
    values = []
    for number, fold in enumerate(chosen):
        report(number + 1, len(chosen) + 1)
        if number in infinite and degenerate_folds == "drop":
            continue
        if number in infinite:
            found, value = limit_of(problem, whole, fold, infinite[number], kind)
        else:
            with unheard():
                found, value = _judged(problem, whole, fold, number, kind)
            value = without_optimum(problem, found, value, number, kind, degenerate_folds)
            if value is None:
                continue
        fits.append(found)
        values.append(value)
    report(len(chosen) + 1, len(chosen) + 1)
    if len(values) < 2:
        raise ValueError("fewer than 2 folds have an optimum; shuffle the rows, or penalise all columns")
    _warn(problem, fits)
    return _summary(problem, fits, np.stack(values), kind, len(values) // int(repeats))


def _weights(problem: PathProblem) -> np.ndarray:
    data = problem.task.data
    return np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight


def _require_weight(problem: PathProblem, folds: list[Fold]) -> None:
    weights = _weights(problem)
    for number, fold in enumerate(folds):
        for rows, purpose in ((fold.train, "fit on"), (fold.test, "judge by")):
            if not np.any(weights[rows] > 0):
                raise ValueError(
                    f"fold {number}: all rows to {purpose} have weight zero; leave out such rows, or shuffle"
                )


def _require_both(problem: PathProblem, folds: list[Fold]) -> None:
    weights = _weights(problem)
    for number, fold in enumerate(folds):
        for task in problem.tasks:
            if len(np.unique(task.data.y[fold.test][weights[fold.test] > 0])) < 2:
                raise ValueError(
                    f"fold {number} holds a single class, and auc needs both; pass fewer folds, "
                    "or scikit-learn's StratifiedKFold"
                )


@OneBlasThread()
def _judged(
    problem: PathProblem, whole: dict[str, np.ndarray], fold: Fold, number: int, metric: Metric
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The fits outside a fold, and how well they do inside it."""
    task, weights = problem.task, _weights(problem)
    outside = _outside(problem, fold, number)
    if outside is None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # what the data are like was said of all rows
            tasks = tasks_of(fold.train, problem.tasks)
        found, squares = answer(dataclasses.replace(problem, tasks=tasks)), None
    else:
        # where the minimiser may not be unique, a start at the fit on all rows would tell of those held out
        sums = task.design.sums
        assert sums is not None
        known = np.isfinite(whole["gap"]).all() and determines(outside, sums, task.fit_intercept)
        tasks = tasks_from(outside, problem.tasks, fold.train)
        found = answer(dataclasses.replace(problem, tasks=tasks), whole["coef"] if known else None)
        squares = _mean_square(problem, task.design.parts[number], found)
    if squares is None:
        return found, _measured(problem, found, fold.test, weights[fold.test], metric)
    assert metric.of_square is not None  # statistics are those of the squared loss
    return found, metric.of_square * squares


def _outside(problem: PathProblem, fold: Fold, number: int) -> Moments | None:
    """The statistics of the rows outside a fold as those of all less its own; None where that does not serve."""
    sums, weights = problem.task.design.sums, _weights(problem)
    if sums is None or not np.array_equal(np.bincount(np.append(fold.train, fold.test)), np.ones(weights.size)):
        return None
    if weights[fold.train].sum() < LIGHT * weights.sum():
        return None
    found = sums.without(problem.task.design.parts[number])
    return found if found.keeps_digits(sums, problem.task.fit_intercept) else None


def _each_response(problem: PathProblem, found: dict[str, np.ndarray]) -> list[tuple[Task, np.ndarray, np.ndarray]]:
    """Coefficients and intercepts of each."""
    pairs = zip(found["coef"], found["intercept"]) if problem.several else [(found["coef"], found["intercept"])]
    return [(task, *pair) for task, pair in zip(problem.tasks, pairs)]


def _mean_square(problem: PathProblem, held: Moments, found: dict[str, np.ndarray]) -> np.ndarray | None:
    """``sum_i s_i (y_i - b - x_i . w)^2 / sum_i s_i`` over the rows that the sums are of; None where so little is left
    of the terms that rounding tells in it.
    """
    means, least = [], 10 * np.sqrt(np.finfo(held.kind).eps)
    for task, coef, intercept in _each_response(problem, found):
        k, w, design = task.response, coef.astype(np.float64), task.design
        b = intercept.astype(np.float64) - design.y_center - design.y_low
        b = b if held.shift is None else b + w @ held.shift
        fitted = np.einsum("...p,...p->...", w @ held.xx, w) + 2 * b * (w @ held.x) + b**2 * held.total
        left = held.yy[k] - 2 * (w @ held.xy[:, k] + b * held.y[k]) + fitted
        terms = np.square(np.abs(w) @ np.sqrt(np.diagonal(held.xx)))  # of columns that nearly cancel, large ones
        if np.any(left < least * (held.yy[k] + fitted)) or np.any(left < DIGITS * np.finfo(held.kind).eps * terms):
            return None
        means.append(left / held.total)
    return np.stack(means).reshape(problem.grid.shape)


def _measured(
    problem: PathProblem, found: dict[str, np.ndarray], rows: np.ndarray, weights: np.ndarray, metric: Metric
) -> np.ndarray:
    """The same for any loss and metric, from predictions."""
    means, dtype = [], problem.task.dtype
    rows, weights = rows[weights > 0], weights[weights > 0]
    X, offset = np.asarray(problem.task.data.X[rows]).astype(dtype), problem.task.data.offset
    for task, coef, intercept in _each_response(problem, found):
        eta = coef @ X.T + intercept[..., None]
        eta = eta if offset is None else eta + offset[rows].astype(dtype)
        value = metric.of_rows(task.loss, eta.reshape(-1, rows.size), task.data.y[rows], weights)
        means.append(value.reshape(eta.shape[:-1]))
    return np.stack(means).reshape(problem.grid.shape)


def _summary(
    problem: PathProblem,
    fits: list[dict[str, np.ndarray]],
    values: np.ndarray,
    metric: Metric,
    pieces: int,
) -> CVPath:
    mean = values.mean(axis=0)
    spread = np.where(np.isfinite(mean), values - np.where(np.isfinite(mean), mean, 0), np.inf)
    size = np.abs(spread).max(axis=0)  # squares of losses may overflow
    unit = np.where((size > 0) & np.isfinite(size), size, 1)
    error = unit * np.sqrt(np.square(spread / unit).mean(axis=0) / (pieces - 1))
    place = places(-mean if metric.larger else mean, error, problem.grid, len(problem.tasks))
    path = as_path(problem, fits[0])
    if problem.most is None:  # else the grid may end where it was told to
        warn_at_the_edge(problem.grid, mean, path.nnz, place["min"], f"mean {metric.name}")
    return CVPath(
        path=path,
        alphas=problem.grid,
        mean_loss=mean,
        se_loss=error,
        fold_loss=values,
        fold_gap=np.stack([found["gap"] for found in fits[1:]]),
        metric=metric.name,
        place=place,
    )


def _warn(problem: PathProblem, fits: list[dict[str, np.ndarray]]) -> None:
    names = ("converged", "gap", "violation", "objective", "num_steps", "cause")
    together = {name: np.stack([found[name] for found in fits]) for name in names}
    names = [
        label if fold == 0 else f"{label}, fold {fold - 1}" for fold in range(len(fits)) for label in labels(problem)
    ]
    warn_unless_converged(together, problem.options, names, remedy(problem.task.standardize, problem.task.dtype))
