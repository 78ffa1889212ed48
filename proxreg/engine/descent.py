"""Many quadratics ``w' G w / 2 - c' w + penalty(w)`` on one G, a lane each: accelerated steps with one product for all.

Greedy FISTA (Liang, Luo and Schoenlieb 2018, arXiv:1807.04005) as in ``solvers/fista.py``, written for a batch: the
gradient of a quadratic is affine, so momentum extrapolates it too, and neither certificate nor restart costs a product.
Lanes that are done leave their slots to others, where ``jax.vmap`` of a loop would carry them along to the end.

A lane is its gradient and loss at the start: steps add what they change, so c is never needed, and rounding, that of a
float32 G too, is relative to the way made and not to the point.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import platform
from proxreg._pytree import Array, ArrayLike
from proxreg.batch import PenaltyBatch, filled, lane_bucket, padded
from proxreg.engine.certify import Scales, certificate
from proxreg.engine.host import cores, in_parallel
from proxreg.engine.source import Matrix
from proxreg.solvers.fista import GREED, SHRINK

EVERY = 2  # steps to a certificate
SLOTS = 16_384  # coefficients of all lanes at work, to stay in the caches of a CPU
ON_ACCELERATOR = 16_384  # lanes
LEAST = 16  # lanes that are worth a core
REFILL = 3  # a part of the slots that is empty is filled again
LONGER = 8  # a queue of 8 times as many lanes, or 64 times, is another program
LARGE = 1 << 22  # coefficients of a queue from which on memory counts more than programs


class Descent(NamedTuple):
    """Lanes at work; every array has the lane axis in front."""

    w: Any  # (L, p)
    g: Any  # (L, p) gradient there
    loss: Any  # (L,)
    w_before: Any
    g_before: Any
    go: Any  # (L,) 1 where the next step has momentum, 0 where it starts afresh
    scale: Any  # (L,) factor on the steps
    first: Any  # (L,) squared length of the first step
    error: Any  # (L,) the larger of the relative gap and the relative violation, some steps ago
    num_steps: Any  # (L,)


class Queue(NamedTuple):
    """Lanes in the order in which they are worked on."""

    family: PenaltyBatch
    scales: Scales
    tol: Any  # (L,)
    pace: Any  # (L,) factor on the steps
    w: Any  # (L, p)
    g: Any  # (L, p)
    loss: Any  # (L,)

    def lanes(self, chosen: Any) -> "Queue":
        """The lanes with these numbers, in that order."""
        return Queue(self.family.lanes(chosen), self.scales.lanes(chosen), *(x[chosen] for x in self[2:]))

    def begin(self) -> Descent:
        """All at their starts."""
        like = jnp if isinstance(self.w, jax.Array) else np
        lanes, dtype = len(self.w), self.w.dtype
        unknown = like.full(lanes, np.inf, dtype)
        start = self.w, self.g, self.loss, self.w, self.g
        return Descent(
            *start, like.zeros(lanes, dtype), GREED * self.pace, unknown, unknown, like.zeros(lanes, np.int32)
        )


def _steps(
    matrix: Matrix, family: PenaltyBatch, scales: Scales, tol: Array, state: Descent, stop: ArrayLike, limit: Array
) -> Descent:
    """Steps until no more than ``stop`` lanes are at work, at most ``limit``."""
    penalties, matrix = family.penalties(), matrix.of(scales.response)
    steps, root = matrix.steps, matrix.root
    size = jnp.sqrt(jnp.where(scales.null_loss > 0, scales.null_loss, 1))[:, None]

    norms = jnp.broadcast_to(matrix.norms, state.w.shape)

    def certify(w, g, loss, error):
        return jnp.where(error > tol, jax.vmap(certificate)(penalties, w, g, loss, scales, norms).error, error)

    def inner(a, b):
        return jnp.sum(a * b / steps, axis=1)

    def advance(carry):
        count, (w, g, loss, w_before, g_before, go, scale, first, error, num_steps) = carry
        error = jax.lax.cond(count % EVERY == 0, certify, lambda w, g, loss, error: error, w, g, loss, error)
        live = error > tol

        t = steps * scale[:, None]
        momentum = go[:, None] * (w - w_before)
        target = w + momentum - t * (g + go[:, None] * (g - g_before))
        new = jax.vmap(lambda penalty, v, step: penalty.prox(v, step))(penalties, target, t)
        new = jnp.where(live[:, None], new, w)  # the others' gradients and losses then stay what they are
        progress = new - w
        new_g = g + matrix.product(progress * (root / size)).astype(g.dtype) * (root * size)
        new_loss = jnp.maximum(loss + jnp.sum(progress * (g + new_g), axis=1) / 2, 0)
        length, along = inner(progress, progress), inner(progress, momentum)
        restart = length <= along  # the momentum points uphill (O'Donoghue and Candes 2015)
        # ever further, or back and forth: too long a step; 1 / GREED leaves room for a majoriser a third too small
        far, back = length > first, along < 0
        shorter = jnp.maximum(scale * SHRINK, jnp.minimum(scale, jnp.where(far, 1 / GREED, 1)))

        return count + 1, Descent(
            new,
            new_g,
            new_loss,
            w,
            g,
            jnp.where(restart, 0, jnp.ones_like(scale)),
            jnp.where(far | back, shorter, scale),
            jnp.where(jnp.isinf(first), length, first),
            error,
            num_steps + live,
        )

    def at_work(carry):
        count, state = carry
        return (jnp.sum(state.error > tol) > stop) & (count < limit)

    return jax.lax.while_loop(at_work, advance, (jnp.zeros((), jnp.int32), state))[1]


_advance = jax.jit(_steps)


@partial(jax.jit, static_argnames="most")
def _stream(
    matrix: Matrix, queue: Queue, count: Array, max_steps: Array, most: int
) -> tuple[Array, Descent, Array, Array]:
    """The first ``count`` lanes through ``most`` slots, until none waits: numbers and states of the lanes in the slots,
    points and numbers of steps of all.
    """

    def round_(carry):
        at, following, state, answer, num_steps = carry
        mine = queue.lanes(at)
        limit = max_steps - jnp.max(jnp.where(state.error > mine.tol, state.num_steps, 0))
        enough = most - max(most // REFILL, 1)
        state = _steps(matrix, mine.family, mine.scales, mine.tol, state, enough, limit)
        answer, num_steps = answer.at[at].set(state.w), num_steps.at[at].set(state.num_steps)
        idle = ~((state.error > mine.tol) & (state.num_steps < max_steps))
        place = following + jnp.cumsum(idle) - 1
        taken = idle & (place < count)
        at = jnp.where(taken, place, at)
        fresh = queue.lanes(at).begin()
        state = jax.tree.map(
            lambda new, old: jnp.where(jnp.expand_dims(taken, range(1, old.ndim)), new, old), fresh, state
        )
        return at, following + jnp.sum(taken), state, answer, num_steps

    at = jnp.arange(most)
    begin = at, jnp.asarray(most), queue.lanes(at).begin(), queue.w, jnp.zeros(len(queue.w), jnp.int32)
    at, _, state, answer, num_steps = jax.lax.while_loop(lambda carry: carry[1] < count, round_, begin)
    return at, state, answer, num_steps


def descend(
    matrix: Matrix,
    family: PenaltyBatch,
    scales: Scales,
    tol: np.ndarray,
    pace: np.ndarray,
    start: tuple[np.ndarray, np.ndarray, np.ndarray],
    max_steps: int,
    leave: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Minimises each lane from its start, ``w (L, p)`` with gradient and loss: points and numbers of steps, in NumPy.

    So many lanes are at work as fill the caches; as some get done, others take their slots. Returns when no more than
    ``leave`` lanes are still at work. A lane whose numbers overflow stops alone.
    """
    answer, num_steps = np.empty_like(start[0]), np.zeros(len(tol), np.int32)
    workers = min(cores(), -(-len(tol) // LEAST)) if platform() == "cpu" else 1

    def work(own: slice) -> None:
        queue = Queue(family, scales, tol, pace, *start).lanes(own)
        answer[own], num_steps[own] = _work(matrix, queue, max_steps, leave // workers)

    # XLA computes a small batch on one core but for the product: batches side by side keep the others busy
    in_parallel(work, [slice(first, None, workers) for first in range(workers)])
    return answer, num_steps


def _work(matrix: Matrix, queue: Queue, max_steps: int, leave: int) -> tuple[np.ndarray, np.ndarray]:
    lanes, most = len(queue.w), slots(queue.w.shape[1])
    if lanes <= most:
        at, state, answer, num_steps = np.arange(lanes), queue.begin(), queue.w.copy(), np.zeros(lanes, np.int32)
    else:
        size = most
        while size < lanes:
            size *= LONGER
        size = size if size * queue.w.shape[1] <= LARGE else lane_bucket(lanes)
        full = queue.lanes(filled(np.arange(lanes), size))
        found = _stream(matrix, full, np.int32(lanes), np.int32(max_steps), most)
        at, state, answer, num_steps = jax.tree.map(np.array, found)
        answer, num_steps = answer[:lanes], num_steps[:lanes]
    while True:
        stay = (state.error > queue.tol[at]) & (state.num_steps < max_steps)
        at, state = at[stay], Descent(*(x[stay] for x in state))
        if at.size <= leave:
            return answer, num_steps
        bucket = lane_bucket(at.size)
        full = filled(at, bucket)
        packed = Descent(*(padded(x, bucket, *x.shape[1:]) for x in state))  # idle lanes have an error of zero
        stop = np.int32(max(_fewer(at.size), leave)), np.int32(max_steps - num_steps[at].max())
        given = queue.family.lanes(full), queue.scales.lanes(full), queue.tol[full]
        after = _advance(matrix, *given, packed, *stop)
        state = Descent(*(np.asarray(x)[: at.size] for x in after))
        answer[at], num_steps[at] = state.w, state.num_steps


def slots(columns: int) -> int:
    """Lanes at work together."""
    return min(max(lane_bucket(SLOTS // columns), 32), 1024) if platform() == "cpu" else ON_ACCELERATOR


def _fewer(lanes: int) -> int:
    """The number of lanes that fill a bucket of at most half the size; 0 where there is none."""
    half = lane_bucket(lanes) // 2
    return next((full for full in (half, 1 << half.bit_length() - 1) if lane_bucket(full) <= half), 0)
