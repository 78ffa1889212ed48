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
    update = jnp.where(target == 0, -wide(p), wide(u) + moved)
    # the wider of both types: a float16 update could not cancel a float32 parameter
    return update.astype(jnp.promote_types(p.dtype, u.dtype)), moved


def shared_metric(penalty: Penalty, scaling: jax.Array) -> jax.Array:
    """The largest diagonal metric below ``scaling`` in which ``prox`` is exact: constant in each group of a penalty."""
    if penalty.separable:
        return scaling
    return 1 / penalty.metric(1 / scaling)
