"""Information criteria and leave-one-out ridge: against scikit-learn, explicit refits and dense algebra."""

import pickle
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import comb
from scipy.stats import bernoulli, norm, poisson
from sklearn.linear_model import LassoLarsIC, Ridge, RidgeCV, lars_path
from sklearn.preprocessing import StandardScaler

import proxreg as pr
from tests import problems

# grids here are short, and end where they like
pytestmark = pytest.mark.filterwarnings("ignore:.*the best (mean|AIC|BIC|EBIC)")

TIGHT = {"dtype": "float64", "tol": 1e-10}


def diabetes():
    X, y, _ = pr.datasets.load_diabetes()
    return StandardScaler().fit_transform(X), y


def used_between_knots(coef_path):
    """Whether a coefficient is non-zero between one knot of LARS and the next, where none is at zero by a hair."""
    middle = np.abs(coef_path[:, :-1] + coef_path[:, 1:]) / 2
    return middle > 1e-6 * middle.max()


@pytest.mark.parametrize("kind", ["aic", "bic"])
def test_the_choice_of_lasso_lars_ic(kind):
    X, y = diabetes()
    model = LassoLarsIC(criterion=kind).fit(X, y)
    # a little above, where whatever enters at these alphas is surely still zero
    path = pr.fit_path(X, y, alphas=model.alphas_[:-1] * (1 + 1e-7), **TIGHT)
    found = pr.information_criterion(path, X, y, kind=kind, noise_variance=model.noise_variance_)
    _, _, coef_path = lars_path(X, y - y.mean(), method="lasso")
    used = used_between_knots(coef_path)
    # where a coefficient leaves, the rounding of LARS decides whether it is zero and counted
    leaves = np.append(False, np.any(used[:, :-1] & ~used[:, 1:], axis=0))
    assert leaves.sum() == 1
    np.testing.assert_allclose(found.value[~leaves], model.criterion_[:-1][~leaves], rtol=1e-6)
    assert found.alpha == pytest.approx(model.alpha_)
    np.testing.assert_allclose(found.coef, model.coef_, atol=1e-2)
    np.testing.assert_allclose(found.predict(X[:3]), model.predict(X[:3]), rtol=1e-4)


@pytest.mark.parametrize(("kind", "price"), [("aic", 2.0), ("bic", np.log(442))])
def test_criteria_between_the_knots_of_lars(kind, price):
    X, y = diabetes()
    knots, _, coef_path = lars_path(X, y - y.mean(), method="lasso")
    path = pr.fit_path(X, y, alphas=(knots[:-1] + knots[1:]) / 2, **TIGHT)
    found = pr.information_criterion(path, X, y, kind=kind, noise_variance=3000.0)
    residual = y[:, None] - y.mean() - X @ ((coef_path[:, :-1] + coef_path[:, 1:]) / 2)  # coefficients are linear there
    df = used_between_knots(coef_path).sum(axis=0)
    np.testing.assert_array_equal(path.nnz, df)
    expected = 442 * np.log(2 * np.pi * 3000) + np.sum(residual**2, axis=0) / 3000 + price * df
    np.testing.assert_allclose(found.value, expected, rtol=1e-9)


@pytest.mark.parametrize("loss", ["squared", "logistic", "poisson"])
def test_likelihoods(loss):
    X, y = problems.responses(loss)
    path = pr.fit_path(X, y, loss=loss, alphas=[0.2, 0.05], **TIGHT)
    aic, bic, ebic = (pr.information_criterion(path, kind=kind, gamma=0.5) for kind in ("aic", "bic", "ebic"))
    mean = path.predict(X)
    for k in range(2):
        if loss == "squared":
            like = norm.logpdf(y, mean[k], np.sqrt(np.mean((y - mean[k]) ** 2))).sum()
        elif loss == "logistic":
            like = bernoulli.logpmf(y.astype(int), mean[k]).sum()
        else:  # the saturated model's less
            like = poisson.logpmf(y, mean[k]).sum() - poisson.logpmf(y, y).sum()
        df = path.nnz[k]
        np.testing.assert_allclose(aic.value[k], -2 * like + 2 * df, rtol=1e-9)
        np.testing.assert_allclose(bic.value[k], -2 * like + np.log(60) * df, rtol=1e-9)
        np.testing.assert_allclose(ebic.value[k] - bic.value[k], np.log(comb(8, df)), rtol=1e-8)
    assert bic.alpha == path.alphas[np.argmin(bic.value)]


