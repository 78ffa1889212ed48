"""Ridge: ``pen(w) = alpha/2 ||w||_2^2``.

The factor 1/2 makes the gradient ``alpha w``. Keras and others write ``alpha ||w||^2``: their alpha is half of ours.
"""

import jax.numpy as jnp

from proxreg._pytree import Array, ArrayLike, pytree_dataclass
from proxreg.penalties import _numerics as nm
from proxreg.penalties.base import Penalty, binds


def value(w: ArrayLike, alpha: ArrayLike) -> Array:
    """``sum_j alpha_j/2 |w_j|^2``.

    >>> print(value(jnp.array([1.0, -2.0]), 0.5))
    1.25
    """
    w, alpha = nm.operands(w, alpha)
    return jnp.sum(nm.times(alpha / 2, jnp.real(w * jnp.conj(w))))


def prox(v: ArrayLike, step: ArrayLike, alpha: ArrayLike) -> Array:
    """``v / (1 + step alpha)``; never a zero.

    >>> print(prox(jnp.array([3.0, -1.0]), 1.0, 1.0))
    [ 1.5 -0.5]
    """
    x, step, alpha = nm.operands(v, step, alpha)
    return nm.like(x * (1 / (1 + nm.scaled(step, alpha))), v)  # a reciprocal: see elastic_net.prox


def subgradient(w: ArrayLike, alpha: ArrayLike, grad: ArrayLike = 0.0) -> Array:
    """``grad + alpha w``."""
    x, alpha, grad = nm.operands(w, alpha, grad)
    return nm.like(nm.ridge_gradient(grad, alpha, x), w)


def conjugate(u: ArrayLike, alpha: ArrayLike) -> Array:
    """``sum_j |u_j|^2 / (2 alpha_j)``; infinite where ``alpha_j = 0`` and ``u_j`` is not."""
    u, alpha = nm.operands(u, alpha)
    return jnp.sum(jnp.where(u == 0, 0, jnp.real(u * jnp.conj(u)) / (2 * alpha)))


def dual_scale(w: ArrayLike, grad: ArrayLike, alpha: ArrayLike) -> Array:
    """1; NaN where an unpenalised coordinate has a gradient."""
    g, alpha = nm.operands(grad, alpha)
    return jnp.where(jnp.any((alpha == 0) & (g != 0)), jnp.nan, 1).astype(alpha.dtype)


def alpha_max(grad: ArrayLike, alpha: ArrayLike) -> Array:
    """Infinite unless the gradient vanishes: ridge shrinks, and never to zero."""
    g, _ = nm.operands(grad, alpha)
    return jnp.where(jnp.all(g == 0), 0, jnp.inf).astype(g.real.dtype)


@binds(value, prox, subgradient, conjugate, dual_scale, alpha_max)
@pytree_dataclass
class L2(Penalty):
    """``alpha/2 ||w||^2``, alpha a scalar or one per coordinate; half the strength that Keras calls alpha.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.L2(1.0).prox(jnp.array([3.0, -1.0]), 1.0))
    [ 1.5 -0.5]
    """

    separable = True

    alpha: ArrayLike = 1.0

    def __post_init__(self):
        nm.require_nonnegative(alpha=self.alpha)

    def is_valid(self) -> Array:
        """Return whether all parameters are in their ranges."""
        return nm.nonnegative(self.alpha)
