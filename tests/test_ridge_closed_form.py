"""Ridge and least squares in closed form, against the same from other libraries and augmented systems."""

import warnings
from typing import Any

import jax
import numpy as np
import pytest
from sklearn.linear_model import Ridge

import proxreg as pr
import proxreg.sklearn as ps
from proxreg.engine import shortest, shortest_by_products


def augmented(X, y, alpha, *, weights=None, factor=None, intercept=True):
    """Ridge coefficients by ``numpy.linalg.lstsq`` on rows with a row for each column's penalty below."""
    X, y = np.asarray(X, float), np.asarray(y, float)
    share = np.full(len(y), 1 / len(y)) if weights is None else np.asarray(weights, float) / np.sum(weights)
    factor = np.ones(X.shape[1]) if factor is None else np.asarray(factor, float)
    kept = np.isfinite(factor)
    center, y_center = (share @ X, share @ y) if intercept else (0.0, 0.0)
    root = np.sqrt(share)[:, None]
    rows = np.concatenate([root * (X - center)[:, kept], np.diag(np.sqrt(alpha * factor[kept]))])
    coef = np.zeros(X.shape[1])
    coef[kept] = np.linalg.lstsq(rows, np.append(root[:, 0] * (y - y_center), np.zeros(kept.sum())), rcond=None)[0]
    return coef


def wide(n, p, rho=0.0, seed=0):
    """Columns of correlation rho, and a response."""
    rng = np.random.default_rng(seed)
    X = np.sqrt(rho) * rng.normal(size=(n, 1)) + np.sqrt(1 - rho) * rng.normal(size=(n, p))
    return X, X[:, 0] - X[:, 1] + rng.normal(size=n)


@pytest.mark.parametrize(("shape", "rho", "alpha"), [((20, 30), 0.0, 1e-3), ((100, 1000), 0.97, 1.0)])
def test_float32_ridge_on_wide_data_has_the_digits_of_its_type(shape, rho, alpha):
    X, y = (values.astype(np.float32) for values in wide(shape[0], shape[1], rho))
    exact = Ridge(alpha=alpha, solver="svd").fit(X.astype(float), y.astype(float))
    model = ps.Ridge(alpha=alpha).fit(X, y)
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=1e-6 * np.abs(exact.coef_).max())
    np.testing.assert_allclose(model.predict(X), exact.predict(X), atol=1e-5)
    assert model.coef_.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(40, 12), (12, 20)], ids=["tall", "wide"])
@pytest.mark.parametrize("kind", ["plain", "weights", "factor", "unpenalised", "no intercept"])
def test_all_alphas_of_ridge_are_those_of_augmented_systems(dtype, shape, kind):
    X, y = wide(*shape, rho=0.5)
    rng = np.random.default_rng(1)
    options: Any = {}
    if kind == "weights":
        options["sample_weight"] = rng.integers(0, 3, shape[0]).astype(float)
    if kind in ("factor", "unpenalised"):
        options["penalty_factor"] = rng.uniform(0.2, 3, shape[1])
        options["penalty_factor"][[2, 5]] = np.inf
        options["penalty_factor"][[0, 7]] = 0.0 if kind == "unpenalised" else 1.0
    alphas = [1e2, 0.3, 1e-4, 1e-8]
    fit_intercept = kind != "no intercept"
    path = pr.fit_path(X, y, alphas=alphas, l1_ratio=0.0, fit_intercept=fit_intercept, dtype=dtype, **options)
    given = options.get("sample_weight"), options.get("penalty_factor")
    for k, alpha in enumerate(alphas):
        exact = augmented(X, y, alpha, weights=given[0], factor=given[1], intercept=fit_intercept)
        atol = {"float32": 1e-6, "float64": 1e-9}[dtype] * np.abs(exact).max()
        np.testing.assert_allclose(path.coef[k], exact, atol=atol)
        assert np.all(path.coef[k][exact == 0] == 0)
    assert path.converged[:2].all()
    if dtype == "float64":
        assert path.converged.all()
    if kind not in ("unpenalised",):
        assert not np.isnan(path.gap).any()


def test_only_ratio_zero_takes_the_closed_form_and_solvers_are_obeyed():
    X, y = wide(30, 8)
    both = pr.fit_path(X, y, alphas=[0.3, 0.1], l1_ratio=[0.0, 0.5], tol=1e-9, dtype="float64")
    np.testing.assert_allclose(both.coef[0, 1], augmented(X, y, 0.1), atol=1e-12)
    alone = pr.fit_path(X, y, alphas=[0.3, 0.1], l1_ratio=0.5, tol=1e-9, dtype="float64")
    np.testing.assert_allclose(both.coef[1], alone.coef, atol=1e-12)
    assert np.all(both.num_steps[0] == 1)
    for solver in ("fista", "coordinate_descent"):
        steps = pr.fit_path(X, y, alphas=[0.01], l1_ratio=0.0, solver=solver, tol=1e-9, dtype="float64")
        assert steps.num_steps[0] > 1
        np.testing.assert_allclose(steps.coef[0], augmented(X, y, 0.01), rtol=1e-3)


