"""scikit-learn's parameters: all are taken, and those that say how to compute change nothing."""

import inspect
import warnings
from typing import Any

import numpy as np
import pytest
import sklearn
from sklearn.base import clone as unfitted
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import proxreg.sklearn as ps
from tests.sklearn.shared import CANCER, NEWTON, OURS, WINE, X, Y, assert_same, named, sk

clone: Any = unfitted
LABELS = np.where(Y > 140, "high", "low")
HOW: dict[str, Any] = {  # other values than the defaults
    "precompute": True,
    "copy_X": False,
    "random_state": 3,
    "selection": "random",
    "solver": "newton-cholesky",
    "verbose": 1,
    "n_jobs": 2,
    "gcv_mode": "svd",
    "dual": True,
    "intercept_scaling": 5.0,
}
MODELS = [
    (ps.Lasso(alpha=0.1), Y),
    (ps.ElasticNet(alpha=0.01), Y),
    (ps.Ridge(), Y),
    (ps.LassoCV(alphas=5, cv=3), Y),
    (ps.ElasticNetCV(alphas=5, cv=3), Y),
    (ps.RidgeCV(), Y),
    (ps.LogisticRegression(l1_ratio=1.0), LABELS),
    (ps.LogisticRegressionCV(Cs=[0.1, 1.0], cv=3), LABELS),
    (ps.PoissonRegressor(alpha=0.1), np.round(Y / 25)),
]
#: where a default differs, and why
OWN = {"tol": "a duality gap", "max_iter": "cheaper steps", "alphas": "n_alphas says how many", "scoring": "the next"}
OWN |= {"l1_ratios": "the next", "use_legacy_attributes": "the next"}


@pytest.mark.parametrize("model", [model for model, _ in MODELS], ids=named)
def test_every_parameter_of_scikit_learn_is_taken(model):
    ours, theirs = (inspect.signature(cls).parameters for cls in (type(model), getattr(sk, type(model).__name__)))
    assert set(theirs) <= set(ours)
    for name, parameter in theirs.items():
        deprecated = parameter.default == "deprecated"  # n_alphas in scikit-learn 1.8, which 1.9 left out
        assert deprecated or ours[name].default == parameter.default or name in OWN, name


@pytest.mark.parametrize(("model", "y"), MODELS, ids=named)
def test_those_that_say_how_to_compute_change_nothing(model, y):
    how = {name: value for name, value in HOW.items() if name in model.get_params()}
    how |= {"solver": "saga"} if isinstance(model, ps.Ridge) else {}
    assert how
    one, other = clone(model).fit(X, y), clone(model).set_params(**how)
    assert other.fit(X.copy(), y).fit(X, y).get_params() == {**model.get_params(), **how}
    np.testing.assert_array_equal(other.coef_, one.coef_)
    np.testing.assert_array_equal(other.intercept_, one.intercept_)


def test_ridge_takes_scikit_learns_default_of_max_iter():
    np.testing.assert_array_equal(ps.Ridge(max_iter=None).fit(X, Y).coef_, ps.Ridge().fit(X, Y).coef_)


@pytest.mark.parametrize(
    ("penalty", "meant"),
    [("l1", {"l1_ratio": 1.0}), ("l2", {"l1_ratio": 0.0}), ("elasticnet", {"l1_ratio": 0.4}), (None, {"C": np.inf})],
)
def test_the_deprecated_penalty(penalty, meant):
    Z, y = CANCER[0][:, :6], CANCER[1]
    given: dict[str, Any] = {"C": 0.1, "l1_ratio": 0.4}
    tight = {**given, **OURS}
    new = ps.LogisticRegression(**{**tight, **meant}).fit(Z, y)
    with pytest.warns(FutureWarning, match=f"penalty={penalty!r} is deprecated in scikit-learn; pass ") as said:
        old = ps.LogisticRegression(penalty=penalty, **tight).fit(Z, y)
    assert said[0].filename == __file__
    np.testing.assert_array_equal(old.coef_, new.coef_)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solver = "saga" if penalty in ("l1", "elasticnet") else "lbfgs"
        theirs = sk.LogisticRegression(penalty=penalty, solver=solver, tol=1e-8, max_iter=10**5, **given).fit(Z, y)
    np.testing.assert_allclose(old.coef_, theirs.coef_, rtol=1e-2, atol=1e-3)


