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
    column_bucket,
    filled,
    fine_bucket,
    first_columns,
    solve_on_rows,
    with_idle_entries,
)
from proxreg.engine import (
    FEW,
    Certified,
    ProjectedSource,
    Scales,
    Solution,
    beside_free,
    doubtful,
    free_columns,
    solve,
    solve_grid,
    solve_lanes,
)
from proxreg.fitting import (
    certified_by_rows,
    free_of_penalty,
    inverse_of,
    row_source,
    with_gaps,
    with_gaps_of_rows,
    with_weak_penalties,
)
from proxreg.least_norm import least_norm
from proxreg.least_squares import RowsOfTasks, has_closed_form, solve_in_closed_form
from proxreg.losses import Squared
from proxreg.models import Certificate, Coefficients, LinearModel
from proxreg.penalties import Penalty
from proxreg.solvers import Result, Status
from proxreg.task import Options, Task


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
    return result_of(solve_in_closed_form(RowsOfTasks(tasks), family, scales, response, dtype), tol)


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
    source = tasks[0].source
    assert source is not None
    scales = _scales(tasks, response)
    begin = None if starts[0] is None else np.stack([np.asarray(start) for start in starts])[response]
    stop = {"tol": options.tol, "max_steps": options.max_steps}
    inverse = inverse_of(tasks[0], free_columns(family.template, family.factor))
    rows = None if inverse.sums_suffice else row_source(tasks)
    problem, penalised = beside_free(rows or source, family, inverse.matrix)
    unsure = inverse.from_rows or problem.hides_columns
    begin, base = (None if w is None else problem.restricted(w) for w in (begin, base))
    found = solve_grid(problem, penalised, scales, start=begin, base=base, **stop)
    found = problem.completed(found, scales) if isinstance(problem, ProjectedSource) else found
    at = np.flatnonzero(doubtful(source, found.w, scales, options.tol))
    if at.size:  # the sums do not tell: on with the rows, from where the lanes are
        problem, penalised = beside_free(rows or row_source(tasks), family.lanes(at), inverse.matrix)
        unsure |= problem.hides_columns
        part = solve(problem, penalised, scales.lanes(at), problem.restricted(found.w[at]), found.num_steps[at], **stop)
        part = problem.completed(part, scales.lanes(at)) if isinstance(problem, ProjectedSource) else part
        for field, value in zip(found, part):
            field[at] = value
    left = (found.error > options.tol) & (found.num_steps < options.max_steps)
    for number in np.unique(response[left]):
        at = np.flatnonzero(left & (response == number))
        _finish(tasks[number], family.lanes(at), found, at, options)
    result, chosen = result_of(found, options.tol), np.full(response.shape, unsure)
    return _by_response(partial(with_gaps_of_rows, tol=options.tol), tasks, family, response, result, chosen)


def result_of(found: Solution, tol: float) -> Result:
    """What the engine found, with a status for each lane."""
    status = np.where(found.error <= tol, Status.CONVERGED, Status.MAX_STEPS)
    status = np.where(np.isfinite(found.error) & np.isfinite(found.objective), status, Status.NON_FINITE)
    return _result(found.w, found.objective, found.gap, found.violation, found.num_steps, status)


def _finish(task: Task, family: PenaltyBatch, found: Solution, at: np.ndarray, options: Options) -> None:
    """Lanes whose working sets would have had to outgrow what pays: by the plain solver, from where they are."""
    given = family.template, family.alpha, family.l1_ratio, family.factor, found.w[at]
    steps = options.max_steps - int(found.num_steps[at].max())
    rest = solve_lanes(task.smooth, *given, options.tol, steps, "fista", own_starts=True)
    found.put(at, np.asarray(rest.w), Certified.by(Certificate(rest.objective, rest.gap, rest.violation)))
    found.num_steps[at] += np.asarray(rest.num_steps)


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
    lanes = Lanes(family, near, own_starts=True) if own else Lanes(family, start)
    return solve_on_rows(model, lanes, tol=options.tol, max_steps=options.max_steps)


def _as_they_come(task: Task, family: PenaltyBatch, start: Any, options: Options, near: np.ndarray | None) -> Result:
    own = near is not None and isinstance(task.loss, Squared)  # other losses have an intercept to begin with as well
    lanes, model, p = Lanes(family, near if own else start, own), task.smooth, task.data.X.shape[1]
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


def _result(*fields: Any) -> Result:
    """With arrays of NumPy, which serve as those of JAX."""
    return Result(*fields)
