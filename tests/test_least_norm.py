"""Other losses without a penalty on columns that depend on each other: the coefficients of least norm."""

import numpy as np
import pytest
from scipy.optimize import minimize

import proxreg as pr

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 3)) @ RNG.normal(size=(3, 5)) + [3.0, 0, 0, -1, 0]  # of rank 3 once centred
ETA = (X[:, 1] - X[:, 3]) / 4
Y = {
    "poisson": RNG.poisson(np.exp(ETA)).astype(float),
    "logistic": (ETA + RNG.logistic(size=60) > 0).astype(float),
    "huber": ETA + RNG.normal(size=60),
}


def loss_of(name, eta, y):
    if name == "poisson":
        return np.mean(np.exp(eta) - y * eta)
    if name == "logistic":
        return np.mean(np.logaddexp(0, eta) - y * eta)
    size = np.abs(eta - y)
    return np.mean(np.where(size <= 1, size**2 / 2, size - 0.5))


@pytest.mark.parametrize("name", ["poisson", "logistic", "huber"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_shortest_coefficients_of_the_best_predictor(name, dtype):
    loss = pr.Huber(1.0) if name == "huber" else name
    path = pr.fit_path(X, Y[name], loss=loss, alphas=0.0, tol=1e-5 if dtype == "float32" else 1e-10, dtype=dtype)
    centred = X - X.mean(axis=0)
    basis = np.linalg.svd(centred)[2][:3]  # what rows span
    best = minimize(
        lambda z: loss_of(name, centred @ basis.T @ z[:3] + z[3], Y[name]), np.zeros(4), tol=1e-12, method="BFGS"
    ).x
    np.testing.assert_allclose(path.coef[0], best[:3] @ basis, atol={"float32": 2e-3, "float64": 1e-5}[dtype])
    assert np.linalg.norm(path.coef[0] - path.coef[0] @ basis.T @ basis) < 1e-6
    assert path.converged[0]


def test_rows_of_weight_zero_span_nothing():
    weights = np.append(np.ones(40), np.zeros(20))
    options = {"loss": "poisson", "alphas": 0.0, "tol": 1e-10, "dtype": "float64"}
    far = np.where(weights[:, None] > 0, X, RNG.normal(size=X.shape))
    path = pr.fit_path(far, Y["poisson"], sample_weight=weights, **options)
    alone = pr.fit_path(X[:40], Y["poisson"][:40], **options)
    np.testing.assert_allclose(path.coef, alone.coef, atol=1e-6)
