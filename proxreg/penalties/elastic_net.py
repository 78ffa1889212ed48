"""The elastic net: ``pen(w) = alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||_2^2)``.

Zou and Hastie (2005), Regularization and variable selection via the elastic net, JRSS B 67, in the parametrisation
of glmnet and scikit-learn. Below, ``l1 = alpha l1_ratio`` and ``l2 = alpha (1 - l1_ratio)``.
"""

import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, concrete, pytree_dataclass, static
from proxreg.penalties import _numerics as nm
from proxreg.penalties.base import Penalty, binds


def _split(alpha: Array, l1_ratio: Array) -> tuple[Array, Array]:
    return nm.times(alpha, l1_ratio), nm.times(alpha, 1 - l1_ratio)


def value(w: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, *, positive: bool = False) -> Array:
    """``sum_j l1_j |w_j| + l2_j/2 w_j^2``; with ``positive`` infinite where some ``w_j < 0``.

    >>> print(value(jnp.array([1.0, -2.0]), 1.0, 0.5))
    2.75
    """
    w, alpha, l1_ratio = nm.operands(w, alpha, l1_ratio)
    l1, l2 = _split(alpha, l1_ratio)
    total = jnp.sum(nm.times(l1, nm.safe_abs(w)) + nm.times(l2 / 2, jnp.real(w * jnp.conj(w))))
    return jnp.where(jnp.any(w < 0), jnp.inf, total) if positive else total


def prox(v: ArrayLike, step: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, *, positive: bool = False) -> Array:
    """``S(v, step l1) / (1 + step l2)``, S the soft threshold; scalars or like ``v``.

    Parikh and Boyd (2014), Proximal algorithms, section 6.5.3.

    >>> print(prox(jnp.array([3.0, -0.5, -2.0]), 1.0, 2.0, 0.5))
    [ 1.   0.  -0.5]
    """
    x, step, alpha, l1_ratio = nm.operands(v, step, alpha, l1_ratio)
    l1, l2 = _split(alpha, l1_ratio)
    # times a reciprocal: XLA on CPU fuses it with what follows, where a quotient is written to memory first
    return nm.like(nm.soft_threshold(x, nm.scaled(step, l1), positive) * (1 / (1 + nm.scaled(step, l2))), v)


def subgradient(
    w: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, grad: ArrayLike = 0.0, *, positive: bool = False
) -> Array:
    """Smallest element of ``grad + l2 w + l1 subdifferential(|w|)``."""
    x, alpha, l1_ratio, grad = nm.operands(w, alpha, l1_ratio, grad)
    l1, l2 = _split(alpha, l1_ratio)
    return nm.like(nm.l1_residual(x, nm.ridge_gradient(grad, l2, x), l1, positive), w)


def conjugate(u: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, *, positive: bool = False) -> Array:
    """``sum_j (|u_j| - l1_j)_+^2 / (2 l2_j)``; with ``l2_j = 0``, infinite where ``|u_j| > l1_j``."""
    u, alpha, l1_ratio = nm.operands(u, alpha, l1_ratio)
    l1, l2 = _split(alpha, l1_ratio)
    size = u if positive else jnp.abs(u)
    ridge = l2 > 0
    excess = jnp.where(size <= jnp.where(ridge, l1, nm.slack(l1)), 0, size - l1)
    term = jnp.where(ridge, jnp.square(excess) / (2 * jnp.where(ridge, l2, 1)), excess * jnp.inf)
    return jnp.sum(jnp.where(excess == 0, 0, term))


def dual_scale(
    w: ArrayLike, grad: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, *, positive: bool = False
) -> Array:
    """``min_j min(1, l1_j / |grad_j + l2_j w_j|)``: the residual of the lasso on the augmented design.

    With ``l2 > 0`` the conjugate is finite everywhere and this is one good point among all; with ``l2 = 0`` it is
    the feasible one. Coordinates where rounding decides whether ``|grad_j + l2_j w_j| <= l1_j`` do not count, NaN where
    an unpenalised coordinate has a gradient.
    """
    x, grad, alpha, l1_ratio = nm.operands(w, grad, alpha, l1_ratio)
    l1, l2 = _split(alpha, l1_ratio)
    total = grad + nm.times(l2, x)
    size = jnp.maximum(-total, 0) if positive else jnp.abs(total)
    ratio = jnp.where(nm.nearly_ridge(l1, l2, grad, x), 1, nm.dual_ratio(size, l1))
    return jnp.min(ratio, initial=1.0)


