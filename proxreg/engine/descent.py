"""Many quadratics ``w' G w / 2 - c' w + penalty(w)`` on one G, a lane each: accelerated steps with one product for all.

Greedy FISTA (Liang, Luo and Schoenlieb 2018, arXiv:1807.04005) as in ``solvers/fista.py``, written for a batch: the
gradient of a quadratic is affine, so momentum extrapolates it too, and neither certificate nor restart costs a product.
Lanes that are done leave the batch, where ``jax.vmap`` of a loop would carry them to the end of the slowest.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.engine.buckets import lane_bucket, padded
from proxreg.engine.family import Family
from proxreg.models.certificate import duality_gap, relative, violation

GREED = 1.3
SHRINK = 0.96


class Quadratics(NamedTuple):
    """What differs between lanes but for the penalty."""

    c: Any  # (L, p)
    constant: Any  # (L,) as in models.Quadratic; NaN where there is no gap
    tol: Any  # (L,) for the larger of the relative gap and the relative violation
    null_loss: Any  # (L,) what gaps are relative to
    null_gradient: Any  # (L,) what violations are relative to


class Descent(NamedTuple):
    """Lanes at work; every array has the lane axis in front."""

    w: Any  # (L, p)
    g: Any  # (L, p) gradient there
    w_before: Any
    g_before: Any
    scale: Any  # (L,) factor on the steps
    first: Any  # (L,) squared length of the first step
    error: Any  # (L,) of w, or of the point before
    num_steps: Any  # (L,)


@jax.jit
def _advance(
    G: Array, steps: Array, family: Family, own: Quadratics, state: Descent, stop: Array, limit: Array
) -> Descent:
    """Steps until no more than ``stop`` lanes are at work, at most ``limit``."""
    penalties = family.penalties()

    def certify(penalty, own, w, g):
        residual = jnp.maximum(2 * own.constant - w @ own.c + w @ g, 0)
        gap = duality_gap(penalty, w, g, lambda c: jnp.square(1 - c) / 2 * residual)
        worst = relative(violation(penalty, w, g), own.null_gradient)
        return jnp.fmax(relative(gap, own.null_loss), worst)  # a NaN gap is one that is not known

    def inner(a, b):
        return jnp.sum(a * b / steps, axis=1)

    def advance(carry):
        count, (w, g, w_before, g_before, scale, first, error, num_steps) = carry
        error = jnp.where(error > own.tol, jax.vmap(certify)(penalties, own, w, g), error)
        live = error > own.tol

        t = steps * scale[:, None]
        ahead = w + (w - w_before)
        target = ahead - t * (g + (g - g_before))
        new = jax.vmap(lambda penalty, v, step: penalty.prox(v, step))(penalties, target, t)
        new_g = _product(G, new) - own.c
        progress = new - w
        length = inner(progress, progress)
        restart = inner(new - ahead, progress) <= 0  # the momentum points uphill (O'Donoghue and Candes 2015)
        # ever further, or back and forth: too long a step; 1 / GREED leaves room for a majoriser a third too small
        far, back = length > first, inner(progress, w - w_before) < 0
        shorter = jnp.maximum(scale * SHRINK, jnp.where(far, 1 / GREED, jnp.minimum(scale, 1)))

        keep, again = live[:, None], restart[:, None]
        return count + 1, Descent(
            jnp.where(keep, new, w),
            jnp.where(keep, new_g, g),
            jnp.where(again, new, w),
            jnp.where(again, new_g, g),
            jnp.where(far | back, shorter, scale),
            jnp.where(jnp.isinf(first), length, first),
            error,
            num_steps + live,
        )

    def at_work(carry):
        count, state = carry
        return (jnp.sum(state.error > own.tol) > stop) & (count < limit)

    return jax.lax.while_loop(at_work, advance, (jnp.zeros((), jnp.int32), state))[1]


def _product(G: Array, w: Array) -> Array:
    """``w G`` for a symmetric G.

    With few lanes XLA on CPU computes ``G w'`` up to twice as fast; the barriers keep it from turning that around.
    """
    barrier = jax.lax.optimization_barrier
    return barrier(jnp.matmul(G, barrier(w.T), precision="highest")).T


def descend(
    G: Any, steps: Any, family: Family, own: Quadratics, w: np.ndarray, g: np.ndarray, max_steps: int, leave: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Minimises each lane from ``w (L, p)``, whose gradient is ``g``: points and numbers of steps, in NumPy.

    Returns when no more than ``leave`` lanes are still at work. A lane whose numbers overflow stops alone.
    """
    dtype = w.dtype
    lanes = len(w)
    state = Descent(
        w, g, w, g, np.full(lanes, GREED, dtype), np.full(lanes, np.inf, dtype), np.full(lanes, np.inf, dtype),
        np.zeros(lanes, np.int32),
    )  # fmt: skip
    answer, num_steps = w.copy(), state.num_steps.copy()
    at = np.arange(lanes)
    while at.size > leave:
        bucket = lane_bucket(at.size)
        filled = np.concatenate([at, np.full(bucket - at.size, at[0])])
        packed = Descent(*(padded(x, bucket, *x.shape[1:]) for x in state))  # idle lanes have an error of zero
        mine = Quadratics(*(x[filled] for x in own))
        stop, limit = np.int32(max(_fewer(at.size), leave)), np.int32(max_steps - num_steps[at].max())
        after = _advance(G, steps, family.lanes(filled), mine, packed, stop, limit)
        state = Descent(*(np.asarray(x)[: at.size] for x in after))
        answer[at], num_steps[at] = state.w, state.num_steps
        stay = (state.error > own.tol[at]) & (state.num_steps < max_steps)
        at, state = at[stay], Descent(*(x[stay] for x in state))
    return answer, num_steps


def _fewer(lanes: int) -> int:
    """The number of lanes at which they fit into half a bucket or less; 0 where there is none."""
    half = lane_bucket(lanes) // 2
    return half if lane_bucket(half) <= half else lane_bucket(1) if lane_bucket(1) <= half else 0
