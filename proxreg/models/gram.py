"""Weighted sums over rows of products of columns, in blocks of rows: no copy of the data is made, weighted or not."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from proxreg._pytree import Array

#: Rows of a block. Of 2e5 rows of float32 summed in one go the error is 1e-5, by blocks of 512 it is 1e-7; and under
#: ``vmap`` over weights a lane holds one weighted block at a time, never all of X.
ROWS = 512


class CentredSums(NamedTuple):
    """Sums ``sum_i w_i a_i b_i'`` of rows less their weighted means, for weights that sum to one."""

    xx: Array  # (p, p)
    xy: Array  # (p,)
    yy: Array  # ()
    x: Array  # (p,) means that were taken off the columns
    y: Array  # () mean that was taken off y


def centred_sums(X: Array, y: Array, weights: Array, *, centre: bool) -> CentredSums:
    """Return the sums of ``X (n, p)`` and ``y (n,)`` under ``weights (n,)``; about zero without ``centre``.

    Means are rounded, so what is left of them after the first time is taken off as well. Columns in which rounding of
    the mean is all that is left are zero.
    """
    p, eps = X.shape[1], jnp.finfo(X.dtype).eps
    zeros = jnp.zeros(p, X.dtype)
    if not centre:
        xx, xy, yy, _, _ = _sums(X, y, weights, zeros, jnp.zeros((), X.dtype))
        return CentredSums((xx + xx.T) / 2, xy, yy, zeros, jnp.zeros((), X.dtype))
    first = _means(X, y, weights)
    xx, xy, yy, x, y_left = _sums(X, y, weights, *first)
    xx, xy, yy = xx - jnp.outer(x, x), xy - x * y_left, jnp.maximum(yy - jnp.square(y_left), 0)
    mean, y_mean = first[0] + x, first[1] + y_left
    constant = jnp.diagonal(xx) <= jnp.square(4 * eps * mean)
    xx = jnp.where(constant[:, None] | constant[None], 0, xx)
    yy = jnp.where(yy <= jnp.square(4 * eps * y_mean), 0, yy)
    return CentredSums((xx + xx.T) / 2, jnp.where(constant, 0, xy), yy, mean, y_mean)


def weighted_gram(X: Array, weights: Array, center: Array) -> Array:
    """Return ``sum_i w_i (x_i - center) (x_i - center)'`` ``(p, p)`` of the rows of ``X (n, p)``, for weights >= 0."""

    def block(rows: Array, w: Array) -> Array:
        part = rows - center[None]
        return part.T @ (part * w[:, None])

    G = _over_blocks(block, X, weights)
    return (G + G.T) / 2


def _means(X: Array, y: Array, weights: Array) -> tuple[Array, Array]:
    return _over_blocks(lambda rows, y, w: (w @ rows, w @ y), X, y, weights)


def _sums(X: Array, y: Array, weights: Array, x_mean: Array, y_mean: Array) -> tuple[Array, ...]:
    def block(rows: Array, y: Array, w: Array) -> tuple[Array, ...]:
        # rows of weight zero may be anywhere, their squares may overflow
        rows = jnp.where(w[:, None] > 0, rows - x_mean[None], 0)
        y = jnp.where(w > 0, y - y_mean, 0)
        weighted = rows * w[:, None]
        return rows.T @ weighted, y @ weighted, y @ (y * w), w @ rows, w @ y

    return _over_blocks(block, X, y, weights)


def _over_blocks(function, *arrays: Array):
    """Return the sum over blocks of rows of ``function(block of each array)``; the last array holds weights."""
    n = len(arrays[0])
    if n <= ROWS:
        return function(*arrays)

    def blocks(start: Array) -> list[Array]:
        return [jax.lax.dynamic_slice_in_dim(array, start, ROWS) for array in arrays]

    def add(k: Array, total):
        return jax.tree.map(jnp.add, total, function(*blocks(k * ROWS)))

    # the last block overlaps the one before it: rows that have been counted get weight zero
    *others, weights = blocks(jnp.asarray(n - ROWS))
    last = function(*others, jnp.where(jnp.arange(ROWS) < ROWS - n % ROWS, 0, weights)) if n % ROWS else None
    if last is None:
        return jax.lax.fori_loop(1, n // ROWS, add, function(*blocks(jnp.asarray(0))))
    return jax.lax.fori_loop(0, n // ROWS, add, last)
