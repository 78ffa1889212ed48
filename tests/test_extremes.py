"""Values far out, rows that do not count, limits on many columns, columns of any scale."""

import warnings

import jax
import numpy as np
import pytest
from sklearn.linear_model import Lasso, LogisticRegression, PoissonRegressor

import proxreg as pr

pytestmark = pytest.mark.filterwarnings("ignore:columns differ in scale", "ignore:the best (mean loss|BIC)")


def far(size, n=200, p=3):
    """A sentinel in the first row of the last column."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p))
    X[3, -1] = size
    return X, X[:, 0] + rng.standard_normal(n)


@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"fit_intercept": False}], ids=str)
@pytest.mark.parametrize("size", [1e6, 1e8, 1e10])
def test_folds_without_a_value_far_out_are_refits(size, options):
    X, y = far(size)
    options = {"alphas": [0.01], "dtype": "float64", "tol": 1e-10, **options}
    cv = pr.cv_path(X, y, **options)
    alone = pr.fit_path(X[40:], y[40:], **options)
    squares = np.square(alone.predict(X[:40]) - y[:40])
    np.testing.assert_allclose(cv.fold_loss[0], np.mean(squares, axis=1) / 2, rtol=1e-8)


@pytest.mark.parametrize(("noise", "rtol"), [(1e-2, 1e-3), (1e-3, 1e-2), (1e-4, 5e-2)])
def test_losses_of_folds_that_fit_well_are_not_rounding(noise, rtol):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 10)).astype("float32")
    y = (X @ rng.standard_normal(10) + noise * rng.standard_normal(2000)).astype("float32")
    cv = pr.cv_path(X, y, alphas=[1e-5], tol=1e-5)
    wide = pr.cv_path(X.astype(float), y.astype(float), alphas=[1e-5], dtype="float64", tol=1e-10)
    np.testing.assert_allclose(cv.fold_loss, wide.fold_loss, rtol=rtol)


def test_folds_say_nothing_of_their_own_about_the_columns():
    X, y = far(0.0)
    X[:3, 1], X[3:, 1] = 5.0, 0.0  # constant outside the first fold
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="constant")
        pr.cv_path(X, y > 0, loss="logistic", n_alphas=3)
    X[:, 2] *= 1e5
    with pytest.warns(match="columns differ in scale") as said:
        pr.cv_path(X, y, loss="huber", n_alphas=3)
    assert sum("columns differ in scale" in str(each.message) for each in said) == 1


@pytest.mark.parametrize("solver", ["auto", "fista", "coordinate_descent"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_weight_zero_may_overflow(solver, dtype):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 1))
    y, weights = rng.poisson(np.exp(0.5 * x[:, 0])), np.ones(200)
    x[0], weights[0] = 300.0, 0.0
    options = {"alphas": [0.3, 0.02], "loss": "poisson", "dtype": dtype, "solver": solver, "standardize": True}
    path = pr.fit_path(x, y, sample_weight=weights, **options)
    alone = pr.fit_path(x[1:], y[1:], **options)
    assert path.converged.all()
    np.testing.assert_allclose(path.coef, alone.coef, atol=5e-3)
    np.testing.assert_allclose(path.objective, alone.objective, rtol=1e-3)
    assert np.isfinite(path.gap).all()


@pytest.mark.parametrize("size", [30.0, 60.0, 600.0])
def test_counts_with_a_value_far_out(size):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 10))
    X[0, 0] = size
    y = rng.poisson(np.exp(X[:, 0].clip(-2, 2) * 0.8))
    path = pr.fit_path(X, y, loss="poisson", n_alphas=40, min_ratio=1e-4, dtype="float64", tol=1e-8)
    assert path.converged.all()
    ridge = pr.fit_path(X, y, loss="poisson", alphas=[0.1], l1_ratio=0.0, dtype="float64", tol=1e-12)
    known = PoissonRegressor(alpha=0.1, tol=1e-12, max_iter=10**4, solver="newton-cholesky").fit(X, y)
    np.testing.assert_allclose(ridge.coef[0], known.coef_, atol=1e-5)


def test_limits_on_many_columns():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3000))
    y = X[:, :10] @ rng.standard_normal(10) + rng.standard_normal(60)
    options = {"n_alphas": 8, "dtype": "float64", "tol": 1e-7}
    path = pr.fit_path(X, y, positive=True, **options)
    assert path.converged.all()
    known = Lasso(alpha=path.alphas[-1], positive=True, tol=1e-12, max_iter=10**5).fit(X, y)
    np.testing.assert_allclose(path.coef[-1], known.coef_, atol=1e-4)
    below = pr.fit_path(-X, y, upper=0.0, **options)
    np.testing.assert_allclose(below.coef, -path.coef, atol=1e-4)
    both = pr.fit_path(X, y > 0, loss="logistic", positive=True, **options)
    assert both.converged.all()
    assert both.coef.min() >= 0


def test_mixtures_share_working_sets_in_few_steps():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((150, 5000))
    y = X[:, :10] @ rng.standard_normal(10) + rng.standard_normal(150)
    path = pr.fit_path(X, y, n_alphas=50, l1_ratio=[0.5, 1.0], dtype="float64")
    assert path.num_steps.max() < 700  # each alone takes half of that; one that waits for its columns, 1500


def test_many_coefficients_at_their_limits_take_few_steps():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 2500))
    y = X[:, :10] @ rng.standard_normal(10) + rng.standard_normal(40)
    path = pr.fit_path(X, y, n_alphas=20, lower=-0.1, upper=0.1, dtype="float64", tol=1e-9)
    assert path.converged.all()
    assert np.any(np.abs(path.coef) == 0.1)
    assert path.num_steps.max() < 2500  # gradients alone take 3000


@pytest.mark.parametrize("max_steps", [151, 160, 20_000])
def test_steps_of_both_kinds_end(max_steps):
    rng = np.random.default_rng(1673)
    n, p = 60, int(rng.choice([6, 12]))
    Z = rng.standard_normal((n, 2))
    X = (Z @ rng.standard_normal((2, p)) + 1e-2 * rng.standard_normal((n, p))) * 10.0 ** rng.uniform(-5, 3, p)
    y = Z[:, 0] + 0.3 * rng.logistic(size=n) > 0
    options = {"loss": "logistic", "n_alphas": 20, "min_ratio": 1e-6, "tol": 1e-6, "dtype": "float64"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = pr.fit_path(X, y, max_steps=max_steps, **options)
    assert path.num_steps.max() <= max_steps
    assert path.converged.all() or max_steps <= 160


def test_refits_do_not_see_rows_of_weight_zero():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 1))
    y, weights = rng.poisson(np.exp(0.5 * x[:, 0])), np.ones(200)
    x[0], weights[0] = 150.0, 0.0
    options = {"alphas": [0.3], "loss": "poisson", "tol": 1e-8, "dtype": "float64"}
    relaxed = pr.relax(pr.fit_path(x, y, sample_weight=weights, **options))
    alone = pr.relax(pr.fit_path(x[1:], y[1:], **options))
    np.testing.assert_allclose(relaxed.coef, alone.coef, rtol=1e-8)
    assert relaxed.converged.all()


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_classes_that_overlap_are_refitted_however_far_a_row_lies(weight):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 1))
    y = (rng.random(200) < 1 / (1 + np.exp(-1.5 * x[:, 0]))).astype(int)
    x[0], y[0] = 100.0, 1
    weights = np.r_[weight, np.ones(199)]
    path = pr.fit_path(x, y, alphas=[0.1], loss="logistic", sample_weight=weights, tol=1e-8, dtype="float64")
    relaxed = pr.relax(path)
    known = LogisticRegression(C=np.inf, tol=1e-10, solver="newton-cholesky").fit(x, y, sample_weight=weights)
    np.testing.assert_allclose(relaxed.coef[0], known.coef_[0], rtol=1e-6)
    assert relaxed.converged.all()


def test_classes_apart_are_said_to_be_after_few_steps():
    rng = np.random.default_rng(0)
    x = np.sort(rng.standard_normal((200, 1)), axis=0)
    x[-1] = 50.0
    path = pr.fit_path(x, np.arange(200) >= 120, alphas=[0.1], loss="logistic", tol=1e-8, dtype="float64")
    with pytest.warns(match="separate"):
        relaxed = pr.relax(path)
    assert not relaxed.converged.any()


def test_alpha_max_with_limits_of_a_free_column_on_the_scale_of_the_input():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((100, 3)) * [1, 10, 1]
    y = X @ [1, 0.5, 0.3] + 0.3 * rng.standard_normal(100)
    options = {"standardize": True, "penalty_factor": [1, 0, 1], "upper": [9, 2.0, 9], "dtype": "float64"}
    top = pr.alpha_max(X, y, **options)
    above, below = pr.fit_path(X, y, alphas=[top * 1.001, top * 0.999], tol=1e-10, **options).coef
    assert np.count_nonzero(above) == 1
    assert np.count_nonzero(below) == 2
    assert pr.fit_path(X, y, **options).nnz[0] == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_coefficients_at_their_limits_are_there_exactly_and_have_no_freedom(dtype):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((60, 4)) * rng.uniform(0.1, 10, 4)
    y = X @ np.ones(4) + 0.1 * rng.standard_normal(60)
    upper = rng.uniform(0.1, 0.6, 4)
    for standardize in (False, True):
        options = {"alphas": [1e-4], "tol": 1e-5, "standardize": standardize, "upper": upper, "dtype": dtype}
        path = pr.fit_path(X, y, **options)
        np.testing.assert_array_equal(path.coef[0], upper.astype(dtype))
        assert pr.information_criterion(path).df[0] == 0


def test_the_degrees_of_freedom_of_free_columns_that_say_the_same():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 3))
    twice, y = np.c_[X, X[:, 0]], X[:, 0] + rng.standard_normal(50)
    options = {"l1_ratio": 0.5, "alphas": [0.1], "dtype": "float64", "tol": 1e-10}
    known = pr.information_criterion(pr.fit_path(X, y, penalty_factor=[0, 1, 1], **options))
    found = pr.information_criterion(pr.fit_path(twice, y, penalty_factor=[0, 1, 1, 0], **options))
    np.testing.assert_allclose(found.df, known.df, rtol=1e-8)


def test_bootstraps_of_counts_with_a_value_far_out_are_numbers():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 4))
    X[0, 0] = 60.0
    y = rng.poisson(np.exp(X[:, 0].clip(-2, 2) * 0.8))
    found = pr.bootstrap(
        X, y, alphas=[0.0513572], loss="poisson", num_samples=20, key=jax.random.key(0), dtype="float64"
    )
    assert np.isfinite(found.coef).all()
    assert np.abs(found.coef).max() < 10


def test_derivatives_by_weights_of_zero_are_those_of_any_weight():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 3))
    y = X @ [1, 0, -1] + 0.1 * rng.standard_normal(20)
    weights = np.r_[0.0, 0.0, np.ones(18)]

    def loss(weights):
        return pr.LinearModel(X, y, sample_weight=weights).value(np.array([0.5, 0.1, -0.2]))

    def judged(weights):
        model = pr.LinearModel(X, y, sample_weight=weights)
        w = pr.fista(model, pr.L1(0.01), tol=1e-12, max_steps=500, unroll=True).w
        return np.ones(20) @ (y - X @ w) ** 2

    with jax.enable_x64(True):
        for function in (loss, judged):
            found = jax.grad(function)(weights)
            for row in (0, 5):  # one-sided at zero: there are no weights below
                step = 1e-5 * np.eye(20)[row]
                side = (4 * function(weights + step) - 3 * function(weights) - function(weights + 2 * step)) / 2e-5
                np.testing.assert_allclose(found[row], side, rtol=1e-4, atol=1e-8)


def test_derivatives_by_coefficients_where_a_row_of_weight_zero_overflows():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 2))
    X[0] = 1e4
    y, weights, w = np.ones(20), np.r_[0.0, np.ones(19)], np.array([0.5, 0.1])
    with jax.enable_x64(True):
        found = jax.grad(pr.LinearModel(X, y, loss="poisson", sample_weight=weights).value)(w)
        known = jax.grad(pr.LinearModel(X[1:], y[1:], loss="poisson").value)(w)
    np.testing.assert_allclose(found, known, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_held_out_rows_of_weight_zero_may_overflow(dtype):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((60, 3))
    y, weights = rng.poisson(np.exp(0.5 * X[:, 0] + 1)), np.ones(60)
    labels = np.repeat(np.arange(3), 20)
    options = {"loss": "poisson", "alphas": [0.5, 0.1], "dtype": dtype}
    known = pr.cv_path(X[1:], y[1:], folds=labels[1:], **options)
    X[0], weights[0] = [3000.0, 0.0, 0.0], 0.0
    found = pr.cv_path(X, y, folds=labels, sample_weight=weights, **options)
    np.testing.assert_allclose(found.mean_loss, known.mean_loss, rtol=1e-2)
    assert found.alpha_min == known.alpha_min


@pytest.mark.parametrize("scale", [1e-50, 1e50])
def test_weights_beyond_float32_are_relative_too(scale):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3)).astype("float32")
    for y, loss in ((X[:, 0] + 1, "squared"), (X[:, 0] > 0, "logistic"), (rng.poisson(np.exp(X[:, 0])), "poisson")):
        found = pr.fit_path(X, y, loss=loss, alphas=[0.1], sample_weight=np.full(60, scale))
        known = pr.fit_path(X, y, loss=loss, alphas=[0.1])
        np.testing.assert_allclose(found.coef, known.coef, atol=1e-3)


@pytest.mark.parametrize("size", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("alpha", [0.05, 1e-4])
def test_refits_of_overlapping_classes_with_a_row_very_far_out(size, alpha):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    X[0, 0] = size
    y = (X @ [1.0, -1.0] + rng.logistic(size=200) > 0).astype(int)
    relaxed = pr.relax(pr.fit_path(X, y, loss="logistic", dtype="float64", alphas=[alpha], tol=1e-6))
    assert relaxed.converged.all()
    slope = 1 / (1 + np.exp(-X @ relaxed.coef[0] - relaxed.intercept[0])) - y
    np.testing.assert_allclose(X[1:].T @ slope[1:] / 200, 0, atol=1e-8)  # that of the far row is zero, times its size


def test_zeros_stay_positive_where_a_limit_is_next_to_zero():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3)).astype("float32")
    path = pr.fit_path(X, X[:, 0], alphas=[0.1], lower=-1e-50, upper=1e50)
    assert not np.signbit(path.coef[path.coef == 0]).any()
