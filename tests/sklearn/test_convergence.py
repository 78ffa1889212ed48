"""How close fits come, and with how many steps: tolerances of the objective's size, few steps, warm starts."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone as unfitted
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import scale

import proxreg.sklearn as ps
from tests import problems
from tests.sklearn.shared import CANCER, NEWTON, SEVERAL, X, Y, named, sk

clone: Any = unfitted
LABELS = np.where(Y > 140, "high", "low")


def objective(model, Z, y, C=1.0):
    """``C`` times the sum of the losses, plus the ridge."""
    with np.errstate(divide="ignore"):
        log_p = model.predict_log_proba(Z)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    return -C * log_p.sum() + np.square(model.coef_).sum() / 2


def apart(count):
    """Classes that a plane, or two, separate: the optimum is far below the intercept-only model."""
    Z = np.random.default_rng(0).normal(size=(120, 3))
    return Z, np.digitize(Z @ [1.0, 2.0, -1.0], [0.0] if count == 2 else [-1.0, 1.0])


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("C", [1e4, 1e7])
@pytest.mark.parametrize("door", ["fit", "choice"])
def test_a_weak_penalty_at_the_default_tolerance(count, C, door):
    Z, y = apart(count)
    model = ps.LogisticRegression(C=C) if door == "fit" else ps.LogisticRegressionCV(Cs=[C], cv=2)
    model.fit(Z, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at this tolerance rounding ends their line search
        theirs = sk.LogisticRegression(C=C, **{**NEWTON, "tol": 1e-14}).fit(Z, y)
    np.testing.assert_allclose(objective(model, Z, y, C), objective(theirs, Z, y, C), rtol=1e-5)


def test_counts_that_are_nearly_explained():
    Z = np.random.default_rng(1).normal(size=(120, 3))
    y = np.exp(Z @ [0.5, -1.0, 0.3])
    alpha = 1e-8
    model = ps.PoissonRegressor(alpha=alpha).fit(Z, y)
    theirs = sk.PoissonRegressor(alpha=alpha, **{**NEWTON, "tol": 1e-14}).fit(Z, y)

    def value(fit):
        eta = fit.intercept_ + Z @ fit.coef_
        return np.mean(y * (np.expm1(eta - np.log(y)) - (eta - np.log(y)))) + alpha / 2 * fit.coef_ @ fit.coef_

    assert value(theirs) < 1e-6 * problems.null_loss("poisson", y)
    np.testing.assert_allclose(value(model), value(theirs), rtol=1e-5)


@pytest.mark.parametrize(
    "fit",
    [
        lambda Z, y: ps.LogisticRegression(C=np.inf).fit(Z, y),
        lambda Z, y: ps.LogisticRegression(alpha=0.0).fit(Z, y),
        lambda Z, y: ps.LogisticRegressionCV(Cs=[np.inf], cv=2).fit(Z, y),
    ],
    ids=["C", "alpha", "choice"],
)
@pytest.mark.parametrize("count", [2, 3])
def test_without_a_penalty_classes_that_are_separated_are_named(fit, count):
    Z, y = apart(count)
    with pytest.warns(ConvergenceWarning, match="the classes are separated: .* without bound; pass a finite C"):
        fit(Z, y)
    y = np.roll(y, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(Z, y)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_of_several_classes_one_that_is_separated_is_named(fit_intercept):
    rng = np.random.default_rng(1)
    Z = np.column_stack([np.tile([1.0, 0.0], 40), rng.normal(size=(80, 2))])
    y = rng.integers(np.where(Z[:, 0] == 1, 2, 3))  # where the column is one, the third class is missing
    model = ps.LogisticRegression(C=np.inf, fit_intercept=fit_intercept)
    with pytest.warns(ConvergenceWarning, match="the classes are separated"):
        model.fit(Z, y)
    weights = 1.0 + np.arange(80) % 3
    with pytest.warns(ConvergenceWarning, match="the classes are separated"):
        model.fit(Z, y, sample_weight=weights)
    y[[0, 2, 4]] = 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(Z, y)


def test_scikit_learns_default_of_max_iter():
    digits = load_digits(return_X_y=True)
    for Z, y in ((scale(digits[0]), digits[1]), CANCER):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = ps.LogisticRegression(max_iter=100).fit(Z, y)
        assert model.n_iter_[0] <= 100
        assert objective(model, Z, y) <= objective(sk.LogisticRegression().fit(Z, y), Z, y)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (ps.Lasso(alpha=0.1), Y),
        (ps.Lasso(alpha=0.1), SEVERAL),
        (ps.ElasticNet(alpha=0.01, fit_intercept=False), Y),
        (ps.LogisticRegression(), LABELS),
        (ps.LogisticRegression(fit_intercept=False), LABELS),
        (ps.LogisticRegression(), np.digitize(Y, [90, 200])),
        (ps.PoissonRegressor(alpha=0.01), np.round(Y / 25)),
    ],
    ids=named,
)
def test_a_warm_start_begins_at_what_was_fitted(model, y):
    cold, warm = clone(model).fit(X, y), clone(model).set_params(warm_start=True).fit(X, y)
    np.testing.assert_array_equal(warm.coef_, cold.coef_)
    assert np.all(np.asarray(cold.n_iter_) > 1)
    warm.fit(X, y)
    assert np.all(np.asarray(warm.n_iter_) == 0)
    np.testing.assert_allclose(warm.coef_, cold.coef_, rtol=1e-9, atol=1e-12)
    if np.asarray(y).dtype.kind == "f":
        np.testing.assert_allclose(warm.predict(X[:5]), cold.predict(X[:5]), rtol=1e-9)
    else:
        np.testing.assert_array_equal(warm.predict(X[:5]), cold.predict(X[:5]))
    elsewhere = X[:, :4]
    np.testing.assert_array_equal(warm.fit(elsewhere, y).coef_, clone(model).fit(elsewhere, y).coef_)


def test_steps_add_up_over_warm_starts():
    warm = ps.Lasso(alpha=1e-3, max_iter=1, tol=1e-9, warm_start=True)
    Z = X @ np.tril(np.ones((10, 10)))
    gaps = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(30):
            gaps.append(warm.fit(Z, Y).dual_gap_)
    assert gaps[-1] < 0.9 * gaps[0]  # where cold starts are all alike


def test_a_warm_start_at_infinity_is_none():
    model = ps.PoissonRegressor(warm_start=True)
    with pytest.warns(ConvergenceWarning, match="y is zero"):
        model.fit(X, 0 * Y)
    np.testing.assert_array_equal(model.fit(X, Y).coef_, ps.PoissonRegressor().fit(X, Y).coef_)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_without_a_penalty_wide_poisson_models_are_the_shortest(fit_intercept):
    rng = np.random.default_rng(0)
    Z, eta = rng.normal(size=(12, 30)) + 1, rng.normal(size=12)
    model = ps.PoissonRegressor(alpha=0.0, fit_intercept=fit_intercept, tol=1e-12).fit(Z, np.exp(eta))
    center = Z.mean(axis=0) if fit_intercept else 0  # every count is explained
    known = np.linalg.pinv(Z - center) @ (eta - (eta.mean() if fit_intercept else 0))
    np.testing.assert_allclose(model.coef_, known, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(Z), np.exp(eta), rtol=1e-5)


def test_without_a_penalty_two_columns_alike_share():
    Z, y = CANCER[0][:, :4], CANCER[1]
    known = ps.LogisticRegression(C=np.inf, tol=1e-12).fit(Z, y)
    model = ps.LogisticRegression(C=np.inf, tol=1e-12).fit(np.c_[Z, Z[:, 0]], y)
    np.testing.assert_allclose(model.coef_[0, [0, 4]], known.coef_[0, 0] / 2, rtol=1e-6)
    np.testing.assert_allclose(model.coef_[0, 1:4], known.coef_[0, 1:], rtol=1e-6)
