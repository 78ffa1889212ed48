"""Cross-validation: each fold is the fit that one would do by hand, and the choice is scikit-learn's."""

from typing import Any

import jax
import numpy as np
import pytest
from sklearn.linear_model import ElasticNetCV, LassoCV
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, StratifiedKFold

import proxreg as pr
from tests import problems

pytestmark = pytest.mark.filterwarnings("ignore:.*best mean")  # grids here are short, and end where they like

TIGHT = {"dtype": "float64", "tol": 1e-12}
ALPHAS = [1.0, 0.1, 0.01]


def by_hand(X, y, train, test, weights=None, loss="squared", **options):
    """A fold's held-out loss from a fit on its other rows."""
    given = None if weights is None else weights[train]
    path = pr.fit_path(X[train], y[train], sample_weight=given, alphas=ALPHAS, loss=loss, **{**TIGHT, **options})
    eta = path.predict(X[test], kind="eta")
    value = problems.LOSSES[loss][0]
    return np.average(value(eta, y[test]), axis=1, weights=None if weights is None else weights[test])


@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"fit_intercept": False}, {"l1_ratio": 0.5}])
@pytest.mark.parametrize("mean", [0.0, 1e4])
def test_fold_statistics_by_subtraction_are_explicit_refits(options, mean):
    X, y = problems.regression()
    X = X + (mean if options.get("fit_intercept", True) else mean / 1e4)
    weights = np.random.default_rng(0).integers(1, 4, 60).astype(float)
    splitter = KFold(4, shuffle=True, random_state=0)
    cv = pr.cv_path(X, y, folds=splitter, sample_weight=weights, alphas=ALPHAS, **TIGHT, **options)
    for fold, (train, test) in enumerate(splitter.split(X)):
        np.testing.assert_allclose(cv.fold_loss[fold], by_hand(X, y, train, test, weights, **options), rtol=1e-8)
    mean_loss = np.mean(cv.fold_loss, axis=0)
    np.testing.assert_allclose(cv.mean_loss, mean_loss, rtol=1e-12)
    np.testing.assert_allclose(cv.se_loss, np.std(cv.fold_loss, axis=0, ddof=1) / np.sqrt(4), rtol=1e-12)


def test_wide_data_and_splitters_whose_folds_are_no_partition():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 1100))
    y = X[:, 0] + 0.1 * rng.standard_normal(40)
    for splitter in (KFold(3), ShuffleSplit(2, test_size=0.2, train_size=0.6, random_state=0)):
        cv = pr.cv_path(X, y, folds=splitter, alphas=ALPHAS[:2], dtype="float64", tol=1e-10)
        for fold, (train, test) in enumerate(splitter.split(X)):
            expected = by_hand(X, y, train, test, tol=1e-10)[:2]
            np.testing.assert_allclose(cv.fold_loss[fold], expected, rtol=1e-6)
    X, y = problems.regression()
    splitter = ShuffleSplit(2, test_size=0.2, train_size=0.6, random_state=0)
    cv = pr.cv_path(X, y, folds=splitter, alphas=ALPHAS, **TIGHT)
    for fold, (train, test) in enumerate(splitter.split(X)):
        np.testing.assert_allclose(cv.fold_loss[fold], by_hand(X, y, train, test), rtol=1e-8)


@pytest.mark.parametrize("loss", ["logistic", "poisson", "huber"])
def test_other_losses(loss):
    X, y = problems.responses(loss)
    splitter = StratifiedKFold(3) if loss == "logistic" else KFold(3)
    cv = pr.cv_path(X, y, folds=splitter, loss=loss, alphas=ALPHAS, dtype="float64", tol=1e-9)
    for fold, (train, test) in enumerate(splitter.split(X, y)):
        np.testing.assert_allclose(cv.fold_loss[fold], by_hand(X, y, train, test, loss=loss, tol=1e-9), rtol=1e-6)