def test_a_loss_of_ones_own_is_minus_a_log_likelihood():
    X, y = problems.responses("poisson")
    options = {"alphas": [0.2, 0.05], "l1_ratio": 0.7, **TIGHT}
    own = pr.fit_path(X, y, loss=lambda eta, y: jnp.exp(eta) - y * eta, **options)
    known = pr.fit_path(X, y, loss="poisson", **options)
    own, known = pr.information_criterion(own), pr.information_criterion(known)
    np.testing.assert_allclose(own.df, known.df, rtol=1e-6)
    np.testing.assert_allclose(np.diff(own.value), np.diff(known.value), rtol=1e-6)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_degrees_of_freedom_with_a_ridge_part(loss, standardize):
    X, y = problems.responses(loss)
    factor = np.linspace(0.5, 2, 8)
    path = pr.fit_path(
        X,
        y,
        loss=loss,
        alphas=[0.2, 0.02],
        l1_ratio=[0.0, 0.5],
        standardize=standardize,
        penalty_factor=factor,
        **TIGHT,
    )
    found = pr.information_criterion(path)
    scale = X.std(axis=0) if standardize else np.ones(8)
    for r, ratio in enumerate([0.0, 0.5]):
        for k, alpha in enumerate([0.2, 0.02]):
            used = path.coef[r, k] != 0
            mean = path.predict(X)[r, k]
            d = np.full(60, 1 / 60) if loss == "squared" else mean * (1 - mean) / 60
            design = np.column_stack([np.ones(60), X[:, used] / scale[used]])
            penalty = np.diag(np.append(0, alpha * (1 - ratio) * factor[used]))
            hat = design @ np.linalg.solve((design.T * d) @ design + penalty, design.T * d)
            np.testing.assert_allclose(found.df[r, k], np.trace(hat) - 1, rtol=1e-8)  # less the intercept


def test_weights_are_repeated_rows_and_responses_have_one_each():
    X, y = problems.regression()
    weights = np.random.default_rng(0).integers(1, 4, 60)
    options = {"alphas": [0.3, 0.1, 0.03], "l1_ratio": 0.8, **TIGHT}
    weighted = pr.information_criterion(pr.fit_path(X, y, sample_weight=weights, **options))
    rows = np.repeat(np.arange(60), weights)
    repeated = pr.information_criterion(pr.fit_path(X[rows], y[rows], **options))
    np.testing.assert_allclose(weighted.value, repeated.value, rtol=1e-8)
    np.testing.assert_allclose(weighted.df, repeated.df, rtol=1e-6)
    both = pr.information_criterion(pr.fit_path(X, np.stack([y, -y + X[:, 3]], axis=1), **options))
    alone = pr.information_criterion(pr.fit_path(X, -y + X[:, 3], **options))
    np.testing.assert_allclose(both.value[1], alone.value, rtol=1e-6)
    assert both.alpha[1] == alone.alpha
    assert [line.split()[:2] for line in repr(both).splitlines()[1:]] == [["y", "0:"], ["y", "1:"]]


def test_data_come_from_the_path_unless_it_was_pickled():
    X, y = problems.regression()
    path = pr.fit_path(X, y, alphas=[0.3, 0.1], **TIGHT)
    again = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(again.coef, path.coef)
    own = pr.information_criterion(path)
    np.testing.assert_allclose(own.value, pr.information_criterion(again, X, y).value, rtol=1e-12)
    for function in (pr.information_criterion, pr.relax):
        with pytest.raises(ValueError, match="does not carry its data: pass X and y"):
            function(again)
        with pytest.raises(ValueError, match="pass both X and y"):
            function(path, X)
        with pytest.raises(ValueError, match="sample_weight and offset go with X and y"):
            function(path, offset=y)
        with pytest.raises(ValueError, match="X has 7 columns, the model was fitted on 8"):
            function(path, X[:, 1:], y)
        with pytest.raises(ValueError, match="the path has 1 responses, y has 2"):
            function(path, X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match=r"huber loss is no likelihood unless .* then fit pr.Custom\(loss.value\)"):
        pr.information_criterion(pr.fit_path(X, y, loss="huber", alphas=[0.1]))
    with pytest.raises(ValueError, match="degrees of freedom of GroupLasso are not known"):
        pr.information_criterion(
            pr.fit_path(X, y, penalty=pr.GroupLasso(1.0, groups=[0, 0, 0, 0, 1, 1, 1, 1]), alphas=[0.1])
        )
    with pytest.raises(ValueError, match="kind must be one of 'aic', 'bic', 'ebic', got 'cp'"):
        pr.information_criterion(path, kind="cp")


