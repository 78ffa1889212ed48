"""Least squares against scikit-learn's: the same coefficients, the same choices; and what holds for all estimators."""

import jax
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold

import proxreg.sklearn as ps
from tests import problems
from tests.sklearn.shared import COUNTS, OURS, SEVERAL, THEIRS, WEIGHTS, X, Y, assert_same, named, sk

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
        np.testing.assert_allclose(ours.dual_gap_, 0, atol=1e-12 * np.mean(np.square(y), axis=0).max())


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
    ids=named,
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
    ids=named,
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
