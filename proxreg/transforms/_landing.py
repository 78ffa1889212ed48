"""The one formula behind every proximal transformation: the update that takes ``p`` to ``prox(p + u)``."""

from typing import Any

import jax
import jax.numpy as jnp

from proxreg.penalties import Penalty


def wide(x: jax.Array) -> jax.Array:
    """At least float32: a threshold of 1e-7 is lost in half precision."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def land(penalty: Penalty, p: jax.Array, u: jax.Array, step: Any) -> tuple[jax.Array, jax.Array]:
    """``prox(p + u, step) - p``, and how far the prox moved, ``prox(p + u, step) - (p + u)``.

    The update is exactly ``-p`` where the prox is zero, so that adding it gives 0.0 and not a rounding error, and
    exactly ``u`` where the prox leaves the point alone, so that nothing changes where nothing is penalised.
    """
    there = wide(p) + wide(u)
    target = penalty.prox(there, step)
    moved = target - there
    # not u + moved: what is left of the rounding of p + u would keep a weight beyond its bound for ever
    update = jnp.where(target == 0, -wide(p), jnp.where(moved == 0, wide(u), target - wide(p)))
    # the wider of both types: a float16 update could not cancel a float32 parameter
    return update.astype(jnp.promote_types(p.dtype, u.dtype)), moved


def inverse(curvature: Any) -> jax.Array:
    """``1 / curvature``, 0 where it is 0: a weight that has had no gradient yet stays where it is."""
    curvature = jnp.asarray(curvature)
    positive = curvature > 0
    return jnp.where(positive, 1 / jnp.where(positive, wide(curvature), 1), 0)
