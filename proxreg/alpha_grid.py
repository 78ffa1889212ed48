"""Where a path begins: the smallest alpha with all coefficients zero, and the grid down from it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg import _precision
from proxreg._pytree import Array, replace, strong
from proxreg.batch import Lanes, PenaltyBatch, column_bucket, padded, solve_on_rows, strength, with_idle_entries
from proxreg.engine import BesideFree, free_columns, solve_one
from proxreg.fitting import inverse_of
from proxreg.models import Coefficients, LinearModel
from proxreg.penalties import L1, Penalty, Zero
from proxreg.task import Task, require_factor

NULL_TOL = 1e-10
NULL_STEPS = 20_000
RIDGE_AS = 1e-3  # the l1_ratio whose grid serves smaller ones too, as in glmnet


def critical_alphas(task: Task, template: Penalty, ratios: np.ndarray | None) -> np.ndarray:
    """``alpha_max`` for each l1_ratio, or for the template as it is, rounded up so that it gives zeros itself."""
    if task.factor is not None:
        require_factor(template)
    own = [{}] if ratios is None else [{"l1_ratio": jnp.asarray(r, task.dtype)} for r in ratios]
    if task.design.flat:  # the gradient is rounding
        return np.zeros(len(own))
    gradient = null_gradient(task, template)
    family = PenaltyBatch(replace(template, alpha=1.0), task.factor, None, None)
    if template.separable:  # idle columns, so that other data of about the same size compile nothing
        p, size = gradient.size, column_bucket(gradient.size)
        family, gradient = family.columns(np.arange(p), p, size), padded(gradient, size)
    given = [(replace(family.template, **each), gradient, family.factor) for each in own]
    found = [float(_critical(*strong(each))) for each in given]
    return np.asarray(found) * (1 + 4 * float(np.finfo(task.dtype).eps))


@jax.jit  # one program instead of one for every operation
def _critical(template: Penalty, gradient: Array, factor: Array | None) -> Array:
    unit = strength(jnp.ones((), gradient.dtype), factor)
    return replace(template, alpha=unit).alpha_max(gradient)


def unpenalised_fit(task: Task, template: Penalty) -> Any:
    """Parameters with the unpenalised columns fitted and all others zero; None where every column is penalised.

    Paths start there: where alpha is so large that it is the answer, the zeros must be exact.
    """
    factor, weights = task.factor, getattr(template, "weights", None)
    if not any(given is not None and np.any(np.asarray(given) == 0) for given in (factor, weights)):
        return None
    free = free_columns(template, factor)
    p = task.data.X.shape[1]
    if task.products is not None and 0 < free.size < p:
        zero, inverse = np.zeros((1, p - free.size), task.dtype), inverse_of(task, free).matrix
        return BesideFree(task.products, free, inverse).evaluate(zero, np.array([task.response]))[2][0]
    if free.size and isinstance(task.smooth, LinearModel) and not isinstance(task.smooth.X, jax.Array):
        return _likelihood_of_free(task, free)
    infinite = jnp.asarray(jnp.inf, task.dtype)
    forbidding = replace(template, alpha=infinite if factor is None else jnp.where(factor == 0, 0, infinite))
    tol = max(NULL_TOL, _precision.SMALLEST_TOL[task.dtype])
    return solve_one(task.smooth, forbidding, tol, NULL_STEPS, "fista").w


def _likelihood_of_free(task: Task, free: np.ndarray) -> Any:
    """Return the parameters with the free columns at maximum likelihood, as far as it is attained."""
    model: Any = task.smooth
    size = column_bucket(free.size)
    part = replace(model, X=padded(model.X[:, free], len(model.X), size))
    family = PenaltyBatch(L1(0.0), None, np.zeros(1, task.dtype), None).columns(np.arange(free.size), free.size, size)
    tol = max(NULL_TOL, _precision.SMALLEST_TOL[task.dtype])
    found = solve_on_rows(part, Lanes(family), tol=tol, max_steps=NULL_STEPS).w
    coef, intercept = found if task.fit_intercept else (found, np.zeros(1, task.dtype))
    w = np.zeros(model.X.shape[1], task.dtype)
    w[free] = np.asarray(coef)[0, : free.size]
    return Coefficients(w, np.asarray(intercept)[0]) if task.fit_intercept else w


def null_gradient(task: Task, template: Penalty) -> Any:
    """The loss's gradient where all penalised coefficients are zero and the unpenalised ones are fitted."""
    start = unpenalised_fit(task, template)
    if task.products is not None:
        w = np.zeros((1, task.data.X.shape[1]), task.dtype) if start is None else np.atleast_2d(start)
        gradient = task.products.evaluate(w, np.array([task.response]))[1][0]
        return gradient if task.factor is None else np.where(np.asarray(task.factor) == 0, 0, gradient)
    smooth, p = task.smooth, task.data.X.shape[1]
    host = not isinstance(getattr(smooth, "X", None), jax.Array)
    if isinstance(smooth, LinearModel) and host:
        smooth = with_idle_entries(smooth)  # so that other data of about the same size compile nothing
        size = np.shape(smooth.X)[1]
        if isinstance(start, Coefficients):
            start = Coefficients(padded(start.coef, size), start.intercept)
        elif start is not None:
            start = padded(start, size)
    gradient = _gradient(strong(smooth), start)
    gradient = np.asarray(gradient)[:p] if host else gradient
    return gradient if task.factor is None else jnp.where(task.factor == 0, 0, gradient)


@jax.jit
def _gradient(smooth: Any, start: Any) -> Array:
    problem = smooth.with_penalty(Zero())
    gradient = problem.gradient(problem.start(start))
    return gradient[0] if isinstance(gradient, tuple) else gradient


def default_grid(
    task: Task, template: Penalty, ratios: np.ndarray, n_alphas: int, min_ratio: float | None
) -> np.ndarray:
    """``n_alphas`` from ``alpha_max`` down to ``min_ratio`` times it, evenly in the log: ``(K,)`` or ``(R, K)``."""
    n, p = task.data.X.shape
    if min_ratio is None:
        min_ratio = 1e-2 if n < p else 1e-3
    if hasattr(template, "l1_ratio"):
        # a penalty that was given brings its own l1_ratio, and then ratios is 1
        own = ratios[..., None] * np.asarray(template.l1_ratio)  # pyright: ignore[reportAttributeAccessIssue]
        top = critical_alphas(task, template, np.maximum(np.atleast_2d(own), RIDGE_AS))
    else:
        top = critical_alphas(task, template, None)
    if not np.all(np.isfinite(top)):
        raise ValueError(f"{type(template).__name__} keeps no coefficient at zero and has no alpha_max: pass alphas=")
    top = np.where(top > 0, top, 1.0)  # a response with nothing to explain: any alpha will do
    grid = top[:, None] * np.geomspace(1, min_ratio, n_alphas)
    return grid if ratios.ndim else grid[0]
