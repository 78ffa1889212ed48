"""Sufficient statistics of least squares: with them, a step costs p^2 however many rows there are."""

import jax
import jax.numpy as jnp

from proxreg._pytree import Array
from proxreg.models import Quadratic


@jax.jit
def gram_statistics(X: Array, y: Array, weights: Array) -> Quadratic:
    """``X' S X``, ``X' S y`` and ``y' S y / 2`` for weights S ``(n,)`` that sum to one: one product, 2 n p^2 flops.

    The columns of ``X (n, p)`` and ``y (n,)`` are centred by the caller: differences of large sums keep no digits.
    """
    weighted = X * weights[:, None]
    G = jnp.matmul(weighted.T, X, precision=jax.lax.Precision.HIGHEST)
    return Quadratic((G + G.T) / 2, weighted.T @ y, jnp.sum(weights * jnp.square(y)) / 2)
