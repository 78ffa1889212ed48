"""Blocks of coordinates: exact cyclic descent on a small quadratic, its penalty restricted to the block.

Single-coordinate updates cost a pass over the data each; within a block they cost a row of the block's Gram matrix, and
the rest of the problem is brought up to date by one matrix product per block.
"""

import jax
import jax.numpy as jnp

from proxreg._pytree import Array
from proxreg.penalties import Penalty

WIDTH = 16


def num_blocks(p: int) -> int:
    """Blocks that cover p coordinates."""
    return -(-p // WIDTH)


def split(x: Array) -> Array:
    """``(p, ...)`` padded with zeros to ``(blocks, WIDTH, ...)``."""
    count = num_blocks(x.shape[0])
    padding = [(0, count * WIDTH - x.shape[0])] + [(0, 0)] * (x.ndim - 1)
    return jnp.pad(x, padding).reshape(count, WIDTH, *x.shape[1:])


def join(blocks: Array, p: int) -> Array:
    """The inverse of ``split``."""
    return blocks.reshape(-1, *blocks.shape[2:])[:p]


def split_penalty(penalty: Penalty, p: int, dtype) -> Penalty:
    """The penalty of each coordinate, its parameters split like the coefficients."""

    def per_coordinate(leaf):
        leaf = jnp.asarray(leaf)
        leaf = leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.inexact) else leaf
        return split(jnp.broadcast_to(leaf, (p,)))

    return jax.tree.map(per_coordinate, penalty)


def value(penalty: Penalty, w: Array) -> Array:
    """Return the penalty of one block, ``penalty`` having the parameters of each coordinate."""
    return jnp.sum(jax.vmap(lambda own, w: own.value(w))(penalty, w))


def descend(penalty: Penalty, w: Array, gradient: Array, hessian: Array) -> Array:
    """One cycle of exact coordinate minimisation of ``gradient . d + d' hessian d / 2 + penalty(w + d)``.

    All arguments are one block's. The update of coordinate k is ``prox(w_k - g_k / h_kk, 1 / h_kk)``; a coordinate
    with no curvature (a zero column) takes a unit step on its penalty alone.
    """
    curvature = jnp.diagonal(hessian)
    step = 1 / jnp.where(curvature > 0, curvature, 1)

    def update(gradient, at):
        k, own, w_k, step_k, row = at
        new = own.prox(w_k - step_k * gradient[k], step_k)
        return gradient + row * (new - w_k), new

    _, new = jax.lax.scan(update, gradient, (jnp.arange(WIDTH), penalty, w, step, hessian), unroll=True)
    return new
