"""No penalty: ``pen(w) = 0``."""

import jax.numpy as jnp

from proxreg._pytree import Array, ArrayLike, pytree_dataclass
from proxreg.penalties._numerics import like, operands
from proxreg.penalties.base import Penalty, binds


def value(w: ArrayLike) -> Array:
    """``0``."""
    (w,) = operands(w)
    return jnp.zeros((), w.real.dtype)


def prox(v: ArrayLike, step: ArrayLike) -> Array:
    """Return ``v``, whatever the step; with +0.0 for -0.0, as every penalty does."""
    (x,) = operands(v)
    return like(x, v)


def subgradient(w: ArrayLike, grad: ArrayLike = 0.0) -> Array:
    """``grad``, in the shape of ``w``."""
    x, g = operands(w, grad)
    return like(jnp.broadcast_to(g, x.shape), w)


def conjugate(u: ArrayLike) -> Array:
    """0 at ``u = 0``, infinite elsewhere."""
    (u,) = operands(u)
    return jnp.where(jnp.all(u == 0), 0, jnp.inf).astype(u.real.dtype)


def dual_scale(w: ArrayLike, grad: ArrayLike) -> Array:
    """1 where the gradient vanishes; elsewhere no scaling makes the conjugate finite: NaN."""
    (g,) = operands(grad)
    return jnp.where(jnp.all(g == 0), 1, jnp.nan).astype(g.real.dtype)


def alpha_max(grad: ArrayLike) -> Array:
    """0 where the gradient vanishes, else infinite: nothing keeps the coefficients at zero."""
    (g,) = operands(grad)
    return jnp.where(jnp.all(g == 0), 0, jnp.inf).astype(g.real.dtype)


@binds(value, prox, subgradient, conjugate, dual_scale, alpha_max)
@pytree_dataclass
class Zero(Penalty):
    """No penalty: least squares, or maximum likelihood.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.Zero().prox(jnp.array([1.0, -2.0]), 0.5))
    [ 1. -2.]
    """

    separable = True
