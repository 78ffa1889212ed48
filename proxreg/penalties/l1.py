"""The lasso: ``pen(w) = alpha ||w||_1``, on request restricted to ``w >= 0``.

Tibshirani (1996), Regression shrinkage and selection via the lasso, JRSS B 58. For complex ``w`` the modulus is
penalised, real and imaginary part together.
"""

import jax.numpy as jnp

from proxreg._pytree import Array, ArrayLike, pytree_dataclass, static
from proxreg.penalties import _numerics as nm
from proxreg.penalties.base import Penalty, binds


def value(w: ArrayLike, alpha: ArrayLike, *, positive: bool = False) -> Array:
    """``sum_j alpha_j |w_j|``; with ``positive`` infinite where some ``w_j < 0``.

    >>> print(value(jnp.array([1.0, -2.0]), 0.5))
    1.5
    """
    w, alpha = nm.operands(w, alpha)
    total = jnp.sum(nm.times(alpha, nm.safe_abs(w)))
    return jnp.where(jnp.any(w < 0), jnp.inf, total) if positive else total


def prox(v: ArrayLike, step: ArrayLike, alpha: ArrayLike, *, positive: bool = False) -> Array:
    """Soft threshold ``sign(v) max(|v| - step alpha, 0)``; with ``positive``, ``max(v - step alpha, 0)``.

    ``step`` and ``alpha`` are scalars or like ``v``. Beck and Teboulle (2009), eq. 1.5. Zeros are exactly +0.0;
    derivatives at the kinks ``|v| = step alpha`` are 0.

    >>> print(prox(jnp.array([3.0, -0.5, -2.0]), 1.0, 1.0))
    [ 2.  0. -1.]
    """
    x, step, alpha = nm.operands(v, step, alpha)
    return nm.like(nm.soft_threshold(x, nm.scaled(step, alpha), positive), v)


def subgradient(w: ArrayLike, alpha: ArrayLike, grad: ArrayLike = 0.0, *, positive: bool = False) -> Array:
    """Smallest element of ``grad + alpha subdifferential(|w|)``: with ``grad = 0``, ``alpha sign(w)``.

    >>> print(subgradient(jnp.array([2.0, 0.0]), 1.0))
    [1. 0.]
    >>> print(subgradient(jnp.array([0.0, 0.0]), 1.0, jnp.array([0.5, 3.0])))
    [0. 2.]
    """
    x, alpha, grad = nm.operands(w, alpha, grad)
    return nm.like(nm.l1_residual(x, grad, alpha, positive), w)


def conjugate(u: ArrayLike, alpha: ArrayLike, *, positive: bool = False) -> Array:
    """0 where ``|u_j| <= alpha_j`` (with ``positive``: ``u_j <= alpha_j``) up to rounding, else infinite."""
    u, alpha = nm.operands(u, alpha)
    size = u if positive else jnp.abs(u)
    return jnp.where(jnp.all(size <= nm.slack(alpha)), 0, jnp.inf + jnp.sum(size) * 0).astype(alpha.dtype)


def dual_scale(w: ArrayLike, grad: ArrayLike, alpha: ArrayLike, *, positive: bool = False) -> Array:
    """``min_j min(1, alpha_j / |grad_j|)``; NaN where an unpenalised coordinate has a gradient."""
    g, alpha = nm.operands(grad, alpha)
    size = jnp.maximum(-g, 0) if positive else jnp.abs(g)
    return jnp.min(nm.dual_ratio(size, alpha), initial=1.0)


def alpha_max(grad: ArrayLike, alpha: ArrayLike, *, positive: bool = False) -> Array:
    """``max |grad_j| / alpha_j`` over penalised coordinates; with ``positive`` only falling ones count."""
    g, alpha = nm.operands(grad, alpha)
    return nm.critical_ratio(jnp.maximum(-g, 0) if positive else jnp.abs(g), alpha)


@binds(value, prox, subgradient, conjugate, dual_scale, alpha_max)
@pytree_dataclass
class L1(Penalty):
    """``alpha ||w||_1``: sets coefficients to exactly zero.

    ``alpha >= 0`` is a scalar or one strength per coordinate (``inf`` keeps a coordinate at zero);
    ``positive=True`` adds ``w >= 0``.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.L1(1.0).prox(jnp.array([3.0, -0.5, -2.0]), 1.0))
    [ 2.  0. -1.]
    >>> print(pr.L1(1.0, positive=True).prox(jnp.array([3.0, -0.5, -2.0]), 1.0))
    [2. 0. 0.]
    """

    separable = True

    alpha: ArrayLike = 1.0
    positive: bool = static(default=False)

    def __post_init__(self):
        nm.require_nonnegative(alpha=self.alpha)

    def is_valid(self) -> Array:
        """Return whether all parameters are in their ranges."""
        return nm.nonnegative(self.alpha)

    def pull(self, w: Array) -> Array:
        """``alpha``, 0 where it is infinite."""
        _, alpha = nm.operands(w, self.alpha)
        return jnp.where(jnp.isinf(alpha), 0, alpha)
