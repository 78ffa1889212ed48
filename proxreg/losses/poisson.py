"""Poisson loss: counts and rates, on the log scale."""

from typing import Any

import jax.numpy as jnp
from jax.scipy.special import logsumexp, xlog1py, xlogy

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
    closed_intercept = True

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
        """``v log v - v - (y log y - y)`` with ``v = u + y >= 0``, as ``v log(v / y) - u + u log y`` for y > 0."""
        v = jnp.maximum(u + y, 0)
        scale = jnp.where(y > 0, y, 1)
        # of counts that v has left far behind, the quotient has the digits; close to them, the difference has
        apart = (y == 0) | (v < y / 2)
        change = jnp.where(apart, xlogy(v, v / scale), xlog1py(v, jnp.where(apart, 0, u / scale)))
        return jnp.where(_outside(u, y), jnp.inf, change - u + u * jnp.log(scale))

    def fenchel_young(self, eta: Array, u: Array, y: Array) -> Array:
        """Return the Kullback-Leibler divergence ``v log(v / m) - v + m`` of ``v = u + y`` from ``m = exp(eta)``.

        Where the two are alike, as ``m ((1 + d) log(1 + d) - d)`` with ``d = (v - m) / m``: strictly convex in d, so
        that it is zero where ``v = m``, and nowhere else, however small they are.
        """
        v, mean = jnp.maximum(u + y, 0), jnp.exp(eta)
        alike = (v >= mean / 2) & (v <= 2 * mean) & (mean > 0)
        excess = jnp.where(alike, (v - mean) / jnp.where(alike, mean, 1), 0)
        close = mean * (xlog1py(1 + excess, excess) - excess)
        apart = jnp.where(v == 0, 0, v * (jnp.log(jnp.where(v == 0, 1, v)) - eta) - v) + mean
        return jnp.where(_outside(u, y), jnp.inf, jnp.where(alike, jnp.maximum(close, 0), apart))

    def intercept(self, eta: Array, y: Array, weights: Array) -> Array:
        """Return the best one, ``log(sum_i s_i y_i) - log(sum_i s_i exp(eta_i))``; -infinite without any event."""
        seen = weights > 0
        return jnp.log(jnp.sum(jnp.where(seen, weights * y, 0))) - logsumexp(
            jnp.where(seen, eta, -jnp.inf), b=jnp.where(seen, weights, 0)
        )

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


def _outside(u: Array, y: Array) -> Array:
    """Return where ``u + y`` is negative by more than rounding."""
    return u + y < -8 * jnp.finfo(u.dtype).eps * y
