"""Backtracking along a direction, for losses whose curvature varies."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from proxreg._pytree import Array

SUFFICIENT = 1e-2
HALVINGS = 30


def longest_decrease(change: Callable[[Array], Array], slope: Array, size: Array) -> Array:
    """The largest t in {1, 1/2, 1/4, ...} with ``change(t) <= SUFFICIENT t slope``; 0 where none is.

    Armijo's rule, as in Tseng and Yun (2009), section 2. A NaN or infinite change counts as none. Where the slope
    has vanished next to ``size``, the rounding of which would decide, t is 1.
    """

    def too_long(t):
        return (t > 0.5**HALVINGS) & ~(change(t) <= SUFFICIENT * t * slope)

    settled = -slope <= 8 * jnp.finfo(slope.dtype).eps * size
    start = jnp.ones_like(slope)
    t = jax.lax.while_loop(lambda t: too_long(t) & ~settled, lambda t: t / 2, start)
    return jnp.where(t > 0.5**HALVINGS, t, 0)
