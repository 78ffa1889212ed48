"""Huber's loss: squared error near zero, absolute error beyond; robust to outliers in ``y``."""

import jax.numpy as jnp

from proxreg._pytree import Array, ArrayLike, concrete, pytree_dataclass
from proxreg.losses.base import Loss


@pytree_dataclass
class Huber(Loss):
    """``r^2 / 2`` for ``|r| <= delta``, else ``delta |r| - delta^2 / 2``, with ``r = eta - y``.

    Huber (1964), Robust estimation of a location parameter, Ann. Math. Statist. 35. ``delta > 0`` is in the units of
    ``y``; 1.345 times the noise's standard deviation keeps 95% of the efficiency of least squares.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.Huber(1.0).value(jnp.array([0.5, 3.0]), jnp.zeros(2)))
    [0.125 2.5  ]
    """

    name = "huber"
    curvature = 1.0
    least_curvature = 1e-2  # where it is zero, a short move may end where it is one

    delta: ArrayLike = 1.345

    def __post_init__(self):
        delta = concrete(self.delta)
        if delta is not None and not (delta > 0).all():
            raise ValueError(f"delta must be > 0, got {self.delta}")

    def is_valid(self) -> Array:
        """Return whether ``delta > 0``."""
        return jnp.all(jnp.asarray(self.delta) > 0)

    def _delta(self, like: Array) -> Array:
        return jnp.asarray(self.delta, like.dtype)

    def value(self, eta: Array, y: Array) -> Array:
        """``c (|r| - c/2)`` with ``c = min(|r|, delta)``, the same in one expression."""
        size = jnp.abs(eta - y)
        near = jnp.minimum(size, self._delta(size))
        return near * (size - near / 2)

    def derivative(self, eta: Array, y: Array) -> Array:
        """``r`` clipped to ``[-delta, delta]``."""
        delta = self._delta(eta)
        return jnp.clip(eta - y, -delta, delta)

    def second_derivative(self, eta: Array, y: Array) -> Array:
        """1 where ``|r| <= delta``, else 0."""
        return (jnp.abs(eta - y) <= self._delta(eta)).astype(eta.dtype)

    def derivative_terms(self, eta: Array, y: Array) -> Array:
        """Return ``|eta| + |y|``, and beyond delta, where the derivative is no difference, delta."""
        delta = self._delta(eta)
        return jnp.where(jnp.abs(eta - y) <= delta, jnp.abs(eta) + jnp.abs(y), delta)

    def conjugate(self, u: Array, y: Array) -> Array:
        """``u^2 / 2 + u y`` where ``|u| <= delta``, else infinite."""
        outside = jnp.abs(u) > self._delta(u) * (1 + 8 * jnp.finfo(u.dtype).eps)
        return jnp.where(outside, jnp.inf, jnp.square(u) / 2 + u * y)

    def fenchel_young(self, eta: Array, u: Array, y: Array) -> Array:
        """Return ``(c - u)^2 / 2 + (r - c) (c - u)`` with c the residual ``r`` clipped to ``[-delta, delta]``.

        Beyond delta the second term is ``|r - c| |c - u|``, as u lies within: both are zero only where ``u = c``, the
        derivative. Infinite where ``|u| > delta``.
        """
        clipped, delta = self.derivative(eta, y), self._delta(u)
        outside = jnp.abs(u) > delta * (1 + 8 * jnp.finfo(u.dtype).eps)
        rest = clipped - jnp.clip(u, -delta, delta)
        return jnp.where(outside, jnp.inf, jnp.square(rest) / 2 + (eta - y - clipped) * rest)

    def link(self, mean: Array) -> Array:
        """The mean itself."""
        return mean
