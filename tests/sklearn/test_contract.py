"""What scikit-learn's estimators take and give beside the fit itself: the same here."""

import warnings
from typing import Any

import numpy as np
import pytest
import sklearn
from scipy.sparse import issparse
from sklearn.base import clone as unfitted
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold
from sklearn.utils.fixes import parse_version

import proxreg.sklearn as ps
from tests.sklearn.shared import CANCER, NEWTON, OURS, SEVERAL, THEIRS, WEIGHTS, WINE, X, Y, assert_same, named, sk

clone: Any = unfitted
LABELS = np.where(Y > 140, "high", "low")
OLD = parse_version(sklearn.__version__) < parse_version("1.9")
SINCE_1_9 = pytest.mark.skipif(OLD, reason="a number of alphas is new in scikit-learn 1.9")


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_a_strength_for_each_target(positive, weights):
    alpha = np.array([0.1, 2.0, 30.0])
    ours = ps.Ridge(alpha=alpha, positive=positive).fit(X, SEVERAL, sample_weight=weights)
    theirs = sk.Ridge(alpha=alpha, positive=positive, tol=1e-14).fit(X, SEVERAL, sample_weight=weights)
    assert_same(ours, theirs, rtol=1e-4 if positive else 1e-6)
    assert ours.solver_ == theirs.solver_
    with pytest.raises(ValueError, match="Number of targets and number of penalties do not correspond: 3 != 1"):
        ours.fit(X, Y)
    with pytest.raises(ValueError, match=r"alpha\[1\] == -2.0, must be >= 0"):
        ps.Ridge(alpha=[1.0, -2.0, 3.0]).fit(X, SEVERAL)


@pytest.mark.parametrize("eps", [1.0, 3.0])
@pytest.mark.parametrize("options", [{}, {"positive": True}, {"fit_intercept": False}], ids=str)
def test_a_grid_that_does_not_fall(eps, options):
    ours = ps.LassoCV(eps=eps, alphas=3, cv=3, **options, **OURS).fit(X, Y, sample_weight=WEIGHTS)
    theirs = sk.LassoCV(eps=eps, alphas=3, cv=3, **options, **THEIRS).fit(X, Y, sample_weight=WEIGHTS)
    assert_same(ours, theirs, names=("alphas_",))
    if eps == 1:  # scikit-learn's errors of a rising grid are those of a falling one
        assert_same(ours, theirs, names=("mse_path_",))
    several = {"l1_ratio": [0.5, 1.0], "eps": eps, "alphas": 3, "cv": 3}
    ours, theirs = ps.ElasticNetCV(**several, **OURS).fit(X, Y), sk.ElasticNetCV(**several, **THEIRS).fit(X, Y)
    assert_same(ours, theirs, names=("alphas_",))


@pytest.mark.parametrize("l1_ratio", [0.4, 1.0])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"alphas": 7}, marks=SINCE_1_9),
        {"alphas": [0.1, 0.02, 1.0]},
        pytest.param({"alphas": 5, "positive": True, "eps": 0.1}, marks=SINCE_1_9),
    ],
    ids=str,
)
def test_paths(l1_ratio, options):
    options = {**options, "return_n_iter": True}
    ours = ps.ElasticNet.path(X, Y, l1_ratio=l1_ratio, tol=1e-12, **options)
    theirs = sk.ElasticNet.path(X, Y, l1_ratio=l1_ratio, tol=1e-14, max_iter=10**6, **options)
    for one, other in zip(ours[:2], theirs):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6 * np.abs(other).max())
    assert ours[2].shape == theirs[2].shape
    assert np.all(ours[2] <= 1e-9 * np.mean(np.square(Y)))
    assert len(ours[3]) == len(theirs[3])


def test_paths_of_all_that_have_one():
    for cls in (ps.Lasso, ps.ElasticNet, ps.LassoCV, ps.ElasticNetCV):
        assert cls.path.__name__ == getattr(sk, cls.__name__).path.__name__
    coefs = ps.LassoCV.path(X, Y, alphas=[0.1])[1]
    np.testing.assert_allclose(coefs[:, 0], ps.Lasso(alpha=0.1, fit_intercept=False).fit(X, Y).coef_, atol=1e-3)
    with pytest.raises(ValueError, match="multi-task"):
        ps.Lasso.path(X, SEVERAL)
    with pytest.raises(ValueError, match="Automatic alpha grid"):
        ps.ElasticNet.path(X, Y, l1_ratio=0.0)
    with pytest.raises(ValueError, match="Unexpected parameters in params"):
        ps.Lasso.path(X, Y, tolerance=1e-3)