def test_ridge_of_several_responses_and_of_folds():
    X, _ = wide(30, 40)
    Y = np.random.default_rng(3).normal(size=(30, 2)) + X[:, :2]
    path = pr.fit_path(X, Y, alphas=[1.0, 1e-3], l1_ratio=0.0, standardize=True, dtype="float32")
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    for t in range(2):
        for k, alpha in enumerate([1.0, 1e-3]):
            exact = augmented(scaled, Y[:, t], alpha) / X.std(axis=0)
            np.testing.assert_allclose(path.coef[t, k], exact, atol=2e-6 * np.abs(exact).max())
    y, alphas = Y[:, 0], [1.0, 1e-2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pr.DataWarning)  # of the edge of the grid
        cv = pr.cv_path(X, y, alphas=alphas, l1_ratio=0.0, folds=3, dtype="float32")
    for fold, test in enumerate(np.array_split(np.arange(30), 3)):
        rest = np.setdiff1d(np.arange(30), test)
        for k, alpha in enumerate(alphas):
            coef = augmented(X[rest], y[rest], alpha)
            missed = (y[test] - y[rest].mean()) - (X[test] - X[rest].mean(axis=0)) @ coef
            np.testing.assert_allclose(cv.fold_loss[fold, k], np.mean(missed**2) / 2, rtol=1e-5)


def test_bootstrap_of_ridge_is_ridge_of_the_samples():
    X, y = wide(15, 25)
    for alpha in (0.05, 0.0):
        boot = pr.bootstrap(X, y, key=jax.random.key(0), num_samples=4, alphas=alpha, l1_ratio=0.0, dtype="float64")
        drawn = np.asarray(jax.random.randint(jax.random.fold_in(jax.random.key(0), 0), (4, 15), 0, 15))
        for sample, rows in enumerate(drawn):
            exact = augmented(X[rows], y[rows], alpha)
            np.testing.assert_allclose(boot.coef[sample, 0], exact, atol=1e-9)
        assert boot.converged.all()
        assert np.all(boot.gap <= 1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.7, 1.0])
@pytest.mark.parametrize(("shape", "standardize"), [((40, 12), False), ((12, 20), False), ((12, 20), True)])
def test_without_a_penalty_the_solution_of_least_norm(dtype, l1_ratio, shape, standardize):
    X, y = wide(*shape)
    X[:, 4] = X[:, 1] + 2 * X[:, 2]
    X[:, 6] = 0.5
    scale = np.where(np.ptp(X, axis=0) > 0, X.std(axis=0), 1) if standardize else np.ones(shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pr.DataWarning)  # of the constant column
        path = pr.fit_path(X, y, alphas=0.0, l1_ratio=l1_ratio, standardize=standardize, dtype=dtype)
    centred = (X - X.mean(axis=0)) / scale
    centred[:, 6] = 0.0
    exact = np.linalg.lstsq(centred, y - y.mean(), rcond=1e-10)[0] / scale
    np.testing.assert_allclose(path.coef[0], exact, atol={"float32": 2e-6, "float64": 1e-11}[dtype])
    assert path.coef[0, 6] == 0
    assert path.converged[0]
    assert path.gap[0] <= 1e-9


def test_without_a_penalty_units_of_columns_decide_nothing():
    X, y = wide(30, 6)
    units = 10.0 ** np.array([0, -9, 5, 0, 9, -4])
    options: Any = {"alphas": 0.0, "dtype": "float64", "tol": 1e-9}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pr.DataWarning)  # of the units
        path = pr.fit_path(X * units, y, **options)
    np.testing.assert_allclose(path.coef[0] * units, augmented(X, y, 0.0), rtol=1e-9)
    assert path.gap[0] <= 1e-12


def test_a_point_off_the_least_squares_solution_has_the_gap_that_it_is_off():
    rows, response = wide(25, 6)
    rows, response = rows - rows.mean(axis=0), response - response.mean()
    found = shortest(rows, response[:, None])
    off = found.coef[0] + [0, 0.3, 0, -0.1, 0, 0]
    above = (np.sum((rows @ off - response) ** 2) - np.sum((rows @ found.coef[0] - response) ** 2)) / 2
    residual = rows @ off - response
    np.testing.assert_allclose(found.excess(residual[None])[0], above, rtol=1e-9)
    by_products = shortest_by_products(rows.T @ rows, response[None] @ rows)
    assert by_products is not None
    np.testing.assert_allclose(by_products.coef[0], found.coef[0], rtol=1e-9)
    np.testing.assert_allclose(by_products.excess(residual[None] @ rows)[0], above, rtol=1e-9)


def test_float32_says_where_its_rounding_leaves_the_solution_above_tol():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 1)) + 1e-8 * rng.normal(size=(20, 6))
    y = rng.normal(size=20)
    options: Any = {"alphas": 1e-20, "l1_ratio": 0.0, "tol": 1e-5}
    with pytest.warns(pr.ConvergenceWarning, match="float64"):
        path = pr.fit_path(X, y, dtype="float32", **options)
    rows, response = X - X.mean(axis=0), y - y.mean()
    losses = [np.mean((response - rows @ coef) ** 2) / 2 for coef in (path.coef[0], augmented(X, y, 1e-20))]
    assert losses[0] > losses[1] + 1e-4 * np.mean(response**2)  # so it is not converged in truth
    assert not path.converged[0]


@pytest.mark.parametrize(
    ("penalty", "factor"),
    [(pr.L2(1e-3), None), (pr.ElasticNet(1e-3, 0.0), np.linspace(0.5, 2, 30)), (pr.Zero(), None)],
    ids=["ridge", "factor", "none"],
)
def test_a_single_fit_is_that_of_the_path(penalty, factor):
    X, y = wide(20, 30)
    alpha = getattr(penalty, "alpha", 0.0)
    found = pr.fit(X, y, penalty=penalty, penalty_factor=factor, dtype="float32")
    exact = augmented(X, y, alpha, factor=factor)
    np.testing.assert_allclose(found.coef, exact, atol=1e-6 * np.abs(exact).max())
    assert found.converged
    assert found.coef.shape == (30,)
    assert found.gap.shape == found.intercept.shape == ()
