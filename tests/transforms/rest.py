"""Small problems with a known penalised solution, and a training loop with full gradients."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

import proxreg as pr

PENALTIES = {
    "lasso": pr.L1,
    "elastic net": lambda alpha: pr.ElasticNet(alpha, 0.8),
    "group lasso": lambda alpha: pr.GroupLasso(alpha, groups=np.arange(12) // 3),
    "logistic": pr.L1,
}

RATES = {
    "constant": lambda rate: rate,
    "decaying": lambda rate: lambda count: rate / jnp.sqrt(1 + count / 1000),
}


class RestProblem(NamedTuple):
    """A smooth loss and a penalty, with what ``fit_path`` makes of them."""

    X: np.ndarray
    y: np.ndarray
    loss: str
    penalty: pr.Penalty
    solution: np.ndarray

    def gradient(self, w):
        """Of the mean loss, written out."""
        eta = jnp.asarray(self.X) @ w
        residual = eta - self.y if self.loss == "squared" else 1 / (1 + jnp.exp(-eta)) - self.y
        return jnp.asarray(self.X).T @ residual / len(self.y)

    def violation(self, w):
        """The largest subgradient of loss + penalty at ``w``, relative to the largest gradient at zero."""
        w = jnp.asarray(w)
        worst = jnp.max(jnp.abs(self.penalty.subgradient(w, self.gradient(w))))
        return float(worst / jnp.max(jnp.abs(self.gradient(0 * w))))


@functools.cache
def problem(name):
    """Twelve columns of unequal scale, three of them with a signal; in float64."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 12)) * np.linspace(0.6, 1.6, 12)
    X[:, 1] = 0.6 * X[:, 0] + 0.8 * X[:, 1]
    signal = np.zeros(12)
    signal[[0, 3, 4]] = 2.0, -1.5, 1.0
    y, loss = X @ signal + 0.1 * rng.standard_normal(60), "squared"
    if name == "logistic":
        y, loss = (X @ signal + 2.0 * rng.standard_normal(60) > 0).astype(float), "logistic"
    options = {"loss": loss, "fit_intercept": False, "dtype": "float64"}
    unit = PENALTIES[name](1.0)
    # no group that barely survives: dual averaging turns the direction of a group at a rate like ||w_g|| / t
    share = 0.2 if name == "group lasso" else 0.1
    alpha = share * float(pr.alpha_max(X, y, penalty=unit, **options))
    path = pr.fit_path(X, y, alphas=[alpha], penalty=unit, tol=1e-13, max_steps=10**6, **options)
    return RestProblem(X, y, loss, PENALTIES[name](alpha), path.coef[0])


def train(optimiser, gradient, start, num_steps):
    """The parameters after ``num_steps`` updates."""

    def step(carry, _):
        w, state = carry
        updates, state = optimiser.update(gradient(w), state, w)
        return (optax.apply_updates(w, updates), state), None

    carry = start, optimiser.init(start)
    (w, _), _ = jax.jit(lambda carry: jax.lax.scan(step, carry, None, length=num_steps))(carry)
    return w
