"""Blocked cyclic coordinate descent, for quadratics in Gram form and for linear models in residual form."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import require_unforked
from proxreg._pytree import Array, ArrayLike, strong
from proxreg.models import (
    Coefficients,
    LinearModel,
    LinearProblem,
    Point,
    Problem,
    Quadratic,
    QuadraticProblem,
    weighed,
    weighted_gram,
)
from proxreg.penalties import Penalty
from proxreg.solvers import blocks
from proxreg.solvers.line_search import longest_decrease
from proxreg.solvers.loop import Result, check_penalty, run, stopping


class CoordinateState(NamedTuple):
    """Coordinate descent has no memory beyond its point."""

    point: Point  # what would be returned


class _Columns(NamedTuple):
    """The data by blocks of columns, computed once and shared by all lanes."""

    values: Array  # columns (blocks, WIDTH, n), or rows of G (blocks, WIDTH, p)
    center: Array | None  # (blocks, WIDTH) to take off the columns: lanes with weights of their own share these
    hessian: Array | None  # (blocks, WIDTH, WIDTH); None where the curvature varies with the coefficients
    penalty: Penalty  # its parameters (blocks, WIDTH)


def init(problem: Problem, w0: Any) -> CoordinateState:
    """The state at ``w0``."""
    return CoordinateState(problem.start(w0))


def prepare(problem: LinearProblem | QuadraticProblem) -> _Columns:
    """Splits the data into blocks; one copy of X, and ``WIDTH n p`` operations."""
    if isinstance(problem, QuadraticProblem):
        p, dtype = problem.c.size, problem.c.dtype
        values = blocks.split(problem.G)
        starts = jnp.arange(values.shape[0]) * blocks.WIDTH
        padded = jnp.pad(values, ((0, 0), (0, 0), (0, values.shape[0] * blocks.WIDTH - p)))
        own = jax.vmap(lambda rows, at: jax.lax.dynamic_slice_in_dim(rows, at, blocks.WIDTH, 1))
        return _Columns(values, None, own(padded, starts), blocks.split_penalty(problem.penalty, p, dtype))
    p, dtype = problem.center.size, problem.X.dtype
    values, center, hessian = blocks.split(problem.X.T), blocks.split(problem.center), None
    if problem.loss.affine:
        weights = problem.curvature_weights(problem.offset)
        hessian = jax.lax.map(lambda block: weighted_gram(block[0].T, weights, block[1]), (values, center))
    return _Columns(values, center, hessian, blocks.split_penalty(problem.penalty, p, dtype))


def step(problem: LinearProblem | QuadraticProblem, columns: _Columns, state: CoordinateState) -> CoordinateState:
    """One pass over all coordinates, the intercept included."""
    if isinstance(problem, QuadraticProblem):
        return CoordinateState(problem.at(_pass_gram(columns, *state.point)))
    return CoordinateState(problem.at(_pass_residual(problem, columns, state.point)))


def _pass_gram(columns: _Columns, w: Array, gradient: Array) -> Array:
    p = w.size
    count = columns.values.shape[0]
    padding = count * blocks.WIDTH - p

    def visit(gradient, block):
        i, rows, hessian, penalty, w = block
        own = jax.lax.dynamic_slice_in_dim(jnp.pad(gradient, (0, padding)), i * blocks.WIDTH, blocks.WIDTH)
        new = blocks.descend(penalty, w, own, hessian)
        return gradient + (new - w) @ rows, new

    visited = (jnp.arange(count), columns.values, columns.hessian, columns.penalty, blocks.split(w))
    return blocks.join(jax.lax.scan(visit, gradient, visited)[1], p)


def _pass_residual(problem: LinearProblem, columns: _Columns, point: Point) -> Coefficients:
    """Each block minimises the loss, or where that is not quadratic a local model, and searches along the way there."""
    (coef, intercept), eta = point.params, point.image.eta

    def visit(eta, block):
        values, center, hessian, penalty, w = block
        slope = problem.slope(eta)
        gradient = values @ slope - center * jnp.sum(slope)
        if hessian is not None:
            new = blocks.descend(penalty, w, gradient, hessian)
            move = new - w
            return eta + (move @ values - move @ center), new
        hessian = weighted_gram(values.T, problem.local_curvature(eta), center)
        move = blocks.descend(penalty, w, gradient, hessian) - w
        direction = move @ values - move @ center

        def change(t):
            excess = problem.loss.value(eta + t * direction, problem.y) - problem.loss.value(eta, problem.y)
            return (
                jnp.sum(weighed(problem.weights, excess))
                + blocks.value(penalty, w + t * move)
                - blocks.value(penalty, w)
            )

        slope = gradient @ move + blocks.value(penalty, w + move) - blocks.value(penalty, w)
        t = longest_decrease(change, slope, problem.null_loss)
        return eta + t * direction, jnp.where(t == 1, w + move, w + t * move)

    eta, new = jax.lax.scan(visit, eta, (*columns, blocks.split(coef)))
    shift = problem.intercept_shift(eta)
    return Coefficients(blocks.join(new, coef.size), intercept + shift)


def coordinate_descent(
    smooth: LinearModel | Quadratic,
    penalty: Penalty,
    w0: Any = None,
    *,
    tol: ArrayLike = 1e-5,
    max_steps: ArrayLike = 1_000,
    unroll: bool = False,
) -> Result:
    """Minimises ``smooth(w) + penalty(w)`` one coordinate at a time, in blocks; a step is a pass over all of them.

    ``w_j <- prox_j(w_j - g_j / h_j, 1 / h_j)``, with h_j the curvature along coordinate j: the exact minimiser for
    the squared loss (Friedman, Hastie and Tibshirani 2010, section 2), that of a local quadratic model otherwise, with
    a line search that makes it a majoriser along the block's direction (Tseng and Yun 2009). Blocks of
    coordinates share a Gram matrix and one product with the rest of the data.

    ``smooth`` is ``pr.LinearModel`` (residual form) or ``pr.Quadratic`` (Gram form), ``penalty`` a separable one.
    ``tol`` bounds the relative duality gap and the relative KKT violation of the returned point (the latter alone where
    no dual is known).
    Pure: safe under ``jit``, ``vmap`` and forward-mode differentiation; ``unroll=True`` with a static ``max_steps``
    makes it reverse-differentiable.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> X, y = jnp.array([[1.0, 0.0], [0.0, 2.0]]), jnp.array([4.0, 1.0])
    >>> fit = pr.coordinate_descent(pr.LinearModel(X, y), pr.L1(1.0))
    >>> print(fit.w, int(fit.num_steps))
    [2. 0.] 1
    """
    require_unforked()
    if not isinstance(smooth, LinearModel | Quadratic):
        raise ValueError("coordinate_descent needs pr.LinearModel or pr.Quadratic; for a function use pr.fista")
    check_penalty(penalty, smooth.parameters(w0))
    if not penalty.separable:
        raise ValueError(f"coordinate_descent needs a separable penalty, {type(penalty).__name__} is not: use pr.fista")
    tol, steps = stopping(tol, max_steps)
    steps = int(max_steps) if unroll else steps  # pyright: ignore[reportArgumentType]
    options = strong(w0), tol, steps, jax.config.jax_debug_nans  # pyright: ignore[reportAttributeAccessIssue]
    with np.errstate(over="ignore"):
        return (_unrolled if unroll else _coordinate_descent)(strong((smooth, penalty)), *options)


@jax.default_matmul_precision("highest")  # a certificate needs all digits of float32 on every device
def _solve(
    problem_of: tuple[LinearModel | Quadratic, Penalty],
    w0: Any,
    tol: Array,
    max_steps: Array | int,
    debug_nans: bool,
    *,
    unroll: bool,
) -> Result:
    smooth, penalty = problem_of
    problem = smooth.with_penalty(penalty)
    return run(
        problem,
        init(problem, w0),
        partial(step, problem, prepare(problem)),
        tol=tol,
        max_steps=max_steps,
        valid=smooth.is_valid() & penalty.is_valid(),
        unroll=unroll,
        debug_nans=debug_nans,
    )


_coordinate_descent = jax.jit(partial(_solve, unroll=False), static_argnums=4)
_unrolled = jax.jit(partial(_solve, unroll=True), static_argnums=(3, 4))
