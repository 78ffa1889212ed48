"""A grid of fits on many samples of the same rows: every sample and every alpha is a lane."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from proxreg import _precision
from proxreg._progress import report, unheard
from proxreg._pytree import replace, tree_put, tree_take
from proxreg.batch import (
    Lanes,
    PenaltyBatch,
    Rows,
    WarmStart,
    filled,
    padded,
    solve_on_rows,
    solve_on_samples,
)
from proxreg.engine import (
    OneBlasThread,
    cores,
    in_parallel,
    infinite_intercept,
    solve_lanes,
    why_infinite,
)
from proxreg.fitting import centred_rows, free_of_penalty, on_input_scale, with_gaps
from proxreg.least_norm import least_norm
from proxreg.least_squares import RowsAtHand, has_closed_form
from proxreg.losses import Squared
from proxreg.models import Coefficients, LinearModel
from proxreg.path_problem import PathProblem, scaled_template
from proxreg.solvers import Result, Status
from proxreg.task import Options, Task

MOST = 1 << 21  # coefficients of lanes at work together
LANES = 64  # of any other loss than the squared one, in a program
PATIENCE = 150  # accelerated steps before Newton's


def half_samples(key: jax.Array, y: np.ndarray, classes: tuple | None, pairs: int) -> np.ndarray:
    """Weights ``(2 pairs, n)``, 1 or 0: disjoint halves of the rows, of each class where there are classes.

    Shah and Samworth (2013), Variable selection with error control: another look at stability selection, section 2.
    """
    weights = np.zeros((2 * pairs, len(y)))
    for number, own in enumerate(_orders(key, len(y), pairs)):
        for rows in _strata(y, classes):
            shuffled = own[np.isin(own, rows)] if classes is not None else own
            half = len(shuffled) // 2
            weights[2 * number, shuffled[:half]] = 1
            weights[2 * number + 1, shuffled[half : 2 * half]] = 1
    return weights


def bootstrap_samples(key: jax.Array, y: np.ndarray, classes: tuple | None, samples: int) -> np.ndarray:
    """Weights ``(samples, n)``: how often each row is drawn, with replacement, from its class where there are classes.

    Efron and Tibshirani (1993), An introduction to the bootstrap, section 6.2.
    """
    weights = np.zeros((samples, len(y)))
    for number, rows in enumerate(_strata(y, classes)):
        drawn = jax.random.randint(jax.random.fold_in(key, number), (samples, len(rows)), 0, len(rows))
        for sample, at in enumerate(np.asarray(drawn)):
            weights[sample, rows] = np.bincount(at, minlength=len(rows))
    return weights


def _orders(key: jax.Array, n: int, count: int) -> np.ndarray:
    return np.asarray(jax.vmap(lambda own: jax.random.permutation(own, n))(jax.random.split(key, count)))


def _strata(y: np.ndarray, classes: tuple | None) -> list[np.ndarray]:
    """The rows of each class, or all rows."""
    strata = [np.arange(len(y))] if classes is None else [np.flatnonzero(y == value) for value in np.unique(y)]
    for rows in strata:
        if len(rows) < 2:
            what = "X" if classes is None else f"class {classes[int(y[rows[0]])]!r}"
            raise ValueError(f"{what} has {len(rows)} row; samples need two or more")
    return strata


def fits(problem: PathProblem, whole: dict[str, np.ndarray], weights: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """The fits of the grid on samples ``(samples, n)`` of the rows, as many at a time as memory likes, in their order.

    Arrays have the axis of samples in front. Columns keep the centre and the scale that they have in all rows.
    ``whole`` is the answer for these: where lanes start.
    """
    task, given = problem.task, problem.task.data.sample_weight
    if isinstance(task.loss, Squared) and not problem.template.separable:
        raise ValueError(f"samples of rows take penalties by coefficient, {type(problem.template).__name__} is not")
    weights = weights if given is None else weights * given
    totals = weights.sum(axis=1, keepdims=True)
    if not np.all(totals > 0):
        raise ValueError("a sample holds rows of weight zero only; leave such rows out")
    for number, sample in enumerate(weights if task.fit_intercept else ()):
        if infinite_intercept(task.loss, task.data.y, sample):
            what = why_infinite(task.loss)
            raise ValueError(
                f"sample {number} of the rows {what}: its intercept is infinite; pass more rows of that kind"
            )
    weights = weights / totals
    size = max(MOST // (problem.grid.size * whole["coef"].shape[-1]), 1)
    with _precision.scope(task.dtype):
        squared = isinstance(task.loss, Squared)
        solve = _least_squares(problem, whole, weights) if squared else _any_loss(problem, whole)
    for start in range(0, len(weights), size):
        own = weights[start : start + size]
        with _precision.scope(task.dtype), OneBlasThread(), unheard():
            # side by side, each with steps that leave the other core to the other
            halves = np.array_split(own, min(cores(), len(own)))
            parts = in_parallel(lambda rows: on_input_scale(task, solve(rows), problem.options.tol), halves)
        found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        report(start + len(own), len(weights))
        yield {name: a.reshape(len(own), *problem.grid.shape, *a.shape[1:]) for name, a in found.items()}


def _lanes(problem: PathProblem, samples: int) -> tuple[np.ndarray, PenaltyBatch]:
    """The sample of each lane, and the penalties of all."""
    grid, ratios = problem.grid.ravel(), np.broadcast_to(problem.ratios[..., None], problem.grid.shape).ravel()
    ratio = None if problem.own else np.tile(ratios.astype(problem.task.dtype), samples)
    family = PenaltyBatch(scaled_template(problem), problem.task.factor, np.tile(grid, samples), ratio)
    return np.repeat(np.arange(samples), grid.size), family


def _least_squares(problem: PathProblem, whole: dict[str, np.ndarray], weights: np.ndarray):
    task, options = problem.task, problem.options
    X, y = centred_rows(task)
    base = (whole["coef"] * task.design.scale).reshape(problem.grid.size, -1).astype(task.dtype)
    model = LinearModel(X, y, task.loss, fit_intercept=task.fit_intercept)
    rows = Rows.of(X, y, weights)

    def solve(weights: np.ndarray) -> Result:
        response, family = _lanes(problem, len(weights))
        closed = has_closed_form(task, family.template, family.alpha, family.l1_ratio) & (options.solver == "auto")
        start = Coefficients(np.tile(base, (len(weights), 1)), np.zeros(response.size, task.dtype))
        unknown, zero = np.full((3, response.size), np.nan, task.dtype), np.zeros((2, response.size), np.int32)
        result = Result(start, *unknown, *zero)  # pyright: ignore[reportArgumentType]
        for number in np.unique(response[closed]):
            lanes = np.flatnonzero(closed & (response == number))
            sample = RowsAtHand(X, y, weights[number], task.fit_intercept)
            tree_put(result, lanes, sample.solution(family.lanes(lanes), task.dtype, options.tol))
        # whether a lane has a closed form does not depend on its sample
        lanes, cells = np.flatnonzero(~closed), np.flatnonzero(~closed[: problem.grid.size])
        if cells.size:
            problems = family.lanes(cells), base[cells], task.fit_intercept
            part = solve_on_samples(rows, weights, *problems, tol=options.tol, max_steps=options.max_steps)
            tree_put(result, lanes, part)
        left = np.flatnonzero((result.status != Status.CONVERGED) & ~closed & (result.num_steps < options.max_steps))
        if left.size:
            penalties, spent = family.lanes(left), result.num_steps[left]
            budget = options.max_steps - int(spent.max())
            again = Coefficients(base[left % problem.grid.size], np.zeros(left.size, task.dtype))
            part = by_steps(weights, response[left], penalties, again, options.tol, budget)
            tree_put(result, left, part._replace(num_steps=part.num_steps + spent))
        free = np.isnan(result.gap) & free_of_penalty(task, family).any(axis=1)
        return _with_gaps(task, model, options, weights, response, family, result, free, by_steps)

    def by_steps(
        weights: np.ndarray,
        response: np.ndarray,
        family: PenaltyBatch,
        start: Any,
        tol: float,
        max_steps: int = options.max_steps,
    ) -> Result:
        lanes = Lanes(family, start if task.fit_intercept else start.coef, WarmStart.OWN, response)
        result = solve_on_rows(model, lanes, tol=tol, max_steps=max_steps, weights=weights)
        coef, intercept = result.w if task.fit_intercept else (result.w, np.zeros(response.size, task.dtype))
        return result._replace(w=Coefficients(coef, intercept))

    return solve


def _any_loss(problem: PathProblem, whole: dict[str, np.ndarray]):
    task, options, model = problem.task, problem.options, problem.task.smooth
    assert isinstance(model, LinearModel)
    coef = (whole["coef"] * task.design.scale).reshape(problem.grid.size, -1).astype(task.dtype)
    intercept = whole["intercept"].ravel() - task.design.y_center
    intercept = intercept + whole["coef"].reshape(problem.grid.size, -1) @ task.design.center

    def solve(weights: np.ndarray) -> Result:
        response, family = _lanes(problem, len(weights))
        weights = padded(weights, len(weights), np.shape(model.y)[0]).astype(task.dtype)
        cell = np.arange(response.size) % problem.grid.size
        start = coef[cell]
        start = Coefficients(start, intercept[cell].astype(task.dtype)) if task.fit_intercept else start
        found = by_steps(weights, response, family, start, options.tol)
        free = np.any(free_of_penalty(task, family), axis=1)
        return _with_gaps(task, model, options, weights, response, family, found, free, by_steps)

    def by_steps(weights: np.ndarray, response: np.ndarray, family: PenaltyBatch, start: Any, tol: float) -> Result:
        if options.solver != "auto":
            return _mapped(model, weights, response, family, start, tol, options.max_steps, options.solver)
        # accelerated steps lead most lanes to their ends; Newton's cost more to begin with
        patience = min(PATIENCE, options.max_steps)
        found = _mapped(model, weights, response, family, start, tol, patience, "fista")
        left = np.flatnonzero((found.status == Status.MAX_STEPS) & (found.num_steps < options.max_steps))
        if left.size:
            lanes = Lanes(family.lanes(left), tree_take(found.w, left), WarmStart.OWN, response[left])
            rest = solve_on_rows(model, lanes, tol=tol, max_steps=options.max_steps - PATIENCE, weights=weights)
            tree_put(found, left, rest._replace(num_steps=rest.num_steps + found.num_steps[left]))
        return found

    return solve


def _mapped(
    model: LinearModel,
    weights: np.ndarray,
    response: np.ndarray,
    family: PenaltyBatch,
    start: Any,
    tol: float,
    max_steps: int,
    solver: str,
) -> Result:
    """Return the lanes by a plain solver, as many at a time as one program has."""
    parts, count = [], response.size
    for first in range(0, count, LANES):
        at = filled(np.arange(first, min(first + LANES, count)), LANES)
        some, own = family.lanes(at), weights[response[at]]
        given = some.template, some.alpha, some.l1_ratio, some.factor, tree_take(start, at), tol, max_steps, solver
        part = solve_lanes(model, *given, own_starts=True, weights=own)
        parts.append(tree_take(part, slice(count - first)))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def _of_sample(task: Task, model: LinearModel, weights: np.ndarray) -> Task:
    """Return the task on one sample of its rows, as a model of these."""
    data = task.data._replace(sample_weight=weights[: len(task.data.y)].astype(np.float64))
    return dataclasses.replace(task, data=data, smooth=replace(model, sample_weight=weights), products=None)


def _with_gaps(
    task: Task,
    model: LinearModel,
    options: Options,
    weights: np.ndarray,
    response: np.ndarray,
    family: PenaltyBatch,
    found: Result,
    chosen: np.ndarray,
    by_steps: Callable[..., Result],
) -> Result:
    """Return the fits, the ``chosen (L,)`` with gaps beside free columns and a word on those without an optimum."""
    for number in np.unique(response[chosen]):
        own, lanes = _of_sample(task, model, weights[number]), np.flatnonzero(chosen & (response == number))
        few, part = family.lanes(lanes), tree_take(found, lanes)

        def solve(some: np.ndarray, tol: float) -> Result:
            penalties, fits = few.lanes(some), tree_take(part, some)  # noqa: B023
            if tol < options.tol:
                fits = by_steps(weights, response[lanes[some]], penalties, fits.w, tol)  # noqa: B023
            return least_norm(own, penalties, fits, tol)  # noqa: B023

        tree_put(found, lanes, with_gaps(solve, own, few, options))
    return found
