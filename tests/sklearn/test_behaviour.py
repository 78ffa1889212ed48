"""What users of scikit-learn count on: known answers, shapes, warnings, pipelines, copies, data frames."""

import copy
import importlib
import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone as unfitted
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import proxreg.sklearn as ps
from tests import problems
from tests.sklearn.shared import X, Y, named

clone: Any = unfitted  # whose type says what it makes of lists
LABELS = np.where(Y > 140, "high", "low")
ALL: list[tuple[Any, np.ndarray]] = [
    (ps.Lasso(alpha=0.1), Y),
    (ps.ElasticNet(alpha=0.01, l1_ratio=0.7), Y),
    (ps.Ridge(alpha=0.5), Y),
    (ps.LassoCV(alphas=7), Y),
    (ps.ElasticNetCV(l1_ratio=[0.5, 0.9], alphas=7), Y),
    (ps.RidgeCV(alphas=[0.01, 0.1, 1.0]), Y),
    (ps.RidgeCV(alphas=[0.01, 0.1, 1.0], cv=3), Y),
    (ps.LogisticRegression(C=0.5), LABELS),
    (ps.LogisticRegressionCV(Cs=[0.1, 1.0], cv=3, scoring="accuracy"), LABELS),
    (ps.PoissonRegressor(alpha=0.1), np.round(Y / 25)),
]
everyone = pytest.mark.parametrize(("model", "y"), ALL, ids=[str(model) for model, _ in ALL])


LINE = np.array([[-1.0], [0.0], [1.0]])


def test_every_exported_estimator_is_tested():
    exported = {name for name, value in vars(ps).items() if isinstance(value, type)}
    assert {type(model).__name__ for model, _ in ALL} == exported


@pytest.mark.parametrize("alpha", [0.0, 1e-8, 0.1, 0.5, 2 / 3 - 1e-9, 1.0])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_a_line_through_three_points(alpha, l1_ratio):
    # of (2/3) (1 - w)^2 / 2 + alpha (l1_ratio w + (1 - l1_ratio) w^2 / 2)
    known = max(2 / 3 - alpha * l1_ratio, 0) / (2 / 3 + alpha * (1 - l1_ratio))
    model = ps.ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-12).fit(LINE, LINE.ravel() + 5)
    np.testing.assert_allclose(model.coef_, [known], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.intercept_, 5, rtol=1e-12)
    np.testing.assert_allclose(model.predict([[2.0], [-3.0]]), 5 + known * np.array([2, -3]), rtol=1e-9)
    assert (model.coef_[0] == 0) == (known == 0)
    assert isinstance(model.n_iter_, int)


def test_ridge_on_a_line():
    for alpha in (0.0, 1.0, 4.0):  # 2 (1 - w)^2 + alpha w^2
        model = ps.Ridge(alpha=alpha).fit(LINE, LINE.ravel())
        np.testing.assert_allclose(model.coef_, [2 / (2 + alpha)], rtol=1e-9)
        weighted = ps.Ridge(alpha=3 * alpha).fit(LINE, LINE.ravel(), sample_weight=3.0)
        np.testing.assert_allclose(weighted.coef_, model.coef_, rtol=1e-9)


