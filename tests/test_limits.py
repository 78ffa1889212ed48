"""Limits of coefficients, columns left out, and paths that end early."""

import numpy as np
import pytest
import scipy.optimize

import proxreg as pr
from tests import problems

TIGHT = {"dtype": "float64", "tol": 1e-10}


def bounded(X, y, alpha, l1_ratio, lower, upper, weights=None, loss="squared"):
    """By L-BFGS-B on positive and negative parts, each with its own bound."""
    n, p = X.shape
    s = np.full(n, 1 / n) if weights is None else weights / weights.sum()
    value, derivative, _ = problems.LOSSES[loss]

    def f(parts):
        w, b = parts[:p] - parts[p : 2 * p], parts[-1]
        slope = s * derivative(X @ w + b, y)
        g = X.T @ slope + alpha * (1 - l1_ratio) * w
        size = alpha * l1_ratio * parts[:-1].sum() + alpha * (1 - l1_ratio) / 2 * w @ w
        return s @ value(X @ w + b, y) + size, np.concatenate(
            [g + alpha * l1_ratio, -g + alpha * l1_ratio, [slope.sum()]]
        )

    ends = [(0, u) for u in upper] + [(0, -low) for low in lower] + [(None, None)]
    options = {"maxiter": 10**5, "maxfun": 10**6, "ftol": 0.0, "gtol": 1e-12, "maxcor": 50}
    found = scipy.optimize.minimize(f, np.zeros(2 * p + 1), jac=True, method="L-BFGS-B", bounds=ends, options=options)
    return found.x[:p] - found.x[p : 2 * p], found.x[-1]


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_limits_against_another_solver(loss, l1_ratio, weighted):
    X, y = problems.responses(loss)
    weights = np.random.default_rng(0).uniform(0.5, 2, 60) if weighted else None
    lower, upper = np.array([-0.1, 0, -np.inf, -0.2, 0, -1, -0.05, 0]), np.array([0.5, 0.1, 0, np.inf, 0.3, 0, 0.05, 1])
    options = {"loss": loss, "l1_ratio": l1_ratio, "sample_weight": weights, "lower": lower, "upper": upper}
    path = pr.fit_path(X, y, alphas=[0.1, 0.01], **options, **TIGHT)
    assert path.converged.all()
    assert path.gap.max() <= 1e-10
    for k, alpha in enumerate(path.alphas):
        coef, intercept = bounded(X, y, alpha, l1_ratio, lower, upper, weights, loss)
        np.testing.assert_allclose(path.coef[k], coef, atol=2e-5)
        np.testing.assert_allclose(path.intercept[k], intercept, atol=2e-4)
    assert np.all((path.coef >= lower) & (path.coef <= upper))
    assert np.any(path.coef == upper)  # a limit that is reached is reached exactly


@pytest.mark.parametrize("solver", ["auto", "fista", "coordinate_descent"])
def test_solvers_agree_and_limits_are_on_the_scale_of_the_input(solver):
    X, y = problems.regression()
    X = X * [1, 10, 0.1, 1, 1, 1, 1, 1]
    path = pr.fit_path(X, y, standardize=True, alphas=[0.1, 0.01], upper=0.3, solver=solver, **TIGHT)
    assert path.coef.max() == pytest.approx(0.3, abs=1e-12)
    scale = X.std(axis=0)
    own = pr.BoundedElasticNet(1.0, 1.0, -np.inf, 0.3 * scale)
    same = pr.fit_path(X / scale, y, penalty=own, alphas=[0.1, 0.01], **TIGHT)
    np.testing.assert_allclose(path.coef * scale, same.coef, atol=1e-7)


def test_many_columns_and_folds():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 1200))
    y = X[:, :5] @ [4, -3, 2, 1, 1] + 0.1 * rng.standard_normal(60)
    path = pr.fit_path(X, y, lower=-1, upper=2, alphas=[0.5, 0.1], **TIGHT)
    assert path.converged.all()
    assert path.coef.min() == -1
    assert path.coef[1].max() == 2
    X, y = problems.regression()
    X = X * [1, 10, 0.1, 1, 1, 1, 1, 1]
    options = {"standardize": True, "alphas": [0.1, 0.01], "upper": 0.3, "positive": True, **TIGHT}
    with pytest.warns(pr.DataWarning, match="best mean"):
        cv = pr.cv_path(X, y, folds=3, **options)
    for fold, rows in enumerate(np.array_split(np.arange(60), 3)):
        rest = np.setdiff1d(np.arange(60), rows)
        alone = pr.fit_path(X[rest], y[rest], **options)
        expected = np.mean((alone.predict(X[rows]) - y[rows]) ** 2, axis=1) / 2
        np.testing.assert_allclose(cv.fold_loss[fold], expected, rtol=1e-8)
        assert alone.coef.min() >= 0
        assert alone.coef.max() <= 0.3


