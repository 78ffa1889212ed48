"""Squared error: least squares, Gaussian noise."""

import jax.numpy as jnp

from proxreg._pytree import Array, pytree_dataclass
from proxreg.losses.base import Loss


@pytree_dataclass
class Squared(Loss):
    """``(y - eta)^2 / 2``; scikit-learn's and glmnet's scaling.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.Squared().value(jnp.array([1.0, 2.0]), jnp.array([0.0, 4.0])))
    [0.5 2. ]
    """

    name = "squared"
    curvature = 1.0
    affine = True

    def value(self, eta: Array, y: Array) -> Array:
        """``(y - eta)^2 / 2``."""
        return jnp.square(eta - y) / 2

    def derivative(self, eta: Array, y: Array) -> Array:
        """``eta - y``."""
        return eta - y

    def second_derivative(self, eta: Array, y: Array) -> Array:
        """1."""
        return jnp.ones_like(eta)

    def conjugate(self, u: Array, y: Array) -> Array:
        """``u^2 / 2 + u y``."""
        return jnp.square(u) / 2 + u * y

    def fenchel_young(self, eta: Array, u: Array, y: Array) -> Array:
        """Return ``(eta - y - u)^2 / 2``: zero where ``u`` is the residual, and nowhere else."""
        return jnp.square(eta - y - u) / 2

    def link(self, mean: Array) -> Array:
        """The mean itself."""
        return mean
