"""The box: ``pen(w) = 0`` where ``lower <= w <= upper``, infinite elsewhere."""

import jax.numpy as jnp
import numpy as np
import optax

from proxreg._pytree import Array, ArrayLike, concrete, pytree_dataclass
from proxreg.penalties import _numerics as nm
from proxreg.penalties.base import Penalty, binds


def operands_within(x: ArrayLike, lower: ArrayLike, upper: ArrayLike, *others: ArrayLike) -> tuple[Array, ...]:
    """The operands, with bounds that the dtype of ``x`` can represent: a point on a face is inside."""
    x = jnp.asarray(x)
    nm.require_real(x, "a limit")
    if jnp.issubdtype(x.dtype, jnp.inexact):
        lower, upper = jnp.asarray(lower).astype(x.dtype), jnp.asarray(upper).astype(x.dtype)
    return nm.operands(x, lower, upper, *others)


def value(w: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """0 inside the box, its faces included; infinite outside; NaN where ``w`` is."""
    w, lower, upper = operands_within(w, lower, upper)
    outside = jnp.any((w < lower) | (w > upper))
    return jnp.where(outside, jnp.inf, jnp.where(jnp.any(jnp.isnan(w)), jnp.nan, 0)).astype(w.dtype)


def prox(v: ArrayLike, step: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """Projection ``min(max(v, lower), upper)``, whatever the step.

    >>> print(prox(jnp.array([3.0, -0.5]), 1.0, 0.0, 2.0))
    [2. 0.]
    """
    x, lower, upper = operands_within(v, lower, upper)
    return nm.like(optax.projections.projection_box(x, lower, upper), v)


def subgradient(w: ArrayLike, lower: ArrayLike, upper: ArrayLike, grad: ArrayLike = 0.0) -> Array:
    """Smallest element of ``grad + normal cone``: on a face only the part of ``grad`` that points inside stays."""
    x, lower, upper, grad = operands_within(w, lower, upper, grad)
    grad = jnp.where(x == lower, jnp.minimum(grad, 0), grad)
    grad = jnp.where(x == upper, jnp.maximum(grad, 0), grad)
    nan = jnp.where(jnp.isnan(x), x, jnp.where(jnp.isnan(lower), lower, upper))
    outside = jnp.where((x < lower) | (x > upper), jnp.inf, nan)
    return nm.like(jnp.where((x >= lower) & (x <= upper), grad, outside), w)


def conjugate(u: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """``sum_j max(lower_j u_j, upper_j u_j)``, the support function."""
    u, lower, upper = nm.operands(u, lower, upper)
    lower, upper = jnp.broadcast_to(lower, u.shape), jnp.broadcast_to(upper, u.shape)
    return jnp.sum(jnp.maximum(nm.times(lower, u), nm.times(upper, u)))


def dual_scale(w: ArrayLike, grad: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Array:
    """1 where the gradient points to finite faces only; else no scaling helps: NaN."""
    g, lower, upper = nm.operands(grad, lower, upper)
    unbounded = ((g > 0) & (lower == -jnp.inf)) | ((g < 0) & (upper == jnp.inf))
    return jnp.where(jnp.any(unbounded), jnp.nan, 1).astype(g.dtype)


@binds(value, prox, subgradient, conjugate, dual_scale)
@pytree_dataclass
class Box(Penalty):
    """Keeps ``lower <= w <= upper``; each bound a scalar or one per coordinate, infinite ones allowed.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.Box(0.0, 2.0).prox(jnp.array([3.0, -0.5]), 1.0))
    [2. 0.]
    """

    separable = True

    lower: ArrayLike
    upper: ArrayLike

    def __post_init__(self):
        lower, upper = concrete(self.lower), concrete(self.upper)
        if lower is not None and upper is not None and not np.all(lower <= upper):
            raise ValueError(f"lower must be <= upper, got lower={self.lower!r}, upper={self.upper!r}")

    def is_valid(self) -> Array:
        """Return whether no lower bound is above its upper one."""
        return jnp.all(jnp.asarray(self.lower) <= jnp.asarray(self.upper))
