"""Logistic loss: two classes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import xlogy

from proxreg._pytree import Array, pytree_dataclass
from proxreg.losses.base import Loss, first_bad


@pytree_dataclass
class Logistic(Loss):
    """``log(1 + exp(eta)) - y eta`` with ``y`` in {0, 1}: minus the Bernoulli log-likelihood.

    The fitting functions take any two classes ({0, 1}, {-1, 1}, two strings) and model the probability of the one
    that sorts last; models in ``jit`` take 0 and 1 (or probabilities).

    >>> import jax.numpy as jnp, proxreg as pr
    >>> print(pr.Logistic().value(jnp.array([0.0, 2.0]), jnp.array([1.0, 1.0])).round(3))
    [0.693 0.127]
    """

    name = "logistic"
    curvature = 0.25

    def value(self, eta: Array, y: Array) -> Array:
        """``log(1 + exp(eta)) - y eta``, without overflow."""
        return jnp.where(eta > 0, (1 - y) * eta, -y * eta) + jnp.log1p(jnp.exp(_minus_abs(eta)))

    def derivative(self, eta: Array, y: Array) -> Array:
        """``sigmoid(eta) - y``, with all digits also where the two are nearly equal."""
        small = jax.nn.sigmoid(_minus_abs(eta))
        return jnp.where(eta > 0, (1 - y) - small, small - y)

    def second_derivative(self, eta: Array, y: Array) -> Array:
        """``p (1 - p)`` with ``p = sigmoid(eta)``."""
        return jax.nn.sigmoid(eta) * jax.nn.sigmoid(-eta)

    def derivative_terms(self, eta: Array, y: Array) -> Array:
        """Return the derivative's own size, and by how much a change of ``eta`` by all of it, or by one, moves it."""
        return jnp.abs(self.derivative(eta, y)) + self.second_derivative(eta, y) * (1 + jnp.abs(eta))

    def intercept(self, eta: Array, y: Array, weights: Array) -> Array:
        """Return the log-odds of all rows less the mean of ``eta``, the best one where ``eta`` is constant.

        Of both classes' weights, so that neither is rounded away; NaN where there is only one.
        """
        one, zero = jnp.sum(weights * y), jnp.sum(weights * (1 - y))
        both = (one > 0) & (zero > 0)
        odds = jnp.log(jnp.where(both, one, 1)) - jnp.log(jnp.where(both, zero, 1))
        return jnp.where(both, odds - jnp.sum(weights * eta), jnp.nan)

    def conjugate(self, u: Array, y: Array) -> Array:
        """``q log q + r log r`` with ``q = u + y`` in [0, 1] and ``r = 1 - q``; minus the binary entropy."""
        q, r, outside = _shares(u, y)
        return jnp.where(outside, jnp.inf, _minus_entropy(q, r))

    def fenchel_young(self, eta: Array, u: Array, y: Array) -> Array:
        """Return the Kullback-Leibler divergence of the probability ``q = u + y`` from that of ``eta``.

        ``q log(q / p) + (1 - q) log((1 - q) / (1 - p))`` with ``p = sigmoid(eta)``: zero where ``q = p``, and nowhere
        else (Gibbs' inequality).
        """
        q, r, outside = _shares(u, y)
        common = jnp.log1p(jnp.exp(-jnp.abs(eta)))
        log_p, log_rest = -common - jnp.maximum(-eta, 0), -common - jnp.maximum(eta, 0)
        terms = _minus_entropy(q, r) - _product(q, log_p) - _product(r, log_rest)
        return jnp.where(outside, jnp.inf, jnp.maximum(terms, 0))

    def mean(self, eta: Array) -> Any:
        """The probability of the class that ``y = 1`` stands for."""
        return jax.nn.sigmoid(eta)

    def link(self, mean: Array) -> Array:
        """``log(m / (1 - m))``."""
        tiny = jnp.finfo(mean.dtype).eps
        mean = jnp.clip(mean, tiny, 1 - tiny)
        return jnp.log(mean) - jnp.log1p(-mean)

    def takes(self, y: Any) -> Any:
        """Return where ``y`` lies in [0, 1]."""
        return (y >= 0) & (y <= 1)

    def check(self, y: Any) -> None:
        """Raises unless all ``y`` lie in [0, 1]."""
        bad = first_bad(y, self.takes)
        if bad:
            raise ValueError(
                f"logistic loss needs y in {{0, 1}} here, got {bad[1]!s} in row {bad[0]}; pr.fit and pr.fit_path take "
                "any two classes, or pass y == positive_class"
            )

    def encode(self, y: np.ndarray) -> tuple[np.ndarray, tuple | None]:
        """0 and 1 for the two classes in sorted order."""
        try:
            classes, codes = np.unique(y, return_inverse=True)
        except TypeError as error:
            raise ValueError(f"the classes in y cannot be sorted: {error}") from None
        if classes.size != 2:
            shown = ", ".join(map(str, classes[:5])) + (", ..." if classes.size > 5 else "")
            more = "; for more of them: proxreg.sklearn.LogisticRegression" if classes.size > 2 else ""
            raise ValueError(f"logistic loss needs two classes in y, got {classes.size}: {shown}{more}")
        return codes.reshape(y.shape).astype(float), tuple(classes.tolist())


def _minus_abs(eta: Array) -> Array:
    """Return ``-|eta|`` with a slope of one at zero: what is smooth there has to be so for ``jax.grad`` too."""
    return jnp.where(eta > 0, -eta, eta)


def _shares(u: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return ``u + y`` and ``1 - u - y`` in [0, 1], neither by way of the other, and whether they had to be clipped.

    For y of 0 and 1 both are exact, however close to 0 or 1 they are.
    """
    q, r = u + y, (1 - y) - u
    outside = jnp.minimum(q, r) < -8 * jnp.finfo(q.dtype).eps
    return jnp.clip(q, 0, 1), jnp.clip(r, 0, 1), outside


def _minus_entropy(q: Array, r: Array) -> Array:
    """Return ``q log q + r log r`` for ``q + r = 1``: the smaller has the digits that the larger has lost."""
    small, large = jnp.minimum(q, r), jnp.maximum(q, r)
    return xlogy(small, small) + large * jnp.log1p(-jnp.minimum(small, 0.5))


def _product(share: Array, log: Array) -> Array:
    """Return ``share * log``, 0 for a share of nothing, whatever its logarithm."""
    return jnp.where(share == 0, 0, share * log)
