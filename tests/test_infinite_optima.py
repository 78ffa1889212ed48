"""Where no finite coefficients are the best ones, or rounding has moved those that are returned, fits say so."""

from typing import Any

import jax
import numpy as np
import pytest

import proxreg as pr
from proxreg.resampling import bootstrap_samples


def separable(quasi=False):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(30, 3))
    y = X[:, 0] > 0.1
    if quasi:  # rows on the boundary are of both classes
        X[:4, 0], y[:4] = 0.1, [True, False, True, False]
    return X, y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("quasi", [False, True], ids=["complete", "quasi"])
def test_separated_classes_are_named(quasi, dtype):
    X, y = separable(quasi)
    with pytest.warns(pr.ConvergenceWarning, match="no finite optimum"):
        fit = pr.fit(X, y, penalty=pr.L1(0.0), loss="logistic", dtype=dtype)
    assert not fit.converged
    with pytest.warns(pr.ConvergenceWarning, match=r"2/3 problems .* no finite optimum"):
        path = pr.fit_path(X, y, alphas=[0.1, 0.0, 0.0], loss="logistic", dtype=dtype)
    np.testing.assert_array_equal(path.converged, [True, False, False])
    with pytest.warns(pr.ConvergenceWarning, match="no finite optimum"):
        path = pr.fit_path(X, y, alphas=[0.1], penalty_factor=[0, 1, 1], loss="logistic", dtype=dtype)
    assert not path.converged.any()
    beside = pr.fit_path(X, y, alphas=[0.1], penalty_factor=[1, 0, 0], loss="logistic", dtype=dtype)
    assert beside.converged.all()
    assert beside.gap[0] <= 1e-4


def test_a_level_without_events_is_named():
    rng = np.random.default_rng(6)
    X = np.column_stack([np.arange(30) % 3 == 0, rng.normal(size=(30, 2))])
    y = np.where(X[:, 0] == 1, 0.0, rng.poisson(2.0, size=30))
    given = {"loss": "poisson", "alphas": [0.05], "dtype": "float64"}
    with pytest.warns(pr.ConvergenceWarning, match="no finite optimum"):
        assert not pr.fit_path(X, y, penalty_factor=[0, 1, 1], **given).converged.any()
    y[0] = 1.0
    assert pr.fit_path(X, y, penalty_factor=[0, 1, 1], **given).converged.all()


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_rows_of_one_kind_are_refused(alpha):
    X, y = separable()
    with pytest.raises(ValueError, match="y has no event: the best intercept is -infinity"):
        pr.fit(X, np.zeros(30), penalty=pr.L1(alpha), loss="poisson")
    with pytest.raises(ValueError, match="single class among the rows of positive weight: the best intercept is inf"):
        pr.fit(X, y, penalty=pr.L1(alpha), loss="logistic", sample_weight=y.astype(float))
    with jax.enable_x64(True):
        model = pr.LinearModel(X, np.zeros(30), "poisson", fit_intercept=True)
        assert pr.fista(model, pr.L1(alpha)).status == pr.Status.NON_FINITE


def sorted_counts():
    rng = np.random.default_rng(0)
    y = np.concatenate([np.zeros(40), rng.poisson(2.0, 10)])
    y[-1] = 3.0
    return rng.normal(size=(50, 3)), y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_folds_without_events(dtype):
    X, y = sorted_counts()
    given = {"loss": "poisson", "n_alphas": 4, "dtype": dtype, "folds": 5}
    with pytest.raises(ValueError, match="fold 4 has no event to fit on: its intercept is -infinity; shuffle"):
        pr.cv_path(X, y, **given)
    cv = pr.cv_path(X, y, **given, degenerate_folds="infinite")
    assert np.isinf(cv.fold_loss[4]).all()
    assert np.isfinite(cv.fold_loss[:4]).all()
    assert np.isinf(cv.mean_loss).all()
    with pytest.warns(pr.DataWarning, match="no feature helps"):
        held = pr.cv_path(X, y, **given, degenerate_folds="infinite", metric="mse")
    np.testing.assert_allclose(held.fold_loss[4], np.mean(y[40:] ** 2), rtol=1e-6)  # the limit predicts zero
    with (
        pytest.warns(pr.DataWarning, match="no feature helps"),
        pytest.warns(pr.DataWarning, match=r"fold 4 has no event .*; 1 of 5 folds left out"),
    ):
        dropped = pr.cv_path(X, y, **given, degenerate_folds="drop", metric="mse")
    np.testing.assert_allclose(dropped.fold_loss, held.fold_loss[:4])
    with pytest.raises(ValueError, match="degenerate_folds must be one of"):
        pr.cv_path(X, y, **given, degenerate_folds="skip")


