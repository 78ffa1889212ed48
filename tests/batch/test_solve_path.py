"""The whole path as a pure function: what it returns is what other solvers find, with a gap that holds."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from bench.certificate import relative_gap
from tests import problems

solve_path = importlib.import_module("proxreg.batch.solve_path")  # the module, which the function of its name hides
LOSSES = "squared", "logistic", "huber", "poisson"
#: shapes that take each of the ways: sums over rows, rows with all columns, rows with a working set
FORMS = {"few columns": (60, 8, None), "working set": (60, 40, 24), "many columns": (30, 1100, None)}


@pytest.fixture(autouse=True)
def _wide():
    with jax.enable_x64(True):
        yield


def data(loss, form, seed=0):
    n, p, width = FORMS[form]
    X, y = problems.responses(loss, n, p, seed)
    return X, y, width


def grid(loss, X, y, lowest=0.2, num=6, fit_intercept=True):
    largest = float(pr.alpha_max(X, y, loss=loss, dtype="float64", fit_intercept=fit_intercept))
    return largest * np.geomspace(1.0, lowest, num)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("loss", LOSSES)
def test_lanes_are_those_of_fit_path(loss, form):
    X, y, width = data(loss, form)
    alphas = grid(loss, X, y)
    model = pr.LinearModel(X, y, loss=loss, fit_intercept=True)
    found = pr.solve_path(model, pr.ElasticNet(), alphas, l1_ratio=[1.0, 0.6], tol=1e-11, working_set=width)
    path = pr.fit_path(X, y, loss=loss, alphas=alphas, l1_ratio=[1.0, 0.6], dtype="float64", tol=1e-11)
    assert found.w.coef.shape == (2, 6, X.shape[1])
    assert found.gap.shape == found.status.shape == (2, 6)
    assert np.all(found.status == pr.Status.CONVERGED)
    np.testing.assert_allclose(found.objective, path.objective, rtol=1e-10)
    np.testing.assert_allclose(found.w.coef, path.coef, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gaps_are_independent_ones(loss, form):
    X, y, width = data(loss, form, seed=1)
    alphas = grid(loss, X, y)
    weights = np.random.default_rng(2).uniform(0.5, 2.0, len(y))
    model = pr.LinearModel(X, y, loss=loss, sample_weight=weights, fit_intercept=True)
    found = pr.solve_path(model, pr.L1(), alphas, tol=1e-5, working_set=width)
    for k, alpha in enumerate(alphas):
        own = problems.relative_gap(
            loss, X, y, np.asarray(found.w.coef[k]), float(found.w.intercept[k]), alpha, weights=weights
        )
        assert own <= 1.01 * found.gap[k] + 1e-9
        assert found.gap[k] <= 1e-5


PENALTIES = {
    "l1": pr.L1(),
    "positive": pr.L1(1.0, positive=True),
    "factors": pr.L1(np.linspace(0.5, 2.0, 8)),
    "elastic net": pr.ElasticNet(1.0, 0.5),
    "ratios": pr.ElasticNet(1.0, np.linspace(0.2, 1.0, 8)),
    "l2": pr.L2(),
    "limits": pr.BoundedElasticNet(1.0, 0.8, -0.3, 0.4),
    "groups": pr.GroupLasso(1.0, np.arange(8) // 3),
}


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("name", PENALTIES)
def test_every_penalty_with_a_strength(name, loss):
    """Each lane is what ``pr.fista`` finds from zero, one at a time."""
    penalty, (X, y, _) = PENALTIES[name], data(loss, "few columns")
    model = pr.LinearModel(X, y, loss=loss, fit_intercept=True)
    alphas = grid(loss, X, y, num=3)
    found = pr.solve_path(model, penalty, alphas, tol=1e-10)
    assert np.all(found.status == pr.Status.CONVERGED)
    for k, alpha in enumerate(alphas):
        own = dict(vars(penalty), alpha=alpha * penalty.alpha if np.ndim(penalty.alpha) else alpha)
        alone = pr.fista(model, type(penalty)(**own), tol=1e-10, max_steps=50_000)
        np.testing.assert_allclose(found.objective[k], alone.objective, rtol=1e-9)
        np.testing.assert_allclose(found.w.coef[k], alone.w.coef, atol=1e-4)


def test_a_penalty_of_ones_own():
    @pr.pytree_dataclass
    class Doubled(pr.Penalty):
        separable = True
        alpha: float

        def value(self, w):
            return 2 * self.alpha * jnp.sum(jnp.abs(w))

        def prox(self, v, step):
            return jnp.sign(v) * jnp.maximum(jnp.abs(v) - 2 * step * self.alpha, 0)

    X, y, _ = data("squared", "few columns")
    alphas = grid("squared", X, y, num=3)
    for width in (None, 7):
        model = pr.LinearModel(X, y, fit_intercept=True)
        found = pr.solve_path(model, Doubled(1.0), alphas / 2, tol=1e-7, working_set=width)
        twin = pr.solve_path(model, pr.L1(), alphas, tol=1e-9)
        assert np.all(found.status == pr.Status.CONVERGED)
        assert np.all(np.isnan(found.gap))
        np.testing.assert_allclose(found.w.coef, twin.w.coef, atol=1e-4)


def test_a_quadratic():
    X, y, _ = data("squared", "few columns")
    alphas = grid("squared", X, y)
    smooth = pr.Quadratic.from_data(X, y)
    found = pr.solve_path(smooth, pr.L1(), alphas, tol=1e-9)
    assert np.all(found.status == pr.Status.CONVERGED)
    coef, intercept = smooth.restore(found.w)
    for k, alpha in enumerate(alphas):
        assert problems.relative_gap("squared", X, y, np.asarray(coef[k]), float(intercept[k]), alpha) <= 1e-9
    unknown = pr.solve_path(pr.Quadratic(smooth.G, smooth.c), pr.L1(), alphas, tol=1e-9)
    assert np.all(unknown.status == pr.Status.CONVERGED)
    assert np.all(np.isnan(unknown.gap))
    np.testing.assert_allclose(unknown.w, found.w, atol=1e-6)


def test_order_and_repetition_of_alphas_change_nothing():
    X, y, _ = data("squared", "few columns")
    alphas = 1.001 * grid("squared", X, y, fit_intercept=False)
    model, order = pr.LinearModel(X, y), np.array([3, 0, 5, 1, 4, 2])
    found = pr.solve_path(model, pr.L1(), alphas, tol=1e-9)
    other = pr.solve_path(model, pr.L1(), alphas[order], tol=1e-9)
    np.testing.assert_array_equal(found.w[order], other.w)
    twice = pr.solve_path(model, pr.L1(), np.repeat(alphas[:3], 2), tol=1e-9)
    np.testing.assert_allclose(twice.w[::2], twice.w[1::2], atol=1e-6)
    assert not np.any(found.w[0])  # beyond the largest alpha


@pytest.mark.parametrize("form", FORMS)
def test_a_start_at_the_solution_takes_no_step(form):
    X, y, width = data("squared", form)
    alphas = grid("squared", X, y, num=4)
    model = pr.LinearModel(X, y, fit_intercept=True)
    found = pr.solve_path(model, pr.L1(), alphas, tol=1e-9, working_set=width)
    again = pr.solve_path(model, pr.L1(), alphas, w0=found.w, tol=2e-9, working_set=width)
    np.testing.assert_array_equal(again.num_steps, 0)
    one = jax.tree.map(lambda leaf: leaf[2], found.w)
    shared = pr.solve_path(model, pr.L1(), alphas[2:3], w0=one, tol=2e-9, working_set=width)
    np.testing.assert_array_equal(shared.num_steps, 0)


def test_alpha_zero_is_least_squares():
    X, y = problems.regression(60, 8)
    found = pr.solve_path(pr.LinearModel(X, y, fit_intercept=True), pr.L1(), [1.0, 0.0], tol=1e-9)
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(60)]), y, rcond=None)[0]
    assert np.all(found.status == pr.Status.CONVERGED)
    np.testing.assert_allclose(found.w.coef[1], exact[:-1], atol=1e-6)


def test_correlated_columns_are_solved_by_newtons_method():
    """Polynomial features of two variables: accelerated steps alone would take some 100,000."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(80, 2))
    X = np.stack([x[:, 0] ** i * x[:, 1] ** j for i in range(7) for j in range(7) if i + j], axis=1)
    y = np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + 0.1 * rng.normal(size=80)
    for width in (None, 40):
        model = pr.LinearModel(X, y, fit_intercept=True)
        found = pr.solve_path(model, pr.L1(), grid("squared", X, y, 1e-4), tol=1e-8, working_set=width, max_steps=3000)
        assert np.all(found.status == pr.Status.CONVERGED)


