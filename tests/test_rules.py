"""Metrics and rules: what cross-validation reports and chooses, against scikit-learn and by hand."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import ElasticNetCV, LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

import proxreg as pr
from proxreg import rules
from tests import problems

TIGHT: dict[str, Any] = {"dtype": "float64", "tol": 1e-10}
edge = pytest.mark.filterwarnings("ignore:.*best mean")


def data(name):
    """X in units of standard deviations, and y as a number."""
    if name == "diabetes":
        X, y, _ = pr.datasets.load_diabetes()
    else:
        loaded: Any = {"breast cancer": load_breast_cancer, "wine": load_wine, "digits": load_digits}[name]()
        X, y = loaded.data, loaded.target.astype(float)
    X = StandardScaler().fit_transform(X[:600])
    rare = np.sum(np.median(X, axis=0) != X, axis=0) < 60  # constant in some fold, for instance
    return X[:, ~rare], y[:600]


@edge
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ["diabetes", "breast cancer", "wine", "digits"])
def test_alpha_and_l1_ratio_are_those_of_elastic_net_cv(name, weighted):
    X, y = data(name)
    folds = KFold(4, shuffle=True, random_state=0)
    weights = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else None
    ratios: Any = [0.3, 0.9]
    alphas = pr.alpha_max(X, y, l1_ratio=0.3) * np.geomspace(1, 0.01, 15)
    cv = pr.cv_path(X, y, alphas=alphas, l1_ratio=ratios, folds=folds, sample_weight=weights, **TIGHT)
    grid: Any = alphas
    model = ElasticNetCV(l1_ratio=ratios, alphas=grid, cv=folds, tol=1e-9, max_iter=10**5)
    model.fit(X, y, sample_weight=weights)
    assert cv.l1_ratio_min == model.l1_ratio_
    np.testing.assert_allclose(cv.alpha_min, model.alpha_, rtol=1e-12)
    np.testing.assert_allclose(cv.coef(), model.coef_, atol=1e-5 * np.abs(model.coef_).max())
    np.testing.assert_allclose(cv.intercept(), model.intercept_, rtol=1e-6)


@edge
@pytest.mark.parametrize(
    ("name", "metric", "scoring"),
    [
        ("breast cancer", "loss", "neg_log_loss"),
        ("breast cancer", "auc", "roc_auc"),
        ("digits", "accuracy", "accuracy"),
    ],
)
def test_logistic_choices_are_those_of_grid_search(name, metric, scoring):
    X, y = data(name)
    X, y = X[:, 8:16], (y if name == "breast cancer" else y >= 5)
    folds = StratifiedKFold(4, shuffle=True, random_state=0)
    alphas = pr.alpha_max(X, y, loss="logistic") * np.geomspace(1, 0.02, 5)
    cv = pr.cv_path(X, y, loss="logistic", metric=metric, folds=folds, alphas=alphas, dtype="float64", tol=1e-8)
    model = LogisticRegression(l1_ratio=1, solver="liblinear", tol=1e-7, intercept_scaling=1000, max_iter=10**5)
    found = []
    for alpha in alphas:
        scores = []
        for train, test in folds.split(X, y):  # C is about a sum: another one for other numbers of rows
            C = pr.convert(alpha, frm="proxreg", to="C", n=len(train), loss="logistic")
            grid = GridSearchCV(model, {"C": [C]}, scoring=scoring, cv=[(train, test)], refit=False).fit(X, y)
            scores.append(grid.cv_results_["mean_test_score"][0])
        found.append(np.mean(scores))
    np.testing.assert_allclose(cv.mean_loss, (-1 if metric == "loss" else 1) * np.array(found), rtol=1e-3)
    assert cv.alpha_min == alphas[np.argmax(found)]
    assert cv.alpha_1se >= cv.alpha_min


@edge
def test_metrics_are_those_of_scikit_learn_with_weights():
    X, y = problems.responses("logistic", n=90)
    weights = np.random.default_rng(1).integers(1, 4, 90).astype(float)
    folds = StratifiedKFold(3)
    options = {"alphas": [0.1, 0.01], "loss": "logistic", "sample_weight": weights, "folds": folds, **TIGHT}
    metrics = ("accuracy", "auc", "mse", "deviance")
    by_metric = {metric: pr.cv_path(X, y, metric=metric, **options) for metric in metrics}
    loss = pr.cv_path(X, y, **options)
    for k, (train, test) in enumerate(folds.split(X, y)):
        path = pr.fit_path(
            X[train], y[train], alphas=[0.1, 0.01], loss="logistic", sample_weight=weights[train], **TIGHT
        )
        for a, mean in enumerate(path.predict(X[test])):
            own = weights[test]
            auc, accuracy = (
                roc_auc_score(y[test], mean, sample_weight=own),
                accuracy_score(y[test], mean > 0.5, sample_weight=own),
            )
            np.testing.assert_allclose(by_metric["auc"].fold_loss[k, a], auc, rtol=1e-8)
            np.testing.assert_allclose(by_metric["accuracy"].fold_loss[k, a], accuracy, rtol=1e-8)
            square = np.average((y[test] - mean) ** 2, weights=own)
            np.testing.assert_allclose(by_metric["mse"].fold_loss[k, a], square, rtol=1e-7)
    np.testing.assert_allclose(by_metric["deviance"].fold_loss, 2 * loss.fold_loss, rtol=1e-12)
    X, y = problems.regression()
    half, whole = (pr.cv_path(X, y, metric=metric, alphas=[0.1], **TIGHT).fold_loss for metric in ("loss", "mse"))
    np.testing.assert_allclose(whole, 2 * half, rtol=1e-12)


def test_ties_count_half_in_the_auc():
    X = np.repeat([[0.0], [1.0], [1.0], [2.0]], 6, axis=0)
    y = np.resize([0, 1], 24)
    y[18:] = 1
    folds = np.resize(np.repeat([0, 1, 2], 2), 24)
    cv = pr.cv_path(X, y, loss="logistic", metric="auc", folds=folds, alphas=[0.01], dtype="float64")
    for fold in range(3):
        test = folds == fold
        np.testing.assert_allclose(cv.fold_loss[fold, 0], roc_auc_score(y[test], X[test, 0]))


def test_the_rule_of_one_standard_error():
    alphas = np.array([4.0, 3.0, 2.0, 1.0])
    mean, error = np.array([5.0, 3.4, 3.0, 3.2]), np.array([9.0, 0.1, 0.5, 0.1])
    assert rules.best(mean, alphas) == 2
    assert rules.within_one_error(mean, error, alphas, 2) == 1
    assert rules.within_one_error(mean, 0 * error, alphas, 2) == 2
    assert rules.within_one_error(mean, np.full(4, np.nan), alphas, 2) == 2
    assert rules.within_one_error(mean[::-1], error[::-1], alphas[::-1], 1) == 2
    assert rules.best(np.array([np.nan, 1.0, 1.0]), np.array([3.0, 1.0, 2.0])) == 2


@edge
@pytest.mark.parametrize("metric", ["loss", "auc"])
@pytest.mark.parametrize("responses", [1, 2])
def test_a_rule_takes_a_fit_of_the_path_and_predicts_with_it(metric, responses):
    X, y = problems.responses("logistic", n=120, p=6)
    Y = y if responses == 1 else np.stack([y, 1 - np.roll(y, 1)], axis=1)
    cv = pr.cv_path(X, Y, loss="logistic", metric=metric, l1_ratio=[0.5, 1.0], n_alphas=12, dtype="float64")
    mean = -cv.mean_loss if metric == "auc" else cv.mean_loss
    for t in range(responses):
        part = (lambda a, t=t: a[t]) if responses == 2 else np.asarray
        m, se, grid = part(mean), part(cv.se_loss), part(cv.alphas)
        r, k = np.unravel_index(np.argmax(np.where(m == m.min(), grid, -1)), m.shape)
        near = int(np.flatnonzero(m[r] <= m[r, k] + se[r, k])[0])  # alphas fall
        assert np.ravel(cv.alpha_min)[t] == grid[r, k]
        assert np.ravel(cv.alpha_1se)[t] == grid[r, near]
        assert np.ravel(cv.l1_ratio_min)[t] == [0.5, 1.0][r]
        for rule, at in (("min", k), ("1se", near)):
            np.testing.assert_array_equal(np.reshape(cv.coef(rule), (responses, -1))[t], part(cv.path.coef)[r, at])
            np.testing.assert_array_equal(np.ravel(cv.intercept(rule))[t], part(cv.path.intercept)[r, at])
            expected = part(cv.path.predict(X[:5]))[r, at]
            np.testing.assert_allclose(np.reshape(cv.predict(X[:5], rule), (responses, -1))[t], expected, rtol=1e-12)
    if responses == 1:
        penalty: Any = cv.model("1se").penalty
        assert (penalty.alpha, penalty.l1_ratio) == (cv.alpha_1se, cv.l1_ratio_min)
    assert cv.predict(X[:5], kind="class").shape == ((5,) if responses == 1 else (2, 5))
    with pytest.raises(ValueError, match="rule must be 'min' or '1se', got 'best'"):
        cv.coef("best")


def test_the_table_has_a_line_for_each_rule():
    X, y, _ = pr.datasets.load_diabetes()
    cv = pr.cv_path(X, y, l1_ratio=[0.5, 1.0], standardize=True, dtype="float64", tol=1e-8)
    head, titles, low, near = repr(cv).splitlines()
    assert head == "CVPath: 5 folds x 2 x 100 alphas, squared loss, 10 features, float64"
    assert titles.split() == ["rule", "alpha", "l1_ratio", "mean", "loss", "+-", "SE", "non-zeros", "worst", "gap"]
    for line, rule, alpha in ((low, "min", cv.alpha_min), (near, "1se", cv.alpha_1se)):
        cells = line.split()
        r, k = np.argwhere((cv.alphas == alpha) & (np.array([[0.5], [1.0]]) == cv.l1_ratio_min))[0]
        worst = max(cv.path.gap[r, k], cv.fold_gap[:, r, k].max())
        assert cells[0] == rule
        numbers = [float(cell) for cell in cells[1:] if cell != "+-"]
        expected = [alpha, cv.l1_ratio_min, cv.mean_loss[r, k], cv.se_loss[r, k], cv.path.nnz[r, k], worst]
        np.testing.assert_allclose(numbers, expected, rtol=0.06)
    logistic = pr.cv_path(X, y > 140, loss="logistic", metric="auc", standardize=True, n_alphas=10, dtype="float64")
    assert "mean auc +- SE" in repr(logistic)
    own = pr.Custom(lambda eta, y: (eta - y) ** 2 / 2)
    free = pr.cv_path(X, y, alphas=[5.0, 1.0, 0.2], loss=own, standardize=True, dtype="float64")
    assert repr(free).splitlines()[-1].split()[-1] == "unknown"  # no dual is known


def test_a_minimum_at_the_edge_of_the_grid_is_said():
    X, y = problems.regression(noise=0.1)
    with pytest.warns(pr.DataWarning, match=r"best mean loss is at the smallest alpha of the grid, 0\.5; pass smaller"):
        pr.cv_path(X, y, alphas=[2.0, 0.5], dtype="float64")
    with pytest.warns(pr.DataWarning, match=r"largest alpha of the grid, 0\.01; pass larger alphas"):
        pr.cv_path(X[:12], np.random.default_rng(0).standard_normal(12), alphas=[0.01, 0.001], dtype="float64")
    noise = np.random.default_rng(5).standard_normal(60)
    with pytest.warns(pr.DataWarning, match="where all coefficients are zero: no feature helps"):
        pr.cv_path(X, noise, dtype="float64")
    with pytest.warns(pr.DataWarning, match="y 1: the best mean loss is at the largest"):
        pr.cv_path(X, np.stack([y, noise], axis=1), min_ratio=1e-4, tol=1e-8, dtype="float64")
    pr.cv_path(X, y, alphas=[0.5], dtype="float64")  # a grid of one has no edge
    pr.cv_path(X, y, alphas=[0.5, 0.0], dtype="float64")  # nothing lies below 0


@edge
def test_repeats_are_no_new_data():
    import jax

    X, y = problems.regression()
    cv = pr.cv_path(X, y, folds=5, repeats=3, key=jax.random.key(0), alphas=[0.1, 0.01], dtype="float64")
    spread = np.mean((cv.fold_loss - cv.mean_loss) ** 2, axis=0)
    assert len(cv.fold_loss) == 15
    np.testing.assert_allclose(cv.se_loss, np.sqrt(spread / 4), rtol=1e-12)


def test_metrics_without_a_meaning_are_refused():
    X, y = problems.regression()
    with pytest.raises(
        ValueError, match="metric must be one of 'loss', 'deviance', 'mse', 'accuracy', 'auc', got 'r2'"
    ):
        pr.cv_path(X, y, metric="r2")
    with pytest.raises(ValueError, match="metric='auc' has no meaning for the squared loss, only for: logistic"):
        pr.cv_path(X, y, metric="auc")
    with pytest.raises(ValueError, match="metric='deviance' has no meaning for the huber loss"):
        pr.cv_path(X, y, loss="huber", metric="deviance")
    with pytest.raises(ValueError, match="fold 0 holds a single class, and auc needs both"):
        pr.cv_path(X, np.arange(60) < 30, folds=KFold(2), loss="logistic", metric="auc", alphas=[1.0])


@edge
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_integer_weights_are_repeated_rows(loss):
    X, y = problems.responses(loss)
    weights, label = np.random.default_rng(0).integers(1, 4, 60), np.arange(60) % 4
    options = {"alphas": [0.2, 0.05], "l1_ratio": [0.5, 1.0], "loss": loss, "standardize": True, **TIGHT}
    weighted = pr.cv_path(X, y, sample_weight=weights, folds=label, **options)
    rows = np.repeat(np.arange(60), weights)
    repeated = pr.cv_path(X[rows], y[rows], folds=label[rows], **options)
    for name in ("fold_loss", "mean_loss", "se_loss"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-7)
    np.testing.assert_allclose(weighted.coef("1se"), repeated.coef("1se"), atol=1e-6)
    for metric in ("mse", "deviance", *(("accuracy", "auc") if loss == "logistic" else ())):
        one = pr.cv_path(X, y, sample_weight=weights, folds=label, metric=metric, **options)
        other = pr.cv_path(X[rows], y[rows], folds=label[rows], metric=metric, **options)
        np.testing.assert_allclose(one.fold_loss, other.fold_loss, rtol=1e-7, err_msg=metric)


@edge
def test_folds_as_pairs_of_rows_and_what_is_none():
    X, y = problems.regression()
    folds = KFold(4, shuffle=True, random_state=0)
    options = {"alphas": [0.1, 0.01], "dtype": "float64"}
    pairs = pr.cv_path(X, y, folds=list(folds.split(X)), **options)
    np.testing.assert_array_equal(pairs.fold_loss, pr.cv_path(X, y, folds=folds, **options).fold_loss)
    with pytest.raises(ValueError, match="folds must be a number, labels"):
        pr.cv_path(X, y, folds="5")
    for key in (0, "a", np.arange(3), np.random.default_rng(0)):
        with pytest.raises(ValueError, match="key must be a key such as"):
            pr.cv_path(X, y, key=key)


def test_responses_whose_best_models_are_at_the_same_end_are_said_together():
    alphas = np.broadcast_to([3.0, 2.0, 1.0], (5, 3))
    mean = np.array([[3.0, 2, 1], [1, 0, 1], [3, 2, 0], [0, 1, 2], [2, 1, np.nan]])
    place = np.array([2, 1, 2, 0, 1])
    nnz = np.ones((5, 3), int)
    with pytest.warns(pr.DataWarning) as said:
        rules.warn_at_the_edge(alphas, mean, nnz, place, "mean")
    assert [str(each.message) for each in said] == [
        f"y 0 and 1 more: the best mean is at the smallest alpha of the grid, 1; {rules.SMALLER}",
        "y 3: the best mean is at the largest alpha of the grid, 3; pass larger alphas",
    ]
