"""Lanes of a quadratic in Gram form: a step costs one product with G for all of them, and a certificate none."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, pytree_dataclass, replace, static, tree_where
from proxreg.batch.local_model import Hessian, Lanes, LocalModel, Motion, at_rest, minimise
from proxreg.batch.newton import STEPS, WIDEST, polish
from proxreg.models import Certificate, Point, QuadraticProblem, relative
from proxreg.penalties import Penalty

#: Steps between two evaluations. Under ``vmap`` all data wait for those whose lanes need the most, so few; but of many
#: columns an evaluation costs two steps and more.
ROUND, LONG_ROUND = 16, 64
FEW = 512  # columns
PATIENCE = 200  # steps after which a lane is slow
READY = 3  # lanes are exchanged when a part of the slots is done: one of so many
SHORTER = 0.25  # a factor on steps that have led uphill
ROUNDED = 1e-6  # a relative difference of objectives that is none
DIGITS = 1e-5  # a part of its error below which a lane needs a gradient in full precision


class GramState(NamedTuple):
    """A lane of a quadratic; its motion goes on after an evaluation."""

    motion: Motion
    patience: Array  # steps left until it counts as slow


@pytree_dataclass
class GramForm:
    """Solve lanes as ``Form`` says, on their Gram matrix."""

    problem: QuadraticProblem
    hessian: Hessian  # G in full precision
    rough: Hessian  # G with the digits that steps need
    steps: Array  # (p,) lengths that G allows
    newton: bool = static()  # slow lanes have Newton's steps, and are not left to another program

    @classmethod
    def of(cls, problem: QuadraticProblem, newton: bool) -> "GramForm":
        """For a problem with any penalty of its lanes'."""
        root = jnp.where(problem.norms > 0, problem.norms, 1)
        size = jnp.where(problem.null_residual > 0, problem.null_residual, 1)
        G = problem.G / root / root[:, None]
        full, rough = Hessian(G, root, size), Hessian(G.astype(jnp.float32), root, size)
        return cls(problem, full, rough, problem.steps(problem.start(None)), newton)

    def kept(self, state: GramState) -> Point:
        """The point: parameters and gradient are affine."""
        return state.motion.point

    def begin(self, kept: Point) -> GramState:
        """The state at a point."""
        return GramState(at_rest(kept), jnp.full(len(kept.params), PATIENCE, jnp.int32))

    @property
    def _suits_newton(self) -> bool:
        return self.problem.penalty.separable and self.problem.c.size <= WIDEST

    def certify(self, penalty: Penalty, state: GramState) -> tuple[Certificate, Array]:
        """Return the certificate, and the gap that rounding of sums leaves in any case."""
        problem = replace(self.problem, penalty=penalty)
        return problem.certify(state.motion.point), self._floor(state.motion.point.params)

    def _floor(self, w: Array) -> Array:
        """Return the gap that rounding of sums leaves at ``w``; zero where no gap is known."""
        if self.problem.constant is None or self.problem.null_loss is None:
            return jnp.zeros((), w.dtype)
        return relative(self.problem.rounding(w), self.problem.null_loss)

    def left_over(self, state: GramState) -> Array:
        """Return the slow lanes, where Newton's method is left to another program."""
        return (state.patience <= 0) & (not self.newton) & self._suits_newton

    def advance(
        self, penalties: Penalty, state: GramState, live: Array, budget: Array, tol: Array, waiting: Array
    ) -> tuple[GramState, Array]:
        """Steps with products of few digits, and one product in full precision at their end."""
        problem, dtype = self.problem, self.problem.c.dtype
        w, gradient = state.motion.point
        constant, null_loss = (jnp.zeros((), dtype) if x is None else x for x in (problem.constant, problem.null_loss))
        floor = jax.vmap(self._floor)(w)
        scales = jnp.ones(live.shape, dtype)
        loss = jax.vmap(lambda w, g: constant + w @ (g - problem.c) / 2)(w, gradient)
        models = LocalModel(
            self.rough, w, gradient, loss, scales, null_loss, problem.norms, problem.null_residual,
            penalties, least_squares=problem.constant is not None,
        )  # fmt: skip
        leave = jnp.where(waiting, live.size - max(live.size // READY, 1), 0)

        def aim_of(errors: Array) -> Array:
            return jnp.maximum(jnp.maximum(0.9 * tol - floor, floor), DIGITS * errors)

        most = jnp.minimum(budget, ROUND if problem.c.size <= FEW else LONG_ROUND)
        lanes = Lanes(live, aim_of, most, jnp.minimum(leave, jnp.sum(live) - 1))
        motion, taken, aim, unfinished = minimise(models, state.motion, self.steps, lanes)
        patience = state.patience - taken
        if self.newton and self._suits_newton:
            slow = unfinished & (patience <= 0) & (budget - taken >= STEPS)
            point, more = polish(replace(models, hessian=self.hessian), motion.point, slow, aim)
            motion, taken = _restarted(motion, point, slow), taken + more
            patience = jnp.where(slow, PATIENCE, patience).astype(jnp.int32)
        exact = jax.vmap(problem.at)(motion.point.params)
        # above where it was, and above zero: the curvature was underestimated
        before, after = (models.objectives(point) for point in (state.motion.point, exact))
        uphill = live & ~(after <= jnp.maximum(before, constant) * (1 + ROUNDED) + ROUNDED * null_loss)
        # what the steps have lost of the gradient, at the point before as well: momentum is a difference
        earlier = motion.before._replace(image=motion.before.image + (exact.image - motion.point.image))
        motion = motion._replace(point=exact, before=earlier)
        again = _restarted(state.motion, state.motion.point, uphill)
        again = again._replace(pace=again.pace * SHORTER)
        return GramState(jax.vmap(tree_where)(uphill, again, motion), patience), taken


def _restarted(motion: Motion, points: Point, chosen: Array) -> Motion:
    """Return the motion of lanes, those of the chosen lanes at rest at other points."""
    moved = motion._replace(point=points, before=points, momentum=jnp.zeros_like(motion.momentum))
    return jax.vmap(tree_where)(chosen, moved, motion)