def test_the_deprecated_penalty_of_cross_validation():
    Z, y = CANCER[0][:, :6], CANCER[1]
    new = ps.LogisticRegressionCV(Cs=[0.1, 1.0], l1_ratios=[1.0], cv=3).fit(Z, y)
    with pytest.warns(FutureWarning, match="pass l1_ratio=1 instead"):
        old = ps.LogisticRegressionCV(Cs=[0.1, 1.0], penalty="l1", cv=3).fit(Z, y)
    np.testing.assert_array_equal(old.coef_, new.coef_)
    assert old.l1_ratio_ == 1.0
    with pytest.raises(ValueError, match=r"'penalty' parameter of LogisticRegression must be .* Got 'l0' instead"):
        ps.LogisticRegression(penalty="l0").fit(Z, y)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_without_a_refit_the_best_of_each_fold_is_averaged(fit_intercept):
    Z, y = CANCER
    options: dict[str, Any] = {
        "Cs": [1e-3, 0.03, 0.3],
        "cv": StratifiedKFold(4),
        "refit": False,
        "use_legacy_attributes": False,
    }
    options |= {"scoring": "neg_log_loss", "l1_ratios": (0.0,), "fit_intercept": fit_intercept}
    ours = ps.LogisticRegressionCV(**options, **OURS).fit(Z, y)
    options["use_legacy_attributes"] = True  # without them scikit-learn 1.8.0 fails: its mean of l1_ratios is None
    theirs = sk.LogisticRegressionCV(**options, **NEWTON).fit(Z, y)
    assert pytest.approx(theirs.C_[0], rel=1e-12) == ours.C_
    assert ours.l1_ratio_ == 0.0
    assert_same(ours, theirs, rtol=1e-5)
    np.testing.assert_array_equal(ours.predict(Z), theirs.predict(Z))
    with pytest.raises(ValueError, match="use_legacy_attributes=True is not offered; pass False"):
        ps.LogisticRegressionCV(use_legacy_attributes=True).fit(Z, y)


def test_no_refit_of_three_classes():
    model = ps.LogisticRegressionCV(Cs=[0.01, 1.0], l1_ratios=[0.0, 1.0], cv=3, refit=False).fit(*WINE)
    best = [np.unravel_index(np.argmax(scores), scores.shape) for scores in model.scores_]
    paths = [path[at] for path, at in zip(model.coefs_paths_, best)]
    np.testing.assert_allclose(model.coef_, np.mean(paths, axis=0)[:, :-1], rtol=1e-12)
    np.testing.assert_allclose(model.intercept_, np.mean(paths, axis=0)[:, -1], rtol=1e-12)
    assert model.predict_proba(WINE[0]).shape == (len(WINE[0]), 3)


@pytest.mark.parametrize("y", [Y, np.c_[Y, -Y]], ids=["vector", "several"])
def test_sparse_coefficients(y):
    ours, theirs = ps.Lasso(alpha=0.5).fit(X, y), sk.Lasso(alpha=0.5).fit(X, y)
    assert ours.sparse_coef_.nnz == np.count_nonzero(ours.coef_) < ours.coef_.size
    np.testing.assert_allclose(ours.sparse_coef_.toarray(), np.atleast_2d(ours.coef_), rtol=1e-12)
    known = theirs.sparse_coef_
    assert ours.sparse_coef_.shape == (known[0].shape if isinstance(known, list) else known.shape)


CHOOSING = [ps.LassoCV(), ps.ElasticNetCV(), ps.RidgeCV(), ps.LogisticRegressionCV(Cs=3)]


@pytest.mark.parametrize("model", CHOOSING, ids=named)
def test_groups_reach_the_splitter(model):
    y = LABELS if "Logistic" in str(model) else Y
    groups, splitter = np.arange(len(y)) % 4, GroupKFold(4)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(model).set_params(cv=splitter).fit(X, y, groups=groups)
        pipeline = make_pipeline(StandardScaler(), clone(model).set_params(cv=splitter)).fit(X, y, groups=groups)
    listed = clone(model).set_params(cv=list(splitter.split(X, y, groups))).fit(X, y)
    for name in ("coef_", "intercept_"):
        np.testing.assert_array_equal(getattr(routed, name), getattr(listed, name))
    assert pipeline.predict(X).shape == y.shape
    with pytest.raises(ValueError, match="takes groups only with sklearn"):
        clone(model).set_params(cv=splitter).fit(X, y, groups=groups)
