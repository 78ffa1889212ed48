"""All fits of a grid at once: by the engine where penalty and data suit it, else each to the end of the slowest."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, replace, strong, tree_put, tree_take
from proxreg.batch import (
    Lanes,
    PenaltyBatch,
    WarmStart,
    column_bucket,
    filled,
    fine_bucket,
    first_columns,
    solve_on_gram,
    solve_on_rows,
    with_idle_entries,
)
from proxreg.engine import BesideFree, Products, Scales, as_result, free_columns, of_penalised, solve_lanes
from proxreg.fitting import (
    TaskRows,
    certified_by_rows,
    free_of_penalty,
    inverse_of,
    with_gaps,
    with_gaps_of_rows,
    with_weak_penalties,
)
from proxreg.least_norm import least_norm
from proxreg.least_squares import RowsOfTasks, has_closed_form, solve_in_closed_form
from proxreg.losses import Squared
from proxreg.models import Coefficients, LinearModel
from proxreg.penalties import Penalty
from proxreg.solvers import Result, Status
from proxreg.task import FEW, Options, Task

DOUBT = 0.5  # a part of the tolerance that rounding may hide


@np.errstate(over="ignore", invalid="ignore")  # what leaves the range of numbers has a status
def solve_batch(
    tasks: Sequence[Task],
    template: Penalty,
    responses: np.ndarray,
    alphas: np.ndarray,
    ratios: np.ndarray | None,
    starts: Sequence[Any],
    options: Options,
    base: np.ndarray | None = None,
) -> Result:
    """Lanes of ``responses (L,)``, numbers of tasks, ``alphas (L,)`` and ``ratios (L,)``, on the scale of the designs.

    ``starts`` has an entry for each task. ``base (L, p)`` are the answers for similar data; the engine starts near
    them. Lanes with the same numbers are solved once; the answers do not depend on the order of lanes.
    """
    kind = alphas.dtype
    factor = tasks[0].factor
    if factor is not None and not np.any((factor > 0) & np.isfinite(factor)):
        alphas = np.zeros_like(alphas)  # nothing is penalised
    table = np.stack([responses.astype(kind), alphas, np.zeros_like(alphas) if ratios is None else ratios], axis=1)
    distinct, first, place = np.unique(table, axis=0, return_index=True, return_inverse=True)
    response, alpha = distinct[:, 0].astype(int), distinct[:, 1]
    ratio = None if ratios is None else distinct[:, 2]
    family = PenaltyBatch(template, tasks[0].factor, alpha, ratio)
    near = None if base is None else base[first]
    closed = has_closed_form(tasks[0], template, alpha, ratio) & (options.solver == "auto")
    parts = []
    if closed.any():
        parts.append(_in_closed_form(tasks, family.lanes(closed), response[closed], options.tol))
    if not closed.all():
        rest = ~closed
        warm = None if near is None else near[rest]
        parts.append(_by_steps(tasks, family.lanes(rest), response[rest], starts, options, warm))
    order = np.argsort(np.concatenate([np.flatnonzero(closed), np.flatnonzero(~closed)]))
    found = tree_take(jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts), order)
    found = certified_by_rows(tasks, family, response, found, options.tol)
    return tree_take(_with_weak_penalties(tasks, family, response, found, options), place.ravel())


def _with_weak_penalties(
    tasks: Sequence[Task], family: PenaltyBatch, response: np.ndarray, found: Result, options: Options
) -> Result:
    """The same fits, with better certificates of those whose penalty is too weak for the digits of a gradient."""
    late = (np.asarray(found.status) == Status.MAX_STEPS) | np.isnan(np.asarray(found.gap))
    return _by_response(partial(with_weak_penalties, options=options), tasks, family, response, found, late)


def _by_response(
    function: Callable[[Task, PenaltyBatch, Result], Result],
    tasks: Sequence[Task],
    family: PenaltyBatch,
    response: np.ndarray,
    found: Result,
    chosen: np.ndarray,
) -> Result:
    """Return the fits, those of the lanes ``chosen (L,)`` as the function of each response's has them."""
    found = jax.tree.map(np.array, found) if chosen.any() else found
    for number in np.unique(response[chosen]):
        lanes = np.flatnonzero(chosen & (response == number))
        tree_put(found, lanes, function(tasks[number], family.lanes(lanes), tree_take(found, lanes)))
    return found


def _scales(tasks: Sequence[Task], response: np.ndarray) -> Scales:
    """Return what the errors of lanes ``(L,)`` are relative to: the losses of intercept-only models."""
    return Scales(response, np.asarray([task.null_loss for task in tasks], tasks[0].dtype)[response])


