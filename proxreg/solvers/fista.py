"""Accelerated proximal gradient with a restart per problem and a step per coordinate."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import require_unforked
from proxreg._pytree import Array, ArrayLike, PyTree, strong, tree_vdot, tree_where
from proxreg.models import Function, Point, Smooth, StepProblem, as_parameters, as_smooth
from proxreg.penalties import Penalty
from proxreg.solvers.loop import Result, check_penalty, check_prox, run, stopping
from proxreg.solvers.programs import FunctionPrograms

# Liang, Luo and Schoenlieb (2018): momentum 1 with restarts bears a step a third longer than 1/L
GREED = 1.3
SHRINK = 0.96
# where the curvature varies, the step grows after each step that met a quarter of what it allows for: little where a
# bound says how far the first one can be off, more where nothing does
GROWTH = {"bounded": 1.02, "unknown": 1.25}


class FistaState(NamedTuple):
    """The last two points, and the step length."""

    point: Point  # what would be returned
    previous: Point  # the point before; the same one right after a restart
    scale: Array  # current factor on the steps of the model
    first_move: Array  # squared length of the first step; later ones that are longer show divergence


def fista_init(point: Point, steps: PyTree) -> FistaState:
    """The state at a point, about to take the steps (one per parameter) that the model allows."""
    dtype = jnp.result_type(*jax.tree.leaves(steps))
    return FistaState(point, point, jnp.asarray(GREED, dtype), jnp.asarray(jnp.inf, dtype))


def fista_step(problem: StepProblem, steps: PyTree, state: FistaState) -> FistaState:
    """One proximal gradient step from the extrapolated point, or a shorter step length where that one was too long."""
    point, previous, scale, first_move = state
    ahead = jax.tree.map(lambda new, old: new + (new - old), point, previous)
    gradient = problem.gradient(ahead)
    scaled = jax.tree.map(lambda s: s * scale.astype(s.dtype), steps)
    target = jax.tree.map(lambda z, s, g: z - s * g, ahead.params, scaled, gradient)
    new = problem.at(problem.prox(target, scaled))

    move = jax.tree.map(jnp.subtract, new.params, ahead.params)
    divergence, noise = problem.divergence(new, ahead, move, gradient)
    allowed = GREED / 2 * _inner(move, move, scaled)
    accepted = (divergence <= allowed + noise) & jnp.isfinite(divergence)

    progress = jax.tree.map(jnp.subtract, new.params, point.params)
    length = _inner(progress, progress, scaled)
    restart = _inner(move, progress, scaled) <= 0  # the momentum points uphill (O'Donoghue and Candes 2015)
    if problem.curvature == "constant":
        # back and forth, or ever further: the longer step does not suit this problem
        last = jax.tree.map(jnp.subtract, point.params, previous.params)
        astray = ((length > first_move) | (_inner(progress, last, scaled) < 0)) & (scale > 1)
        next_scale = jnp.where(astray, jnp.maximum(scale * SHRINK, 1), scale)
    else:
        next_scale = scale * jnp.where(divergence + noise < allowed / 4, GROWTH[problem.curvature], 1)
    kept = FistaState(
        point=new,
        previous=tree_where(restart, new, point),
        scale=next_scale,
        first_move=jnp.where(jnp.isinf(first_move), length, first_move),
    )
    refused = FistaState(point, point, scale / 2, first_move)
    return tree_where(accepted, kept, refused)


def _inner(a: PyTree, b: PyTree, steps: PyTree) -> Array:
    """The inner product in which the steps have length one."""
    return tree_vdot(a, jax.tree.map(lambda y, s: y / s, b, steps))


def fista(
    smooth: Smooth | Any,
    penalty: Penalty,
    w0: Any = None,
    *,
    args: tuple = (),
    tol: ArrayLike = 1e-5,
    max_steps: ArrayLike = 10_000,
    unroll: bool = False,
) -> Result:
    """Minimises ``smooth(w) + penalty(w)`` by accelerated proximal gradient steps.

    ``w+ = prox(z - t grad(z), t)`` with ``z = w + (w - w_before)``, restarted whenever the momentum points uphill
    (greedy FISTA: Liang, Luo and Schoenlieb 2018, arXiv:1807.04005; Beck and Teboulle 2009). The steps t, one per
    coordinate where the penalty is separable, come from the curvature bound of the model; each is checked against the
    true curvature and halved where it was too long.

    ``smooth`` is ``pr.LinearModel``, ``pr.Quadratic`` or any differentiable function ``smooth(params, *args)`` of any
    pytree of parameters, real or complex. The compiled program of a function lives as long as the function does, so
    pass the same one and new data as ``args``: a new lambda compiles anew.
    ``w0`` is like the parameters; None starts models at zero coefficients. ``tol`` bounds the relative duality gap and
    the relative KKT violation of the returned point (the latter alone for functions, and where no dual is known).
    Pure: safe under ``jit``, ``vmap`` and forward-mode differentiation; ``unroll=True`` with a static ``max_steps``
    makes it reverse-differentiable. For a non-convex problem the answer is a stationary point.

    >>> import jax, jax.numpy as jnp, proxreg as pr
    >>> X, y = jnp.array([[1.0, 0.0], [0.0, 2.0]]), jnp.array([4.0, 1.0])
    >>> fit = pr.fista(pr.LinearModel(X, y), pr.L1(1.0), tol=1e-6)
    >>> print(fit.w.round(2), int(fit.status))
    [2. 0.] 0
    >>> lanes = jax.vmap(lambda alpha: pr.fista(pr.LinearModel(X, y), pr.L1(alpha), tol=1e-6).w)
    >>> print(lanes(jnp.array([0.5, 1.0])).round(2))
    [[3.  0.25]
     [2.  0.  ]]
    """
    require_unforked()
    smooth = as_smooth(smooth, args)
    if isinstance(smooth, Function) and w0 is None:
        raise ValueError("w0 is needed where smooth is a function: it tells the shapes of the parameters")
    w0 = as_parameters(w0) if isinstance(smooth, Function) else w0
    check_penalty(penalty, smooth.parameters(w0))
    tol, steps = stopping(tol, max_steps)
    steps = int(max_steps) if unroll else steps
    w0 = w0 if isinstance(smooth, Function) else strong(w0)
    options = w0, tol, steps, jax.config.jax_debug_nans  # pyright: ignore[reportAttributeAccessIssue]
    with np.errstate(over="ignore"):
        if isinstance(smooth, Function):
            program = _unrolled_function if unroll else _fista_function
            return program(smooth.function, (strong(smooth.args, integers=False), strong(penalty)), *options)
        return (_unrolled if unroll else _fista)(strong((smooth, penalty)), *options)


@jax.default_matmul_precision("highest")  # a certificate needs all digits of float32 on every device
def _solve(
    problem_of: tuple[Smooth, Penalty], w0: Any, tol: Array, max_steps: Array | int, debug_nans: bool, *, unroll: bool
) -> Result:
    smooth, penalty = problem_of
    problem = smooth.with_penalty(penalty, w0) if isinstance(smooth, Function) else smooth.with_penalty(penalty)
    point = problem.start(w0)
    steps = problem.steps(point)
    check_prox(problem, point, steps)
    return run(
        problem,
        fista_init(point, steps),
        partial(fista_step, problem, steps),
        tol=tol,
        max_steps=max_steps,
        valid=smooth.is_valid() & penalty.is_valid(),
        unroll=unroll,
        debug_nans=debug_nans,
    )


def _solve_function(function: Any, args_and_penalty: tuple[tuple, Penalty], *options: Any, unroll: bool) -> Result:
    args, penalty = args_and_penalty
    return _solve((Function(function, args), penalty), *options, unroll=unroll)


_fista = jax.jit(partial(_solve, unroll=False), static_argnums=4)
_unrolled = jax.jit(partial(_solve, unroll=True), static_argnums=(3, 4))
_fista_function = FunctionPrograms(partial(_solve_function, unroll=False), static_argnums=4)
_unrolled_function = FunctionPrograms(partial(_solve_function, unroll=True), static_argnums=(3, 4))
