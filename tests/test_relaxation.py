"""Relaxed and adaptive lasso, and strengths of other tools: against direct solutions."""

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from sklearn.linear_model import LinearRegression, LogisticRegression

import proxreg as pr
from tests import problems

pytestmark = pytest.mark.filterwarnings("ignore:.*best mean")  # grids here are short, and end where they like

TIGHT: dict[str, Any] = {"dtype": "float64", "tol": 1e-10}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_relaxed_lasso_is_least_squares_on_its_support(fit_intercept, weighted):
    X, y = problems.regression()
    weights = np.random.default_rng(0).uniform(0.5, 2, 60) if weighted else None
    path = pr.fit_path(X, y, n_alphas=12, fit_intercept=fit_intercept, sample_weight=weights, **TIGHT)
    relaxed, blend = pr.relax(path), pr.relax(path, gamma=0.25)
    assert relaxed.converged.all()
    assert np.isnan(relaxed.gap).all()
    for k, coef in enumerate(path.coef):
        used = np.flatnonzero(coef)
        expected = np.zeros(8)
        intercept = np.average(y, weights=weights) if fit_intercept else 0.0
        if used.size:
            model = LinearRegression(fit_intercept=fit_intercept).fit(X[:, used], y, sample_weight=weights)
            expected[used], intercept = model.coef_, model.intercept_
        np.testing.assert_allclose(relaxed.coef[k], expected, atol=1e-9)
        np.testing.assert_allclose(relaxed.intercept[k], intercept, atol=1e-9)
        np.testing.assert_allclose(blend.coef[k], 0.25 * coef + 0.75 * expected, atol=1e-9)
        residual = y - X @ expected - intercept
        np.testing.assert_allclose(relaxed.objective[k], np.average(residual**2, weights=weights) / 2, rtol=1e-9)
    np.testing.assert_allclose(pr.relax(path, gamma=1.0).coef, path.coef, atol=1e-12)


@pytest.mark.parametrize("loss", ["logistic", "poisson", "huber"])
def test_other_losses_have_no_gradient_left_on_the_support(loss):
    X, y = problems.responses(loss)
    path = pr.fit_path(X, y, loss=loss, alphas=[0.15, 0.05], l1_ratio=[0.5, 1.0], **TIGHT)
    relaxed = pr.relax(path)
    assert relaxed.converged.all()
    for at in np.ndindex(2, 2):
        slope = problems.LOSSES[loss][1](X @ relaxed.coef[at] + relaxed.intercept[at], y)
        used = relaxed.coef[at] != 0
        np.testing.assert_array_equal(used, path.coef[at] != 0)
        assert np.abs(X[:, used].T @ slope / 60).max(initial=0.0) < 1e-8
        assert abs(slope.mean()) < 1e-8
    if loss == "logistic":
        used = path.coef[1, 0] != 0
        model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10**4).fit(X[:, used], y)
        np.testing.assert_allclose(relaxed.coef[1, 0, used], model.coef_[0], atol=1e-4)


def test_responses_are_relaxed_each_and_a_pair_of_classes_that_separate_is_said():
    X, y = problems.regression()
    Y = np.stack([y, X[:, 5] - y], axis=1)
    both = pr.relax(pr.fit_path(X, Y, alphas=[0.5, 0.1], **TIGHT))
    alone = pr.relax(pr.fit_path(X, Y[:, 1], alphas=[0.5, 0.1], **TIGHT))
    np.testing.assert_allclose(both.coef[1], alone.coef, atol=1e-9)
    path = pr.fit_path(X, X[:, 0] > 0, loss="logistic", alphas=[0.1], **TIGHT)
    with pytest.warns(pr.ConvergenceWarning, match="1/1 supports have no unpenalised fit"):
        relaxed = pr.relax(path)
    assert not relaxed.converged.any()
    assert np.isfinite(relaxed.coef).all()
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\], got 2"):
        pr.relax(path, gamma=2)
    with pytest.raises(ValueError, match="without limits"):
        pr.relax(pr.fit_path(X, y, alphas=[0.1], positive=True))