@pytest.mark.parametrize("l1_ratio", [0.4, 1.0])
@pytest.mark.parametrize("options", [{}, {"positive": True}, {"lower": -0.1, "upper": 0.0}, {"standardize": True}])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_alpha_max_is_where_the_first_coefficient_enters(l1_ratio, options, fit_intercept):
    X, y = problems.regression()
    y = y if options.get("positive") else -y  # of the other sign no column would be allowed to enter
    given = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept, "dtype": "float64", **options}
    given["sample_weight"] = np.random.default_rng(1).integers(1, 4, 60).astype(float)
    top = pr.alpha_max(X, y, **given)
    path = pr.fit_path(X, y, alphas=[1.0001 * top, top, 0.999 * top], tol=1e-12, **given)
    assert path.nnz.tolist()[:2] == [0, 0]
    assert path.nnz[2] >= 1
    assert pr.fit_path(X, y, n_alphas=3, **given).alphas[0] == top


def test_columns_left_out_by_number_name_or_mask():
    X, y = problems.regression()
    names = list("abcdefgh")
    mask = np.isin(np.arange(8), [0, 2])
    chosen = {"number": [0, 2], "name": ["a", "c"], "mask": mask, "both": ["a", 2]}
    paths = {
        kind: pr.fit_path(X, y, exclude=which, feature_names=names, alphas=[0.1], **TIGHT)
        for kind, which in chosen.items()
    }
    expected = pr.fit_path(X[:, ~mask], y, alphas=[0.1], **TIGHT).coef
    for path in paths.values():
        np.testing.assert_allclose(path.coef[:, ~mask], expected, atol=1e-8)
        assert not path.coef[:, mask].any()
    factor = np.array([1, 0, 1, 2, 1, 1, 1, 1.0])
    both = pr.fit_path(X, y, exclude=[0], penalty_factor=factor, alphas=[1e3], **TIGHT)
    assert np.flatnonzero(both.coef[0]).tolist() == [1]
    for which, message in [
        ([8], "names of columns or numbers from 0 to 7, got 8"),
        (-1, "from 0 to 7, got -1"),
        ("z", "from 0 to 7, got z"),
        (2.5, "from 0 to 7, got 2.5"),
        (range(8), "leaves no column"),
    ]:
        with pytest.raises(ValueError, match=message):
            pr.fit_path(X, y, exclude=which, feature_names=names)


@pytest.mark.parametrize("l1_ratio", [1.0, [0.5, 1.0]])
def test_a_path_ends_before_it_has_too_many_features(l1_ratio):
    X, y, _ = pr.datasets.load_diabetes()
    options = {"standardize": True, "l1_ratio": l1_ratio, "dtype": "float64", "tol": 1e-9, "n_alphas": 60}
    whole = pr.fit_path(X, y, **options)
    short = pr.fit_path(X, y, max_features=4, **options)
    more = np.atleast_2d(whole.nnz > 4)
    end = min(int(np.argmax(row)) for row in more)
    assert short.nnz.max() <= 4
    assert short.alphas.shape[-1] == end < 60
    np.testing.assert_array_equal(short.alphas, whole.alphas[..., :end])
    np.testing.assert_allclose(short.coef, whole.coef[..., :end, :], atol=1e-5)
    np.testing.assert_array_equal(pr.fit_path(X, y, max_features=10, **options).alphas, whole.alphas)


def test_early_ends_keep_the_order_of_alphas_and_serve_cross_validation():
    X, y, _ = pr.datasets.load_diabetes()
    options = {"standardize": True, "dtype": "float64", "tol": 1e-9}
    grid = np.geomspace(45, 0.5, 40)
    mixed = np.random.default_rng(0).permutation(grid)
    short = pr.fit_path(X, y, alphas=mixed, max_features=4, **options)
    kept = mixed[mixed >= short.alphas.min()]
    np.testing.assert_array_equal(short.alphas, kept)
    np.testing.assert_allclose(short.coef, pr.fit_path(X, y, alphas=kept, **options).coef, atol=1e-5)
    cv = pr.cv_path(X, y, alphas=grid, max_features=4, **options)  # at the edge of the grid, as was asked for
    assert cv.mean_loss.shape == cv.alphas.shape == short.alphas.shape
    with pytest.raises(ValueError, match="max_features=3: even the largest alpha has more non-zeros"):
        pr.fit_path(X, y, alphas=[0.1], max_features=3, **options)


def test_bad_limits_are_refused():
    X, y = problems.regression()
    for options, message in [
        ({"lower": 0.1}, "lower must be <= 0"),
        ({"upper": -1.0}, "upper must be >= 0"),
        ({"upper": np.nan}, "upper must be >= 0"),
        ({"lower": -np.ones(3)}, r"lower must be a number or have shape \(8,\)"),
        ({"positive": np.ones(8, bool)}, "positive is True or False for all columns"),
        ({"positive": True, "penalty": pr.L1(1.0)}, "belong to the default penalty"),
        ({"max_features": 0}, "max_features must be > 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            pr.fit_path(X, y, **options)
