"""Minimise, between two looks at the data, a quadratic about the point where each lane is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, pytree_dataclass, replace, static
from proxreg.models import Point, column_violation, least_squares_certificate
from proxreg.penalties import Penalty
from proxreg.solvers import GREED, SHRINK

LARGE = 1024  # columns, from which on a CPU computes ``G v'`` of few lanes in half the time of ``v G``
EVERY = 2  # steps to a certificate: it costs about half as much as a step
_OWN = "start", "gradient_there", "loss_there", "scale", "penalty"  # fields that every lane has of its own


@pytree_dataclass
class Hessian:
    """``diag(root) G diag(root)``, with G ``(m, m)`` in a type that may have fewer digits, and a smaller range.

    Whatever the units of columns and response are: G is of columns in units of their ``root``, and what it is
    multiplied by is in units of the response's ``size``.
    """

    G: Array
    root: Array  # (m,)
    size: Array

    def product(self, v: Array) -> Array:
        """Return the product with ``v (..., m)``, in the type of v."""
        inner = (v * (self.root / self.size)).astype(self.G.dtype)
        if len(self.G) < LARGE or v.ndim == 1:
            return (inner @ self.G).astype(v.dtype) * (self.root * self.size)
        barrier = jax.lax.optimization_barrier  # the compiler would turn it around
        return barrier(self.G @ barrier(inner.T)).T.astype(v.dtype) * (self.root * self.size)

    def part(self, at: Array) -> Array:
        """Return the entries of the coordinates ``at``, in the type of ``root``."""
        root = self.root[at]
        return root[:, None] * self.G[at][:, at].astype(root.dtype) * root

    def diagonal(self) -> Array:
        """Return the diagonal ``(m,)``."""
        return jnp.square(self.root) * jnp.diagonal(self.G).astype(self.root.dtype)


@pytree_dataclass
class LocalModel:
    """``loss + gradient . (w - w0) + scale (w - w0)' H (w - w0) / 2`` of one lane; lanes share H ``(m, m)``.

    The image of a point is its gradient. Rounding is relative to the way from w0 and not to w, so that H may have fewer
    digits than the rest: what comes of it is evaluated on the data.
    """

    hessian: Hessian
    start: Array  # w0 (m,)
    gradient_there: Array  # (m,)
    loss_there: Array
    scale: Array
    null_loss: Array
    norms: Array  # (m,) of the columns
    residual: Array  # norm of the loss's derivatives at the null model
    penalty: Penalty
    least_squares: bool = static()  # the model is the loss itself: it has a duality gap

    def at(self, params: Array) -> Point:
        """One product with G."""
        return Point(params, self.gradient_there + self.scale * self.hessian.product(params - self.start))

    def loss(self, point: Point) -> Array:
        """Return the model's loss."""
        return self.loss_there + (point.image + self.gradient_there) @ (point.params - self.start) / 2

    def objective(self, point: Point) -> Array:
        """Return the model's loss with the penalty."""
        return self.loss(point) + self.penalty.value(point.params)

    def error(self, point: Point) -> Array:
        """Return what a tolerance bounds: gap and violation of least squares, else the violation alone."""
        w, gradient = point
        if not self.least_squares:
            return column_violation(self.penalty, w, gradient, self.norms, self.residual)
        loss = jnp.maximum(self.loss(point), 0)
        return least_squares_certificate(self.penalty, w, gradient, loss, self.norms, self.null_loss).error

    def axes(self) -> Any:
        """Return where the lanes' axis is in models of several lanes."""
        return replace(self, **dict.fromkeys(("hessian", "null_loss", "norms", "residual")), **dict.fromkeys(_OWN, 0))

    def lane(self, number: Array) -> "LocalModel":
        """Return one of the models of several lanes."""
        own = {name: jax.tree.map(lambda leaf: leaf[number], getattr(self, name)) for name in _OWN}
        return replace(self, **own)

    def objectives(self, points: Point) -> Array:
        """Return the objectives ``(S,)`` of models of several lanes."""
        return jax.vmap(LocalModel.objective, in_axes=(self.axes(), 0))(self, points)

    def errors(self, points: Point) -> Array:
        """Return the errors ``(S,)`` of models of several lanes."""
        return jax.vmap(LocalModel.error, in_axes=(self.axes(), 0))(self, points)


