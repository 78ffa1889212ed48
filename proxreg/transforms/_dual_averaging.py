"""What ``ftrl`` and ``rda`` share: all past subgradients of the penalty at once, as one dual vector.

Both minimise ``<sum_s r_s g_s, w> + S_t penalty(w) + a sum of quadratic terms`` anew at each update, S_t being the
sum of the ``r_s``. Written through the last iterate (McMahan 2011, Follow-the-regularized-leader and mirror descent)
this is a proximal gradient step that takes back the penalty's earlier subgradients and exacts all of them
at the new point:

    v = w + D (q - r g),    w' = prox(v, D S),    q' = (v - w') / D   an element of S d penalty(w').

So the state is relative to the parameters, whatever else moves them, and starts from any parameters.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import export

from proxreg.transforms._landing import inverse, land, wide
from proxreg.transforms._strength import Strength
from proxreg.transforms._tree import Mask, check, map_leaves, penalties_of


class DualAveragingState(NamedTuple):
    """State of ``ftrl`` and ``rda``."""

    count: jax.typing.ArrayLike  # updates so far, int32  # pyright: ignore[reportIncompatibleMethodOverride]
    totals: tuple[jax.Array, ...]  # of the factor, or of l1 and l2, so far: S_t
    dual: optax.Updates  # the subgradient of S_t penalty at the parameters, q; float32 at least
    squares: Any  # sums of squared gradients where the metric needs them, else None


export.register_namedtuple_serialization(DualAveragingState, serialized_name="proxreg.DualAveragingState")


def dual_averaging(
    weight: Callable[[jax.Array], Any],
    curvature: Callable[[jax.Array, Any], jax.Array] | None,
    initial_accumulator_value: Any,
    strength: Strength,
    mask: Mask,
) -> optax.GradientTransformationExtraArgs:
    """``weight(count)`` is r_t; ``curvature(sum of squares, count)`` is 1/D, 1 if None."""

    def zeros(p):
        return jnp.zeros_like(wide(jnp.asarray(p)))

    def init(params):
        check(strength.at(jnp.zeros([], jnp.int32))[0], params, mask)
        squares = jax.tree.map(lambda p: initial_accumulator_value + zeros(p).real, params) if curvature else None
        count = jnp.zeros([], jnp.int32)
        totals = tuple(jnp.zeros([], float) for _ in strength.parts(count))
        return DualAveragingState(count, totals, jax.tree.map(zeros, params), squares)

    def update(updates, state, params=None, **extra_args):
        del extra_args
        r, parts = weight(state.count), strength.parts(state.count)
        totals = tuple(jnp.asarray(old + r * part, old.dtype) for old, part in zip(state.totals, parts))
        penalty, total = strength.of(totals)
        penalties = penalties_of(penalty, params, mask)

        def leaf(penalty, p, g, q, n):
            scale, squares = 1.0, None
            if curvature is not None:
                squares = n + jnp.square(jnp.abs(wide(g)))
                c = curvature(squares, state.count)
                scale = inverse(c if penalty is None else penalty.metric(c))
            weighed = jnp.asarray(r, wide(g).real.dtype) * wide(g)
            if penalty is None:
                return (-scale * weighed).astype(g.dtype), q, squares
            u = scale * (q - weighed)
            u, moved = land(penalty, p, u, scale * total)
            u = u.astype(jnp.promote_types(p.dtype, g.dtype))
            return u, jnp.where(scale > 0, -moved / jnp.where(scale > 0, scale, 1), q), squares

        accumulated = 0.0 if curvature is None else state.squares
        updates, dual, squares = map_leaves(leaf, penalties, params, updates, state.dual, accumulated, width=3)
        squares = squares if curvature else None
        return updates, DualAveragingState(optax.safe_increment(state.count), totals, dual, squares)

    return optax.GradientTransformationExtraArgs(init, update)
