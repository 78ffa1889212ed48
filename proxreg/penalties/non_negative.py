"""The non-negative orthant: ``pen(w) = 0`` where ``w >= 0``, infinite elsewhere."""

import jax.numpy as jnp

from proxreg._pytree import Array, ArrayLike, pytree_dataclass
from proxreg.penalties import box
from proxreg.penalties.base import Penalty, binds


def value(w: ArrayLike) -> Array:
    """0 where all ``w >= 0``, else infinite."""
    return box.value(w, 0.0, jnp.inf)


def prox(v: ArrayLike, step: ArrayLike) -> Array:
    """``max(v, 0)``, whatever the step.

    >>> print(prox(jnp.array([3.0, -0.5]), 1.0))
    [3. 0.]
    """
    return box.prox(v, step, 0.0, jnp.inf)


def subgradient(w: ArrayLike, grad: ArrayLike = 0.0) -> Array:
    """``grad`` where ``w > 0``, ``min(grad, 0)`` at zero, infinite outside."""
    return box.subgradient(w, 0.0, jnp.inf, grad)


def conjugate(u: ArrayLike) -> Array:
    """0 where all ``u <= 0``, else infinite."""
    return box.conjugate(u, 0.0, jnp.inf)


def dual_scale(w: ArrayLike, grad: ArrayLike) -> Array:
    """1 where all ``grad >= 0``; else no scaling makes the conjugate finite: NaN."""
    return box.dual_scale(w, grad, 0.0, jnp.inf)


@binds(value, prox, subgradient, conjugate, dual_scale)
@pytree_dataclass
class NonNegative(Penalty):
    """Keeps ``w >= 0``: non-negative least squares and its relatives.

    No dual point is at hand while some gradient is negative, so fits report a NaN gap and stop on the violation.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.NonNegative().prox(jnp.array([3.0, -0.5]), 1.0))
    [3. 0.]
    """

    separable = True
