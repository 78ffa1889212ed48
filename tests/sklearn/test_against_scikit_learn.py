"""The estimators against scikit-learn's: the same coefficients, the same choices."""

from typing import Any

import jax
import numpy as np
import pytest
import sklearn.linear_model
from scipy.special import log_expit
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import scale

import proxreg.sklearn as ps
from tests import problems

sk: Any = sklearn.linear_model  # whose types say what any options give
LOADED: Any = [load(return_X_y=True) for load in (load_diabetes, load_breast_cancer, load_wine)]
(X, Y), TUMOURS, WINES = LOADED
SEVERAL = np.c_[Y, np.square(Y) / 100, -Y]
WEIGHTS = np.random.default_rng(0).integers(1, 4, len(Y)).astype(float)
CANCER = scale(TUMOURS[0])[:, :10], np.array(["malignant", "benign"])[TUMOURS[1]]
WINE = scale(WINES[0]), WINES[1]
COUNTS = np.round(Y / 25)

OURS: dict[str, Any] = {"tol": 1e-12}
THEIRS: dict[str, Any] = {"tol": 1e-14, "max_iter": 10**6}
NEWTON: dict[str, Any] = {"tol": 1e-12, "solver": "newton-cholesky", "max_iter": 1000}


def name(value):
    """An estimator names its test; arrays do not."""
    return str(value) if isinstance(value, BaseEstimator) else ""


def assert_same(ours, theirs, rtol=1e-6, names=("coef_", "intercept_")):
    for name in names:
        known = getattr(theirs, name)
        assert np.shape(getattr(ours, name)) == np.shape(known)
        np.testing.assert_allclose(getattr(ours, name), known, rtol=rtol, atol=rtol * np.max(np.abs(known)))


PAIRS = [
    (ps.Lasso(alpha=0.05, **OURS), sk.Lasso(alpha=0.05, **THEIRS)),
    (ps.ElasticNet(alpha=0.003, l1_ratio=0.4, **OURS), sk.ElasticNet(alpha=0.003, l1_ratio=0.4, **THEIRS)),
    (ps.Ridge(alpha=2.0, **OURS), sk.Ridge(alpha=2.0, tol=1e-14)),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: type(pair[0]).__name__)
