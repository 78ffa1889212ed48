"""All fits of a grid at once: by the engine where penalty and data suit it, else each to the end of the slowest."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, replace, strong
from proxreg.engine import FEW, Family, Scales, column_bucket, solve_glm, solve_grid, solve_lanes
from proxreg.models import LinearModel
from proxreg.penalties import Penalty
from proxreg.solvers import Result, Status
from proxreg.task import Options, Task


def solve_batch(
    task: Task,
    template: Penalty,
    alphas: np.ndarray,
    ratios: np.ndarray | None,
    start: Any,
    options: Options,
    base: np.ndarray | None = None,
) -> Result:
    """Lanes of ``alphas (L,)`` and ``ratios (L,)`` from ``start``, on the scale of the task's design.

    ``base (L, p)`` are the answers for similar data; the engine starts near them.
    Lanes with the same numbers are solved once; the answers do not depend on the order of lanes.
    """
    pairs = alphas[:, None] if ratios is None else np.stack([alphas, ratios], axis=1)
    distinct, first, place = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
    alpha, ratio = distinct[:, 0], None if ratios is None else distinct[:, 1]
    found = None
    if options.solver == "auto" and suits(task, template, alpha, ratio):
        near = None if base is None else base[first]
        find = _any_loss if task.source is None else _least_squares
        found = find(task, Family(template, task.factor, alpha, ratio), start, options, near)
    if found is None:
        solver = "fista" if options.solver == "auto" else options.solver
        lanes = (jnp.asarray(alpha), None if ratio is None else jnp.asarray(ratio), task.factor, start)
        found = solve_lanes(task.smooth, template, *lanes, options.tol, options.max_steps, solver)
    return _taken(found, place.ravel())


def suits(task: Task, template: Penalty, alpha: np.ndarray, ratio: np.ndarray | None) -> bool:
    """Whether the engine may be asked: it takes coordinates one by one, and idle ones rest at zero.

    Working sets need sparse answers, which neither ridge nor alpha = 0 gives, and data on the host.
    """
    (n, p), source = task.data.X.shape, task.source
    if not template.separable:
        return False
    size = column_bucket(p)
    wide = Family(replace(template, alpha=1.0), None, None, None).columns(np.arange(p), p, size)
    if np.any(np.asarray(_of_zero(*strong((wide.template, np.zeros(size, task.dtype)))))):
        return False
    if source is not None and source.widest == source.size:
        return True
    if source is None and (p <= FEW or isinstance(task.design.X, jax.Array)):
        return False
    free = 0 if task.factor is None else int(np.sum(np.asarray(task.factor) == 0))
    return bool(np.all(alpha > 0) and (ratio is None or np.all(ratio > 0)) and free < n)


@jax.jit
def _of_zero(template: Penalty, zero: Array) -> Array:
    return template.prox(zero, jnp.ones((), zero.dtype))


def _least_squares(task: Task, family: Family, start: Any, options: Options, base: np.ndarray | None) -> Any:
    """None where a working set would have had to grow beyond what pays."""
    source = task.source
    assert source is not None
    loss, gradient = source.evaluate(np.zeros((1, source.size), task.dtype), np.zeros(1, int))
    response = np.zeros(family.alpha.size, int)
    scales = Scales(response, loss[response], np.max(np.abs(gradient), axis=1, initial=0.0)[response])
    begin = None if start is None else np.asarray(start)
    found = solve_grid(source, family, scales, start=begin, base=base, tol=options.tol, max_steps=options.max_steps)
    short = (found.error > options.tol) & (found.num_steps < options.max_steps)
    if short.any() and source.widest < source.size:
        return None
    status = np.where(found.error <= options.tol, Status.CONVERGED, Status.MAX_STEPS)
    status = np.where(np.isfinite(found.error) & np.isfinite(found.objective), status, Status.NON_FINITE)
    return _result(found.w, found.objective, found.gap, found.violation, found.num_steps, status)


def _any_loss(task: Task, family: Family, start: Any, options: Options, base: np.ndarray | None) -> Result:
    del base
    assert isinstance(task.smooth, LinearModel)
    return solve_glm(task.smooth, family, start, tol=options.tol, max_steps=options.max_steps)


def _taken(result: Result, place: np.ndarray) -> Result:
    def take(leaf):
        return np.asarray(leaf)[place]

    w = type(result.w)(*map(take, result.w)) if isinstance(result.w, tuple) else take(result.w)
    return _result(w, *map(take, result[1:]))


def _result(*fields: Any) -> Result:
    """With arrays of NumPy, which serve as those of JAX."""
    return Result(*fields)
