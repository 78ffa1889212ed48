"""Poisson loss: counts and rates, on the log scale."""

from typing import Any

import jax.numpy as jnp
from jax.scipy.special import xlog1py

from proxreg._pytree import Array, pytree_dataclass
from proxreg.losses.base import Loss, first_bad


@pytree_dataclass
class Poisson(Loss):
    """``exp(eta) - y eta + y log y - y``: half the Poisson deviance, zero at ``eta = log y``.

    The last two terms do not depend on ``eta``; they make the loss comparable between data sets. There is no bound on
    the curvature ``exp(eta)``: solvers find their steps by backtracking.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.Poisson().value(jnp.array([0.0, 1.0]), jnp.array([1.0, 0.0])).round(3))
    [0.    2.718]
    """

    name = "poisson"

    def value(self, eta: Array, y: Array) -> Array:
        """Half the unit deviance, as ``y (exp(d) - 1 - d)`` with ``d = eta - log y``: large counts do not cancel."""
        counted = y > 0
        excess = jnp.where(counted, eta - jnp.log(jnp.where(counted, y, 1)), 0)
        return jnp.where(counted, y * (jnp.expm1(excess) - excess), jnp.exp(jnp.where(counted, 0, eta)))

    def derivative(self, eta: Array, y: Array) -> Array:
        """``exp(eta) - y``."""
        return jnp.exp(eta) - y

    def second_derivative(self, eta: Array, y: Array) -> Array:
        """``exp(eta)``."""
        return jnp.exp(eta)

    def conjugate(self, u: Array, y: Array) -> Array:
        """``v log v - v - (y log y - y)`` with ``v = u + y >= 0``, as ``v log(v / y) - u + u log y``."""
        v = jnp.maximum(u + y, 0)
        outside = u + y < -8 * jnp.finfo(v.dtype).eps * (1 + y)
        scale = jnp.where(y > 0, y, 1)
        change = xlog1py(v, jnp.where(y > 0, jnp.maximum(u / scale, -1), v - 1))
        return jnp.where(outside, jnp.inf, change - u + u * jnp.log(scale))

    def mean(self, eta: Array) -> Any:
        """The expected count ``exp(eta)``."""
        return jnp.exp(eta)

    def link(self, mean: Array) -> Array:
        """``log m``."""
        return jnp.log(jnp.maximum(mean, jnp.finfo(mean.dtype).tiny))

    def takes(self, y: Any) -> Any:
        """Return where ``y >= 0``."""
        return y >= 0

    def check(self, y: Any) -> None:
        """Raises unless all ``y >= 0``."""
        bad = first_bad(y, self.takes)
        if bad:
            raise ValueError(f"Poisson loss needs y >= 0, got {bad[1]!s} in row {bad[0]}")