def test_supports_of_as_many_columns_as_rows_fit_exactly():
    X, y = problems.regression(12, 40)
    path = pr.fit_path(X, y, n_alphas=10, min_ratio=1e-4, **TIGHT)
    relaxed = pr.relax(path)
    assert path.nnz[-1] >= 11
    assert relaxed.converged.all()
    np.testing.assert_allclose(relaxed.predict(X)[-1], y, rtol=1e-9)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_whole_weights_are_repeated_rows(loss):
    X, y = problems.responses(loss)
    weights = np.random.default_rng(0).integers(0, 3, 60)
    options = {"loss": loss, "alphas": [0.2, 0.05], "standardize": True, **TIGHT}
    weighted = pr.relax(pr.fit_path(X, y, sample_weight=weights, **options), gamma=0.3)
    rows = np.repeat(np.arange(60), weights)
    repeated = pr.relax(pr.fit_path(X[rows], y[rows], **options), gamma=0.3)
    np.testing.assert_allclose(weighted.coef, repeated.coef, atol=1e-6)
    np.testing.assert_allclose(weighted.objective, repeated.objective, rtol=1e-8)
    pilot = {"pilot": np.arange(1.0, 9), "standardize": True}
    factor = pr.adaptive(X, y, sample_weight=weights, **pilot)
    np.testing.assert_allclose(factor, pr.adaptive(X[rows], y[rows], **pilot), rtol=1e-10)
    asked: list[dict[str, Any]] = [{}, {"l1_ratio": [0.4, 1.0]}, {"positive": True}, {"fit_intercept": False}]
    for given in [*asked, {"standardize": True}]:
        top = pr.alpha_max(X, y, loss=loss, sample_weight=weights, dtype="float64", **given)
        np.testing.assert_allclose(top, pr.alpha_max(X[rows], y[rows], loss=loss, dtype="float64", **given), rtol=1e-9)


