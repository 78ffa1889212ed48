"""Losses other than the squared one: the batch solver gives what the plain solvers give, and certifies it."""

import jax
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import proxreg as pr
from tests import problems

WIDE = {"n": 40, "p": 1100}
TUMOURS = load_breast_cancer(return_X_y=True)


def slow(loss, n=150, p=12):
    """Columns that say nearly the same: thousands of gradient steps."""
    X, y = problems.responses(loss, n, p)
    X = X @ (np.eye(p) + 4 * np.ones((p, p)) / p) / 5
    return X, y


@pytest.mark.parametrize("loss", ["logistic", "poisson", "huber"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_working_sets_give_what_the_plain_solver_gives(loss, fit_intercept):
    X, y = problems.responses(loss, **WIDE)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, WIDE["n"])
    options = {"loss": loss, "fit_intercept": fit_intercept, "sample_weight": weights, "n_alphas": 5, "min_ratio": 0.2}
    engine = pr.fit_path(X, y, **options, dtype="float64", tol=1e-8)
    plain = pr.fit_path(X, y, **options, dtype="float64", tol=1e-8, solver="fista")
    assert engine.converged.all()
    assert engine.gap.max() <= 1e-8
    np.testing.assert_allclose(engine.objective, plain.objective, rtol=1e-7)
    np.testing.assert_allclose(engine.coef, plain.coef, atol=2e-3)
    assert engine.nnz[-1] > engine.nnz[1] > 0


def test_logistic_against_liblinear():
    X, y = problems.responses("logistic", **WIDE)
    top = pr.alpha_max(X, y, loss="logistic", fit_intercept=False, dtype="float64")
    alphas = np.asarray(top) * np.array([0.5, 0.2])
    path = pr.fit_path(X, y, loss="logistic", alphas=alphas, fit_intercept=False, dtype="float64", tol=1e-10)
    for alpha, coef, objective in zip(alphas, path.coef, path.objective):
        peer = LogisticRegression(
            l1_ratio=1.0, solver="liblinear", C=1 / (alpha * len(y)), fit_intercept=False, tol=1e-10, max_iter=10**5
        ).fit(X, y)
        theirs = problems.objective("logistic", X, y, peer.coef_[0], 0.0, alpha)
        assert objective <= theirs + 1e-9
        np.testing.assert_allclose(coef, peer.coef_[0], atol=1e-3)


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
def test_it_finds_what_gradients_find(loss, options):
    X, y = slow(loss)
    rng, options = np.random.default_rng(1), dict(options)
    if options.get("sample_weight"):
        options |= {"sample_weight": rng.uniform(0.5, 2, len(y)), "offset": 0.1 * rng.standard_normal(len(y))}
        options["penalty_factor"] = np.append([np.inf, 0.0], rng.uniform(0.5, 2, X.shape[1] - 2))
    options |= {"loss": loss, "dtype": "float64", "tol": 1e-9, "alphas": [0.1, 0.01, 0.001]}
    quick = pr.fit_path(X, y, **options)
    patient = pr.fit_path(X, y, max_steps=10**6, solver="fista", **options)
    assert quick.converged.all()
    assert patient.converged.all()
    np.testing.assert_allclose(quick.objective, patient.objective, rtol=1e-8)
    np.testing.assert_allclose(quick.coef, patient.coef, atol=1e-3 * np.abs(patient.coef).max())


def test_real_data_are_certified_by_an_independent_judge():
    X, y = TUMOURS[0], TUMOURS[1].astype(float)
    path = pr.fit_path(X, y, loss="logistic", standardize=True, n_alphas=20, dtype="float64", tol=1e-9)
    Z, scale = (X - X.mean(axis=0)) / X.std(axis=0), X.std(axis=0)
    for alpha, coef, intercept in zip(path.alphas, path.coef, path.intercept):
        given = coef * scale, intercept + coef @ X.mean(axis=0), alpha
        assert problems.relative_gap("logistic", Z, y, *given) <= 1.01e-9
    assert path.num_steps.max() < 5000  # gradients alone take 10 times as many


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
