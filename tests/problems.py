"""Small problems, their certificates and solutions in plain NumPy and SciPy: no code shared with the library."""

from typing import Any

import numpy as np
import scipy.optimize
from scipy.special import expit, logsumexp, xlogy


def regression(n=60, p=8, seed=0, noise=0.5, correlation=0.5):
    """Gaussian data with neighbouring columns correlated, three signals, an intercept and unequal means."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(correlation ** np.abs(np.subtract.outer(np.arange(p), np.arange(p))))
    X = rng.normal(size=(n, p)) @ root.T + rng.normal(size=p)
    w = np.zeros(p)
    w[: min(3, p)] = np.array([2.0, -1.5, 1.0])[: min(3, p)]
    return X, X @ w + 0.7 + noise * rng.normal(size=n)


def responses(name, n=60, p=8, seed=0):
    """X and a response that suits the loss of that name."""
    X, y = regression(n, p, seed)
    rng = np.random.default_rng(seed + 1)
    eta = (y - y.mean()) / y.std()
    if name == "logistic":
        return X, (rng.uniform(size=n) < expit(2 * eta)).astype(float)
    if name == "poisson":
        return X, rng.poisson(np.exp(0.5 * eta + 0.5)).astype(float)
    if name == "huber":
        y = y.copy()
        y[::7] += 20
    return X, y


# value, derivative and conjugate of each loss as a function of eta, written out once more
LOSSES = {
    "squared": (
        lambda e, y: (y - e) ** 2 / 2,
        lambda e, y: e - y,
        lambda u, y: u**2 / 2 + u * y,
    ),
    "logistic": (
        lambda e, y: logsumexp(np.stack([np.zeros_like(e), e]), axis=0) - y * e,
        lambda e, y: expit(e) - y,
        lambda u, y: xlogy(u + y, u + y) + xlogy(1 - u - y, 1 - u - y),
    ),
    "huber": (
        lambda e, y: np.where(np.abs(e - y) <= 1.345, (e - y) ** 2 / 2, 1.345 * np.abs(e - y) - 1.345**2 / 2),
        lambda e, y: np.clip(e - y, -1.345, 1.345),
        lambda u, y: u**2 / 2 + u * y,
    ),
    "poisson": (
        lambda e, y: np.exp(e) - y * e + xlogy(y, y) - y,
        lambda e, y: np.exp(e) - y,
        lambda u, y: xlogy(u + y, u + y) - (u + y) - xlogy(y, y) + y,
    ),
}


def objective(name, X, y, coef, intercept, alpha, l1_ratio=1.0, weights=None, offset: Any = 0.0):
    """The elastic-net objective."""
    s = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    loss = LOSSES[name][0](X @ coef + intercept + offset, y)
    return s @ loss / s.sum() + np.sum(alpha * (l1_ratio * np.abs(coef) + (1 - l1_ratio) / 2 * coef**2))


def null_loss(name, y, fit_intercept=True, weights=None, offset: Any = 0.0):
    """The loss of the intercept-only model, by a scalar search."""
    s = np.ones(len(y)) if weights is None else np.asarray(weights, float)

    def loss(b):
        return s @ LOSSES[name][0](b + offset + np.zeros(len(y)), y) / s.sum()

    if not fit_intercept:
        return loss(0.0)
    return scipy.optimize.minimize_scalar(loss, bracket=(-1, 1), tol=1e-14).fun  # pyright: ignore


def relative_gap(name, X, y, coef, intercept, alpha, l1_ratio=1.0, fit_intercept=True, weights=None, offset: Any = 0.0):
    """Primal minus dual over the intercept-only loss, for l1_ratio > 0.

    The dual point is the largest multiple of the loss's derivative that is feasible for the lasso on the augmented
    design.
    """
    s = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    s, offset = s / s.sum(), offset + np.zeros(len(y))
    _, derivative, conjugate = LOSSES[name]
    theta = derivative(X @ coef + intercept + offset, y)
    assert not fit_intercept or abs(s @ theta) < 1e-8 * (s @ np.abs(theta)) + 1e-14, "the intercept is not optimal"
    q = X.T @ (s * theta)
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)

    scale = min(1.0, l1 / np.abs(q + l2 * coef).max())
    rows = l2 / 2 * scale**2 * coef @ coef  # of the augmented design
    dual = -(s @ (conjugate(scale * theta, y) - scale * theta * offset)) - rows
    primal = objective(name, X, y, coef, intercept, alpha, l1_ratio, s, offset)
    return (primal - dual) / null_loss(name, y, fit_intercept, s, offset)


def minimise_l1(name, X, y, alpha, l1_ratio=1.0, fit_intercept=True, weights=None, offset: Any = 0.0):
    """Coefficients and intercept by L-BFGS-B on the positive and negative parts: slow, general and independent."""
    n, p = X.shape
    s = np.ones(n) if weights is None else np.asarray(weights, float)
    s = s / s.sum()
    value, derivative, _ = LOSSES[name]
    l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
    scale = X.std(axis=0) + 1e-300

    def f(parts):
        w = (parts[:p] - parts[p : 2 * p]) / scale
        eta = X @ w + offset + (parts[-1] if fit_intercept else 0.0)
        slope = s * derivative(eta, y)
        g = (X.T @ slope + l2 * w) / scale
        own = np.concatenate([g + l1 / scale, -g + l1 / scale, [slope.sum() if fit_intercept else 0.0]])
        size = l1 * np.sum((parts[:p] + parts[p : 2 * p]) / scale)
        return s @ value(eta, y) + size + l2 / 2 * w @ w, own

    bounds = [(0, None)] * (2 * p) + [(None, None)]
    options = {"maxiter": 100_000, "maxfun": 1_000_000, "ftol": 0.0, "gtol": 1e-12, "maxcor": 50}
    found = scipy.optimize.minimize(f, np.zeros(2 * p + 1), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return (found.x[:p] - found.x[p : 2 * p]) / scale, found.x[-1]
