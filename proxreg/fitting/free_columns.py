"""Losses other than the squared one with columns that the penalty leaves free: a gap, and whether an optimum exists.

A dual point has to be orthogonal to the free columns. The derivatives at a fit are so but for its error; one step of
Newton's method in the dual, ``u - l''(eta) Z (Z' D Z)^-1 Z' S u`` with ``D = S l''(eta)``, makes them so, and near the
optimum it stays where the conjugate is finite, as it changes each row's mean in proportion to its variance.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.engine import Family, column_bucket, padded
from proxreg.fitting.recession import recedes, signs
from proxreg.losses import Custom, Loss
from proxreg.models import duality_gap, weighed
from proxreg.penalties import L1, L2, ElasticNet, Penalty
from proxreg.solvers import Result, Status
from proxreg.task import Options, Task

REFINEMENTS = 2  # projections: what rounding leaves of the first is gone after the second
SINGULAR = 1e-12  # eigenvalues below this, relative to the largest, belong to directions that rounding alone spans
ORTHOGONAL = 1e-8  # a larger cosine with a free column, and the point is no dual point
TIGHTER = (1e-1, 1e-2, 1e-4)  # parts of the tolerance to ask for until the gap is within it


def free_of_penalty(task: Task, family: Family) -> np.ndarray:
    """Return ``(L, p)``, which columns each lane does not penalise; none where limits or other penalties rule."""
    template, p = family.template, task.data.X.shape[1]
    none = np.zeros((family.alpha.size, p), bool)
    if not isinstance(template, (L1, L2, ElasticNet)) or getattr(template, "positive", False):
        return none
    factor = np.ones(p) if family.factor is None else np.asarray(family.factor)
    return ((np.asarray(family.alpha) == 0)[:, None] | (factor == 0)) & ~np.isinf(factor)


def with_gaps(
    solve: Callable[[Family, float], Result], task: Task, family: Family, free: np.ndarray, options: Options
) -> Result:
    """Return the fits of lanes that share their ``free`` columns ``(p,)``, with gaps, by ``solve(family, tol)``.

    Solvers stop on the violation where they know no dual; one that leaves a gap above the tolerance is asked for less.
    """
    found = _fields(solve(family, options.tol))
    if isinstance(task.loss, Custom):
        return found
    gap = _gaps(task, family, free, found)
    for part in TIGHTER:
        lanes = np.flatnonzero((found.status == Status.CONVERGED) & ~(gap <= options.tol))
        if not lanes.size or options.tol * part < np.finfo(task.dtype).eps:
            break
        again = _fields(solve(family.lanes(lanes), options.tol * part))
        steps = found.num_steps[lanes] + again.num_steps
        for old, new in zip(jax.tree.leaves(found), jax.tree.leaves(again)):
            old[lanes] = new
        found.num_steps[lanes] = steps
        found.status[lanes] = np.where(found.violation[lanes] <= options.tol, Status.CONVERGED, again.status)
        gap[lanes] = _gaps(task, family.lanes(lanes), free, again)
    status = np.where((found.status == Status.CONVERGED) & ~(gap <= options.tol), Status.MAX_STEPS, found.status)
    unbounded = _unbounded(task, free, found, options.tol)
    return found._replace(gap=gap, status=np.where(unbounded, Status.UNBOUNDED, status).astype(np.int32))


def _fields(result: Result) -> Result:
    return jax.tree.map(np.array, result)


def _parameters(task: Task, found: Result) -> tuple[np.ndarray, np.ndarray]:
    coef, intercept = found.w if task.fit_intercept else (found.w, np.zeros(len(found.w)))
    return coef.astype(float), intercept.astype(float)


def _gaps(task: Task, family: Family, free: np.ndarray, found: Result) -> np.ndarray:
    """Return the relative gaps ``(L,)``, infinite where no dual point is near."""
    model: Any = task.smooth
    coef, intercept = _parameters(task, found)
    n, p = model.X.shape
    size = column_bucket(p)
    columns = np.flatnonzero(free)
    with jax.enable_x64(True):
        X = jnp.asarray(padded(np.asarray(model.X, float), n, size))
        weights = np.ones(n) if model.sample_weight is None else np.asarray(model.sample_weight, float)
        offset = np.zeros(n) if model.offset is None else np.asarray(model.offset, float)
        data = X, np.asarray(model.y, float), weights / weights.sum(), offset
        mask = np.zeros(size, bool)
        mask[columns] = True
        wide = family.columns(np.arange(p), p, size)
        gaps = []
        for lane in range(len(coef)):
            penalty = wide.lanes(np.array([lane])).penalties()
            penalty = jax.tree.map(lambda leaf: jnp.asarray(leaf[0], float), penalty)
            point = padded(coef[lane], size), intercept[lane]
            gaps.append(float(_gap(task.loss, penalty, mask, *data, *point, task.fit_intercept)))
    return np.array(gaps) / (task.null_loss or 1.0)


@jax.jit
def _gap(
    loss: Loss,
    penalty: Penalty,
    free: Array,
    X: Array,
    y: Array,
    weights: Array,
    offset: Array,
    w: Array,
    b: Array,
    fit_intercept: Array,
) -> Array:
    eta = X @ w + b + offset
    slope, bend = loss.derivative(eta, y), jnp.maximum(loss.second_derivative(eta, y), 0)
    Z = jnp.concatenate([jnp.where(free, X, 0), jnp.where(fit_intercept, 1.0, 0.0) * jnp.ones((len(y), 1))], axis=1)
    norms = jnp.sqrt(weights @ jnp.square(Z))
    Z = Z / jnp.where(norms > 0, norms, 1)
    values, vectors = jnp.linalg.eigh((Z.T * weighed(weights, bend)) @ Z)
    inverse = jnp.where(values > SINGULAR * values[-1], 1 / jnp.where(values > 0, values, 1), 0)
    dual = slope
    for _ in range(REFINEMENTS):
        rest = weighed(weights, dual) @ Z
        dual = dual - bend * (Z @ (vectors @ (inverse * (rest @ vectors))))
    left = jnp.max(jnp.abs(weighed(weights, dual) @ Z))
    apart = left > ORTHOGONAL * jnp.sqrt(jnp.sum(weighed(weights, jnp.square(dual))))
    gradient = jnp.where(free, 0, weighed(weights, dual) @ X)

    def loss_gap(c: Array) -> Array:
        return jnp.sum(weighed(weights, loss.fenchel_young(eta, c * dual, y)))

    gap = duality_gap(penalty, w, gradient, loss_gap)
    return jnp.where(apart | jnp.isnan(gap), jnp.inf, gap)


def _unbounded(task: Task, free: np.ndarray, found: Result, tol: float) -> np.ndarray:
    """Return the lanes ``(L,)`` whose objective has no minimiser."""
    model: Any = task.smooth
    n = len(task.data.y)  # rows beyond it are idle
    y = np.asarray(model.y, float)[:n]
    ends = signs(task.loss, y)
    coef, intercept = _parameters(task, found)
    if ends is None:
        return np.zeros(len(coef), bool)
    weights = np.ones(n) if model.sample_weight is None else np.asarray(model.sample_weight, float)[:n]
    rows = weights > 0
    X, shares = np.asarray(model.X, float)[:n][rows], weights[rows] / weights.sum()
    columns = np.column_stack([X[:, free], *([np.ones(len(X))] if task.fit_intercept else [])])
    offset = 0.0 if model.offset is None else np.asarray(model.offset, float)[:n][rows]
    with jax.enable_x64(True):
        losses = [
            np.asarray(task.loss.value(jnp.asarray(X @ w + b + offset), jnp.asarray(y[rows])))
            for w, b in zip(coef, intercept)
        ]
    goal = 10 * tol * task.null_loss
    return np.array([recedes(columns, ends[rows], loss, shares * loss <= goal) for loss in losses])
