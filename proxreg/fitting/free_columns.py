"""Losses other than the squared one with columns that the penalty leaves free: a gap, and whether an optimum exists.

A dual point has to be orthogonal to the free columns. The derivatives at a fit are so but for its error; one step of
Newton's method in the dual, ``u - l''(eta) Z (Z' D Z)^-1 Z' S u`` with ``D = S l''(eta)``, makes them so, and near the
optimum it stays where the conjugate is finite, as it changes each row's mean in proportion to its variance.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg import _precision
from proxreg._pytree import Array, tree_put, tree_take
from proxreg.batch import PenaltyBatch, column_bucket, filled, is_plain, padded, row_bucket
from proxreg.engine import recedes, signs
from proxreg.fitting.rows import centred_rows
from proxreg.fitting.span import centred, span_of
from proxreg.losses import Custom, Loss, Squared
from proxreg.models import LinearModel, derivative_rounding, duality_gap, weighed
from proxreg.penalties import BoundedElasticNet, Penalty
from proxreg.solvers import Result, Status
from proxreg.task import Options, Task

WIDE = np.dtype(np.float64)  # in which these gaps are computed
REFINEMENTS = 2  # projections: what rounding leaves of the first is gone after the second
SINGULAR = 1e-12  # curvatures below this, relative to the largest, are those of directions that are flat
MOST_ROUNDING = 1e-3  # of the norm of the derivatives at the intercept-only model
ORTHOGONAL = 1e-8  # a larger cosine with what free columns span, and the point is no dual point
WEAK = 1e-2  # strengths of so small a part of the tolerance, in units of their columns, change no objective
MOST_WEAK, MOST_LANES = 256, 64  # columns and lanes that are worth the look
TIGHTER = (1e-1, 1e-2, 1e-4)  # parts of the tolerance to ask for until the gap is within it


def free_of_penalty(task: Task, family: PenaltyBatch) -> np.ndarray:
    """Return ``(L, p)``, which columns each lane does not penalise; none where other penalties than these rule."""
    factor = np.ones(task.data.X.shape[1]) if family.factor is None else np.asarray(family.factor)
    free = ((np.asarray(family.alpha) == 0)[:, None] | (factor == 0)) & ~np.isinf(factor)
    return free & _is_elastic_net(family.template)


def _is_elastic_net(template: Penalty) -> bool:
    """Return whether a penalty has an l1 and an l2 part, limits perhaps, and nothing else."""
    return is_plain(template) or isinstance(template, BoundedElasticNet) or getattr(template, "positive", False)


def _within_limits(family: PenaltyBatch, found: Result) -> np.ndarray:
    """Return which coefficients ``(L, p)`` are at none of their limits: the derivative by these is zero at the optimum.

    At a limit, a derivative of the right sign belongs to a dual point, and one of the wrong sign to none.
    """
    coef, _ = _parameters(found)
    lower, upper = family.limits(coef.shape[1], float)
    return (coef > lower) & (coef < upper)


def with_gaps(
    solve: Callable[[np.ndarray, float], Result], task: Task, family: PenaltyBatch, options: Options
) -> Result:
    """Return the fits ``solve(lanes, tol)`` of lanes ``(L,)``, with gaps also where columns are free.

    Solvers stop on the violation where they know no dual; one that leaves a gap above the tolerance is asked for less.
    A lane whose objective has no minimiser is ``UNBOUNDED``.
    """
    found, free = _fields(solve(np.arange(family.alpha.size), options.tol)), free_of_penalty(task, family)
    if isinstance(task.loss, Custom) or not free.any():
        return found
    beside = np.flatnonzero(free.any(axis=1))
    gap = np.array(found.gap)
    gap[beside] = _gaps_of_free(task, family, free, tree_take(found, beside), beside)
    for part in TIGHTER:
        lanes = beside[(found.status[beside] == Status.CONVERGED) & ~(gap[beside] <= options.tol)]
        if not lanes.size or options.tol * part < np.finfo(task.dtype).eps:
            break
        again = _fields(solve(lanes, options.tol * part))
        steps = found.num_steps[lanes] + again.num_steps
        tree_put(found, lanes, again)
        found.num_steps[lanes] = steps
        found.status[lanes] = np.where(found.violation[lanes] <= options.tol, Status.CONVERGED, again.status)
        gap[lanes] = _gaps_of_free(task, family, free, again, lanes)
    late = beside[(found.status[beside] == Status.CONVERGED) & ~(gap[beside] <= options.tol)]
    found.status[late] = Status.MAX_STEPS
    return _without_optimum(task, found._replace(gap=gap), free, *family.limits(free.shape[1], float), options.tol)


def _gaps_of_free(task: Task, family: PenaltyBatch, free: np.ndarray, found: Result, lanes: np.ndarray) -> np.ndarray:
    few = family.lanes(lanes)
    return gaps_beside(task, few, free[lanes] & _within_limits(few, found), found)


def with_gaps_of_rows(task: Task, family: PenaltyBatch, found: Result, tol: float) -> Result:
    """Return fits with the gaps that rows tell, where sums do not tell which columns depend on each other."""
    gap = gaps_beside(task, family, free_of_penalty(task, family) & _within_limits(family, found), found)
    good = (np.asarray(found.violation) <= tol) & (gap <= tol)
    done = np.asarray(found.status) == Status.CONVERGED
    status = np.where(done & ~good, Status.MAX_STEPS, found.status).astype(np.int32)
    return found._replace(gap=gap.astype(np.asarray(found.gap).dtype), status=status)


def with_weak_penalties(task: Task, family: PenaltyBatch, found: Result, options: Options) -> Result:
    """Return fits ``(L, ...)`` with the gap of a dual point that takes no notice of strengths too weak to be met.

    A gradient is known to some digits of its column's norm times the residual's. Where a strength is below that,
    scaling the dual point until the gradient is within it leaves next to nothing of the point. But a dual point of the
    problem without that strength is one of the problem with it, and it only has to be orthogonal to the column. Where
    no gap is known at all, the columns without a penalty are those.
    """
    late = (found.status == Status.MAX_STEPS) | np.isnan(found.gap)
    lanes = np.flatnonzero(late & (found.violation <= options.tol))
    if not lanes.size or isinstance(task.loss, Custom) or not _is_elastic_net(family.template):
        return found
    rows, few = _rows(task), family.lanes(lanes)
    norms = np.sqrt(rows.weights @ np.square(rows.X))
    factor = np.ones(len(norms)) if family.factor is None else np.asarray(family.factor, float)
    with np.errstate(invalid="ignore"):
        strength = np.where(np.isinf(factor), np.inf, few.l1[:, None] * factor)
    weak = strength <= WEAK * options.tol * norms * _residual(task)
    unknown, part = np.isnan(found.gap[lanes]), tree_take(found, lanes)
    mask = np.where(unknown[:, None], free_of_penalty(task, few), weak) & (norms > 0) & _within_limits(few, part)
    worth = np.flatnonzero((unknown | mask.any(axis=1)) & (mask.sum(axis=1) <= MOST_WEAK))[:MOST_LANES]
    if not worth.size:
        return found
    part = tree_take(part, worth)
    gap = np.fmin(gaps_beside(task, few.lanes(worth), mask[worth], part), part.gap)
    found = _fields(found)
    found.gap[lanes[worth]] = gap
    found.status[lanes[worth]] = np.where(gap <= options.tol, Status.CONVERGED, Status.MAX_STEPS)
    return found


def _fields(result: Result) -> Result:
    return jax.tree.map(np.array, result)


def _parameters(found: Result) -> tuple[np.ndarray, np.ndarray]:
    coef, intercept = found.w if isinstance(found.w, tuple) else (found.w, np.zeros(len(found.w)))
    return np.asarray(coef, float), np.asarray(intercept, float)


class Rows(NamedTuple):
    """The rows of a task as its solver sees them, in float64."""

    X: np.ndarray  # (n, p)
    y: np.ndarray  # (n,)
    weights: np.ndarray  # (n,) that sum to one
    offset: np.ndarray  # (n,)
    fit_intercept: bool  # there is one beside the columns, which else are centred


def _rows(task: Task) -> Rows:
    model: Any = task.smooth
    if isinstance(model, LinearModel):
        X, y, offset, weights, beside = model.X, model.y, model.offset, model.sample_weight, model.fit_intercept
    else:
        (X, y), offset, beside = centred_rows(task), None, False
        weights = (task.data if task.rows is None else task.data.rows(task.rows)).sample_weight
    n = len(y)
    weights = np.ones(n) if weights is None else np.asarray(weights, float)
    weights = weights / weights.sum()
    offset = np.zeros(n) if offset is None else np.asarray(offset, float)
    X, y = np.asarray(X, float), np.asarray(y, float)
    if task.fit_intercept and not beside:
        X, y = centred(X, weights), centred(y, weights)
    return Rows(X, y, weights, offset, beside)


def _residual(task: Task) -> float:
    """Return the norm of the loss's derivatives at the intercept-only model."""
    if isinstance(task.loss, Squared):
        return float(np.sqrt(2 * task.null_loss))
    return float(task.null_model.residual)


