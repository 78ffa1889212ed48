"""Lanes of a quadratic in Gram form: a step costs one product with G for all of them, and a certificate none."""

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, pytree_dataclass, replace, tree_where
from proxreg.batch.local_model import Lanes, LocalModel, minimise
from proxreg.batch.newton import WIDEST, polish
from proxreg.models import Certificate, Point, QuadraticProblem
from proxreg.penalties import Penalty
from proxreg.solvers import FistaState, fista_init

PATIENCE = 200  # steps between two evaluations in full precision
READY = 3  # lanes are exchanged when a part of the slots is done: one of so many
DIGITS = 1e-5  # a part of its error below which a lane needs a gradient in full precision


@pytree_dataclass
class GramForm:
    """See ``Form``. The state of a lane is its ``FistaState``: momentum survives an evaluation."""

    problem: QuadraticProblem
    steps: Array  # (p,) lengths that G allows

    @classmethod
    def of(cls, problem: QuadraticProblem) -> "GramForm":
        """For a problem with any penalty of its lanes'."""
        return cls(problem, problem.steps(problem.start(None)))

    def kept(self, state: FistaState) -> Point:
        """The point: parameters and gradient are affine."""
        return state.point

    def begin(self, penalties: Penalty, kept: Point) -> FistaState:
        """The state at a point."""
        return jax.vmap(fista_init, in_axes=(0, None))(kept, self.steps)

    def certify(self, penalty: Penalty, state: FistaState) -> tuple[Certificate, Array]:
        """The certificate, and the gap that rounding of sums leaves in any case."""
        problem = replace(self.problem, penalty=penalty)
        constant = problem.constant
        floor = jnp.zeros((), problem.c.dtype)
        if constant is not None:
            floor = problem.rounding(state.point.params) / jnp.where(constant > 0, constant, 1)
        return problem.certify(state.point), floor

    def outgrown(self, state: FistaState) -> Array:
        """Never: there is no working set."""
        return jnp.zeros(state.scale.shape, bool)

    def advance(
        self, penalties: Penalty, state: FistaState, live: Array, budget: Array, tol: Array, waiting: Array
    ) -> tuple[FistaState, Array]:
        """Steps with products of few digits, and one product in full precision at their end."""
        problem, dtype = self.problem, self.problem.c.dtype
        w, gradient = state.point
        constant = jnp.zeros((), dtype) if problem.constant is None else problem.constant
        norms = jnp.sqrt(jnp.maximum(jnp.diagonal(problem.G), 0))
        lost = jax.vmap(problem.rounding)(w) if problem.constant is not None else jnp.zeros(live.shape, dtype)
        floor = lost / jnp.where(constant > 0, constant, 1)
        scales = jnp.ones(live.shape, dtype)
        # as in ``QuadraticProblem.certify`` where the constant is not known
        size = jnp.sqrt(2 * constant)
        if problem.constant is None:
            size = jnp.max(jnp.abs(problem.c) / jnp.where(norms > 0, norms, 1), initial=0.0)
        loss = jax.vmap(lambda w, g: constant + w @ (g - problem.c) / 2)(w, gradient)
        models = LocalModel(
            problem.G.astype(jnp.float32), w, gradient, loss, scales, constant, norms, size, penalties,
            least_squares=problem.constant is not None,
        )  # fmt: skip
        leave = jnp.where(waiting, live.size - max(live.size // READY, 1), 0)

        def aim_of(errors: Array) -> Array:
            return jnp.maximum(jnp.maximum(0.9 * tol - floor, floor), DIGITS * errors)

        lanes = Lanes(live, aim_of, jnp.minimum(budget, PATIENCE), jnp.minimum(leave, jnp.sum(live) - 1))
        state, taken, aim, slow = minimise(models, state, self.steps, lanes)
        if problem.penalty.separable and problem.c.size <= WIDEST:
            point, more = polish(replace(models, G=problem.G), state.point, slow & (budget > PATIENCE), aim)
            state, taken = _restarted(state, point, more > 0), taken + more
        exact = jax.vmap(problem.at)(state.point.params)
        correction = exact.image - state.point.image
        previous = state.previous._replace(image=state.previous.image + correction)
        return state._replace(point=exact, previous=previous), taken


def _restarted(state: FistaState, points: Point, chosen: Array) -> FistaState:
    """Return the states, those of the chosen lanes at rest at other points."""
    moved = state._replace(point=points, previous=points)
    return jax.vmap(tree_where)(chosen, moved, state)