@pytest.mark.parametrize("options", [{}, {"fit_intercept": False}, {"sample_weight": True}])
@pytest.mark.parametrize(("n", "p"), [(60, 8), (30, 50)])
def test_leaving_a_row_out_is_a_refit_without_it(options, n, p):
    X, y = problems.regression(n, p)
    weights = np.random.default_rng(0).uniform(0.5, 2, n) if options.pop("sample_weight", False) else None
    alphas = np.array([1.0, 0.1])
    cv = pr.ridge_cv(X, y, alphas=alphas, sample_weight=weights, tol=1e-10, **options)
    assert cv.path.converged.all()
    s = np.ones(n) if weights is None else weights
    for row in (0, 7, n - 1):
        rest = np.delete(np.arange(n), row)
        for k, alpha in enumerate(alphas):
            model = Ridge(alpha=alpha * s.sum(), solver="svd", **options).fit(X[rest], y[rest], sample_weight=s[rest])
            error = float(y[row] - model.predict(X[row : row + 1])[0])
            np.testing.assert_allclose(cv.fold_loss[row, k], error**2 / 2, rtol=1e-8)
            again = pr.fit_path(
                X[rest], y[rest], l1_ratio=0.0, alphas=[alpha * s.sum() / s[rest].sum()], sample_weight=s[rest],
                **TIGHT, **options,
            )  # fmt: skip
            np.testing.assert_allclose(again.predict(X[row : row + 1])[0, 0], y[row] - error, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(cv.mean_loss, np.average(cv.fold_loss, axis=0, weights=s), rtol=1e-12)


def test_the_choice_of_ridge_cv_and_its_certificates():
    X, y = diabetes()
    alphas = np.geomspace(1e-3, 1, 12)
    cv = pr.ridge_cv(X, y, alphas=alphas, tol=1e-9)
    model: Any = RidgeCV(alphas=alphas * len(y), store_cv_results=True).fit(X, y)
    np.testing.assert_allclose(2 * cv.fold_loss, model.cv_results_, rtol=1e-7)
    assert cv.alpha_min == pytest.approx(model.alpha_ / len(y))
    np.testing.assert_allclose(cv.coef(), model.coef_, rtol=1e-6)
    assert cv.path.gap.max() <= 1e-9
    assert cv.alpha_1se >= cv.alpha_min
    default = pr.ridge_cv(X, y)
    assert default.alphas[0] > default.alpha_min > default.alphas[-1]


def test_generalised_cross_validation():
    X, y = diabetes()
    alphas = np.array([1.0, 0.01])
    cv = pr.ridge_cv(X, y, alphas=alphas, criterion="gcv")
    n, design = len(y), np.column_stack([np.ones(len(y)), X])
    for k, alpha in enumerate(alphas):
        penalty = n * alpha * np.diag(np.append(0, np.ones(10)))
        hat = design @ np.linalg.solve(design.T @ design + penalty, design.T)
        expected = np.mean((y - hat @ y) ** 2) / (1 - np.trace(hat) / n) ** 2 / 2
        np.testing.assert_allclose(cv.mean_loss[k], expected, rtol=1e-9)
    with pytest.raises(ValueError, match="criterion must be 'loo' or 'gcv', got 'press'"):
        pr.ridge_cv(X, y, criterion="press")


def test_generalised_cross_validation_takes_weights_for_equal_rows():
    X, y = diabetes()
    weights = np.random.default_rng(0).integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), weights)
    asked: list[Any] = [{}, {"standardize": True}, {"fit_intercept": False}]
    for options in asked:
        weighted = pr.ridge_cv(X, y, sample_weight=weights.astype(float), criterion="gcv", **options)
        repeated = pr.ridge_cv(X[again], y[again], criterion="gcv", **options)
        np.testing.assert_allclose(weighted.alphas, repeated.alphas, rtol=1e-9)
        np.testing.assert_allclose(weighted.mean_loss, repeated.mean_loss, rtol=1e-9)
        np.testing.assert_allclose(weighted.se_loss, repeated.se_loss, rtol=1e-9)
        factor = pr.adaptive(X, y, sample_weight=weights.astype(float), **options)
        np.testing.assert_allclose(factor, pr.adaptive(X[again], y[again], **options), rtol=1e-6)
    relative = pr.ridge_cv(X, y, sample_weight=weights / weights.sum(), criterion="gcv")
    assert np.isfinite(relative.mean_loss).all()


@pytest.mark.filterwarnings("ignore:constant", "ignore:y is constant")
def test_rows_of_weight_zero_are_not_there():
    X, y = diabetes()
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    weights[:150] = 0
    for criterion in ("loo", "gcv"):
        options: Any = {"alphas": [0.01, 0.1, 1.0], "criterion": criterion}
        whole = pr.ridge_cv(X, y, sample_weight=weights, **options)
        part = pr.ridge_cv(X[150:], y[150:], sample_weight=weights[150:], **options)
        np.testing.assert_allclose(whole.mean_loss, part.mean_loss, rtol=1e-9)
        np.testing.assert_allclose(whole.se_loss, part.se_loss, rtol=1e-9)
    with pytest.raises(ValueError, match="two rows or more of positive weight"):
        pr.ridge_cv(X, y, alphas=[1.0], sample_weight=np.eye(len(y))[0])