def dual_value(
    w: ArrayLike, grad: ArrayLike, scale: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, *, positive: bool = False
) -> Array:
    """``sum_j l2_j/2 (scale w_j)^2``, the ridge rows of the augmented design in its dual; at least the conjugate.

    With ``scale`` from ``dual_scale``, ``|scale grad_j| <= l1_j + l2_j |scale w_j|``. scikit-learn's gap. It falls
    linearly with the violation of the optimality conditions, where the conjugate would fall with its square and
    certify coefficients that are still far off. Coordinates that ``dual_scale`` does not count take the conjugate.
    """
    x, grad, scale, alpha, l1_ratio = nm.operands(w, grad, scale, alpha, l1_ratio)
    l1, l2 = _split(alpha, l1_ratio)
    size = nm.safe_abs(scale * x)
    ridge = nm.nearly_ridge(l1, l2, grad, x)
    u = jnp.where(ridge, scale * grad, 0)
    excess = jnp.maximum((jnp.maximum(-u, 0) if positive else nm.safe_abs(u)) - l1, 0)
    smooth = jnp.square(jnp.where(ridge, excess, 0)) / (2 * jnp.where(ridge, l2, 1))
    return jnp.sum(jnp.where(ridge, smooth, nm.times(l2 / 2, jnp.square(size))))


def alpha_max(grad: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, *, positive: bool = False) -> Array:
    """``max |grad_j| / (alpha_j l1_ratio)``; infinite where ``l1_ratio = 0`` meets a gradient."""
    g, alpha, l1_ratio = nm.operands(grad, alpha, l1_ratio)
    size = jnp.maximum(-g, 0) if positive else jnp.abs(g)
    l1, l2 = _split(alpha, l1_ratio)
    free = (l1 == 0) & (l2 > 0) & (size > 0)
    return jnp.where(jnp.any(free), jnp.inf, nm.critical_ratio(size, l1))


@binds(value, prox, subgradient, conjugate, dual_scale, dual_value, alpha_max)
@pytree_dataclass
class ElasticNet(Penalty):
    """``alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2)``: exact zeros, and correlated features share.

    ``alpha >= 0`` and ``0 <= l1_ratio <= 1`` are scalars or one per coordinate; ``l1_ratio`` 1 is the lasso, 0 is
    ridge. ``positive=True`` adds ``w >= 0``.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.ElasticNet(2.0, 0.5).prox(jnp.array([3.0, -0.5, -2.0]), 1.0))
    [ 1.   0.  -0.5]
    """

    separable = True

    alpha: ArrayLike = 1.0
    l1_ratio: ArrayLike = 0.5
    positive: bool = static(default=False)

    def __post_init__(self):
        nm.require_nonnegative(alpha=self.alpha)
        nm.require_unit_interval(l1_ratio=self.l1_ratio)

    def is_valid(self) -> Array:
        """Return whether all parameters are in their ranges."""
        return nm.nonnegative(self.alpha) & nm.in_unit_interval(self.l1_ratio)

    def pull(self, w: Array) -> Array:
        """``l1 + l2 |w|``, 0 where a strength is infinite."""
        x, alpha, l1_ratio = nm.operands(w, self.alpha, self.l1_ratio)
        l1, l2 = _split(alpha, l1_ratio)
        return jnp.where(jnp.isinf(alpha), 0, l1 + l2 * jnp.abs(x))

    @classmethod
    def from_strengths(cls, l1: ArrayLike, l2: ArrayLike, *, positive: bool = False) -> "ElasticNet":
        """``l1 ||w||_1 + l2/2 ||w||^2``: the same penalty with a strength for each part.

        >>> import proxreg as pr
        >>> print(pr.ElasticNet.from_strengths(l1=0.5, l2=1.5).prox(jnp.array([3.0, -0.25]), 1.0))
        [1. 0.]
        """
        nm.require_nonnegative(l1=l1, l2=l2)
        known = concrete(l1), concrete(l2)
        # numbers keep the precision that they came in, whatever JAX's is
        xp, (l1, l2) = (jnp, (l1, l2)) if known[0] is None or known[1] is None else (np, known)
        total = xp.add(l1, l2)
        return cls(total, xp.where(total > 0, l1 / xp.where(total > 0, total, 1), 1.0), positive)
