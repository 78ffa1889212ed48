"""What a loss is: a convex function of the linear predictor ``eta`` per sample, and what certificates need of it."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, concrete


class Loss:
    """Base of all losses; a new one needs ``value(eta, y)``, elementwise and convex in ``eta``.

    Derivatives come by automatic differentiation unless given in closed form. Every loss of this library is zero
    for a perfect fit (half the unit deviance), so that a gap relative to the intercept-only loss has a meaning.
    """

    #: how ``loss="..."`` names it
    name: ClassVar[str] = "custom"
    #: an upper bound of the second derivative in ``eta`` for every ``y``; None where none exists
    curvature: ClassVar[float | None] = None
    #: the part of that bound which a second derivative is taken to be at least, where it stands for the loss nearby
    least_curvature: ClassVar[float] = 1e-12
    #: the derivative is affine in ``eta``: gradients then extrapolate without a product
    affine: ClassVar[bool] = False
    #: ``intercept`` is the best one, not a guess
    closed_intercept: ClassVar[bool] = False

    def value(self, eta: Array, y: Array) -> Array:
        """The loss of each sample."""
        raise ValueError(f"{type(self).__name__} needs a method value(eta, y)")

    def derivative(self, eta: Array, y: Array) -> Array:
        """The first derivative in ``eta``, per sample."""
        return jax.jvp(lambda e: self.value(e, y), (eta,), (jnp.ones_like(eta),))[1]

    def second_derivative(self, eta: Array, y: Array) -> Array:
        """The second derivative in ``eta``, per sample."""
        return jax.jvp(lambda e: self.derivative(e, y), (eta,), (jnp.ones_like(eta),))[1]

    def derivative_terms(self, eta: Array, y: Array) -> Array:
        """Return the size of the numbers whose difference the derivative is: what rounding is relative to."""
        steepness = 1 if self.curvature is not None else 1 + jnp.abs(y)  # by which it enlarges what rounds eta
        return jnp.abs(y) + jnp.abs(eta) * steepness

    def conjugate(self, u: Array, y: Array) -> Array:
        """``max_eta u eta - value(eta, y)`` per sample, for ``u`` between a derivative and 0; NaN: fits have no gap."""
        return jnp.full_like(u, jnp.nan)

    def fenchel_young(self, eta: Array, u: Array, y: Array) -> Array:
        """Return ``value(eta, y) + conjugate(u, y) - u eta`` per sample, the part of a duality gap that the loss has.

        It is >= 0, and zero only where ``u`` is the derivative at ``eta``. A loss with a dual overrides it by a form in
        which nothing large cancels: what rounding takes from a certificate must not look like an optimum.
        """
        return self.value(eta, y) + self.conjugate(u, y) - u * eta

    def intercept(self, eta: Array, y: Array, weights: Array) -> Array:
        """Return where to begin the search for the best ``b`` of ``sum_i weights_i loss(eta_i + b, y_i)``.

        ``weights`` sum to one. It is the best one itself where ``closed_intercept`` says so.
        """
        return self.link(jnp.sum(weights * y)) - jnp.sum(weights * eta)

    def mean(self, eta: Array) -> Any:
        """The expected response at ``eta``."""
        return eta

    def link(self, mean: Array) -> Array:
        """An ``eta`` whose expected response is about ``mean``: where the search for an intercept starts."""
        return jnp.zeros_like(mean)

    def is_valid(self) -> Array:
        """Return whether the loss's own parameters are in their ranges, as a boolean that may be traced."""
        return jnp.asarray(True)

    def takes(self, y: Any) -> Any:
        """Return, per entry, whether ``y`` is a response that this loss is for."""
        return y == y

    def check(self, y: Any) -> None:
        """Raises ValueError where a concrete ``y`` is none that this loss can take."""

    def encode(self, y: np.ndarray) -> tuple[np.ndarray, tuple | None]:
        """The response as numbers and, for a classification, the names of its two classes."""
        return y, None


def first_bad(y: Any, good) -> tuple[int, Any] | None:
    """Row and value of the first entry of a concrete ``y`` that ``good`` refuses."""
    known = concrete(y)
    if known is None:
        return None
    bad = np.flatnonzero(~np.asarray(good(known)))
    return (int(bad[0]), known.ravel()[bad[0]]) if bad.size else None