def test_the_choice_is_that_of_scikit_learn():
    X, y, _ = pr.datasets.load_diabetes()
    cv = pr.cv_path(X, y, l1_ratio=[0.5, 0.9, 1.0], dtype="float64", tol=1e-10)
    assert cv.fold_gap.shape == cv.fold_loss.shape == (5, 3, 100)
    assert cv.fold_gap.max() <= 1e-10
    ratios: Any = [0.5, 0.9, 1.0]
    model = ElasticNetCV(l1_ratio=ratios, alphas=100, cv=5, tol=1e-10, max_iter=10**6).fit(X, y)
    np.testing.assert_allclose(cv.alphas, model.alphas_, rtol=1e-10)
    np.testing.assert_allclose(cv.fold_loss, model.mse_path_.transpose(2, 0, 1) / 2, rtol=1e-6)
    np.testing.assert_allclose(cv.alpha_min, model.alpha_, rtol=1e-10)
    assert cv.l1_ratio_min == model.l1_ratio_
    best = np.argmin(np.abs(cv.alphas[2] - cv.alpha_min))
    np.testing.assert_allclose(cv.path.coef[2, best], model.coef_, rtol=1e-4, atol=1e-3)
    weights = np.random.default_rng(0).integers(1, 4, len(y)).astype(float)
    cv = pr.cv_path(X, y, sample_weight=weights, dtype="float64", tol=1e-10)
    model = LassoCV(alphas=100, cv=5, tol=1e-10, max_iter=10**6).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(cv.alpha_min, model.alpha_, rtol=1e-10)


def ambiguous(kind) -> tuple[Any, Any, Any]:
    """Data whose rows outside the first fold of four leave something open that all rows decide."""
    rng = np.random.default_rng(0)
    if kind == "more columns than rows":
        X = rng.standard_normal((40, 35))
        return X, X[:, 0] + rng.standard_normal(40), {"alphas": [1.0, 0.3, 0.0]}
    X = rng.integers(0, 2, (60, 8)).astype(float)
    X[:, 7] = X[:, 6]
    X[:15, 7] = 1 - X[:15, 6]  # twins but for the first fold
    y = X @ rng.standard_normal(8) + 3 * X[:, 7] + 0.1 * rng.standard_normal(60)
    if kind == "twins":
        return X, y, {"alphas": [0.1, 0.01]}
    X[15:, 7] = 0
    return X, y, {"alphas": [0.1, 0.01], "penalty_factor": [1, 1, 1, 1, 1, 1, 1, 0]}


@pytest.mark.filterwarnings("ignore:constant")
@pytest.mark.parametrize("kind", ["more columns than rows", "twins", "no rows to tell"])
def test_a_fold_knows_nothing_of_what_it_is_judged_by(kind):
    X, y, options = ambiguous(kind)
    held = np.arange(len(y)) < len(y) // 4  # the first fold
    alone = pr.fit_path(X[~held], y[~held], **TIGHT, **options)
    for own in (y, np.where(held, -y, y)):
        cv = pr.cv_path(X, own, folds=4, **TIGHT, **options)
        expected = np.mean((alone.predict(X[held]) - own[held]) ** 2, axis=1) / 2
        np.testing.assert_allclose(cv.fold_loss[0], expected, rtol=0.05)  # of many minimisers, two near the same one


def test_labels_numbers_and_keys():
    X, y = problems.regression()
    options = {"alphas": ALPHAS, "dtype": "float64"}
    plain = pr.cv_path(X, y, folds=4, **options)
    labelled = pr.cv_path(X, y, folds=np.repeat(["a", "b", "c", "d"], 15), **options)
    np.testing.assert_array_equal(plain.fold_loss, labelled.fold_loss)
    groups = np.arange(60) % 5
    grouped = GroupKFold(5)
    by_group = pr.cv_path(X, y, folds=groups, **options)
    np.testing.assert_allclose(
        np.sort(by_group.fold_loss, axis=0),
        np.sort([by_hand(X, y, a, b, tol=1e-4) for a, b in grouped.split(X, y, groups)], axis=0),
        rtol=1e-3,
    )
    key = jax.random.key(3)
    first, again = (pr.cv_path(X, y, folds=3, repeats=2, key=key, **options) for _ in range(2))
    assert first.fold_loss.shape == (6, 3)
    np.testing.assert_array_equal(first.fold_loss, again.fold_loss)
    assert not np.allclose(first.fold_loss[:3], first.fold_loss[3:])
    assert "6 folds" in repr(first)


def test_classes_are_spread_over_folds():
    X, _ = problems.regression()
    y = np.repeat([0, 1], 30)
    cv = pr.cv_path(X, y, loss="logistic", folds=5, alphas=ALPHAS, dtype="float64")
    assert np.isfinite(cv.fold_loss).all()


