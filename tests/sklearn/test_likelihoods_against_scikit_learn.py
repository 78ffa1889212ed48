"""Logistic and Poisson regression against scikit-learn's: the same coefficients, the same choices."""

import numpy as np
import pytest
from scipy.special import log_expit
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, StratifiedKFold

import proxreg.sklearn as ps
from tests import problems
from tests.sklearn.shared import (
    CANCER,
    COUNTS,
    LOADED,
    NEWTON,
    OURS,
    WEIGHTS,
    WINE,
    X,
    assert_same,
    sk,
)


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


@pytest.mark.filterwarnings("ignore:Setting penalty=None will ignore")  # scikit-learn 1.8.0, of its own C=inf
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


@pytest.mark.parametrize("C", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("options", [{}, {"fit_intercept": False}, {"class_weight": "balanced"}], ids=str)
def test_several_classes(C, options):
    X, y = WINE
    ours = ps.LogisticRegression(C=C, **options, **OURS).fit(X, y)
    theirs = sk.LogisticRegression(C=C, **options, **NEWTON).fit(X, y)
    assert_same(ours, theirs, rtol=1e-5)
    assert ours.n_iter_.shape == theirs.n_iter_.shape
    np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-4, atol=1e-8)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_sparse_coefficients_of_several_classes(l1_ratio, fit_intercept):
    X, y = WINE
    options = {"C": 0.2, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    weights = np.random.default_rng(1).integers(0, 3, len(y)).astype(float)
    ours = ps.LogisticRegression(**options, **OURS).fit(X, y, sample_weight=weights)
    theirs = sk.LogisticRegression(**options, solver="saga", tol=1e-12, max_iter=10**5, random_state=0)
    theirs.fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(ours.coef_ == 0, np.abs(theirs.coef_) < 1e-9)
    assert 0 < np.count_nonzero(ours.coef_) < 30
    assert_same(ours, theirs, rtol=1e-6)


def test_columns_of_any_scale_and_mean_serve_several_classes():
    X, y = LOADED[2]
    ours = ps.LogisticRegression(C=10.0, **OURS).fit(X + 1e3, y)
    theirs = sk.LogisticRegression(C=10.0, **NEWTON).fit(X, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(ours.decision_function(X + 1e3), theirs.decision_function(X), rtol=1e-5, atol=1e-5)


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
    Cs, ratios = [0.01, 0.1, 1.0], [0.0, 0.5, 1.0]
    ours = ps.LogisticRegressionCV(Cs=Cs, l1_ratios=ratios, cv=STRATIFIED, **OURS).fit(X, y)
    codes, known = (y == "malignant").astype(float), np.empty((3, 3, 3))
    for fold, (train, test) in enumerate(STRATIFIED.split(X, y)):
        for at in np.ndindex(3, 3):
            strength = 1 / (Cs[at[1]] * len(train)), ratios[at[0]]
            coef, intercept = problems.minimise_l1("logistic", X[train], codes[train], *strength)
            known[fold, *at] = -np.mean(problems.LOSSES["logistic"][0](X[test] @ coef + intercept, codes[test]))
    np.testing.assert_allclose(ours.scores_, known, rtol=1e-4)
    ratio, C = np.unravel_index(np.argmax(known.mean(axis=0)), (3, 3))
    assert (ours.l1_ratio_, ours.C_) == (ratios[ratio], Cs[C])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("options", [{}, {"scoring": "accuracy"}, {"fit_intercept": False}, {"refit": False}], ids=str)
def test_the_logistic_choice_for_three_classes(weighted, options):
    X, y = WINE
    weights = np.random.default_rng(1).integers(0, 3, len(y)).astype(float) if weighted else None
    options = {"Cs": [1e-3, 0.1, 10.0], "cv": STRATIFIED, "scoring": "neg_log_loss", **options}
    ours = ps.LogisticRegressionCV(**options, **OURS).fit(X, y, sample_weight=weights)
    theirs = sk.LogisticRegressionCV(**options, l1_ratios=(0.0,), use_legacy_attributes=False, **NEWTON)
    theirs.fit(X, y, sample_weight=weights)
    assert_same(ours, theirs, names=("C_", "l1_ratio_"), rtol=1e-12)
    assert_same(ours, theirs, names=("scores_", "coef_", "intercept_", "coefs_paths_"), rtol=1e-5)
    assert ours.n_iter_.shape == theirs.n_iter_.shape


@pytest.mark.parametrize("of", [load_iris, load_digits])
def test_the_choice_of_a_grid_search_over_several_classes(of):
    X, y = of(return_X_y=True)
    X, y = X[::3] / X.max(), y[::3]
    grid = {"C": [0.1, 1.0, 10.0, 100.0]}
    theirs = GridSearchCV(sk.LogisticRegression(**NEWTON), grid, cv=STRATIFIED, scoring="neg_log_loss").fit(X, y)
    ours = GridSearchCV(ps.LogisticRegression(**OURS), grid, cv=STRATIFIED, scoring="neg_log_loss").fit(X, y)
    together = ps.LogisticRegressionCV(Cs=grid["C"], cv=STRATIFIED, **OURS).fit(X, y)
    known = theirs.cv_results_["mean_test_score"]
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], known, rtol=1e-6)
    np.testing.assert_allclose(together.scores_.mean(axis=(0, 1)), known, rtol=1e-6)
    assert theirs.best_params_["C"] == ours.best_params_["C"] == together.C_


@pytest.mark.parametrize("data", [CANCER, WINE], ids=["two", "three"])
def test_rows_that_a_splitter_repeats_count_as_often(data):
    X, y = data
    rng = np.random.default_rng(0)
    samples = [(rng.choice(len(y), len(y)), np.flatnonzero(rng.random(len(y)) < 0.5)) for _ in range(3)]
    options = {"Cs": [0.1, 1.0], "cv": samples, "scoring": "neg_log_loss"}
    ours = ps.LogisticRegressionCV(**options, **OURS).fit(X, y)
    theirs = sk.LogisticRegressionCV(**options, l1_ratios=(0.0,), use_legacy_attributes=False, **NEWTON).fit(X, y)
    assert_same(ours, theirs, names=("scores_", "coefs_paths_"), rtol=1e-5)