def test_folds_of_a_single_class():
    X, y = separable()
    y = np.sort(y)
    with pytest.raises(ValueError, match=r"fold 0 has a single class|fold 1 has a single class"):
        pr.cv_path(X, y, loss="logistic", folds=np.where(y, 1, 0), n_alphas=3)
    cv = pr.cv_path(X, y, loss="logistic", folds=np.where(y, 1, 0), n_alphas=3, degenerate_folds="infinite")
    assert np.isinf(cv.fold_loss).all()  # each fold holds the class that it was not fitted on
    held = pr.cv_path(
        X, y, loss="logistic", folds=np.where(y, 1, 0), n_alphas=3, degenerate_folds="infinite", metric="accuracy"
    )
    np.testing.assert_array_equal(held.fold_loss, 0)


def separated_outside_a_fold():
    """Classes that the first column separates but for one row, which is held out by the first of five folds."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(40, 3))
    y = X[:, 0] > 0
    odd = int(np.argmax(X[:, 0]))
    y[odd] = False
    X[[0, odd]], y[[0, odd]] = X[[odd, 0]], y[[odd, 0]]
    return X, y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_folds_whose_classes_are_separated(dtype):
    X, y = separated_outside_a_fold()
    given = {"loss": "logistic", "folds": np.arange(40) // 8, "alphas": [0.1, 0.0], "dtype": dtype}
    with pytest.raises(ValueError, match=r"fold 0 has no finite optimum .*alpha=0.*; penalise such columns"):
        pr.cv_path(X, y, **given)
    with pytest.warns(pr.ConvergenceWarning, match=r"1/12 .*alpha=0, fold 0.* no finite optimum"):
        cv = pr.cv_path(X, y, **given, degenerate_folds="infinite")
    np.testing.assert_array_equal(np.isinf(cv.fold_loss[:, 1]), [True, False, False, False, False])
    assert np.isfinite(cv.fold_loss[:, 0]).all()
    assert cv.alpha_min == np.asarray(0.1, dtype)
    with pytest.warns(pr.DataWarning, match="fold 0 has no finite optimum .* it is left out"):
        dropped = pr.cv_path(X, y, **given, degenerate_folds="drop")
    np.testing.assert_array_equal(dropped.fold_loss, cv.fold_loss[1:])


def test_samples_whose_classes_are_separated_have_not_converged():
    X, y = separated_outside_a_fold()
    given = {"loss": "logistic", "alphas": 0.05, "penalty_factor": [0, 1, 1], "dtype": "float64"}
    with pytest.warns(pr.ConvergenceWarning, match=r"\d+/20 problems not converged: there is no finite optimum"):
        found = pr.bootstrap(X, y, key=jax.random.key(0), num_samples=20, **given)
    weights = bootstrap_samples(jax.random.key(0), y, (False, True), 20)
    separated = weights[:, 0] == 0  # the one row on the wrong side was not drawn
    assert 0 < separated.sum() < 20
    np.testing.assert_array_equal(found.converged[:, 0], ~separated)
    assert np.all(found.gap[~separated] <= 1e-4)


def test_samples_without_a_penalty_have_the_shortest_coefficients():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(30, 4)), rng.poisson(2.0, size=30).astype(float)
    X = np.column_stack([X, X[:, :2] + X[:, 2:]])
    found = pr.bootstrap(
        X, y, key=jax.random.key(0), num_samples=3, loss="poisson", alphas=0.0, dtype="float64", tol=1e-9
    )
    for coef, gap, weights in zip(found.coef[:, 0], found.gap[:, 0], bootstrap_samples(jax.random.key(0), y, None, 3)):
        counted = X[weights > 0] - X[0]
        basis = np.linalg.svd(counted)[2][:4]
        np.testing.assert_allclose(basis.T @ (basis @ coef), coef, atol=1e-7)
        assert gap <= 1e-9


def test_samples_without_events_are_named():
    X, y = sorted_counts()
    y[:] = 0
    y[7] = 2.0
    with pytest.raises(ValueError, match=r"sample .* has no event: its intercept is infinite"):
        pr.bootstrap(X, y, key=jax.random.key(0), num_samples=30, loss="poisson", alphas=[0.1])


@pytest.mark.parametrize("name", ["squared", "logistic"])
def test_an_intercept_that_float32_rounds_is_part_of_the_gap(name):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(50, 3))
    if name == "squared":
        y = (1e6 + 1.4 * rng.normal(size=50)).astype(np.float32)
    else:
        y = X[:, 0] > 0.3 * rng.normal(size=50)
        X = (X + 1e6).astype(np.float32)
    alphas = np.geomspace(1e-3, 3e-2, 8)
    with pytest.warns(pr.ConvergenceWarning, match="too large for the digits of float32: centre y"):
        path = pr.fit_path(X, y, alphas=alphas, loss=name, tol=1e-5, dtype="float32")
    exact = pr.fit_path(X.astype(float), y, alphas=alphas, loss=name, tol=1e-10, dtype="float64")
    mean = np.mean(y.astype(float))
    null = np.var(y.astype(float)) / 2 if name == "squared" else -mean * np.log(mean) - (1 - mean) * np.log(1 - mean)
    assert not path.converged.all()
    for k, alpha in enumerate(path.alphas.astype(float)):
        eta = X.astype(float) @ path.coef[k].astype(float) + float(path.intercept[k])
        rows = (y - eta) ** 2 / 2 if name == "squared" else np.logaddexp(0, eta) - y * eta
        reached = rows.mean() + alpha * np.abs(path.coef[k].astype(float)).sum()
        np.testing.assert_allclose(path.objective[k], reached, rtol=1e-5)
        assert path.gap[k] >= (reached - exact.objective[k]) / null - 2e-6
        assert path.converged[k] == (path.gap[k] <= 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["squared", "logistic", "poisson"])
def test_a_column_that_is_constant_where_weights_are(name, dtype):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    weights = np.ones(50)
    weights[40:] = 0
    X[:40, 1], X[40:, 1] = 0.0, 100 + 5 * rng.normal(size=10)
    y = {"squared": X[:, 0] + rng.normal(size=50), "logistic": X[:, 0] > 0, "poisson": rng.poisson(2.0, 50)}[name]
    given = {"alphas": [1e-3, 0.1], "loss": name, "dtype": dtype}
    with pytest.warns(pr.DataWarning, match="constant: column 1"):
        path = pr.fit_path(X, y, sample_weight=weights, **given)
    with pytest.warns(pr.DataWarning, match="constant: column 1"):
        some = pr.fit_path(X[:40], y[:40], **given)
    assert path.converged.all()
    np.testing.assert_array_equal(path.coef[:, 1], 0)
    np.testing.assert_allclose(path.coef, some.coef, atol=1e-2)
    with jax.enable_x64(dtype == "float64"):
        model = pr.LinearModel(X.astype(dtype), y.astype(dtype), name, weights.astype(dtype), fit_intercept=True)
        fit = pr.fista(model, pr.L1(1e-3))
    assert fit.status == pr.Status.CONVERGED
    np.testing.assert_allclose(fit.w.coef[1], 0, atol=1e-6)


@pytest.mark.parametrize(("dtype", "scale"), [("float32", 1e-25), ("float32", 1e-21), ("float64", 1e-165)])
@pytest.mark.parametrize("name", ["squared", "logistic", "poisson"])
def test_underflow_is_no_constant(name, dtype, scale):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y = {"squared": X[:, 0].copy(), "logistic": X[:, 0] > 0, "poisson": np.round(np.exp(X[:, 0]))}[name]
    X[:, 0] *= scale
    with pytest.raises(ValueError, match=f"the squares of column 0 underflow in {dtype}; multiply it"):
        pr.fit_path(X.astype(dtype), y, alphas=[0.1], loss=name, dtype=dtype)
    with jax.enable_x64(dtype == "float64"):
        model = pr.LinearModel(X.astype(dtype), y.astype(dtype), name, fit_intercept=True)
        assert pr.fista(model, pr.L1(1e-3 * scale), max_steps=50).status != pr.Status.CONVERGED


@pytest.mark.parametrize("solver", ["auto", "fista"])
def test_limits_do_not_hide_that_there_is_no_optimum(solver):
    X, y = separable()  # along the first column
    given = {"alphas": [0.1, 0.0], "loss": "logistic", "dtype": "float64", "solver": solver}
    open_ended: list[dict[str, Any]] = [{"positive": True}, {"lower": [0.0, -1, -1]}, {"upper": [np.inf, 0.0, 0.0]}]
    for limits in open_ended:
        with pytest.warns(pr.ConvergenceWarning, match=r"1/2 problems .* no finite optimum"):
            path = pr.fit_path(X, y, **given, **limits)
        np.testing.assert_array_equal(path.converged, [True, False])
    closed: list[dict[str, Any]] = [{"upper": [1.0, np.inf, np.inf]}, {"lower": -2.0, "upper": 2.0}]
    for limits in closed:
        assert pr.fit_path(X, y, **given, **limits).converged.all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huber_losses_that_underflow_are_refused(dtype):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    tiny = float(np.finfo(dtype).tiny)
    with pytest.raises(ValueError, match=f"losses of y less its mean underflow in {dtype}; multiply y and delta"):
        pr.fit_path(X, y * tiny**0.5, loss=pr.Huber(1.345), dtype=dtype)
    with pytest.raises(ValueError, match="losses of y underflow"):
        pr.fit_path(X, y, loss=pr.Huber(tiny), dtype=dtype, fit_intercept=False)
    unit = tiny**0.25
    small = pr.fit_path(X, y * unit, loss=pr.Huber(1.345 * unit), n_alphas=3, dtype=dtype)
    plain = pr.fit_path(X, y, loss=pr.Huber(1.345), n_alphas=3, dtype=dtype)
    np.testing.assert_allclose(small.coef, plain.coef * unit, atol=1e-3 * unit)


def test_squares_that_overflow_before_columns_are_scaled_are_refused():
    X = np.random.default_rng(0).normal(size=(30, 2)) * [1.0, 1e170]
    with pytest.raises(ValueError, match="the squares of column 1 overflow in float64"):
        pr.fit_path(X, X[:, 0], standardize=True)


@pytest.mark.parametrize("p", [1, 600])  # sums over rows, and rows
def test_what_rounding_takes_off_the_mean_of_y_is_in_the_gap(p):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(20, p))
    y = 4e7 + 1e-7 * (X[:, 0] + rng.normal(size=20))
    given = {"alphas": [3e-8], "dtype": "float64", "tol": 1e-9}
    with pytest.warns(pr.ConvergenceWarning, match="the intercept is too large for the digits of float64: centre y"):
        path = pr.fit_path(X, y, **given)
    near = pr.fit_path(X, y - 4e7, **given)
    residual = X @ path.coef[0] + (path.intercept[0] - 4e7) - (y - 4e7)
    reached = np.mean(residual**2) / 2 + 3e-8 * np.abs(path.coef).sum()
    excess = (reached - near.objective[0]) / (np.var(y - 4e7) / 2)
    np.testing.assert_allclose(path.gap[0], excess, rtol=1e-2, atol=1e-8)
