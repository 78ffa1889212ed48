"""Logistic and Poisson regression against scikit-learn's: the same coefficients, the same choices."""

from typing import Any

import numpy as np
import pytest
from scipy.special import log_expit
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier

import proxreg.sklearn as ps
from tests import problems
from tests.sklearn.shared import (
    CANCER,
    COUNTS,
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
