"""The reported gap, violation and objective are those computed in NumPy from the returned coefficients."""

import jax
import numpy as np
import pytest

import proxreg as pr
from tests import problems

NAMES = list(problems.LOSSES)


def _solve(*arguments, **options):
    return jax.device_get(pr.fista(*arguments, **options))


def _weights(n):
    return np.random.default_rng(5).uniform(0, 2, size=n)


def _offset(n):
    return np.random.default_rng(6).normal(size=n) / 3


@pytest.mark.parametrize("steps", [1, 7, 400], ids=lambda s: f"after-{s}")
@pytest.mark.parametrize("l1_ratio", [1.0, 0.6])
@pytest.mark.parametrize("name", NAMES)
def test_gap_and_objective_equal_numpy(name, l1_ratio, steps):
    X, y = problems.responses(name)
    weights, offset = _weights(len(y)), _offset(len(y))
    with jax.enable_x64(True):
        model = pr.LinearModel(X, y, name, weights, offset, fit_intercept=True)
        fit = _solve(model, pr.ElasticNet(0.05, l1_ratio), tol=1e-10, max_steps=steps)
    arguments = (name, X, y, fit.w.coef, fit.w.intercept, 0.05, l1_ratio)
    expected = problems.relative_gap(*arguments, weights=weights, offset=offset)
    np.testing.assert_allclose(fit.gap, expected, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(fit.objective, problems.objective(*arguments, weights, offset), rtol=1e-12)
    if steps == 400:
        assert fit.gap <= 1e-10
        assert fit.status == pr.Status.CONVERGED


@pytest.mark.parametrize("name", NAMES)
def test_gap_bounds_the_true_suboptimality(name):
    X, y = problems.responses(name)
    coef, intercept = problems.minimise_l1(name, X, y, 0.1)
    best = problems.objective(name, X, y, coef, intercept, 0.1)
    null = problems.null_loss(name, y)
    with jax.enable_x64(True):
        model = pr.LinearModel(X, y, name, fit_intercept=True)
        for steps in (1, 4, 16, 64):
            fit = _solve(model, pr.L1(0.1), tol=1e-12, max_steps=steps)
            assert (fit.objective - best) / null <= fit.gap + 1e-12
    np.testing.assert_allclose(fit.objective, best, rtol=1e-8)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_violation_is_the_largest_kkt_residual(fit_intercept):
    X, y = problems.responses("logistic")
    with jax.enable_x64(True):
        model = pr.LinearModel(X, y, "logistic", fit_intercept=fit_intercept)
        fit = _solve(model, pr.ElasticNet(0.05, 0.5), tol=1e-15, max_steps=6)
    coef, intercept = fit.w if fit_intercept else (fit.w, 0.0)
    derivative = problems.LOSSES["logistic"][1]
    gradient = X.T @ derivative(X @ coef + intercept, y) / len(y) + 0.025 * coef
    residual = np.where(coef != 0, gradient + 0.025 * np.sign(coef), np.maximum(np.abs(gradient) - 0.025, 0))
    mean = np.log(y.mean() / (1 - y.mean())) if fit_intercept else 0.0
    null = np.sqrt(np.mean(derivative(np.full(len(y), mean), y) ** 2))
    norms = np.sqrt(np.mean((X - X.mean(axis=0) if fit_intercept else X) ** 2, axis=0))
    np.testing.assert_allclose(fit.violation, np.max(np.abs(residual) / norms) / null, rtol=1e-9)


def test_quadratic_and_linear_model_certify_alike():
    X, y = problems.regression()
    X, y = X - X.mean(0), y - y.mean()
    with jax.enable_x64(True):
        n = len(y)
        quadratic = pr.Quadratic(X.T @ X / n, X.T @ y / n, y @ y / n / 2)
        for penalty in (pr.L1(0.1), pr.ElasticNet(0.1, 0.5), pr.GroupLasso(0.1, [0, 0, 1, 1, 2, 2, 3, 3])):
            for steps in (1, 5, 25):
                a = pr.fista(quadratic, penalty, tol=1e-12, max_steps=steps)
                b = pr.fista(pr.LinearModel(X, y), penalty, tol=1e-12, max_steps=steps)
                np.testing.assert_allclose(a.gap, b.gap, rtol=1e-6, atol=1e-13)
                np.testing.assert_allclose(a.violation, b.violation, rtol=1e-6, atol=1e-13)
                np.testing.assert_allclose(a.objective, b.objective, rtol=1e-12)


def test_group_gap_equals_numpy():
    X, y = problems.regression()
    labels, weights = np.array([2, 0, 1, 2, 1, 0, 0, 2]), np.array([1.0, 2.0, 0.7])
    with jax.enable_x64(True):
        model = pr.LinearModel(X, y)
        fit = _solve(model, pr.GroupLasso(0.3, labels, weights=weights), tol=1e-12, max_steps=3)
    w, n = fit.w, len(y)
    r = y - X @ w
    norms = np.array([np.linalg.norm(w[labels == g]) for g in range(3)])
    dual = np.array([np.linalg.norm(X[:, labels == g].T @ r / n) for g in range(3)])
    theta = r * min(1, (0.3 * weights / dual).min())
    gap = r @ r / n / 2 + 0.3 * weights @ norms - (y @ y - (y - theta) @ (y - theta)) / n / 2
    np.testing.assert_allclose(fit.gap, gap / (y @ y / n / 2), rtol=1e-9)


@pytest.mark.parametrize(
    "penalty",
    [pr.Zero(), pr.L1(0.0), pr.NonNegative(), pr.ElasticNet(np.array([0.0] + [0.1] * 7), 1.0)],
    ids=["zero", "alpha-0", "non-negative", "one-unpenalised"],
)
def test_without_a_dual_point_the_violation_decides(penalty):
    X, y = problems.regression()
    with jax.enable_x64(True):
        fit = _solve(pr.LinearModel(X, y, fit_intercept=True), penalty, tol=1e-9, max_steps=5000)
    assert np.isnan(fit.gap)
    assert fit.violation <= 1e-9
    assert fit.status == pr.Status.CONVERGED


def test_quadratic_without_constant_has_no_gap():
    with jax.enable_x64(True):
        fit = _solve(pr.Quadratic(np.diag([1.0, 2.0]), np.array([3.0, 0.5])), pr.L1(1.0), tol=1e-12)
    assert np.isnan(fit.gap)
    np.testing.assert_allclose(fit.w, [2.0, 0.0], atol=1e-10)
    np.testing.assert_allclose(fit.objective, -2.0, atol=1e-10)


def test_box_has_a_gap():
    X, y = problems.regression()
    with jax.enable_x64(True):
        fit = _solve(pr.LinearModel(X, y, fit_intercept=True), pr.Box(-0.5, 0.5), tol=1e-10)
    assert fit.gap <= 1e-10
    assert np.abs(fit.w.coef).max() == 0.5


@pytest.mark.parametrize("name", NAMES)
def test_extreme_imbalance_finds_the_intercept(name):
    X, _ = problems.regression(n=400)
    y = np.zeros(400)
    y[:3] = 1
    with jax.enable_x64(True):
        fit = _solve(pr.LinearModel(X, y, name, fit_intercept=True), pr.L1(10.0), tol=1e-10)
    assert not np.any(fit.w.coef)
    expected = {"logistic": np.log(3 / 397), "poisson": np.log(3 / 400)}.get(name, 3 / 400)
    np.testing.assert_allclose(fit.w.intercept, expected, rtol=1e-9)
