"""Newton's method for any loss: the minimum of its model, and the answers of gradients where these are slow."""

import jax
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

import proxreg as pr
from proxreg.engine import glm
from proxreg.engine.glm_newton import minimum
from tests import problems

TUMOURS = load_breast_cancer(return_X_y=True)


def slow(loss, n=150, p=12):
    """Columns that say nearly the same: thousands of gradient steps."""
    X, y = problems.responses(loss, n, p)
    X = X @ (np.eye(p) + 4 * np.ones((p, p)) / p) / 5
    return X, y


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(8))
def test_the_minimum_of_the_model(positive, ridge, seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 25))
    A = rng.standard_normal((k + 3, k)) @ (np.eye(k) + rng.standard_normal((k, k)) * (seed % 3))
    H, g = A.T @ A, 3 * rng.standard_normal(k)
    l1, l2 = rng.uniform(0.1, 2, k), np.full(k, ridge)
    w = np.where(rng.random(k) < 0.5, rng.standard_normal(k), 0)
    w = np.abs(w) if positive else w
    u = minimum(H, g, w, l1, l2, positive)
    slope = g + H @ (u - w) + l2 * u
    used = u != 0
    np.testing.assert_allclose(slope[used], -l1[used] * np.sign(u[used]), atol=1e-8 * np.abs(H).max())
    assert np.all((-slope if positive else np.abs(slope))[~used] <= l1[~used] + 1e-8 * np.abs(H).max())
    assert not positive or u.min() >= 0


def without_newton(monkeypatch):
    monkeypatch.setattr(glm, "PATIENCE", 10**6)


@pytest.mark.parametrize("loss", ["logistic", "poisson", "huber"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fit_intercept": False},
        {"l1_ratio": [0.0, 0.5]},
        {"sample_weight": True, "offset": True, "penalty_factor": True, "standardize": True},
        {"positive": True},
        {"penalty": pr.L2(1.0)},
    ],
    ids=str,
)
def test_it_finds_what_gradients_find(monkeypatch, loss, options):
    X, y = slow(loss)
    rng, options = np.random.default_rng(1), dict(options)
    if options.get("sample_weight"):
        options |= {"sample_weight": rng.uniform(0.5, 2, len(y)), "offset": 0.1 * rng.standard_normal(len(y))}
        options["penalty_factor"] = np.append([np.inf, 0.0], rng.uniform(0.5, 2, X.shape[1] - 2))
    options |= {"loss": loss, "dtype": "float64", "tol": 1e-9, "alphas": [0.1, 0.01, 0.001]}
    called, newton = [], glm.newton
    monkeypatch.setattr(glm, "PATIENCE", 5)
    monkeypatch.setattr(glm, "newton", lambda *given: called.append(newton(*given)) or called[-1])
    quick = pr.fit_path(X, y, **options)
    assert max(steps.max() for steps in called) > 1
    without_newton(monkeypatch)
    patient = pr.fit_path(X, y, max_steps=10**6, **options)
    assert quick.converged.all()
    assert patient.converged.all()
    np.testing.assert_allclose(quick.objective, patient.objective, rtol=1e-8)
    np.testing.assert_allclose(quick.coef, patient.coef, atol=1e-3 * np.abs(patient.coef).max())
    assert quick.num_steps.sum() < patient.num_steps.sum()


def test_real_data_are_certified_by_an_independent_judge():
    X, y = TUMOURS[0], TUMOURS[1].astype(float)
    path = pr.fit_path(X, y, loss="logistic", standardize=True, n_alphas=20, dtype="float64", tol=1e-9)
    Z, scale = (X - X.mean(axis=0)) / X.std(axis=0), X.std(axis=0)
    for alpha, coef, intercept in zip(path.alphas, path.coef, path.intercept):
        given = coef * scale, intercept + coef @ X.mean(axis=0), alpha
        assert problems.relative_gap("logistic", Z, y, *given) <= 1.01e-9
    assert path.num_steps.max() < 400


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_custom_loss_and_float32(dtype):
    X, y = slow("logistic")
    tol = {"float32": 1e-4, "float64": 1e-9}[dtype]
    given = {"alphas": [0.02], "dtype": dtype, "tol": tol}
    own = pr.fit_path(X, y, loss=lambda eta, y: jax.nn.softplus(eta) - y * eta, **given)
    known = pr.fit_path(X, y, loss="logistic", **given)
    assert own.coef.dtype == known.coef.dtype == dtype
    np.testing.assert_allclose(own.coef, known.coef, atol={"float32": 3e-2, "float64": 1e-6}[dtype])


def test_separated_classes_without_a_penalty_stay_within_the_range_of_numbers():
    X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    with pytest.warns(pr.ConvergenceWarning, match="no finite optimum"):
        path = pr.fit_path(X, y, loss="logistic", alphas=[0.0], dtype="float64", tol=1e-12)
    assert np.isfinite(path.coef).all()
    assert path.objective[0] < 1e-8


def test_wide_data_and_samples_take_turns_too(monkeypatch):
    X, y = problems.responses("logistic", 60, 1100)
    options = {"loss": "logistic", "alphas": [0.05, 0.02], "dtype": "float64", "tol": 1e-9}
    patient = pr.fit_path(X, y, **options)
    monkeypatch.setattr(glm, "PATIENCE", 5)
    quick = pr.fit_path(X, y, **options)
    np.testing.assert_allclose(quick.objective, patient.objective, rtol=1e-8)
    assert quick.converged.all()