def gaps_beside(task: Task, family: PenaltyBatch, free: np.ndarray, found: Result) -> np.ndarray:
    """Return the relative gaps ``(L,)`` of dual points orthogonal to the columns ``free (L, p)``; infinite without one.

    It is computed in float64, from the rows.
    """
    coef, intercept = _parameters(found)
    rows = _rows(task)
    n, p = rows.X.shape
    size, wide_n = column_bucket(p), row_bucket(n)
    wide, gaps = family.columns(np.arange(p), p, size), np.zeros(len(coef))
    order = filled(np.arange(n), wide_n)
    weights = padded(rows.weights, wide_n)
    bases: dict[bytes, np.ndarray] = {}
    with _precision.scope(WIDE):
        data = tuple(
            map(jnp.asarray, (padded(rows.X[order], wide_n, size), rows.y[order], weights, rows.offset[order]))
        )
        for lane in range(len(coef)):
            key = free[lane].tobytes()
            if key not in bases:
                bases[key] = _orthonormal(task, free[lane], rows.fit_intercept, wide_n)
            penalty = wide.lanes(np.array([lane])).penalties()
            penalty = jax.tree.map(lambda leaf: jnp.asarray(leaf[0], float), penalty)
            point = padded(coef[lane], size), intercept[lane]
            gaps[lane] = _gap(task.loss, penalty, padded(free[lane], size), bases[key], *data, *point, _residual(task))
    return gaps / (task.null_loss or 1.0)