@pytest.mark.parametrize(
    "model",
    [ps.Lasso(0.1), ps.Ridge(), ps.LassoCV(alphas=3), ps.RidgeCV(), ps.PoissonRegressor(), ps.LogisticRegression()],
)
def test_numbers_as_strings(model):
    y = LABELS if isinstance(model, ps.LogisticRegression) else np.round(Y)
    known = clone(model).fit(X, y).coef_
    np.testing.assert_array_equal(clone(model).fit(X.astype(str), y.astype(str)).coef_, known)
    np.testing.assert_array_equal(clone(model).fit(X, y.astype(str).astype(object)).coef_, known)
    if not isinstance(model, ps.LogisticRegression):
        with pytest.raises(ValueError, match="could not convert string to float"):
            clone(model).fit(X, LABELS)


@pytest.mark.parametrize(
    "model",
    [
        ps.Lasso(alpha="0.1"),  # pyright: ignore[reportArgumentType]
        ps.ElasticNet(l1_ratio=None),  # pyright: ignore[reportArgumentType]
        ps.Lasso(selection="cyclical"),
        ps.Ridge(solver="svdd"),
        ps.PoissonRegressor(solver="newton"),
        ps.LogisticRegression(solver="lbgfs"),
        ps.RidgeCV(gcv_mode="svdd"),
        ps.LogisticRegressionCV(scoring="acuracy"),
        ps.Lasso(max_iter=10.5),  # pyright: ignore[reportArgumentType]
        ps.Lasso(fit_intercept="no"),  # pyright: ignore[reportArgumentType]
    ],
    ids=named,
)
def test_what_is_misspelt_is_refused_in_scikit_learns_words(model):
    y = LABELS if "Logistic" in str(model) else Y
    defaults = type(model)().get_params()
    other = {name: value for name, value in model.get_params().items() if value is not defaults[name]}
    theirs = getattr(sk, type(model).__name__)(**other)
    with pytest.raises(ValueError, match="parameter of") as refusal:
        theirs.fit(X, y)
    with pytest.raises(ValueError, match="parameter of") as ours:
        model.fit(X, y)
    said, asked = ({word.strip("{},.") for word in str(each.value).split()} for each in (ours, refusal))
    assert said == asked  # a set of choices prints in any order


@pytest.mark.parametrize("cls", [ps.LogisticRegression, ps.LogisticRegressionCV])
def test_no_l1_ratio_is_ridge(cls):
    name, options = ("l1_ratio", {}) if cls is ps.LogisticRegression else ("l1_ratios", {"Cs": [0.1, 1.0], "cv": 3})
    with pytest.warns(FutureWarning, match=f"'{name}=None' was deprecated"):
        model = cls(**{name: None}, **options).fit(X, LABELS)
    np.testing.assert_array_equal(model.coef_, cls(**options).fit(X, LABELS).coef_)
    with pytest.raises(ValueError, match=f"{name} must be specified when penalty is elasticnet"):
        cls(**{name: None}, penalty="elasticnet", **options).fit(X, LABELS)


def test_sparse_coefficients_of_classes():
    for y in (LABELS, np.digitize(Y, [90, 200])):
        model = ps.LogisticRegression(alpha=0.02, l1_ratio=1.0).fit(10 * X, y)
        dense, probabilities = model.coef_, model.predict_proba(X)
        assert model.sparsify() is model
        assert issparse(model.coef_)
        assert model.coef_.nnz == np.count_nonzero(dense) < dense.size
        np.testing.assert_allclose(model.predict_proba(X), probabilities, rtol=1e-12)
        np.testing.assert_array_equal(model.densify().densify().coef_, dense)


def test_a_flag_for_input_that_was_checked():
    for cls in (ps.Lasso, ps.ElasticNet):
        one, other = cls(alpha=0.1).fit(X, Y, check_input=False), cls(alpha=0.1).fit(X, Y)
        np.testing.assert_array_equal(one.coef_, other.coef_)


@pytest.mark.parametrize("cls", [ps.LogisticRegression, ps.LogisticRegressionCV])
def test_weights_of_classes_that_y_lacks(cls):
    weights = {"low": 1.0, "high": 3.0}
    options: dict[str, Any] = {"Cs": [0.1], "cv": 3} if cls is ps.LogisticRegressionCV else {}
    known = cls(class_weight=weights, **options).fit(X, LABELS).coef_
    model = cls(class_weight={**weights, "middle": 7.0}, **options).fit(X, LABELS)
    np.testing.assert_array_equal(model.coef_, known)
    with pytest.raises(ValueError, match=r"The classes, \['high'\], are not in class_weight, which names 'middle'"):
        cls(class_weight={"low": 1.0, "middle": 7.0}, **options).fit(X, LABELS)