def test_refitted_and_limited_coefficients_have_their_own_degrees_of_freedom():
    X, y = problems.regression()
    path = pr.fit_path(X, y, l1_ratio=0.5, alphas=[0.5, 0.1], **TIGHT)
    np.testing.assert_array_equal(pr.information_criterion(pr.relax(path)).df, path.nnz)
    limited = pr.fit_path(X, y, alphas=[0.05], upper=0.3, **TIGHT)
    free = (limited.coef[0] != 0) & (limited.coef[0] < 0.3)
    assert 0 < free.sum() < limited.nnz[0]
    assert pr.information_criterion(limited).df[0] == free.sum()


def test_data_that_differ_from_those_of_the_path_are_refused():
    import copy

    import pandas as pd

    X, y = problems.regression()
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    path = pr.fit_path(frame, y, alphas=[0.3, 0.1], sample_weight=np.arange(60.0) + 1, offset=X[:, 0], **TIGHT)
    one: Any = pr.fit(X, y, penalty=pr.L1(0.1))
    for function in (pr.information_criterion, pr.relax):
        with pytest.raises(ValueError, match="the path was fitted with sample_weight: pass it beside X and y"):
            function(path, X, y)
        with pytest.raises(ValueError, match="the path was fitted with offset"):
            function(path, X, y, sample_weight=np.arange(60.0) + 1)
        options: Any = {"sample_weight": np.arange(60.0) + 1, "offset": X[:, 0]}
        turned, straight = function(path, frame[list("hgfedcba")], y, **options), function(path, frame, y, **options)
        np.testing.assert_allclose(turned.coef, straight.coef, rtol=1e-8, atol=1e-12)
        with pytest.raises(ValueError, match="X has no column 'a', which the model was fitted on"):
            function(path, frame.rename(columns={"a": "A"}), y, **options)
        with pytest.raises(ValueError, match="path must be what fit_path or cv_path returned, got Fit"):
            function(one)
    np.testing.assert_array_equal(pr.relax(copy.deepcopy(path)).coef, pr.relax(path).coef)
    cv = pr.cv_path(X, y, alphas=[0.3, 0.1], **TIGHT)
    np.testing.assert_array_equal(pr.relax(cv).coef, pr.relax(cv.path).coef)
    assert pr.information_criterion(cv).alpha == pr.information_criterion(cv.path).alpha


def test_a_best_model_at_the_end_of_the_grid_is_said():
    X, y = problems.regression()
    path = pr.fit_path(X, y, alphas=[3.0, 1.0], **TIGHT)
    with pytest.warns(pr.DataWarning, match=r"the best BIC is at the smallest alpha of the grid, 1; pass smaller"):
        pr.information_criterion(path)
    ridge = pr.fit_path(X, y, l1_ratio=0.0, n_alphas=12, **TIGHT)  # whose default grid ends far above the best alpha

    def aic(alpha):
        C, r = X - X.mean(axis=0), y - y.mean()
        hat = C @ np.linalg.solve(C.T @ C + 60 * alpha * np.eye(8), C.T)
        return 60 * np.log(np.mean((r - hat @ r) ** 2)) + 2 * hat.trace()

    assert aic(ridge.alphas[-1] / 10) < aic(ridge.alphas[-1]) == min(map(aic, ridge.alphas))
    with pytest.warns(pr.DataWarning, match=r"the best AIC is at the smallest alpha of the grid, .*; pass smaller"):
        pr.information_criterion(ridge, kind="aic")
    with pytest.warns(pr.DataWarning, match="the best mean loss is at the smallest alpha"):
        cv = pr.cv_path(X, y, l1_ratio=0.0, n_alphas=12, **TIGHT)
    assert cv.alpha_min == pytest.approx(ridge.alphas[-1])
    with pytest.warns(pr.DataWarning, match="y 1: the best BIC is at the smallest"):
        pr.information_criterion(pr.fit_path(X, np.stack([y[::-1], y], axis=1), alphas=[3.0, 1.0], **TIGHT))


@pytest.mark.filterwarnings("error")
def test_an_end_that_was_asked_for_or_that_fits_noise_is_not_to_be_moved():
    X, y = problems.regression(12, 40)
    path = pr.fit_path(X, y, n_alphas=30, min_ratio=1e-4, **TIGHT)
    with pytest.warns(pr.DataWarning, match="smallest alpha .*; it has a degree of freedom for every other row"):
        pr.information_criterion(path, kind="aic")
    ended = pr.fit_path(X, y, n_alphas=30, min_ratio=1e-4, max_features=4, **TIGHT)
    assert ended.alphas.size < 30
    pr.information_criterion(ended, kind="aic")
    inside = pr.information_criterion(pr.fit_path(*problems.regression(), n_alphas=20, min_ratio=1e-4, **TIGHT))
    assert 0 < inside.place[0] < 19
