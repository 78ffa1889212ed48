"""fit and fit_path against scikit-learn, closed forms and an independent minimiser."""

import jax
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge

import proxreg as pr
from tests import problems

TIGHT = {"tol": 1e-13, "dtype": "float64", "max_steps": 200_000}


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = np.asarray(X)
    return (X - X.mean(0)) / X.std(0), y


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("solver", ["fista", "coordinate_descent"])
def test_equals_scikit_learn(diabetes, solver, fit_intercept):
    X, y = diabetes
    path = pr.fit_path(X, y, n_alphas=4, l1_ratio=[0.5, 0.9, 1.0], solver=solver, fit_intercept=fit_intercept, **TIGHT)
    for at in np.ndindex(path.alphas.shape):
        options = {"alpha": path.alphas[at], "fit_intercept": fit_intercept, "tol": 1e-15, "max_iter": 1_000_000}
        ratio = path.l1_ratio[at[0]]
        theirs = Lasso(**options) if ratio == 1 else ElasticNet(l1_ratio=ratio, **options)
        theirs.fit(X, y)
        np.testing.assert_allclose(path.coef[at], theirs.coef_, atol=1e-5)
        np.testing.assert_allclose(path.intercept[at], theirs.intercept_, atol=1e-5)
        least = problems.objective("squared", X, y, theirs.coef_, theirs.intercept_, path.alphas[at], ratio)
        np.testing.assert_allclose(path.objective[at], least, rtol=1e-10)
        assert path.nnz[at] == np.count_nonzero(path.coef[at])