def test_supports_wider_than_the_working_set_grow_it():
    """Nearly ridge: half of the columns are in use, more than a working set has at first."""
    X, y = problems.regression(60, 1200, correlation=0.3)
    alphas = grid("squared", X, y, 0.2, num=3)
    model = pr.LinearModel(X, y, fit_intercept=True)
    found = pr.solve_path(model, pr.ElasticNet(1.0, 0.01), alphas, tol=1e-6)
    assert np.max(np.count_nonzero(found.w.coef, axis=1)) > 512
    assert np.all(found.status == pr.Status.CONVERGED)


@pytest.mark.parametrize("mean", [0.0, 1e4])
def test_float32_certificates_hold(mean):
    X, y = problems.regression(200, 8)
    X = (X + mean).astype(np.float32)
    y = y.astype(np.float32)
    alphas = grid("squared", X.astype(float), y.astype(float)).astype(np.float32)
    with jax.enable_x64(False):
        found = pr.solve_path(pr.LinearModel(X, y, fit_intercept=True), pr.L1(), alphas, tol=1e-4)
    assert found.w.coef.dtype == np.float32
    converged = found.status == pr.Status.CONVERGED
    assert converged.all() or mean > 0
    for k in np.flatnonzero(converged):
        own = relative_gap(X, y, found.w.coef[k], found.w.intercept[k], alphas[k])
        assert own <= 1.01 * found.gap[k] + 1e-6


def test_coupled_coefficients_without_a_gram_matrix(monkeypatch):
    """More columns than a Gram matrix should have, with a penalty that allows no working set."""
    monkeypatch.setattr(solve_path, "GRAM_MOST", 4)
    X, y = problems.responses("huber", 57, 8)
    alphas = grid("huber", X, y, num=3)
    model = pr.LinearModel(X, y, loss="huber", fit_intercept=True)
    found = pr.solve_path(model, pr.GroupLasso(1.0, np.arange(8) // 3), alphas, tol=1e-9)
    alone = jax.vmap(lambda alpha: pr.fista(model, pr.GroupLasso(alpha, np.arange(8) // 3), tol=1e-9))(alphas)
    assert np.all(found.status == pr.Status.CONVERGED)
    np.testing.assert_allclose(found.objective, alone.objective, rtol=1e-8)