@pytest.mark.parametrize("weights", [None, np.random.default_rng(0).uniform(0, 2, len(Y))], ids=["alike", "weighted"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_all_coefficients_are_zero_from_alpha_max_on(weights, l1_ratio):
    s = np.ones(len(Y)) if weights is None else weights
    s = s / s.sum()
    top = np.abs((s * (Y - s @ Y)) @ (X - s @ X)).max() / l1_ratio
    model = ps.ElasticNet(l1_ratio=l1_ratio)
    assert not model.set_params(alpha=top * (1 + 1e-9)).fit(X, Y, sample_weight=weights).coef_.any()
    np.testing.assert_allclose(model.intercept_, s @ Y, rtol=1e-12)
    assert np.count_nonzero(model.set_params(alpha=0.99 * top).fit(X, Y, sample_weight=weights).coef_) == 1


@pytest.mark.parametrize("model", [ps.Lasso(alpha=0.01), ps.ElasticNet(alpha=0.001), ps.Ridge(alpha=0.1)], ids=str)
def test_positive_coefficients(model):
    free = clone(model).fit(X, Y).coef_
    bound = clone(model).set_params(positive=True).fit(X, Y).coef_
    assert free.min() < 0 <= bound.min()
    assert (bound == 0).any()
    assert bound.max() > 0
    kept = bound > 0  # without the constraint on them, these columns alone give the same
    alone = clone(model).set_params(tol=1e-12).fit(X[:, kept], Y).coef_
    np.testing.assert_allclose(bound[kept], alone, rtol=1e-3)


@pytest.mark.parametrize("model", [ps.Lasso(alpha=0.1), ps.ElasticNet(alpha=0.01), ps.Ridge(), ps.RidgeCV()], ids=str)
def test_several_targets_are_separate_fits(model):
    targets = np.c_[Y, Y[::-1], np.square(Y)]
    if isinstance(model, ps.RidgeCV):
        model.set_params(alpha_per_target=True)
    else:
        model.set_params(tol=1e-12)
    together = model.fit(X, targets)
    predicted = together.predict(X)
    assert together.coef_.shape == (3, 10)
    assert together.intercept_.shape == (3,)
    assert predicted.shape == targets.shape
    coef, intercept = together.coef_, together.intercept_
    for k in range(3):
        alone = model.fit(X, targets[:, k])
        np.testing.assert_allclose(coef[k], alone.coef_, rtol=1e-6, atol=1e-9 * np.abs(coef).max())
        np.testing.assert_allclose(intercept[k], alone.intercept_, rtol=1e-9)
        np.testing.assert_allclose(predicted[:, k], alone.predict(X), rtol=1e-6)


@pytest.mark.parametrize("cls", [ps.LassoCV, ps.ElasticNetCV])
def test_the_ends_of_a_grid(cls):
    model = cls(n_alphas=9, eps=1e-2, cv=3).fit(X, Y)
    ratio = getattr(model, "l1_ratio_", 1.0)
    top = np.abs((Y - Y.mean()) @ X).max() / len(Y) / ratio
    np.testing.assert_allclose(model.alphas_, top * np.geomspace(1, 1e-2, 9), rtol=1e-9)
    assert model.mse_path_.shape == (9, 3)
    assert model.alpha_ == model.alphas_[np.argmin(model.mse_path_.mean(axis=1))]
    for fold, (train, test) in enumerate(KFold(3).split(X)):  # nothing but an intercept at the top
        np.testing.assert_allclose(model.mse_path_[0, fold], np.mean(np.square(Y[test] - Y[train].mean())), rtol=0.05)
    np.testing.assert_array_equal(cls(alphas=9, eps=1e-2, cv=3).fit(X, Y).alphas_, model.alphas_)
    given = cls(alphas=[0.1, 1.0, 0.0, 0.5], cv=3).fit(X, Y)
    np.testing.assert_array_equal(given.alphas_, [1.0, 0.5, 0.1, 0.0])
    several = ps.ElasticNetCV(l1_ratio=[0.2, 1.0], alphas=[0.1, 1.0], cv=3).fit(X, Y)
    assert several.mse_path_.shape == (2, 2, 3)
    assert several.alphas_.shape == (2,)


@pytest.mark.parametrize(
    ("model", "y", "renamed"),
    [
        (ps.Lasso(alpha=0.1), Y, {}),
        (ps.ElasticNetCV(alphas=5), Y, {}),
        (ps.PoissonRegressor(alpha=0.1), Y, {}),
        (ps.LogisticRegression(alpha=0.01), LABELS, {}),
        (ps.LogisticRegression(C=0.7), LABELS, {"C": 0.7 / 3}),
        (ps.Ridge(alpha=0.2), Y, {"alpha": 0.6}),
        (ps.RidgeCV([0.1, 1.0]), Y, {"alphas": [0.3, 3.0]}),
    ],
    ids=named,
)
def test_what_the_scale_of_weights_means(model, y, renamed):
    weights = np.random.default_rng(0).uniform(0.1, 2, len(y))
    one = clone(model).fit(X, y, sample_weight=weights)
    three = clone(model).set_params(**renamed).fit(X, y, sample_weight=3 * weights)
    np.testing.assert_allclose(one.coef_, three.coef_, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (ps.Lasso(alpha=1e-3, tol=1e-12, max_iter=1), Y),
        (ps.LassoCV(alphas=[1e-3], tol=1e-12, max_iter=1), Y),
        (ps.LogisticRegression(C=1e4, tol=1e-12, max_iter=1), LABELS),
        (ps.LogisticRegressionCV(Cs=[1e4], tol=1e-12, max_iter=1, cv=2), LABELS),
        (ps.PoissonRegressor(alpha=0.0, tol=1e-12, max_iter=1), Y),
    ],
    ids=named,
)
def test_a_fit_that_did_not_converge_says_so_in_scikit_learns_category(model, y):
    Z = X @ np.tril(np.ones((10, 10)))
    with pytest.warns(ConvergenceWarning, match=r"problems above tol: .*; raise max_iter or scale the columns") as said:
        model.fit(Z, y)
    assert {warning.category for warning in said} == {ConvergenceWarning}
    assert {warning.filename for warning in said} == {__file__}


@everyone
def test_constant_and_unequal_columns_are_taken_in_silence(model, y):
    Z = np.c_[X, np.full(len(X), 3.0), 1e5 * X[:, 0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = clone(model).fit(Z, y)
    assert np.ravel(model.coef_).size == 12
    assert np.all(np.take(model.coef_, 10, axis=-1) == 0)


@pytest.mark.parametrize("model", [ps.Lasso(), ps.ElasticNetCV(), ps.Ridge(), ps.RidgeCV(cv=3)], ids=str)
def test_a_constant_response_is_its_own_prediction(model):
    model.fit(X, np.full(len(X), 2.5))
    assert not model.coef_.any()
    np.testing.assert_allclose(model.predict(X[:3]), 2.5, rtol=1e-12)
    if isinstance(model, ps.ElasticNetCV):
        np.testing.assert_array_equal(model.alphas_, np.finfo(float).resolution)  # as in scikit-learn
        assert model.alpha_ == np.finfo(float).resolution


def test_other_warnings_go_on():
    class Talkative(KFold):
        def split(self, X, y=None, groups=None):
            warnings.warn("a word from a splitter", stacklevel=2)
            return super().split(X, y, groups)

    with pytest.warns(UserWarning, match="a word"):
        ps.RidgeCV(cv=Talkative(3)).fit(X, Y)


@everyone
def test_pipelines_copies_and_files(model, y):
    fitted = clone(model)
    assert fitted.get_params() == model.get_params()
    assert repr(fitted) == repr(model)
    with pytest.raises(NotFittedError):
        fitted.predict(X)
    fitted.fit(X, y)
    known = fitted.predict(X)
    for again in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        np.testing.assert_array_equal(again.predict(X), known)
    for name, value in vars(fitted).items():  # nothing of JAX, which would tie a file to its version
        assert not type(value).__module__.startswith("jax"), name
    pipeline: Any = make_pipeline(StandardScaler(), clone(model)).fit(X, y)
    assert pipeline.predict(X).shape == y.shape
    assert pipeline.score(X, y) > 0.2
    assert set(vars(clone(fitted))) == set(model.get_params())


def test_cross_val_predict_knows_the_methods_of_a_classifier():
    found: Any = cross_val_predict(ps.LogisticRegression(), X, LABELS, cv=3, method="predict_proba")
    assert found.shape == (len(X), 2)


@everyone
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_data_frames(frame, model, y):
    names = [f"feature {j}" for j in range(10)]
    data = frame(dict(zip(names, X.T)))
    fitted = clone(model).fit(data, y)
    assert list(fitted.feature_names_in_) == names
    known = clone(model).fit(X, y)
    np.testing.assert_allclose(fitted.coef_, known.coef_, rtol=1e-7)  # columns and rows are summed in other orders
    assert fitted.predict(data).shape == y.shape
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(frame(dict(zip(names[::-1], X.T))))


def test_probabilities_far_away_are_probabilities():
    Z = np.random.default_rng(0).normal(size=(90, 2))
    model = ps.LogisticRegression(C=10.0).fit(Z, np.digitize(Z[:, 0], [-0.5, 0.5]))
    far = 1e6 * np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    found = model.predict_proba(far)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-9)
    np.testing.assert_array_equal(found[range(4), model.predict(far)], found.max(axis=1))
    assert np.isfinite(model.predict_log_proba(far)).all()


def test_balanced_classes_count_weights():
    weights = np.where(LABELS == "high", 4.0, 1.0)
    totals = {label: weights[label == LABELS].sum() for label in ("high", "low")}
    by_hand = {label: weights.sum() / (2 * total) for label, total in totals.items()}
    one = ps.LogisticRegression(class_weight="balanced").fit(X, LABELS, sample_weight=weights)
    other = ps.LogisticRegression(class_weight=by_hand).fit(X, LABELS, sample_weight=weights)
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-12)


def test_another_number_of_columns_compiles_nothing():
    data, y = problems.responses("logistic")
    compiled = importlib.import_module("proxreg.batch.solve_path")._solve_path._cache_size
    ps.LogisticRegression().fit(data, y)
    before = compiled()
    for p in (1, 5, 7):
        assert ps.LogisticRegression().fit(data[:, :p], y).coef_.shape == (1, p)
    assert compiled() == before
