"""The elastic net within limits: ``pen(w) = alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||_2^2)`` where
``lower <= w <= upper``, infinite elsewhere.

glmnet's ``lower.limits`` and ``upper.limits`` (Friedman, Hastie and Tibshirani 2010). Limits have zero between them, so
that coefficients can rest there. Below, ``l1 = alpha l1_ratio`` and ``l2 = alpha (1 - l1_ratio)``.
"""

import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, concrete, pytree_dataclass
from proxreg.penalties import _numerics as nm
from proxreg.penalties import elastic_net
from proxreg.penalties.base import Penalty, binds
from proxreg.penalties.box import operands_within


def _operands(x: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, lower: ArrayLike, upper: ArrayLike, *others):
    """``x, l1, l2, lower, upper`` and the others, in one type."""
    x, lower, upper, alpha, l1_ratio, *others = operands_within(x, lower, upper, alpha, l1_ratio, *others)
    return x, nm.times(alpha, l1_ratio), nm.times(alpha, 1 - l1_ratio), lower, upper, *others


def value(w: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """``sum_j l1_j |w_j| + l2_j/2 w_j^2`` inside the limits; infinite outside.

    >>> print(value(jnp.array([1.0, -2.0]), 1.0, 0.5, -2.0, 1.0), value(jnp.array([1.5]), 1.0, 0.5, -2.0, 1.0))
    2.75 inf
    """
    x, _, _, lower, upper = _operands(w, alpha, l1_ratio, lower, upper)
    outside = jnp.any((x < lower) | (x > upper))
    return jnp.where(outside, jnp.inf, elastic_net.value(x, alpha, l1_ratio))


def prox(
    v: ArrayLike, step: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, lower: ArrayLike, upper: ArrayLike
) -> Array:
    """The elastic net's, cut off at the limits: of a convex function of one number, the nearest allowed minimiser.

    >>> print(prox(jnp.array([3.0, -0.5, -2.0]), 1.0, 2.0, 0.5, -0.25, 0.75))
    [ 0.75  0.   -0.25]
    """
    x, _, _, lower, upper = _operands(v, alpha, l1_ratio, lower, upper)
    return nm.like(jnp.clip(elastic_net.prox(x, step, alpha, l1_ratio), lower, upper), v)


def subgradient(
    w: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, lower: ArrayLike, upper: ArrayLike, grad: ArrayLike = 0.0
) -> Array:
    """Smallest element of ``grad + l2 w + l1 subdifferential(|w|) + normal cone``; infinite outside the limits."""
    x, l1, l2, lower, upper, grad = _operands(w, alpha, l1_ratio, lower, upper, grad)
    smooth = nm.ridge_gradient(grad, l2, x)
    # what the subdifferential reaches from and to; on a face it has no end on one side
    low = jnp.where(x <= lower, -jnp.inf, smooth + jnp.where(x > 0, l1, -l1))
    high = jnp.where(x >= upper, jnp.inf, smooth + jnp.where(x < 0, -l1, l1))
    nearest = jnp.where(low > 0, low, jnp.where(high < 0, high, 0))
    nearest = jnp.where((x < lower) | (x > upper), jnp.inf, nearest)
    return nm.like(jnp.where(jnp.isnan(x) | jnp.isnan(smooth), jnp.nan, nearest), w)


def conjugate(u: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """``sum_j max_w u_j w - l1_j |w| - l2_j/2 w^2`` over the limits."""
    u, l1, l2, lower, upper = _operands(u, alpha, l1_ratio, lower, upper)
    ridge = l2 > 0
    excess = jnp.maximum(jnp.abs(u) - jnp.where(ridge, l1, nm.slack(l1)), 0)
    far = jnp.where(u > 0, upper, -lower)
    best = jnp.where(ridge, jnp.minimum(excess / jnp.where(ridge, l2, 1), far), far)
    finite = jnp.isfinite(best)
    best = jnp.where(finite, best, 0)
    term = (jnp.abs(u) - l1) * best - l2 / 2 * jnp.square(best)
    return jnp.sum(jnp.where(excess == 0, 0, jnp.where(finite, term, jnp.inf)))  # NaN is not finite


def dual_scale(
    w: ArrayLike, grad: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, lower: ArrayLike, upper: ArrayLike
) -> Array:
    """``min_j min(1, l1_j / |grad_j + l2_j w_j|)`` over the coordinates that no limit holds against it."""
    x, l1, l2, lower, upper, grad = _operands(w, alpha, l1_ratio, lower, upper, grad)
    total = grad + nm.times(l2, x)
    held = jnp.isfinite(jnp.where(total > 0, lower, upper))
    ratio = jnp.where(held | nm.nearly_ridge(l1, l2, grad, x), 1, nm.dual_ratio(jnp.abs(total), l1))
    return jnp.min(jnp.where(jnp.isnan(total), jnp.nan, ratio), initial=1.0)


def dual_value(
    w: ArrayLike,
    grad: ArrayLike,
    scale: ArrayLike,
    alpha: ArrayLike,
    l1_ratio: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
) -> Array:
    """That of the elastic net on the augmented design, and what each limit holds back:
    ``|limit_j| (|scale (grad_j + l2_j w_j)| - l1_j)_+``. Coordinates that are nearly ridge take the conjugate.
    """
    x, l1, l2, lower, upper, grad, scale = _operands(w, alpha, l1_ratio, lower, upper, grad, scale)
    ridge = nm.nearly_ridge(l1, l2, grad, x)
    total = scale * (grad + nm.times(l2, x))
    limit = jnp.where(total > 0, -lower, upper)
    excess = jnp.maximum(jnp.abs(total) - l1, 0)
    held = jnp.where(jnp.isfinite(limit), jnp.where(jnp.isfinite(limit), limit, 0) * excess, 0)
    own = jnp.where(ridge, 0, nm.times(l2 / 2, jnp.square(scale * x)) + held)
    return jnp.sum(own) + conjugate(jnp.where(ridge, -scale * grad, 0), alpha, l1_ratio, lower, upper)


def alpha_max(grad: ArrayLike, alpha: ArrayLike, l1_ratio: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """``max |grad_j| / (alpha_j l1_ratio)`` over the coordinates that may go down the gradient."""
    g, l1, l2, lower, upper = _operands(grad, alpha, l1_ratio, lower, upper)
    size = jnp.where(jnp.where(g > 0, lower < 0, upper > 0), jnp.abs(g), 0)
    free = (l1 == 0) & (l2 > 0) & (size > 0)
    return jnp.where(jnp.any(free), jnp.inf, nm.critical_ratio(size, l1))


@binds(value, prox, subgradient, conjugate, dual_scale, dual_value, alpha_max)
@pytree_dataclass
class BoundedElasticNet(Penalty):
    """``alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2)`` with ``lower <= w <= upper``, zero within these limits.

    All are scalars or one per coordinate; limits may be infinite. With ``standardize=True`` in ``fit_path`` they are on
    the scaled coefficients; its own ``lower`` and ``upper`` are on the scale of the input.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.BoundedElasticNet(2.0, 0.5, -0.25, 0.75).prox(jnp.array([3.0, -0.5, -2.0]), 1.0))
    [ 0.75  0.   -0.25]
    """

    separable = True

    alpha: ArrayLike = 1.0
    l1_ratio: ArrayLike = 1.0
    lower: ArrayLike = -np.inf
    upper: ArrayLike = np.inf

    def __post_init__(self):
        nm.require_nonnegative(alpha=self.alpha)
        nm.require_unit_interval(l1_ratio=self.l1_ratio)
        lower, upper = concrete(self.lower), concrete(self.upper)
        if lower is not None and not np.all(lower <= 0):
            raise ValueError(f"lower must be <= 0, so that coefficients can be zero, got {self.lower!r}")
        if upper is not None and not np.all(upper >= 0):
            raise ValueError(f"upper must be >= 0, so that coefficients can be zero, got {self.upper!r}")

    def is_valid(self) -> Array:
        """Return whether all parameters are in their ranges, with zero between the limits."""
        limits = jnp.all(jnp.asarray(self.lower) <= 0) & jnp.all(jnp.asarray(self.upper) >= 0)
        return limits & nm.nonnegative(self.alpha) & nm.in_unit_interval(self.l1_ratio)