@pytest.mark.parametrize("light", [1e-12, 1e-20])
def test_rows_of_next_to_no_weight_are_summed_by_themselves(light):
    X, y = problems.regression()
    weights = np.where(np.arange(60) < 30, 1.0, light)
    cv = pr.cv_path(X, y, folds=2, sample_weight=weights, alphas=ALPHAS, **TIGHT)
    alone = pr.fit_path(X[30:], y[30:], alphas=ALPHAS, **TIGHT)
    expected = np.mean((alone.predict(X[:30]) - y[:30]) ** 2, axis=1) / 2
    np.testing.assert_allclose(cv.fold_loss[0], expected, rtol=1e-6)


class _Gives:
    """A splitter of pairs that are known."""

    def __init__(self, pairs):
        self.pairs = pairs

    def split(self, X, y):
        return iter(self.pairs)


def test_folds_as_pairs_of_rows_masks_or_what_a_splitter_gives():
    X, y = problems.regression()
    splitter, options = KFold(3), {"alphas": ALPHAS, **TIGHT}
    known = pr.cv_path(X, y, folds=splitter, **options)
    masks = []
    for train, test in splitter.split(X):
        masks.append((np.isin(np.arange(60), train), np.isin(np.arange(60), test)))
    groups = np.repeat(np.arange(3), 20)
    by_group = GroupKFold(3).split(X, y, groups)
    small = [(train.astype(np.uint8), test.astype(np.int8)) for train, test in splitter.split(X)]
    behind = [(train - 60, test) for train, test in splitter.split(X)]
    lists = [[train.tolist(), test.tolist()] for train, test in splitter.split(X)]
    given = (splitter.split(X), list(splitter.split(X)), masks, groups, small, behind, lists, _Gives(masks))
    for folds in given:
        np.testing.assert_array_equal(pr.cv_path(X, y, folds=folds, **options).fold_loss, known.fold_loss)
    found = pr.cv_path(X, y, folds=by_group, **options)
    np.testing.assert_allclose(np.sort(found.fold_loss, axis=0), np.sort(known.fold_loss, axis=0), rtol=1e-9)


def test_bad_folds_are_refused():
    X, y = problems.regression()
    for folds, message in [
        (1, "folds must be from 2"),
        (61, "folds must be from 2 to the number of rows, 60"),
        (2.5, "folds must be a whole number"),
        (np.zeros(60), "at least 2 folds"),
        (np.zeros(3), "one per row"),
        (np.r_[np.nan, np.arange(59) % 2], "the fold label of row 0 is missing"),
        ([None, *"ab" * 29, "a"], "the fold label of row 0 is missing"),
        (
            [(np.arange(30), np.arange(30, 61)), (np.arange(30), np.arange(3))],
            "fold 0 must hold row numbers from 0 to 59",
        ),
        ([(np.arange(30) + 0.5, np.arange(30)), (np.arange(30), np.arange(3))], "fold 0 must hold row numbers"),
        ([(np.arange(30),), (np.arange(30),)], "fold 0 must be a pair of rows"),
        (_Gives([(np.arange(30), np.arange(30, 61))]), "fold 0 must hold row numbers from 0 to 59"),
        ([(np.arange(30), []), (np.arange(30), np.arange(3))], "has no rows to fit on, or none to judge by"),
        (GroupKFold(3), r"GroupKFold needs groups: pass folds=list\(GroupKFold\(...\).split\(X, y, groups\)\)"),
    ]:
        with pytest.raises(ValueError, match=message):
            pr.cv_path(X, y, folds=folds)
    with pytest.raises(ValueError, match="pass key"):
        pr.cv_path(X, y, repeats=2)
    for purpose, weights in [("fit on", np.arange(60) < 30), ("judge by", np.arange(60) >= 30)]:
        with pytest.raises(ValueError, match=f"fold 0: all rows to {purpose} have weight zero"):
            pr.cv_path(X, y, folds=2, sample_weight=weights)
    with pytest.raises(ValueError, match="says itself"):
        pr.cv_path(X, y, folds=KFold(3), key=jax.random.key(0))
    with pytest.raises(ValueError, match="class True has 2 rows"):
        pr.cv_path(X, np.arange(60) > 57, loss="logistic")