def _in_closed_form(tasks: Sequence[Task], family: PenaltyBatch, response: np.ndarray, tol: float) -> Result:
    dtype = tasks[0].dtype
    scales = _scales(tasks, response)
    return solve_in_closed_form(RowsOfTasks(tasks), family, scales, response, dtype, tol)


def _by_steps(
    tasks: Sequence[Task],
    family: PenaltyBatch,
    response: np.ndarray,
    starts: Sequence[Any],
    options: Options,
    base: np.ndarray | None,
) -> Result:
    on_sums, automatic = tasks[0].design.quadratic is not None, options.solver == "auto"
    if on_sums and automatic and _rests(tasks[0], family.template):
        return _least_squares(tasks, family, response, starts, options, base)
    solve = _on_rows if automatic and not on_sums else _as_they_come
    near = [None if base is None else base[response == number] for number in range(len(tasks))]
    parts = [
        _beside_free(solve, tasks[number], family.lanes(response == number), starts[number], options, near[number])
        for number in np.unique(response)
    ]
    return parts[0] if len(parts) == 1 else jax.tree.map(lambda *each: np.concatenate(each), *parts)


def _rests(task: Task, template: Penalty) -> bool:
    """Whether the penalty takes coordinates one by one and leaves idle ones at zero."""
    if not template.separable:
        return False
    p = task.data.X.shape[1]
    size = column_bucket(p)
    wide = PenaltyBatch(replace(template, alpha=1.0), None, None, None).columns(np.arange(p), p, size)
    return not np.any(np.asarray(_of_zero(*strong((wide.template, np.zeros(size, task.dtype))))))


@jax.jit
def _of_zero(template: Penalty, zero: Array) -> Array:
    return template.prox(zero, jnp.ones((), zero.dtype))


def _least_squares(
    tasks: Sequence[Task],
    family: PenaltyBatch,
    response: np.ndarray,
    starts: Sequence[Any],
    options: Options,
    base: np.ndarray | None,
) -> Result:
    task, scales = tasks[0], _scales(tasks, response)
    assert task.products is not None
    free = free_columns(family.template, family.factor)
    inverse = inverse_of(task, free)
    lanes = Lanes(family, base, WarmStart.SIMILAR, response)
    if base is None and len(starts) > 1 and starts[0] is not None:
        lanes = lanes._replace(start=np.stack([np.asarray(start) for start in starts])[response])
    elif base is None:
        lanes = lanes._replace(start=starts[0], warm_start=WarmStart.SHARED)
    beside = BesideFree(task.products, free, inverse.matrix) if inverse.matrix.size else None
    unsure = inverse.from_rows or (beside is not None and beside.hides_columns)
    if inverse.sums_suffice:
        result = _by_sums(task.products, beside, lanes, scales, options)
        left = (result.status == Status.MAX_STEPS) & (result.num_steps < options.max_steps)
        # a gap has in it what rounding may hide in the sums, a violation alone has not
        unknown = np.flatnonzero(np.isnan(result.gap))
        if unknown.size:
            lost = task.products.rounding(result.w[unknown], response[unknown])
            left[unknown] |= lost > DOUBT * options.tol * scales.null_loss[unknown]
        left = np.flatnonzero(left & np.all(np.isfinite(result.w), axis=1))
        lanes = lanes._replace(start=result.w, warm_start=WarmStart.OWN)
    else:
        result, left = None, np.arange(response.size)
    if left.size:  # the sums do not tell: on with the rows, from where the lanes are
        rows = TaskRows.of(tasks)
        beside = BesideFree(rows, free, inverse.matrix) if inverse.matrix.size else None
        unsure |= beside is not None and beside.hides_columns
        spent = np.zeros(left.size, np.int32) if result is None else result.num_steps[left]
        budget = dataclasses.replace(options, max_steps=options.max_steps - int(spent.max()))
        part = _by_rows(rows, beside, lanes.take(left), scales.lanes(left), budget)
        part = part._replace(num_steps=part.num_steps + spent)
        if result is None:
            result = part
        else:
            tree_put(result, left, part)
    assert result is not None
    chosen = np.full(response.shape, unsure)
    return _by_response(partial(with_gaps_of_rows, tol=options.tol), tasks, family, response, result, chosen)


def _by_sums(products: Products, beside: BesideFree | None, lanes: Lanes, scales: Scales, options: Options) -> Result:
    """Return the solutions from statistics, beside free columns with these at their best."""
    stop: Any = {"tol": options.tol, "max_steps": options.max_steps}
    null_loss = np.zeros(len(products.C), products.constant.dtype)
    null_loss[scales.response] = scales.null_loss
    if beside is None:
        return solve_on_gram(*products, null_loss, lanes, **stop)
    lanes = _of_penalised(lanes, beside)
    result = solve_on_gram(*beside.products(len(null_loss)), null_loss, lanes, **stop)
    w, certificate = beside.certified(result.w, lanes.penalties, scales)
    return as_result(w, certificate, result.num_steps, options.tol)


