"""The loop over lanes: a few slots are at work, a lane that is done leaves its slot to the next."""

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import apply_where
from proxreg._pytree import Array, tree_where
from proxreg.batch.continuation import WarmStart, interpolated
from proxreg.batch.penalty_batch import PenaltyBatch
from proxreg.models import Certificate
from proxreg.penalties import Penalty
from proxreg.solvers import Status


class Form(Protocol):
    """Say how lanes move, and how they are certified; states have the slots' axis in front where not of one lane."""

    def kept(self, state: Any) -> Any:
        """Return what is kept of lanes that are done, affine in their parameters: others begin between them."""
        ...

    def begin(self, kept: Any) -> Any:
        """Return the states of lanes at what was kept, or at what lies between."""
        ...

    def certify(self, penalty: Penalty, state: Any) -> tuple[Certificate, Array]:
        """The certificate of one lane, and the error below which its numbers do not tell."""
        ...

    def left_over(self, state: Any) -> Array:
        """Return the lanes that are for another program: their status is ``Status.WORKING_SET``."""
        ...

    def advance(
        self, penalties: Penalty, state: Any, live: Array, budget: Array, tol: Array, waiting: Array
    ) -> tuple[Any, Array]:
        """The states a round later, and the steps ``(S,)`` that each has taken, ``budget (S,)`` at most."""
        ...


class Solved(NamedTuple):
    """Hold what lanes have come to, ``(L + 1, ...)``: the last entry takes what is written for no lane."""

    kept: Any
    certificate: Certificate
    num_steps: Array
    status: Array


class Slots(NamedTuple):
    """Lanes at work, ``(S, ...)``."""

    lane: Array  # its number; L in a slot that is empty
    state: Any
    num_steps: Array


class _Carry(NamedTuple):
    slots: Slots
    solved: Solved
    following: Array  # () lanes that have been given a slot
    taken: Array  # (S,) steps of the last round


_WAITING = -1


class Grid(NamedTuple):
    """The lanes ``(L,)`` that are to be solved."""

    penalties: PenaltyBatch
    alphas: Array  # (R, K) falling along each path; lane k of path r has the number r K + k
    valid: Array  # (L,) others never start
    order: np.ndarray  # (L,) in which they are given a slot


def solve_lanes(
    form: Form, grid: Grid, begin: Any, warm_start: WarmStart, tol: Array, max_steps: Array, num_slots: int
) -> Solved:
    """Return what the lanes of a grid come to.

    ``begin`` is what is kept of the start, with an entry for each lane unless all share one.
    """
    penalties, alphas, valid, order = grid
    count, num_slots = order.size, min(num_slots, order.size)
    sequence = jnp.asarray(order)
    dtype = jnp.result_type(*jax.tree.leaves(begin))
    tol = tol.astype(dtype)  # JAX's float type may be wider than that of the data
    shared = warm_start is WarmStart.SHARED

    def entries(leaf: Array) -> Array:
        last = leaf[None] if shared else leaf[:1]
        first = jnp.broadcast_to(leaf, (count, *leaf.shape)) if shared else leaf
        return jnp.concatenate([first, last])

    def penalties_at(lane: Array) -> Penalty:
        return penalties.lanes(jnp.minimum(lane, count - 1)).penalties()

    def exchange(slots: Slots, solved: Solved, following: Array, taken: Array) -> tuple[Slots, Solved, Array]:
        """Note the lanes that are done, and give their slots to others."""
        own = penalties_at(slots.lane)
        certificate, floor = jax.vmap(form.certify)(own, slots.state)
        error, at = certificate.error, jnp.minimum(slots.lane, count - 1)
        finite = jnp.isfinite(certificate.objective) & ~jnp.isnan(certificate.violation)
        spent = (slots.num_steps >= max_steps) | (error <= 2 * floor)  # rounding leaves no more than that
        reasons = {
            Status.NON_FINITE: ~finite,
            Status.INVALID: ~valid[at],
            Status.CONVERGED: error <= tol,
            Status.WORKING_SET: form.left_over(slots.state),
            Status.MAX_STEPS: spent,
        }
        status = jnp.select(list(reasons.values()), list(reasons), _WAITING)
        empty = slots.lane == count
        done = (status != _WAITING) | empty
        place = jnp.where(done, slots.lane, count)
        found = Solved(form.kept(slots.state), certificate, slots.num_steps, status.astype(jnp.int32))
        solved = jax.tree.map(lambda all_, new: all_.at[place].set(new), solved, found)

        turn = following + jnp.cumsum(done) - 1
        new = done & (turn < count)
        lane = jnp.where(new, sequence[jnp.minimum(turn, count - 1)], jnp.where(done, count, slots.lane))
        fresh = apply_where(jnp.any(new), lambda _: begin_at(lane, solved), slots.state)
        state = jax.vmap(tree_where)(new, fresh, slots.state)
        # a round without a step that did not show that none was needed counts: loops must end
        num_steps = jnp.where(new, 0, slots.num_steps + (taken == 0))
        return Slots(lane, state, num_steps), solved, following + jnp.sum(new, dtype=jnp.int32)

    def begin_at(lane: Array, solved: Solved) -> Any:
        lane = jnp.minimum(lane, count - 1)
        if warm_start is WarmStart.OWN:
            return form.begin(jax.tree.map(lambda leaf: leaf[lane], solved.kept))
        usable = (solved.status[:-1] == Status.CONVERGED) | (solved.status[:-1] == Status.MAX_STEPS)
        start = None if shared else first
        kept = jax.vmap(lambda lane: interpolated(alphas, usable, solved.kept, start, lane))(lane)
        return form.begin(kept)

    def advance(slots: Slots, live: Array, waiting: Array) -> tuple[Slots, Array]:
        lane, state, num_steps = slots
        state, taken = form.advance(penalties_at(lane), state, live, max_steps - num_steps, tol, waiting)
        return Slots(lane, state, num_steps + taken), taken

    def round_(carry: _Carry) -> _Carry:
        slots, solved, following = exchange(*carry)
        live = slots.lane < count
        slots, taken = apply_where(
            jnp.any(live),
            lambda carry: advance(carry[0], live, following < count),
            (slots, jnp.zeros_like(slots.num_steps)),
        )
        return _Carry(slots, solved, following, taken)

    unknown = jnp.full(count + 1, jnp.nan, dtype)
    nothing = jnp.zeros(count + 1, jnp.int32)
    first = jax.tree.map(entries, begin)
    solved = Solved(first, Certificate(unknown, unknown, unknown), nothing, nothing + _WAITING)
    lane = sequence[:num_slots]
    slots = Slots(lane, begin_at(lane, solved), jnp.zeros(num_slots, jnp.int32))
    carry = _Carry(slots, solved, jnp.asarray(num_slots, jnp.int32), jnp.ones(num_slots, jnp.int32))
    return jax.lax.while_loop(lambda carry: jnp.any(carry.slots.lane < count), round_, carry).solved