@pytest.mark.parametrize("y", [Y, Y[:, None], SEVERAL], ids=["vector", "column", "several"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("options", [{}, {"positive": True}, {"fit_intercept": False}], ids=str)
def test_least_squares(pair, y, weights, options):
    ours, theirs = (model.set_params(**{"positive": False, "fit_intercept": True, **options}) for model in pair)
    ours.fit(X, y, sample_weight=weights)
    theirs.fit(X, y, sample_weight=weights)
    assert_same(ours, theirs, rtol=1e-4 if options.get("positive") and isinstance(ours, ps.Ridge) else 1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-3)
    assert ours.predict(X).shape == theirs.predict(X).shape
    if not isinstance(ours, ps.Ridge):
        np.testing.assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)
        assert np.shape(ours.dual_gap_) == np.shape(theirs.dual_gap_)
        np.testing.assert_allclose(ours.dual_gap_, 0, atol=1e-12 * np.var(y, axis=0).max())


@pytest.mark.parametrize("model", [ps.Lasso(), ps.ElasticNet(), ps.Ridge()], ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
def test_alpha_0_is_least_squares(model, weights):
    model.set_params(alpha=0.0, **OURS).fit(X, SEVERAL, sample_weight=weights)
    assert_same(model, sk.LinearRegression().fit(X, SEVERAL, sample_weight=weights))


def test_the_dual_gap_is_in_the_units_of_the_objective():
    def objective(model):
        return problems.objective("squared", X, Y, model.coef_, model.intercept_, 0.05, weights=WEIGHTS)

    best = objective(sk.Lasso(alpha=0.05, **THEIRS).fit(X, Y, sample_weight=WEIGHTS))
    for tol in (0.3, 1e-2, 1e-4):
        model = ps.Lasso(alpha=0.05, tol=tol).fit(X, Y, sample_weight=WEIGHTS)
        given = model.coef_, model.intercept_, 0.05
        known = problems.relative_gap("squared", X, Y, *given, weights=WEIGHTS)
        known *= problems.null_loss("squared", Y, weights=WEIGHTS)
        np.testing.assert_allclose(model.dual_gap_, known, rtol=1e-6, atol=1e-9)
        assert objective(model) - best <= model.dual_gap_ + 1e-9


FOLDS = KFold(5, shuffle=True, random_state=0)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize(
    "options", [{}, {"positive": True}, {"fit_intercept": False}, {"alphas": [1.0, 1e-3, 0.1]}, {"cv": FOLDS}], ids=str
)
def test_the_lassos_choice(weights, options):
    ours = ps.LassoCV(**OURS, **options).fit(X, Y, sample_weight=weights)
    theirs = sk.LassoCV(**THEIRS, **options).fit(X, Y, sample_weight=weights)
    assert_same(ours, theirs, names=("alpha_", "alphas_"), rtol=1e-10)
    assert_same(ours, theirs, names=("coef_", "intercept_", "mse_path_"))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("options", [{}, {"positive": True}, {"l1_ratio": 0.7}, {"alphas": [1.0, 1e-3]}], ids=str)
def test_the_elastic_nets_choice(weights, options):
    options = {"l1_ratio": [0.1, 0.5, 0.9, 1.0], "cv": FOLDS, **options}
    ours = ps.ElasticNetCV(**OURS, **options).fit(X, Y, sample_weight=weights)
    theirs = sk.ElasticNetCV(**THEIRS, **options).fit(X, Y, sample_weight=weights)
    assert_same(ours, theirs, names=("alpha_", "alphas_", "l1_ratio_"), rtol=1e-10)
    assert_same(ours, theirs, names=("coef_", "intercept_", "mse_path_"))


ALPHAS = np.geomspace(1e-3, 10, 9)


@pytest.mark.parametrize("y", [Y, Y[:, None], SEVERAL], ids=["vector", "column", "several"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"fit_intercept": False},
        {"alpha_per_target": True},
        {"scoring": "neg_mean_absolute_error"},
        {"scoring": "neg_mean_squared_error", "alpha_per_target": True},
    ],
    ids=str,
)
def test_ridges_choice_leaving_one_out(y, weights, options):
    if y is Y and {"scoring", "alpha_per_target"} <= set(options):
        options = {"scoring": options["scoring"]}  # scikit-learn takes a vector for a table then, and fails
    options = {"alphas": ALPHAS, "store_cv_results": True, **options}
    ours = ps.RidgeCV(**options).fit(X, y, sample_weight=weights)
    theirs = sk.RidgeCV(**options).fit(X, y, sample_weight=weights)
    if y is not SEVERAL:  # some of theirs are arrays of one then
        theirs.best_score_, theirs.alpha_ = np.ravel(theirs.best_score_)[0], np.ravel(theirs.alpha_)[0]
    assert_same(ours, theirs, names=("alpha_", "best_score_", "coef_", "intercept_", "cv_results_"), rtol=1e-9)


@pytest.mark.parametrize("y", [Y, SEVERAL], ids=["vector", "several"])
@pytest.mark.parametrize("options", [{}, {"scoring": "neg_mean_squared_error"}, {"fit_intercept": False}], ids=str)
def test_ridges_choice_by_folds(y, options):
    options = {"alphas": ALPHAS, "cv": FOLDS, **options}
    ours, theirs = ps.RidgeCV(**options).fit(X, y), sk.RidgeCV(**options).fit(X, y)
    assert_same(ours, theirs, names=("alpha_", "best_score_", "coef_", "intercept_"))


def test_ridges_choice_by_folds_with_weights():
    ours = ps.RidgeCV(alphas=ALPHAS, cv=FOLDS).fit(X, Y, sample_weight=WEIGHTS)
    scores = np.empty((5, len(ALPHAS)))
    for fold, (train, test) in enumerate(FOLDS.split(X)):
        for k, alpha in enumerate(ALPHAS):
            model = sk.Ridge(alpha=alpha).fit(X[train], Y[train], sample_weight=WEIGHTS[train])
            scores[fold, k] = model.score(X[test], Y[test], sample_weight=WEIGHTS[test])
    assert ours.alpha_ == ALPHAS[np.argmax(scores.mean(axis=0))]
    np.testing.assert_allclose(ours.best_score_, scores.mean(axis=0).max(), rtol=1e-8)


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_poisson(weights, fit_intercept):
    options = {"alpha": 1e-3, "fit_intercept": fit_intercept}
    ours = ps.PoissonRegressor(**options, **OURS).fit(X, COUNTS, sample_weight=weights)
    theirs = sk.PoissonRegressor(**options, **NEWTON).fit(X, COUNTS, sample_weight=weights)
    assert_same(ours, theirs)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)
    known = theirs.score(X, COUNTS, sample_weight=weights)
    np.testing.assert_allclose(ours.score(X, COUNTS, sample_weight=weights), known, rtol=1e-6)


