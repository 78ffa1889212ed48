"""Sufficient statistics of least squares: with them, a step costs p^2 however many rows there are."""

import jax
import jax.numpy as jnp

from proxreg._pytree import Array
from proxreg.models import Quadratic


@jax.jit
def gram_statistics(X: Array, y: Array, weights: Array | None) -> Quadratic:
    """``X' S X``, ``X' S y`` and ``y' S y / 2`` with weights S ``(n,)`` scaled to sum one: one product, 2 n p^2 flops.

    The columns of ``X (n, p)`` and ``y (n,)`` are centred by the caller: differences of large sums keep no digits.
    Without weights no weighted copy of X is made.
    """
    if weights is None:
        left, right, total = X, y, y.size
    else:
        left, right, total = X * weights[:, None], y * weights, jnp.sum(weights)
    G = jnp.matmul(left.T, X, precision=jax.lax.Precision.HIGHEST) / total
    c = jnp.matmul(right, X, precision=jax.lax.Precision.HIGHEST) / total
    return Quadratic((G + G.T) / 2, c, jnp.sum(right * y) / total / 2)