def test_adaptive_weights_are_those_of_the_pilot():
    X, y = problems.regression()
    pilot = np.array([2.0, -1.0, 0.5, 0.0, 0.1, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(pr.adaptive(X, y, pilot=pilot)[[0, 1, 2, 4]], [0.5, 1, 2, 10])
    assert pr.adaptive(X, y, pilot=pilot)[3] == np.inf
    np.testing.assert_allclose(pr.adaptive(X, y, pilot=pilot, gamma=2.0)[:3], [0.25, 1, 4])
    scaled = pr.adaptive(X, y, pilot=pilot, standardize=True)
    np.testing.assert_allclose(scaled[:3], 1 / np.abs(pilot * X.std(axis=0))[:3])
    ridge = pr.ridge_cv(X, y, criterion="gcv").coef()
    np.testing.assert_allclose(pr.adaptive(X, y), 1 / np.abs(ridge), rtol=1e-10)
    fit = pr.fit(X, y, penalty=pr.L2(0.01), **TIGHT)
    np.testing.assert_allclose(pr.adaptive(X, y, pilot=fit), 1 / np.abs(fit.coef), rtol=1e-10)
    path = pr.fit_path(X, y, penalty_factor=pr.adaptive(X, y), n_alphas=30, **TIGHT)
    assert np.any(np.all((path.coef != 0) == (np.arange(8) < 3), axis=1))  # the three signals alone
    X, y = problems.responses("logistic")
    assert pr.adaptive(X, y, loss="logistic", alphas=[0.1, 0.01, 0.001]).shape == (8,)
    with pytest.raises(ValueError, match="fit one response at a time"):
        pr.adaptive(X, np.stack([y, y], axis=1), loss="logistic")
    with pytest.raises(ValueError, match=r"a coefficient per column, shape \(8,\), got \(3,\)"):
        pr.adaptive(X, y, pilot=[1.0, 2.0, 3.0])


def minimise(objective, p):
    """A minimiser of any objective of coefficients, the l1 norm smoothed to the eighth digit."""
    found = scipy.optimize.minimize(objective, np.zeros(p), method="BFGS", options={"gtol": 1e-9, "maxiter": 10**4})
    return found.x


def l1(w):
    return np.sum(np.sqrt(w**2 + 1e-14))


# objectives as the tools document them, of the losses of rows, residuals, coefficients and the strength
TOOLS = {  # by name, loss and part
    ("sklearn_ridge", "squared", "l2"): lambda rows, r, w, a: np.sum(r**2) + a * w @ w,
    ("keras", "squared", "l2"): lambda rows, r, w, a: np.mean(r**2) + a * w @ w,
    ("keras", "squared", "l1"): lambda rows, r, w, a: np.mean(r**2) + a * l1(w),
    ("keras", "logistic", "l2"): lambda rows, r, w, a: np.mean(rows) + a * w @ w,
    ("keras", "logistic", "l1"): lambda rows, r, w, a: np.mean(rows) + a * l1(w),
    ("pytorch", "squared", "l2"): lambda rows, r, w, a: np.mean(r**2) + a / 2 * w @ w,
    ("pytorch", "logistic", "l2"): lambda rows, r, w, a: np.mean(rows) + a / 2 * w @ w,
    ("C", "logistic", "l2"): lambda rows, r, w, a: a * np.sum(rows) + w @ w / 2,
    ("C", "logistic", "l1"): lambda rows, r, w, a: a * np.sum(rows) + l1(w),
    ("statsmodels_discrete", "logistic", "l1"): lambda rows, r, w, a: np.sum(rows) + a * l1(w),
    ("statsmodels", "squared", "l1"): lambda rows, r, w, a: np.mean(r**2) / 2 + a * l1(w),
    ("glmnet", "squared", "l1"): lambda rows, r, w, a: np.mean(r**2) / 2 + a * l1(w),
    ("glmnet", "logistic", "l2"): lambda rows, r, w, a: np.mean(rows) + a / 2 * w @ w,
}


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: "-".join(tool))
def test_a_converted_strength_gives_the_other_tool_s_solution(tool):
    name, loss, part = tool
    X, y = problems.responses(loss, p=3)
    X = X - X.mean(axis=0)
    about: Any = {"n": 60, "loss": loss, "part": part}
    strength = pr.convert(0.05, frm="proxreg", to=name, **about)
    assert pr.convert(strength, frm=name, to="proxreg", **about) == pytest.approx(0.05)
    value = problems.LOSSES[loss][0]

    def objective(w):
        return TOOLS[tool](value(X @ w, y), y - X @ w, w, strength)

    ours = pr.fit_path(
        X, y, loss=loss, alphas=[0.05], l1_ratio=float(part == "l1"), fit_intercept=False, dtype="float64", tol=1e-12
    )
    np.testing.assert_allclose(ours.coef[0], minimise(objective, 3), atol=2e-5)


def test_glmnet_s_ridge_is_that_of_a_response_of_deviation_one():
    X, y = problems.regression()
    X, y = X - X.mean(axis=0), 3 * (y - y.mean())
    scale = y.std()
    # glmnet's way: the response over its deviation, lambda over it too, and coefficients times it
    own = np.linalg.solve(X.T @ X / 60 + 0.7 / scale * np.eye(8), X.T @ (y / scale) / 60) * scale
    alpha = pr.convert(0.7, frm="glmnet", to="proxreg", part="l2", y_std=scale)
    ours = pr.fit_path(X, y, alphas=[alpha], l1_ratio=0.0, fit_intercept=False, dtype="float64", tol=1e-12)
    np.testing.assert_allclose(ours.coef[0], own, atol=1e-6)
    assert pr.convert(alpha, frm="proxreg", to="glmnet", part="l2", y_std=scale) == pytest.approx(0.7)
    assert pr.convert(0.7, frm="glmnet", to="glmnet", part="l2") == 0.7


def test_strengths_that_mean_nothing_are_refused():
    for options, message in [
        ({"frm": "lars", "to": "C"}, "frm must be one of 'proxreg', 'sklearn'"),
        ({"frm": "C", "to": "proxreg"}, "'C' is about a sum over rows: pass n="),
        ({"frm": "keras", "to": "proxreg", "part": "l3"}, "part must be 'l1' or 'l2'"),
        ({"alpha": 0.0, "frm": "C", "to": "proxreg", "n": 5}, "C must be > 0"),
        ({"frm": "glmnet", "to": "sklearn", "part": "l2"}, r"over its deviation: pass y_std=y.std\(\)"),
        ({"frm": "glmnet", "to": "sklearn", "part": "l2", "y_std": -1}, "y_std must be > 0"),
        ({"alpha": 0.0, "frm": "proxreg", "to": "C", "n": 5}, "alpha = 0 is an infinite C"),
        ({"alpha": -1.0, "frm": "glmnet", "to": "keras"}, "alpha must be >= 0 and finite, got -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            pr.convert(**{"alpha": 1.0, **options})


def test_a_response_far_from_zero_and_offsets_are_refitted_as_well():
    X, y = problems.responses("huber")
    path = pr.fit_path(X, y + 500, loss="huber", alphas=[0.2, 0.02], **TIGHT)
    relaxed = pr.relax(path)
    assert relaxed.converged.all()
    for k in range(2):
        used = path.coef[k] != 0
        alone = pr.fit_path(X[:, used], y + 500, loss="huber", alphas=[0.0], dtype="float64", tol=1e-9)
        np.testing.assert_allclose(relaxed.objective[k], alone.objective[0], rtol=1e-7)
    X, y = problems.responses("poisson")
    near = pr.relax(pr.fit_path(X, y, loss="poisson", alphas=[0.1], **TIGHT))
    far = pr.relax(pr.fit_path(X, y, loss="poisson", alphas=[0.1], offset=np.full(60, -35.0), **TIGHT))
    assert far.converged.all()
    np.testing.assert_allclose(far.coef, near.coef, atol=1e-6)


def test_the_scale_of_adaptive_weights_counts_weights_of_rows():
    X, y = problems.regression()
    weights = np.random.default_rng(0).uniform(0, 3, 60)
    factor = pr.adaptive(X, y, pilot=np.ones(8), standardize=True, sample_weight=weights)
    mean = np.average(X, axis=0, weights=weights)
    np.testing.assert_allclose(1 / factor, np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weights)), rtol=1e-10)
    cv = pr.cv_path(X, y, alphas=[0.1, 0.01], dtype="float64")
    np.testing.assert_array_equal(pr.adaptive(X, y, pilot=cv), pr.adaptive(X, y, pilot=cv.coef()))


def test_arrays_of_strengths_are_converted():
    alphas = np.array([0.1, 1.0])
    np.testing.assert_allclose(pr.convert(alphas, frm="proxreg", to="C", n=50), [0.2, 0.02])
    with pytest.raises(ValueError, match="loss must be one of squared, logistic"):
        pr.convert(1.0, frm="keras", to="proxreg", loss="sqared")