def test_sparse_poisson():
    coef, intercept = problems.minimise_l1("poisson", X, COUNTS, 0.02, 0.8, weights=WEIGHTS)
    model = ps.PoissonRegressor(alpha=0.02, l1_ratio=0.8, **OURS).fit(X, COUNTS, sample_weight=WEIGHTS)
    np.testing.assert_allclose(model.coef_, coef, atol=1e-5)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-6)
    np.testing.assert_array_equal(model.coef_ == 0, np.abs(coef) < 1e-6)


@pytest.mark.parametrize("C", [1e-3, 1.0, np.inf])
@pytest.mark.parametrize("options", [{}, {"fit_intercept": False}, {"class_weight": "balanced"}], ids=str)
def test_logistic(C, options):
    X, y = CANCER[0][:, :6], CANCER[1]  # not separable: there is an answer without a penalty
    ours = ps.LogisticRegression(C=C, **options, **OURS).fit(X, y)
    theirs = sk.LogisticRegression(C=C, **options, **NEWTON).fit(X, y)
    assert_same(ours, theirs, rtol=1e-5)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-4, atol=1e-12)
    eta = theirs.decision_function(X)  # the logarithm of its probabilities may be infinite
    np.testing.assert_allclose(ours.predict_log_proba(X), log_expit(np.c_[-eta, eta]), rtol=1e-4, atol=1e-9)
    assert ours.score(X, y) == theirs.score(X, y)


@pytest.mark.parametrize("class_weight", [{"benign": 3.0}, {"benign": 0.5, "malignant": 2.0}])
def test_classes_weigh_what_they_are_told(class_weight):
    X, y = CANCER
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y))
    ours = ps.LogisticRegression(class_weight=class_weight, **OURS).fit(X, y, sample_weight=weights)
    theirs = sk.LogisticRegression(class_weight=class_weight, **NEWTON).fit(X, y, sample_weight=weights)
    assert_same(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("C", [0.02, 1.0])
def test_sparse_logistic(C):
    X, y = CANCER
    ours = ps.LogisticRegression(C=C, l1_ratio=1.0, fit_intercept=False, **OURS).fit(X, y)
    theirs = sk.LogisticRegression(
        C=C, l1_ratio=1.0, fit_intercept=False, solver="liblinear", tol=1e-10, max_iter=10**5, random_state=0
    ).fit(X, y)
    np.testing.assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)
    assert_same(ours, theirs, rtol=1e-4, names=("coef_",))