def _by_rows(rows: TaskRows, beside: BesideFree | None, lanes: Lanes, scales: Scales, options: Options) -> Result:
    """Return the solutions from the rows."""
    stop: Any = {"tol": options.tol, "max_steps": options.max_steps}
    penalised = lanes if beside is None else _of_penalised(lanes, beside)
    X, Y = (rows.X, rows.Y) if beside is None else (beside.penalised(), beside.project(rows.Y))
    parts, order = [], []
    for number in np.unique(scales.response):
        at, y = np.flatnonzero(scales.response == number), Y[:, number]
        left = 1.0 if beside is None else rows.weights @ np.square(y) / 2 / scales.null_loss[at[0]]
        # relative to what free columns leave of y, the gap is larger by that much and the violation by its root
        stop["tol"] = options.tol / np.sqrt(left) if 0 < left < 1 else options.tol
        model = LinearModel(X, y, Squared(), rows.weights)
        parts.append(solve_on_rows(model, penalised.take(at)._replace(variant=None), **stop))
        order.append(at)
    result = tree_take(jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts), np.argsort(np.concatenate(order)))
    if beside is None:
        return result
    w, certificate = beside.certified(result.w, penalised.penalties, scales)
    return as_result(w, certificate, result.num_steps, options.tol)


def _of_penalised(lanes: Lanes, beside: BesideFree) -> Lanes:
    """Return the lanes on the columns that are not free."""
    start = None if lanes.start is None else np.asarray(lanes.start)[..., beside.kept]
    return lanes._replace(penalties=of_penalised(lanes.penalties, beside), start=start)


def _beside_free(
    solve: Callable[..., Result],
    task: Task,
    family: PenaltyBatch,
    start: Any,
    options: Options,
    near: np.ndarray | None,
) -> Result:
    """Lanes with columns that the penalty leaves free, with gaps and a word on those without an optimum."""
    if task.design.quadratic is not None or not free_of_penalty(task, family).any():
        return solve(task, family, start, options, near)

    def ordinary(lanes: np.ndarray, tol: float) -> Result:
        few = family.lanes(lanes)
        found = solve(task, few, start, dataclasses.replace(options, tol=tol), None)
        return least_norm(task, few, found, tol)

    return with_gaps(ordinary, task, family, options)


def _on_rows(task: Task, family: PenaltyBatch, start: Any, options: Options, near: np.ndarray | None) -> Result:
    model = task.smooth
    assert isinstance(model, LinearModel)
    n, p = task.data.X.shape
    if p > max(n, FEW) and not family.is_sparse:  # no column is idle, and of their products there are too many
        return _as_they_come(task, family, start, options, near)
    if start is None:  # another program otherwise
        zero = np.zeros(p, task.dtype)
        start = Coefficients(zero, np.asarray(task.null_model.intercept)) if model.fit_intercept else zero
    own = near is not None and not model.fit_intercept
    lanes = Lanes(family, near, WarmStart.SIMILAR) if own else Lanes(family, start)
    return solve_on_rows(model, lanes, tol=options.tol, max_steps=options.max_steps)


def _as_they_come(task: Task, family: PenaltyBatch, start: Any, options: Options, near: np.ndarray | None) -> Result:
    own = near is not None and isinstance(task.loss, Squared)  # other losses have an intercept to begin with as well
    lanes, model, p = Lanes(family, near if own else start), task.smooth, task.data.X.shape[1]
    if isinstance(model, LinearModel) and not isinstance(model.X, jax.Array) and _rests(task, family.template):
        model = with_idle_entries(model)
        lanes = lanes.on_columns(p, np.shape(model.X)[1])
    start, count = lanes.start, family.alpha.size
    if start is not None and not own:
        start = jax.tree.map(lambda x: np.broadcast_to(x, (count, *np.shape(x))), start)
    full = filled(np.arange(count), fine_bucket(count))  # idle lanes: other numbers of them compile nothing
    start = jax.tree.map(lambda x: np.asarray(x)[full], start)
    some = lanes.penalties.lanes(full)
    given = some.template, some.alpha, some.l1_ratio, some.factor, start, options.tol, options.max_steps
    name = "fista" if options.solver == "auto" else options.solver
    found = solve_lanes(model, *given, name, own_starts=start is not None)
    return first_columns(tree_take(found, slice(count)), p)