def test_ridge_and_least_squares(diabetes):
    X, y = diabetes
    alphas = [10.0, 0.1, 0.0]
    path = pr.fit_path(X, y, alphas=alphas, l1_ratio=0.0, **TIGHT)
    for k, alpha in enumerate(alphas[:2]):
        theirs = Ridge(alpha=alpha * len(y)).fit(X, y)
        np.testing.assert_allclose(path.coef[k], theirs.coef_, atol=1e-5)
        np.testing.assert_allclose(path.intercept[k], theirs.intercept_, atol=1e-5)
    theirs = LinearRegression().fit(X, y)
    for l1_ratio in (0.0, 1.0):
        ours = pr.fit_path(X, y, alphas=[0.0], l1_ratio=l1_ratio, **TIGHT)
        np.testing.assert_allclose(ours.coef[0], theirs.coef_, atol=1e-5)
    one = pr.fit(X, y, penalty=pr.Zero(), **TIGHT)
    np.testing.assert_allclose(one.coef, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(one.predict(X), theirs.predict(X), rtol=1e-6)


def test_l1_logistic_on_breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    X = np.asarray(X)
    X = (X - X.mean(0)) / X.std(0)
    path = pr.fit_path(X, y, loss="logistic", n_alphas=5, min_ratio=0.01, tol=1e-11, dtype="float64")
    for k, alpha in enumerate(path.alphas):
        coef, intercept = problems.minimise_l1("logistic", X, y, alpha)
        theirs = problems.objective("logistic", X, y, coef, intercept, alpha)
        ours = problems.objective("logistic", X, y, path.coef[k], path.intercept[k], alpha)
        np.testing.assert_allclose(path.objective[k], ours, rtol=1e-12)
        assert ours <= theirs + 1e-10
        np.testing.assert_allclose(path.coef[k], coef, atol=1e-3)
        gap = problems.relative_gap("logistic", X, y, path.coef[k], path.intercept[k], alpha)
        np.testing.assert_allclose(path.gap[k], gap, rtol=1e-3, atol=1e-13)
    assert path.converged.all()


@pytest.mark.parametrize("name", ["logistic", "huber", "poisson"])
@pytest.mark.parametrize("solver", ["fista", "coordinate_descent"])
def test_other_losses_with_weights_and_offset(name, solver):
    X, y = problems.responses(name)
    weights, offset = np.linspace(0, 2, 60), np.sin(np.arange(60.0))
    path = pr.fit_path(
        X, y, loss=name, n_alphas=4, min_ratio=0.02, l1_ratio=0.8, sample_weight=weights, offset=offset, tol=1e-10,
        dtype="float64", solver=solver,
    )  # fmt: skip
    for k, alpha in enumerate(path.alphas):
        given = (name, X, y, path.coef[k], path.intercept[k], alpha, 0.8)
        gap = problems.relative_gap(*given, weights=weights, offset=offset)
        np.testing.assert_allclose(path.gap[k], gap, rtol=1e-2, atol=1e-12)
        np.testing.assert_allclose(path.objective[k], problems.objective(*given, weights, offset), rtol=1e-10)
        coef, _ = problems.minimise_l1(name, X, y, alpha, 0.8, weights=weights, offset=offset)
        np.testing.assert_allclose(path.coef[k], coef, atol=1e-4)
    assert path.converged.all()


@pytest.mark.parametrize("l1_ratio", [1.0, 0.7])
@pytest.mark.parametrize("shape", [(60, 8), (12, 40)], ids=["gram", "residual"])
def test_every_gap_equals_one_computed_in_numpy(shape, l1_ratio):
    X, y = problems.regression(*shape)
    weights = np.random.default_rng(1).uniform(0.1, 1, shape[0])
    path = pr.fit_path(X, y, l1_ratio=l1_ratio, n_alphas=30, tol=1e-5, dtype="float64", sample_weight=weights)
    for k, alpha in enumerate(path.alphas):
        given = ("squared", X, y, path.coef[k], path.intercept[k], alpha, l1_ratio)
        gap = problems.relative_gap(*given, weights=weights)
        np.testing.assert_allclose(path.gap[k], gap, rtol=1e-6, atol=1e-12)
        assert path.gap[k] <= 1e-5


@pytest.mark.parametrize("loss", list(problems.LOSSES))
@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_alpha_max_is_the_smallest_alpha_with_zeros_only(loss, l1_ratio):
    X, y = problems.responses(loss)
    weights, offset, factor = np.linspace(0, 2, 60), np.sin(np.arange(60.0)), np.linspace(0.5, 2, 8)
    options = {
        "loss": loss, "l1_ratio": l1_ratio, "sample_weight": weights, "offset": offset, "penalty_factor": factor,
        "standardize": True, "dtype": "float64",
    }  # fmt: skip
    top = pr.alpha_max(X, y, **options)
    path = pr.fit_path(X, y, alphas=[2 * top, 1.001 * top, top, 0.999 * top], tol=1e-12, **options)
    assert list(path.nnz[:3]) == [0, 0, 0]
    assert path.nnz[3] > 0
    assert pr.fit_path(X, y, n_alphas=3, **options).alphas[0] == top


def test_alpha_max_of_ridge_of_several_ratios_and_of_groups():
    X, y = problems.regression()
    assert pr.alpha_max(X, y, l1_ratio=0.0) == np.inf
    several = np.asarray(pr.alpha_max(X, y, l1_ratio=[0.5, 1.0]))
    np.testing.assert_allclose(several, [2 * several[1], several[1]], rtol=1e-6)
    groups = pr.GroupLasso(groups=[0, 0, 1, 1, 2, 2, 3, 3])
    top = pr.alpha_max(X, y, penalty=groups, dtype="float64")
    path = pr.fit_path(X, y, penalty=groups, alphas=[1.001 * top, 0.999 * top], tol=1e-12, dtype="float64")
    assert list(path.nnz) == [0, 2]


@pytest.mark.parametrize("name", ["logistic", "huber"])
def test_solvers_agree_on_correlated_data_at_default_tolerance(name, diabetes):
    X, y = diabetes
    if name == "logistic":
        X, y = load_breast_cancer(return_X_y=True)
        X = np.asarray(X)
    options = {"loss": name, "standardize": True, "n_alphas": 8, "dtype": "float64"}
    a, b = (pr.fit_path(X, y, solver=solver, **options) for solver in ("fista", "coordinate_descent"))
    assert a.converged.all()
    assert b.converged.all()
    np.testing.assert_allclose(a.objective, b.objective, rtol=2e-4)


@pytest.mark.parametrize("loss", ["squared", "logistic", "poisson"])
def test_the_grid_starts_at_zeros_with_an_unpenalised_column(loss):
    X, y = problems.responses(loss)
    X = X + X[:, [0]]  # every column leans on the unpenalised one
    for dtype in ("float32", "float64"):
        path = pr.fit_path(X, y, loss=loss, penalty_factor=[0, 1, 2, 1, 1, 3, 1, 1], n_alphas=4, dtype=dtype)
        assert not path.coef[0, 1:].any()
        assert path.coef[0, 0] != 0


def test_given_penalty_takes_the_grid():
    X, y = problems.regression()
    path = pr.fit_path(X, y, penalty=pr.L1(positive=True), n_alphas=10, tol=1e-10, dtype="float64")
    assert path.l1_ratio is None
    assert path.coef.min() == 0
    theirs = Lasso(alpha=path.alphas[-1], positive=True, tol=1e-14, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(path.coef[-1], theirs.coef_, atol=1e-4)
    single = pr.fit(X, y, penalty=pr.L1(path.alphas[-1], positive=True), tol=1e-10, dtype="float64")
    np.testing.assert_allclose(single.coef, path.coef[-1], atol=1e-6)


def test_classes_and_predictions():
    X, y = problems.responses("logistic")
    names = np.where(y == 1, "yes", "no")
    text = pr.fit_path(X, names, loss="logistic", n_alphas=5)
    signed = pr.fit_path(X, 2 * y - 1, loss="logistic", n_alphas=5)
    np.testing.assert_array_equal(text.coef, signed.coef)
    assert text.classes == ("no", "yes")
    eta = text.predict(X, kind="eta")
    np.testing.assert_allclose(eta, text.coef @ X.T + text.intercept[:, None], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(text.predict(X), 1 / (1 + np.exp(-eta)), rtol=1e-5)
    assert np.array_equal(text.predict(X, kind="class") == "yes", eta > 0)
    np.testing.assert_allclose(text.predict(X, kind="eta", offset=np.ones(60)), eta + 1, rtol=1e-5, atol=1e-6)


def test_predict_names_the_column_of_what_it_cannot_take():
    X, y = problems.regression()
    table = pd.DataFrame(X, columns=list("abcdefgh"))
    path = pr.fit_path(table, y, alphas=[0.1])
    for bad, message in [
        (np.nan, "1 NaN or infinite entry in row 0, column 'c'"),
        ("low", "'low' in row 0, column 'c'"),
    ]:
        broken = table.astype(object)
        broken.loc[0, "c"] = bad
        with pytest.raises(ValueError, match=message):
            path.predict(broken)
        with pytest.raises(ValueError, match=message):
            path.predict(broken.to_numpy())
    with pytest.raises(ValueError, match="X has 2 columns, the model was fitted on 8"):
        path.predict(X[:, :2])


def test_predict_compares_the_names_of_columns():
    class Frame:
        def __init__(self, values, columns):
            self.values, self.columns = values, columns

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.values, dtype)

    X, y = problems.regression()
    names = list("abcdefgh")
    model = pr.fit(Frame(X, names), y, penalty=pr.L1(0.1))
    np.testing.assert_array_equal(model.predict(Frame(X, names)), model.predict(X))
    turned = Frame(X[:, [1, 0, *range(2, 8)]], ["b", "a", *names[2:]])
    np.testing.assert_allclose(model.predict(turned), model.predict(X), rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="X has no columns 'a', 'b', which the model was fitted on"):
        model.predict(Frame(X, ["A", "B", *names[2:]]))


def test_float32_stays_float32_and_float64_needs_no_switch():
    X, y = problems.regression()
    before = jax.config.jax_enable_x64  # pyright: ignore[reportAttributeAccessIssue]
    single = pr.fit_path(X.astype(np.float32), y.astype(np.float32), n_alphas=5)
    double = pr.fit_path(X.astype(np.float32), y, n_alphas=5, dtype="float64")
    for name in ("coef", "intercept", "objective", "gap", "violation", "alphas"):
        assert getattr(single, name).dtype == np.float32
        assert getattr(double, name).dtype == np.float64
    assert jax.config.jax_enable_x64 == before  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_allclose(single.coef, double.coef, atol=2e-2)