def test_mixed_penalties_and_alpha_of_the_mean():
    X, y = CANCER
    codes = (y == "malignant").astype(float)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y))
    coef, intercept = problems.minimise_l1("logistic", X, codes, 0.02, 0.5, weights=weights)
    by_mean = ps.LogisticRegression(alpha=0.02, l1_ratio=0.5, **OURS).fit(X, y, sample_weight=weights)
    by_sum = ps.LogisticRegression(C=1 / (0.02 * weights.sum()), l1_ratio=0.5, **OURS).fit(X, y, sample_weight=weights)
    for model in (by_mean, by_sum):
        np.testing.assert_allclose(model.coef_[0], coef, atol=1e-5)
        np.testing.assert_allclose(model.intercept_, [intercept], atol=1e-5)
        np.testing.assert_array_equal(model.coef_[0] == 0, np.abs(coef) < 1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_one_class_against_the_rest(fit_intercept):
    X, y = WINE
    ours = ps.LogisticRegression(fit_intercept=fit_intercept, **OURS).fit(X, y)
    theirs: Any = OneVsRestClassifier(sk.LogisticRegression(fit_intercept=fit_intercept, **NEWTON)).fit(X, y)
    known = np.array([model.coef_[0] for model in theirs.estimators_])
    np.testing.assert_allclose(ours.coef_, known, rtol=1e-5, atol=1e-7)
    assert ours.intercept_.shape == (3,)
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


STRATIFIED = StratifiedKFold(3, shuffle=True, random_state=0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("options", [{}, {"scoring": "accuracy"}, {"fit_intercept": False}], ids=str)
def test_the_logistic_choice(weighted, options):
    X, y = CANCER
    weights = np.random.default_rng(1).uniform(0.5, 2, len(y)) if weighted else None
    options = {"Cs": [1e-3, 0.1, 10.0], "cv": STRATIFIED, "scoring": "neg_log_loss", **options}
    ours = ps.LogisticRegressionCV(**options, **OURS).fit(X, y, sample_weight=weights)
    theirs = sk.LogisticRegressionCV(**options, l1_ratios=(0.0,), use_legacy_attributes=False, **NEWTON)
    theirs.fit(X, y, sample_weight=weights)
    assert_same(ours, theirs, names=("C_", "Cs_", "l1_ratio_", "l1_ratios_"), rtol=1e-12)
    assert_same(ours, theirs, names=("scores_", "coef_", "intercept_", "coefs_paths_"), rtol=1e-5)
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    np.testing.assert_allclose(
        ours.score(X, y, sample_weight=weights), theirs.score(X, y, sample_weight=weights), rtol=1e-6
    )


def test_the_logistic_choice_of_an_l1_ratio():
    X, y = (part[::4] for part in CANCER)
    options = {"Cs": [0.01, 0.1, 1.0], "cv": STRATIFIED, "scoring": "neg_log_loss", "l1_ratios": [0.0, 0.5, 1.0]}
    ours = ps.LogisticRegressionCV(**options, **OURS).fit(X, y)
    theirs = sk.LogisticRegressionCV(
        **options, use_legacy_attributes=False, solver="saga", tol=1e-7, max_iter=10**5, random_state=0
    ).fit(X, y)
    assert_same(ours, theirs, names=("C_", "l1_ratio_"), rtol=1e-12)
    assert_same(ours, theirs, names=("scores_", "coef_"), rtol=1e-3)


def test_the_logistic_choice_for_three_classes():
    X, y = WINE
    Cs = [1e-3, 0.1, 10.0]
    ours = ps.LogisticRegressionCV(Cs=Cs, cv=STRATIFIED, scoring="accuracy", **OURS).fit(X, y)
    scores = np.empty((3, 1, 3))
    for fold, (train, test) in enumerate(STRATIFIED.split(X, y)):
        for k, C in enumerate(Cs):
            model = OneVsRestClassifier(sk.LogisticRegression(C=C, **NEWTON)).fit(X[train], y[train])
            scores[fold, 0, k] = model.score(X[test], y[test])
    np.testing.assert_allclose(ours.scores_, scores, rtol=1e-12)
    assert Cs[np.argmax(scores.mean(axis=(0, 1)))] == ours.C_
    known = ps.LogisticRegression(C=ours.C_, **OURS).fit(X, y)
    assert_same(ours, known)
    assert ours.coefs_paths_.shape == (3, 1, 3, 3, 14)


def test_grid_search_chooses_the_same():
    grid = {"alpha": [1e-3, 1e-2, 0.1], "l1_ratio": [0.2, 0.8]}
    ours = GridSearchCV(ps.ElasticNet(**OURS), grid, cv=FOLDS).fit(X, Y)
    theirs = GridSearchCV(sk.ElasticNet(**THEIRS), grid, cv=FOLDS).fit(X, Y)
    assert ours.best_params_ == theirs.best_params_
    for name in ("mean_test_score", "std_test_score"):
        np.testing.assert_allclose(ours.cv_results_[name], theirs.cv_results_[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (ps.Lasso(alpha=0.05), Y),
        (ps.ElasticNet(alpha=0.003), Y),
        (ps.Ridge(), SEVERAL),
        (ps.LogisticRegression(class_weight="balanced"), Y > 140),
        (ps.LogisticRegression(), np.digitize(Y, [90, 200])),
        (ps.PoissonRegressor(alpha=0.01), COUNTS),
    ],
    ids=name,
)
def test_whole_weights_are_repeated_rows(model, y):
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    model.set_params(**OURS).fit(X, y, sample_weight=weights)
    coef, intercept = model.coef_, model.intercept_
    model.fit(np.repeat(X, weights, axis=0), np.repeat(y, weights, axis=0))
    np.testing.assert_allclose(coef, model.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(intercept, model.intercept_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (ps.Lasso(alpha=0.05), Y),
        (ps.ElasticNet(alpha=0.003), Y),
        (ps.Ridge(), SEVERAL),
        (ps.LassoCV(alphas=5), Y),
        (ps.ElasticNetCV(alphas=5), Y),
        (ps.RidgeCV(), SEVERAL),
        (ps.RidgeCV(cv=3), Y),
        (ps.LogisticRegression(), Y > 140),
        (ps.LogisticRegressionCV(Cs=[0.1, 10.0, 1.0]), Y > 140),
        (ps.PoissonRegressor(alpha=0.01), COUNTS),
    ],
    ids=name,
)
def test_the_type_of_x_is_that_of_the_coefficients(model, y):
    before = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    wide = model.fit(X, y).coef_
    assert wide.dtype == np.float64
    narrow = model.fit(X.astype(np.float32), y).coef_
    assert narrow.dtype == np.float32
    assert model.predict(X.astype(np.float32)).dtype in (np.float32, bool)
    np.testing.assert_allclose(narrow, wide, rtol=0.05, atol=0.01 * np.abs(wide).max())
    assert jax.config.jax_enable_x64 == before  # pyright: ignore[reportAttributeAccessIssue]
