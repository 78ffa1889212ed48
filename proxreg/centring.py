"""Columns less their weighted means, to the last digit, and their standard deviations."""

import jax
import jax.numpy as jnp
import numpy as np

ROWS = 4096  # a block of rows stays in the cache, and its sum keeps its digits


def centre_on_host(X: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``X - mean``, the means ``(p,)`` and the standard deviations ``(p,)``, for weights ``(n,)`` that sum to one.

    Two passes: the second takes off what rounding left of the mean, which is all there is in a constant column. In
    float32 a plain sum over 1e5 rows would keep three digits only.
    """
    blocks = [slice(start, start + ROWS) for start in range(0, len(X), ROWS)]
    first = sum(weights[rows] @ X[rows] for rows in blocks).astype(X.dtype)  # pyright: ignore
    centred = np.empty_like(X, order="C")
    rest, square = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in blocks:
            block = np.subtract(X[rows], first, out=centred[rows])
            rest += weights[rows] @ block
            square += weights[rows] @ np.square(block)
        deviation = np.sqrt(np.maximum(square - np.square(rest), 0))
    if np.any(np.abs(rest) > np.finfo(X.dtype).eps * deviation):
        centred -= rest.astype(X.dtype)
    return centred, first.astype(np.float64) + rest, deviation


def centre_on_device(X: jax.Array, weights: np.ndarray) -> tuple[jax.Array, np.ndarray, np.ndarray]:
    """The same for an array on a device, where sums are accurate and passes are cheap."""
    own = jnp.asarray(weights, X.dtype)
    first = jnp.matmul(own, X, precision="highest")
    centred = X - first
    rest = jnp.matmul(own, centred, precision="highest")
    centred = centred - rest
    deviation = np.sqrt(np.asarray(jnp.matmul(own, jnp.square(centred), precision="highest"), np.float64))
    return centred, np.asarray(first, np.float64) + np.asarray(rest, np.float64), deviation