def _orthonormal(task: Task, free: np.ndarray, fit_intercept: bool, size: int) -> np.ndarray:
    """Return an orthonormal basis ``(size, m)`` of the free columns, and of the intercept's, with rows of zeros."""
    U = span_of(task, free, fit_intercept)[0].U
    return padded(U, size, column_bucket(U.shape[1]))


@jax.jit
def _gap(
    loss: Loss,
    penalty: Penalty,
    free: Array,
    basis: Array,
    X: Array,
    y: Array,
    weights: Array,
    offset: Array,
    w: Array,
    b: Array,
    residual: Array,
) -> Array:
    eta, root = X @ w + b + offset, jnp.sqrt(weights)
    slope, bend = loss.derivative(eta, y), jnp.maximum(loss.second_derivative(eta, y), 0)
    values, vectors = jnp.linalg.eigh((basis.T * jnp.where(weights > 0, bend, 0)) @ basis)
    inverse = jnp.where(values > SINGULAR * values[-1], 1 / jnp.where(values > 0, values, 1), 0)
    dual, step = slope, jnp.zeros_like(values)
    for _ in range(REFINEMENTS):
        move = vectors @ (inverse * ((weighed(root, dual) @ basis) @ vectors))
        dual = dual - jnp.where(weights > 0, bend * (basis @ move) / jnp.where(weights > 0, root, 1), 0)
        step = step + move
    rest = weighed(root, dual) @ basis
    left = jnp.max(jnp.abs(rest))
    size = ORTHOGONAL * jnp.sqrt(jnp.sum(weighed(weights, jnp.square(dual))))
    # rounding that is as large as all there was to explain leaves no digits to tell by
    apart = left > size + jnp.minimum(derivative_rounding(loss, eta, y, weights), MOST_ROUNDING * residual)
    gradient = jnp.where(free, 0, weighed(weights, dual) @ X)

    def loss_gap(c: Array) -> Array:
        return jnp.sum(weighed(weights, loss.fenchel_young(eta, c * dual, y)))

    # what is left of the inner products counts as far as the optimum is away, about Newton's step
    gap = duality_gap(penalty, w, gradient, loss_gap) + 2 * jnp.abs(rest) @ jnp.abs(step)
    # at the dual point zero it is the objective: no loss of a sample is below zero
    objective = jnp.sum(weighed(weights, loss.value(eta, y))) + penalty.value(w)
    return jnp.fmin(jnp.where(apart | jnp.isnan(gap), jnp.inf, gap), objective)


def _without_optimum(
    task: Task, found: Result, free: np.ndarray, lower: np.ndarray, upper: np.ndarray, tol: float
) -> Result:
    """Return the lanes with columns ``free (L, p)``, ``UNBOUNDED`` where the objective has no minimiser: along some of
    these columns whose coefficients nothing keeps from minus infinity, or infinity, the loss falls for ever.
    """
    rows = _rows(task)
    ends = signs(task.loss, rows.y)
    if ends is None:
        return found
    coef, intercept = _parameters(found)
    count, status = rows.weights > 0, np.array(found.status)
    X, y, weights, offset = (x[count] for x in rows[:4])
    one = np.ones((len(X), int(rows.fit_intercept)))
    goal = 10 * tol * task.null_loss
    for lane in np.flatnonzero(free.any(axis=1)):
        down, up = free[lane] & np.isneginf(lower), free[lane] & np.isposinf(upper)
        ways = [np.append(way[down | up], one[0] > 0) for way in (down, up)]
        columns, eta = np.column_stack([X[:, down | up], one]), X @ coef[lane] + intercept[lane] + offset
        with _precision.scope(WIDE):
            loss = np.asarray(task.loss.value(jnp.asarray(eta), jnp.asarray(y)))
        if recedes(columns, ends[count], loss, weights * loss <= goal, *ways):
            status[lane] = Status.UNBOUNDED
    return found._replace(status=status)
