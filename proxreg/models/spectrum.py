"""The step length that a quadratic majoriser allows."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from proxreg._pytree import Array

POWER_STEPS = 24
MARGIN = 1.05  # the estimate comes from below


def majoriser(product: Callable[[Array], Array], diagonal: Array, size: int) -> Array:
    """A diagonal ``d >= 0`` with, about, ``H <= diag(d)``, where ``product(v) = H v`` and ``diagonal`` shapes d.

    One number for all of the ``size`` entries where ``diagonal`` is one.

    ``d = L diagonal`` with L the largest eigenvalue of ``D^-1/2 H D^-1/2`` by the power method: scaling a column of the
    data scales its entry, so the units of the features do not matter to a solver that steps by 1/d. The estimate
    comes from below; 5% is added, and the solvers check each step against the true curvature.
    """
    diagonal = jnp.where(diagonal > 0, diagonal, 1)
    root = jnp.sqrt(diagonal)

    def power(_, v):
        v = product(v / root) / root
        return v / jnp.maximum(jnp.linalg.norm(v), jnp.finfo(v.dtype).tiny)

    # any fixed start without symmetry will do; a constant one is orthogonal to the top of a centred design
    start = jnp.cos(jnp.arange(1, size + 1, dtype=diagonal.dtype) ** 2)
    v = jax.lax.fori_loop(0, POWER_STEPS, power, start / jnp.linalg.norm(start))
    largest = jnp.linalg.norm(product(v / root) / root)
    largest = jnp.where(jnp.isfinite(largest) & (largest > 0), largest, 1)
    return jax.lax.stop_gradient(MARGIN * largest * diagonal)
