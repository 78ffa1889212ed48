"""What is returned of a fit: coefficients and intercepts as the user's type holds them, certified as they are there."""

import jax.numpy as jnp
import numpy as np

from proxreg import _precision
from proxreg.convergence import Cause
from proxreg.losses import Squared
from proxreg.solvers import Result, Status
from proxreg.task import Task

ROUNDED = 1e-12  # a difference of losses, relative to them, that is all rounding
STEEPEST = 1e6  # second derivatives of losses that have no bound are taken to be smaller, for each unit of y
MATERIAL = 1e-2  # a part of the tolerance below which a rounded intercept changes nothing


@np.errstate(over="ignore", invalid="ignore")  # what leaves the range of numbers has a status
def on_input_scale(task: Task, result: Result, tol: float) -> dict[str, np.ndarray]:
    """Return a result as NumPy arrays ``(L, ...)`` on the scale of the input, certified at the very numbers returned.

    An intercept that is large beside what is left to explain has few digits in float32: what rounding it adds to the
    objective is added to the gap as well, and a fit that it takes above ``tol`` has not converged.
    """
    w = result.w
    coef, intercept = w if isinstance(w, tuple) else (w, np.zeros(np.shape(result.gap), w.dtype))
    coef, intercept, change, lost = task.design.restore(np.asarray(coef), np.asarray(intercept))
    objective, gap, violation = (np.asarray(getattr(result, name)) for name in ("objective", "gap", "violation"))
    converged = np.asarray(result.status) == Status.CONVERGED
    excess, null_loss = _excess(task, coef, intercept, change, tol)
    most = np.maximum(_excess(task, coef, intercept, change + np.copysign(lost, change), tol)[0], excess)
    relative = most / null_loss if null_loss > 0 else most
    gap = ((gap + relative) * (1 + 4 * np.finfo(gap.dtype).eps)).astype(gap.dtype)  # rounded up, as a bound has to be
    # of the squared loss exactly the derivative by the intercept over the norm of the residual
    violation = np.where(np.isnan(gap), np.maximum(violation, np.sqrt(relative)), violation).astype(violation.dtype)
    within = np.where(np.isnan(gap), violation, gap) <= tol
    cause = np.where(converged & ~within, Cause.ROUNDING, Cause.NONE)
    cause = np.where(np.asarray(result.status) == Status.UNBOUNDED, Cause.UNBOUNDED, cause)
    return {
        "coef": coef,
        "intercept": intercept,
        # far from the optimum what is added is a bound, and not the objective of anything
        "objective": (objective + np.where(converged, excess, 0)).astype(objective.dtype),
        "gap": gap,
        "violation": violation,
        "converged": converged & within,
        "num_steps": np.asarray(result.num_steps),
        "cause": cause,
    }


def _excess(
    task: Task, coef: np.ndarray, intercept: np.ndarray, change: np.ndarray, tol: float
) -> tuple[np.ndarray, float]:
    """Return what changes ``(L,)`` of the intercepts from their best, where its slope is zero, add to the loss; and the
    loss of the intercept-only model.
    """
    excess = np.zeros(np.shape(change))
    if not task.fit_intercept or not np.any(change):
        return excess, 1.0
    null_loss, curvature = task.null_loss, task.loss.curvature
    if curvature is not None:
        excess = curvature * np.square(change) / 2
        if isinstance(task.loss, Squared) or coef.dtype == np.float64:
            return excess, null_loss  # of other losses a bound; in float64 rows' own predictors tell no more than it
    data = task.data
    weights = np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight
    rows, X = np.flatnonzero(weights > 0), None
    steepest = curvature or STEEPEST * max(1.0, float(np.max(np.abs(data.y))))
    with _precision.scope(np.dtype(np.float64)):
        for lane in np.flatnonzero(np.square(change) > MATERIAL * tol * null_loss / steepest):
            X = np.asarray(data.X[rows]).astype(float) if X is None else X
            eta = X @ coef[lane].astype(float) + float(intercept[lane])
            eta = eta if data.offset is None else eta + data.offset[rows]
            y, best = jnp.asarray(data.y[rows], float), jnp.asarray(eta - change[lane])
            after, before = task.loss.value(jnp.asarray(eta), y), task.loss.value(best, y)
            growth = np.asarray(after - before - change[lane] * task.loss.derivative(best, y))
            bend = np.asarray(task.loss.second_derivative(best, y)) * np.square(change[lane]) / 2
            size = np.abs(np.asarray(after)) + np.abs(np.asarray(before))
            growth = np.where(np.abs(growth) > ROUNDED * size, growth, np.maximum(bend, 0))
            excess[lane] = max(growth @ weights[rows] / weights.sum(), 0.0)
    return excess, null_loss
