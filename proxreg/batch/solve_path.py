"""A whole path of penalised fits as a pure function."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import platform, require_unforked
from proxreg._pytree import Array, ArrayLike, replace, strong
from proxreg.batch.arguments import read_grid, read_starts, read_width
from proxreg.batch.continuation import WarmStart, coarse_to_fine
from proxreg.batch.finish import finish_on_rows
from proxreg.batch.gram_form import GramForm
from proxreg.batch.penalty_batch import PenaltyBatch
from proxreg.batch.rounds import Form, Grid, Solved, solve_lanes
from proxreg.batch.row_form import RowForm
from proxreg.losses import Squared
from proxreg.models import Coefficients, LinearModel, Quadratic
from proxreg.penalties import Penalty
from proxreg.solvers import Result, Status, check_penalty, stopping

GRAM_COLUMNS = 1024  # up to so many, the statistics of least squares are cheap
GRAM_MOST = 4096  # and up to so many where there are no fewer rows
WIDTHS = 512, 1024  # of a working set: as many columns as there are rows, in this range
SEGMENT = 16  # neighbours on a path that share a working set
SLOTS = {"cpu": 16}  # lanes at work: what fills the caches of a CPU
SLOTS_ELSEWHERE = 4096


def solve_path(
    smooth: LinearModel | Quadratic,
    penalty: Penalty,
    alphas: ArrayLike,
    *,
    l1_ratio: ArrayLike | None = None,
    w0: Any = None,
    tol: ArrayLike = 1e-5,
    max_steps: ArrayLike = 10_000,
    working_set: int | None = None,
) -> Result:
    """Minimise ``smooth(w) + penalty(w)`` for every alpha, and every l1_ratio, in one compiled program.

    Every field of the result has the axis of ``alphas (K,)`` in front, in their order; with ``l1_ratio (R,)`` the axes
    ``(R, K)``, and ``alphas`` may be ``(R, K)``. Each alpha takes the place of the penalty's own; where that has an
    entry per coefficient, these multiply it. Each problem of the grid, a *lane*, has its own duality gap and status.

    ``smooth`` is ``pr.LinearModel`` with any loss, or ``pr.Quadratic``. ``w0`` is where the strongest penalties begin,
    zero coefficients where None, the others between solved neighbours; with the axes of the result in front every lane
    begins at its own. ``tol`` bounds the relative duality gap and the relative KKT violation of the returned point (the
    latter alone where no dual is known), ``max_steps`` the steps of a lane.

    Least squares with few columns is solved on its Gram matrix, everything else on rows and, for separable penalties,
    on a working set of columns that neighbouring lanes share. Its width is chosen from the shape of X and grows once;
    of one that ``working_set`` fixes, a lane with more non-zero coefficients ends with ``Status.WORKING_SET``. A
    ``Quadratic`` needs none. Other losses are minimised by proximal Newton steps with a Hessian that lanes share (Lee,
    Sun and Saunders 2014, Proximal Newton-type methods, SIAM J. Optim. 24).

    Pure: safe under ``jit``, ``vmap`` (over data, responses, weights) and ``scan``; nothing raises inside, and no lane
    spoils another. There are no copies of X but those of working sets. Derivatives are refused: differentiate
    ``pr.fista``. For a non-convex penalty lanes are stationary points. A lane of a ``Quadratic`` whose sums have lost
    the digits that ``tol`` asks for ends with ``Status.MAX_STEPS`` as soon as no step can help.

    Raises ValueError for a penalty without an alpha, shapes that do not fit, numbers outside their ranges where they
    are known, and a ``working_set`` beside a penalty that couples coefficients.

    >>> import jax, jax.numpy as jnp, proxreg as pr
    >>> X, y = jnp.array([[1.0, 0.0], [0.0, 2.0]]), jnp.array([4.0, 1.0])
    >>> path = pr.solve_path(pr.LinearModel(X, y), pr.L1(), jnp.array([1.5, 1.0, 0.5]), tol=1e-6)
    >>> print(path.w.round(2), path.status)
    [[1.   0.  ]
     [2.   0.  ]
     [3.   0.25]] [0 0 0]
    """
    require_unforked()
    alphas, ratios, shape = read_grid(penalty, alphas, l1_ratio)
    if not isinstance(smooth, LinearModel | Quadratic):
        raise ValueError("solve_path needs pr.LinearModel or pr.Quadratic; for a function map pr.fista with jax.vmap")
    check_penalty(penalty, smooth.parameters(None))
    if working_set is not None:
        working_set = read_width(working_set)
    if working_set is not None and not penalty.separable:
        raise ValueError(f"working_set needs a separable penalty, {type(penalty).__name__} is not")
    factor = penalty.alpha if np.ndim(penalty.alpha) else None  # pyright: ignore[reportAttributeAccessIssue]
    begin = read_starts(smooth, w0, shape)
    warm_start = WarmStart.OWN if begin.own else WarmStart.SHARED
    options = GridOptions(working_set, platform(), warm_start)
    with np.errstate(over="ignore"):
        smooth, template, factor = strong((smooth, replace(penalty, alpha=0.0), factor))
        grid = GridProblem(smooth, template, factor, alphas, ratios, begin.w0, *stopping(tol, max_steps))
        flat = solve_grid(grid, options)
    return jax.tree.map(lambda leaf: leaf.reshape(*shape, *leaf.shape[1:]), flat)


class GridProblem(NamedTuple):
    """Hold a grid of problems whose numbers have been checked."""

    smooth: Any
    template: Any  # the penalty, whose alpha and l1_ratio the grid's stand in for
    factor: Any  # (p,) multiplies the strengths, or None
    alphas: Any  # (R, K)
    ratios: Any  # (R,), or None
    w0: Any
    tol: Array
    max_steps: Array


class GridOptions(NamedTuple):
    """Say what a program is compiled for."""

    working_set: int | None  # columns, of supports that outgrow it lanes end; None to choose and widen it
    backend: str
    warm_start: WarmStart  # w0 has an entry for each lane, unless they share one
    newton: bool = True  # slow lanes of a quadratic have Newton's steps; else they end with Status.WORKING_SET

    @property
    def is_shared(self) -> bool:
        """Return whether w0 is one for all lanes."""
        return self.warm_start is WarmStart.SHARED


@jax.custom_jvp
def _without_derivatives(tree: Any) -> Any:
    return tree


@_without_derivatives.defjvp
def _refuse(primals: Any, tangents: Any) -> Any:
    raise ValueError(
        "derivatives do not go through solve_path: differentiate pr.fista, mapped over alphas with jax.vmap (forward "
        "mode, or unroll=True and a static max_steps), or pass jax.lax.stop_gradient of what is a constant"
    )


def solve_grid(grid: GridProblem, options: GridOptions) -> Result:
    """Return the solutions of a grid in one axis of lanes."""
    return _solve_path(grid, options, jax.config.jax_debug_nans)  # pyright: ignore[reportAttributeAccessIssue]


@partial(jax.jit, static_argnums=(1, 2))
@jax.default_matmul_precision("highest")  # a certificate needs all digits of float32 on every device
def _solve_path(grid: GridProblem, options: GridOptions, debug_nans: bool) -> Result:
    given, (tol, max_steps) = _without_derivatives(grid[:-2]), grid[-2:]
    smooth, template, factor, alphas, ratios, w0 = given
    num_paths, num_alphas = alphas.shape
    falling = jnp.argsort(-alphas, axis=1)
    place = (falling + num_alphas * jnp.arange(num_paths)[:, None]).ravel()
    alphas = jnp.take_along_axis(alphas, falling, axis=1)
    penalties = PenaltyBatch(
        template, factor, alphas.ravel(), None if ratios is None else jnp.repeat(ratios, num_alphas)
    )
    task = _Task(
        smooth,
        penalties,
        w0 if options.is_shared else jax.tree.map(lambda leaf: leaf[place], w0),
        alphas,
        smooth.is_valid() & jax.vmap(lambda penalty: penalty.is_valid())(penalties.penalties()),
        tol,
        max_steps,
        options,
    )
    if isinstance(smooth, Quadratic):
        result = task.on_gram(smooth)
    elif _suits_gram(smooth, options.working_set):
        result = task.on_statistics(smooth)
    else:
        result = task.on_rows(smooth)
    refused = ~task.valid & (result.status != Status.NON_FINITE)
    objective, gap, violation = (jnp.where(refused, jnp.nan, number) for number in result[1:4])
    status = jnp.where(refused, Status.INVALID, result.status)
    result = Result(result.w, objective, gap, violation, result.num_steps, status)
    if debug_nans:  # JAX takes a NaN that is returned for a mistake
        unknown = jnp.isnan(result.gap) & ~jnp.isnan(result.violation)
        result = result._replace(gap=jnp.where(unknown, jnp.inf, result.gap))
    back = jnp.zeros_like(place).at[place].set(jnp.arange(place.size))
    return jax.tree.map(lambda leaf: leaf[back], result)


def _suits_gram(model: LinearModel, working_set: int | None) -> bool:
    n, p = np.shape(model.X)
    few = p <= GRAM_COLUMNS or (p <= GRAM_MOST and p <= n)
    return isinstance(model.loss, Squared) and working_set is None and few


class _Task(NamedTuple):
    """The problems of a grid, each path's by falling alpha."""

    smooth: LinearModel | Quadratic
    penalties: PenaltyBatch
    w0: Any
    alphas: Array  # (R, K)
    valid: Array  # (L,)
    tol: Array
    max_steps: Array
    options: GridOptions

    @property
    def penalty(self) -> Penalty:
        """Return that of the first lane."""
        return jax.tree.map(lambda leaf: leaf[0], self.penalties.lanes(slice(1)).penalties())

    def on_gram(self, quadratic: Quadratic) -> Result:
        """Return the solutions of a quadratic, ``w (L, p)``."""
        problem = quadratic.with_penalty(self.penalty)
        (num_paths, num_alphas), form = self.alphas.shape, GramForm.of(problem, self.options.newton)
        order = np.add.outer(coarse_to_fine(num_alphas), num_alphas * np.arange(num_paths)).ravel()
        solved = self._solve(form, problem.start, order)
        return _result(solved, solved.kept.params)

    def on_statistics(self, model: LinearModel) -> Result:
        """Return the solutions of least squares from sums over rows, and from rows where these have lost the digits."""
        y = jnp.asarray(model.y) if model.offset is None else jnp.asarray(model.y) - jnp.asarray(model.offset)
        quadratic = Quadratic.from_data(model.X, y, model.sample_weight, fit_intercept=model.fit_intercept)
        coef = self.w0.coef if model.fit_intercept and self.w0 is not None else self.w0
        result = self._replace(w0=coef).on_gram(quadratic)
        result = result._replace(w=quadratic.restore(result.w))
        return finish_on_rows(model, self.penalties, result, self.valid, self.tol, self.max_steps)

    def on_rows(self, model: LinearModel) -> Result:
        """Return the solutions from the rows."""
        n, p = np.shape(model.X)
        width = p
        if self.penalty.separable:
            width = min(p, self.options.working_set or max(WIDTHS[0], min(n, WIDTHS[1])))
        elif p > GRAM_MOST:
            return self._one_by_one(model)
        problem = model.with_penalty(self.penalty)
        num_paths, num_alphas = self.alphas.shape
        form = RowForm.of(problem, width, self.options.working_set is not None)
        order = np.add.outer(num_alphas * np.arange(num_paths), coarse_to_fine(num_alphas, SEGMENT)).ravel()
        solved = self._solve(form, lambda w0: form.kept_of(problem.start(w0)), order)
        return _result(solved, jax.vmap(problem.restored)(jax.tree.map(lambda leaf: leaf[:-1], solved.kept[0])))

    def _one_by_one(self, model: LinearModel) -> Result:
        """Return the solutions where a Gram matrix of all columns would be too large."""
        begin = self.w0
        if begin is None:
            begin = jnp.zeros(np.shape(model.X)[1])
            begin = Coefficients(begin, jnp.zeros(())) if model.fit_intercept else begin
        if self.options.is_shared:
            begin = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (self.alphas.size, *leaf.shape)), begin)
        unknown, steps = jnp.full(self.alphas.size, jnp.nan), jnp.zeros(self.alphas.size, jnp.int32)
        result = Result(begin, unknown, unknown, unknown, steps, steps + Status.MAX_STEPS)
        return finish_on_rows(model, self.penalties, result, self.valid, self.tol, self.max_steps)

    def _solve(self, form: Form, start: Callable[[Any], Any], order: np.ndarray) -> Solved:
        begin = start(self.w0) if self.options.is_shared else jax.vmap(start)(self.w0)
        grid = Grid(self.penalties, self.alphas, self.valid, order)
        slots = SLOTS.get(self.options.backend, SLOTS_ELSEWHERE)
        return solve_lanes(form, grid, begin, self.options.warm_start, self.tol, self.max_steps, slots)


def _result(solved: Solved, w: Any) -> Result:
    objective, gap, violation = solved.certificate
    fields = w, objective, gap, violation, solved.num_steps, solved.status
    lanes = solved.status.size - 1  # the last entry belongs to none
    return Result(*jax.tree.map(lambda leaf: leaf[:lanes], fields))
