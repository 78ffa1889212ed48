"""What lanes minimise between two looks at the data: a quadratic about the point where each of them is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, pytree_dataclass, replace, static, tree_where
from proxreg.models import Certificate, Curvature, Point, column_violation, duality_gap, relative
from proxreg.penalties import Penalty
from proxreg.solvers import FistaState, fista_step

EVERY = 2  # steps to a certificate: it costs about half as much as a step
_OWN = "start", "gradient_there", "loss_there", "scale", "penalty"  # fields that every lane has of its own


@pytree_dataclass
class LocalModel:
    """``loss + gradient . (w - w0) + scale (w - w0)' G (w - w0) / 2`` of one lane; lanes share G ``(m, m)``.

    A ``StepProblem``; the image of a point is its gradient. Rounding is relative to the way from w0 and
    not to w, so that G may have fewer digits than the rest: what comes of it is evaluated on the data.
    """

    G: Array
    start: Array  # w0 (m,)
    gradient_there: Array  # (m,)
    loss_there: Array
    scale: Array
    null_loss: Array
    norms: Array  # (m,) of the columns
    residual: Array  # norm of the loss's derivatives at the null model
    penalty: Penalty
    least_squares: bool = static()  # the model is the loss itself: it has a duality gap

    @property
    def curvature(self) -> Curvature:
        """G."""
        return "constant"

    def at(self, params: Array) -> Point:
        """One product with G."""
        change = self.G @ (params - self.start).astype(self.G.dtype)
        return Point(params, self.gradient_there + self.scale * change.astype(params.dtype))

    def gradient(self, point: Point) -> Array:
        """The gradient, which the point carries."""
        return point.image

    def divergence(self, new: Point, old: Point, move: Array, gradient: Array) -> tuple[Array, Array]:
        """``scale move' G move / 2``."""
        size = jnp.abs(new.image) + jnp.abs(old.image) + jnp.abs(self.gradient_there)
        noise = 4 * jnp.finfo(move.dtype).eps * jnp.sum(size * jnp.abs(move))
        return (new.image - old.image) @ move / 2, noise

    def prox(self, params: Array, step: Array) -> Array:
        """The penalty's."""
        return self.penalty.prox(params, step)

    def loss(self, point: Point) -> Array:
        """Return the model's loss."""
        return self.loss_there + (point.image + self.gradient_there) @ (point.params - self.start) / 2

    def objective(self, point: Point) -> Array:
        """Return the model's loss with the penalty."""
        return self.loss(point) + self.penalty.value(point.params)

    def error(self, point: Point) -> Array:
        """Return what a tolerance bounds: gap and violation of least squares, else the violation alone."""
        w, gradient = point
        worst = column_violation(self.penalty, w, gradient, self.norms, self.residual)
        if not self.least_squares:
            return worst
        loss = jnp.maximum(self.loss(point), 0)
        gap = duality_gap(self.penalty, w, gradient, lambda c: jnp.square(1 - c) * loss)
        return Certificate(loss, relative(gap, self.null_loss), worst).error

    def axes(self) -> Any:
        """Return where the lanes' axis is in models of several lanes."""
        return replace(self, **dict.fromkeys(("G", "null_loss", "norms", "residual")), **dict.fromkeys(_OWN, 0))

    def lane(self, number: Array) -> "LocalModel":
        """Return one of the models of several lanes."""
        own = {name: jax.tree.map(lambda leaf: leaf[number], getattr(self, name)) for name in _OWN}
        return replace(self, **own)

    def errors(self, points: Point) -> Array:
        """Return the errors ``(S,)`` of models of several lanes."""
        return jax.vmap(LocalModel.error, in_axes=(self.axes(), 0))(self, points)


class Lanes(NamedTuple):
    """What lanes ``(S,)`` are to do on their models."""

    live: Array  # others stay where they are
    aim: Callable[[Array], Array]  # errors at which lanes are done, from those (S,) at the start
    max_steps: Array
    leave: Array  # () lanes that may be left above their aim


class Descent(NamedTuple):
    """Where lanes ``(S, ...)`` have come to on their models."""

    state: FistaState
    taken: Array  # steps
    aim: Array
    slow: Array  # whether a lane has used up its steps and is above its aim still


def minimise(models: LocalModel, state: FistaState, steps: Array, lanes: Lanes) -> Descent:
    """Return the lanes' states after accelerated steps on their models.

    Greedy FISTA (Liang, Luo and Schoenlieb 2018, arXiv:1807.04005) with one product ``G W`` for all lanes. A lane that
    is done rests. ``steps (m,)`` are the lengths that G allows.
    """

    def lane_step(model: LocalModel, state: FistaState) -> FistaState:
        return fista_step(model, steps / model.scale, state)

    step_lanes = jax.vmap(lane_step, in_axes=(models.axes(), 0))

    def advance(carry):
        state, aim, _, taken, count = carry
        error = models.errors(state.point)
        aim = jnp.where(count == 0, lanes.aim(error), aim)
        work = lanes.live & (error > aim) & (taken < lanes.max_steps)

        def one(_, carry):
            state, taken = carry
            moving = work & (taken < lanes.max_steps)
            return jax.vmap(tree_where)(moving, step_lanes(models, state), state), taken + moving

        state, taken = jax.lax.fori_loop(0, EVERY, one, (state, taken))
        return state, aim, work, taken, count + 1

    def unfinished(carry):
        *_, work, taken, count = carry
        # no lane may be live: under vmap, what others wait for
        return (count == 0) | (jnp.sum(work & (taken < lanes.max_steps)) > jnp.maximum(lanes.leave, 0))

    nothing = jnp.zeros(lanes.live.shape, jnp.int32)
    start = state, jnp.zeros_like(models.scale), lanes.live, nothing, jnp.zeros((), jnp.int32)
    state, aim, work, taken, _ = jax.lax.while_loop(unfinished, advance, start)
    return Descent(state, taken, aim, work & (taken >= lanes.max_steps))