@pytest.mark.parametrize("y", [LABELS, np.where(Y > 90, LABELS, "middle")], ids=["two", "three"])
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
def test_a_class_without_weight_has_probability_0(y, l1_ratio):
    there = y != "low"
    model = ps.LogisticRegression(l1_ratio=l1_ratio, **OURS).fit(X, y, sample_weight=there)
    found = model.predict_proba(X)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    assert not found[:, 1].any()
    if "middle" in y:
        # of two classes the multinomial model penalises w and -w, half the difference each: by l2 that is half as much
        binary = (
            sk.LogisticRegression(C=2.0, **NEWTON) if l1_ratio == 0 else ps.LogisticRegression(l1_ratio=1.0, **OURS)
        )
        np.testing.assert_allclose(found[:, [0, 2]], binary.fit(X[there], y[there]).predict_proba(X), rtol=1e-5)
    of_class = clone(model).set_params(class_weight={"low": 0.0}).fit(X, y)
    np.testing.assert_array_equal(of_class.coef_, model.coef_)


@pytest.mark.parametrize("y", [LABELS, np.where(Y > 90, LABELS, "middle")], ids=["two", "three"])
def test_a_class_without_weight_and_no_intercept(y):
    options = {"fit_intercept": False, "C": 3.0}
    ours = ps.LogisticRegression(**options, **OURS).fit(10 * X, y, sample_weight=y != "low")
    theirs = sk.LogisticRegression(**options, **NEWTON).fit(10 * X, y, sample_weight=y != "low")
    assert_same(ours, theirs, rtol=1e-5)


def test_bagging_with_a_rare_class():
    y = np.where(np.arange(len(Y)) < 2, "rare", LABELS)
    bag: Any = BaggingClassifier(ps.LogisticRegression(), n_estimators=4, random_state=0)
    found = bag.fit(X, y).predict_proba(X)
    assert found.shape == (len(X), 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("data", [CANCER, WINE], ids=["two", "three"])
def test_a_fold_that_lacks_a_class(data):
    Z, y = data
    order = np.argsort(y, kind="stable")
    Z, y = Z[order], y[order]
    number = np.flatnonzero(y == y[0])[-1] + 1
    folds = [(np.arange(number, len(y)), np.arange(number)), *KFold(3, shuffle=True, random_state=0).split(Z)]
    options: dict[str, Any] = {"Cs": [1e-3, 0.1, 10.0], "cv": folds}
    name = y[0].item()
    with pytest.warns(
        UserWarning, match=f"no row of class {name!r} is outside fold 0, whose scores are infinite"
    ) as said:
        model = ps.LogisticRegressionCV(**options).fit(Z, y)
    assert len(said) == 1
    assert np.all(model.scores_[0] == -np.inf)
    known = ps.LogisticRegressionCV(**{**options, "cv": folds[1:]}).fit(Z, y)
    assert model.C_ == known.C_
    np.testing.assert_allclose(model.scores_[1:], known.scores_, rtol=1e-12)
    with pytest.warns(UserWarning, match=f"no row of class {name!r} is outside fold 0; use fewer folds"):
        by_accuracy = ps.LogisticRegressionCV(**options, scoring="accuracy").fit(Z, y)
    assert not by_accuracy.scores_[0].any()
    with pytest.raises(ValueError, match=f"no row of class {name!r} is outside fold 0.*StratifiedKFold"):
        ps.LogisticRegressionCV(**{**options, "cv": folds[:1]}).fit(Z, y)


def test_no_event_at_all():
    theirs = sk.PoissonRegressor()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        theirs.fit(X, 0 * Y)
    for y, weights in ((0 * Y, None), (np.maximum(Y - 100, 0), (Y < 100).astype(float))):
        with pytest.warns(ConvergenceWarning, match="y is zero in every row: the intercept is -inf"):
            ours = ps.PoissonRegressor().fit(X, y, sample_weight=weights)
        assert_same(ours, theirs)
        np.testing.assert_array_equal(ours.predict(X), 0)
    shifted = X + 0.1
    ours = ps.PoissonRegressor(fit_intercept=False, **OURS).fit(shifted, 0 * Y)
    assert_same(ours, sk.PoissonRegressor(fit_intercept=False, **NEWTON).fit(shifted, 0 * Y), rtol=1e-5)