class Lanes(NamedTuple):
    """Say what lanes ``(S,)`` are to do on their models."""

    live: Array  # others stay where they are
    aim: Callable[[Array], Array]  # errors at which lanes are done, from those (S,) at the start
    max_steps: Array
    leave: Array  # () lanes that may be left above their aim


class Motion(NamedTuple):
    """Lanes on their way, ``(S, ...)``."""

    point: Point  # the image is the gradient
    before: Point
    momentum: Array  # 1 where the next step has momentum, 0 where it starts afresh
    pace: Array  # factor on the steps
    first: Array  # squared length of the first step; later ones that are longer show divergence


def at_rest(points: Point) -> Motion:
    """Return the lanes at these points, about to take their first step."""
    lanes = points.params[:, 0]
    unknown = jnp.full_like(lanes, jnp.inf)
    return Motion(points, points, jnp.zeros_like(lanes), jnp.full_like(lanes, GREED), unknown)


def _step(models: LocalModel, steps: Array, motion: Motion, moving: Array) -> Motion:
    """One step of ``fista_step`` for all lanes, in as few passes over memory as can be; others stay where they are.

    The gradient of a quadratic is affine, so that momentum extrapolates it, and a step adds what it changes.
    """
    (w, g), (w_before, g_before), momentum, pace, first = motion
    t = steps * (pace / models.scale)[:, None]
    go = momentum[:, None]
    ahead = go * (w - w_before)
    target = w + ahead - t * (g + go * (g - g_before))
    new = jax.vmap(lambda penalty, v, step: penalty.prox(v, step))(models.penalty, target, t)
    progress = jnp.where(moving[:, None], new - w, 0)
    change = models.scale[:, None] * models.hessian.product(progress)
    point = Point(jnp.where(moving[:, None], new, w), g + change)
    length, along = (jnp.sum(progress * other / steps, axis=1) for other in (progress, ahead))
    # ever further, or back and forth: too long a step; 1 / GREED leaves room for a majoriser a third too small
    shorter = jnp.maximum(pace * SHRINK, jnp.minimum(pace, jnp.where(length > first, 1 / GREED, 1)))
    wrong = moving & ((length > first) | (along < 0))
    return Motion(
        point,
        jax.tree.map(lambda new, old: jnp.where(moving[:, None], new, old), motion.point, motion.before),
        # the momentum points uphill (O'Donoghue and Candes 2015)
        jnp.where(moving, jnp.where(length <= along, 0.0, 1.0).astype(w.dtype), momentum),
        jnp.where(wrong, shorter, pace),
        jnp.where(moving & jnp.isinf(first), length, first),
    )


class Descent(NamedTuple):
    """Hold where lanes ``(S, ...)`` have come to on their models."""

    motion: Motion
    taken: Array  # steps
    aim: Array
    slow: Array  # whether a lane has used up its steps and is above its aim still


def minimise(models: LocalModel, motion: Motion, steps: Array, lanes: Lanes) -> Descent:
    """Return the lanes after accelerated steps on their models.

    Greedy FISTA (Liang, Luo and Schoenlieb 2018, arXiv:1807.04005) with one product ``H W`` for all lanes. A lane that
    is done rests. ``steps (m,)`` are the lengths that H allows.
    """

    def advance(carry):
        motion, aim, _, taken, count = carry
        error = models.errors(motion.point)
        aim = jnp.where(count == 0, lanes.aim(error), aim)
        work = lanes.live & (error > aim) & (taken < lanes.max_steps)

        def one(_, carry):
            motion, taken = carry
            moving = work & (taken < lanes.max_steps)
            return _step(models, steps, motion, moving), taken + moving

        motion, taken = jax.lax.fori_loop(0, EVERY, one, (motion, taken))
        return motion, aim, work, taken, count + 1

    def unfinished(carry):
        *_, work, taken, count = carry
        # no lane may be live: under vmap, what others wait for
        return (count == 0) | (jnp.sum(work & (taken < lanes.max_steps)) > jnp.maximum(lanes.leave, 0))

    nothing = jnp.zeros(lanes.live.shape, jnp.int32)
    start = motion, jnp.zeros_like(models.scale), lanes.live, nothing, jnp.zeros((), jnp.int32)
    motion, aim, work, taken, _ = jax.lax.while_loop(unfinished, advance, start)
    return Descent(motion, taken, aim, work & (taken >= lanes.max_steps))
