"""What says that it has converged has: problems on which gaps, violations or null models once meant nothing.

Right values come from closed forms, from scipy on split variables, or from decimal arithmetic.
"""

import decimal
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize, special

import proxreg as pr
from proxreg.resampling import bootstrap_samples
from tests import problems

decimal.getcontext().prec = 60


def objective(loss, X, y, coef, intercept, strength, weights: Any = None, offset: Any = 0.0):
    """The mean loss and the l1 penalty of given strengths, in float64 from the rows."""
    eta = X @ np.asarray(coef, float) + float(intercept) + offset
    weights = np.ones(len(y)) if weights is None else weights
    with np.errstate(over="ignore"):
        rows = {
            "squared": lambda: (y - eta) ** 2 / 2,
            "logistic": lambda: np.logaddexp(0, eta) - y * eta,
            "poisson": lambda: np.exp(eta) - y * eta + special.xlogy(y, y) - y,
        }[loss]()
    return weights @ rows / weights.sum() + np.sum(strength * np.abs(coef))


def smallest(loss, X, y, strength, **given):
    """The least objective, by L-BFGS-B on the positive and negative parts of columns of norm 1."""
    norms = np.linalg.norm(X, axis=0)
    unit, strength, p = X / norms, np.broadcast_to(strength, X.shape[1]) / norms, X.shape[1]

    def function(v):
        return objective(loss, unit, y, v[:p] - v[p : 2 * p], v[-1], 0.0, **given) + strength @ (v[:p] + v[p : 2 * p])

    def slope(v):
        eta = unit @ (v[:p] - v[p : 2 * p]) + v[-1] + given.get("offset", 0.0)
        mean = {"squared": eta, "logistic": special.expit(eta), "poisson": np.exp(np.minimum(eta, 500))}[loss]
        weights = given.get("weights", np.ones(len(y)))
        u = weights / weights.sum() * (mean - y)
        return np.concatenate([unit.T @ u + strength, strength - unit.T @ u, [u.sum()]])

    start, least = np.zeros(2 * p + 1), np.inf
    for _ in range(5):
        found = optimize.minimize(
            function, start, jac=slope, method="L-BFGS-B", bounds=[(0, None)] * (2 * p) + [(None, None)],
            options={"maxiter": 20_000, "maxfun": 40_000, "ftol": 1e-16, "gtol": 1e-12},
        )  # fmt: skip
        start, least = found.x, min(least, found.fun)
    return least


def counts(rng=None, n=20, p=5):
    rng = np.random.default_rng(8) if rng is None else rng
    X = (rng.random((n, p)) < 0.3).astype(float)
    return X, rng.poisson(np.exp(np.clip(X @ rng.normal(size=p), -5, 4))).astype(float)


@pytest.mark.parametrize("solver", ["auto", "fista", "coordinate_descent"])
def test_counts_beside_unpenalised_columns(solver):
    X, y = counts()
    factor = np.array([0, 0, 1, 1, 1])
    path = pr.fit_path(
        X, y, loss="poisson", penalty_factor=factor, n_alphas=4, dtype="float64", tol=1e-6, solver=solver
    )
    null = objective("poisson", X, y, np.zeros(5), np.log(y.mean()), 0.0)
    assert path.converged.all()
    for k, alpha in enumerate(path.alphas):
        reached = objective("poisson", X, y, path.coef[k], path.intercept[k], alpha * factor)
        best = smallest("poisson", X, y, alpha * factor)
        np.testing.assert_allclose(path.objective[k], reached, rtol=1e-9)
        assert (reached - best) / null <= min(path.gap[k], 1e-6) + 1e-9


@pytest.mark.parametrize("alpha", [0.0, 1e-300, 1e-9])
def test_counts_next_to_without_penalty(alpha):
    X, y = counts()
    fit = pr.fit(X, y, penalty=pr.L1(alpha), loss="poisson", dtype="float64", tol=1e-7)
    null = objective("poisson", X, y, np.zeros(5), np.log(y.mean()), 0.0)
    reached = objective("poisson", X, y, fit.coef, fit.intercept, alpha)
    assert fit.converged
    assert (reached - smallest("poisson", X, y, alpha)) / null <= 1e-7


@pytest.mark.parametrize("name", ["poisson", "logistic"])
def test_far_below_the_optimum_nothing_is_certified(name):
    X, y = counts()
    y = y if name == "poisson" else (y > 0).astype(float)
    with jax.enable_x64(True):
        model = pr.LinearModel(np.abs(X), y, name, fit_intercept=True)
        start = pr.Coefficients(-1e3 * np.ones(5), -50.0)
        for penalty in (pr.Zero(), pr.L1(1e-3), pr.L1(np.array([0.0, 0, 1, 1, 1]))):
            fit = pr.fista(model, penalty, start, max_steps=0, tol=1e-2)
            assert fit.status == pr.Status.MAX_STEPS
            assert fit.violation > 1e-2


def _conjugate(name, u, y):
    """In decimal arithmetic of the very numbers that floats are."""
    u, y = decimal.Decimal(float(u)), decimal.Decimal(float(y))
    first, second = u + y, (1 - u - y if name == "logistic" else None)

    def times_log(v):
        return v * v.ln() if v > 0 else decimal.Decimal(0)

    if name == "logistic":
        return times_log(first) + times_log(second)
    return times_log(first) - first - (times_log(y) - y)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["poisson", "logistic"])
def test_conjugates_at_both_ends(name, dtype):
    tiny = np.logspace(-30, -1, 30)
    ends = {
        "poisson": [(0.0, tiny), (1.0, tiny - 1), (3.0, 3 * tiny - 3), (100.0, np.linspace(-99, 500, 30))],
        "logistic": [(0.0, tiny), (1.0, -tiny), (0.0, 1 - tiny), (1.0, tiny - 1), (0.25, np.linspace(-0.25, 0.75, 30))],
    }[name]
    loss = {"poisson": pr.Poisson(), "logistic": pr.Logistic()}[name]
    eps = np.finfo(dtype).eps
    with jax.enable_x64(dtype == "float64"):
        for y, us in ends:
            us = us.astype(dtype)
            values = np.asarray(loss.conjugate(jnp.asarray(us), jnp.full(us.shape, y, dtype)), float)
            for u, value in zip(us, values):
                exact = _conjugate(name, u, y)
                size = abs(float(exact)) + abs(float(u)) * (1 + np.log1p(y))
                assert abs(value - float(exact)) <= 64 * eps * size, (y, u)


def test_a_count_of_zero_whose_mean_vanishes():
    X, y = counts()
    with jax.enable_x64(True):
        value = pr.Poisson().conjugate(jnp.float32(1e-8), jnp.float32(0))
    np.testing.assert_allclose(value, 1e-8 * np.log(1e-8) - 1e-8, rtol=1e-6)
    offset = np.zeros(20)
    offset[np.flatnonzero(y == 0)[0]] = -20.0
    for dtype in ("float32", "float64"):
        with pytest.warns(pr.ConvergenceWarning):
            path = pr.fit_path(X, y, alphas=[0.05], loss="poisson", offset=offset, dtype=dtype, max_steps=1)
        null = np.log(y.sum() / np.exp(offset).sum())
        null = objective("poisson", X, y, np.zeros(5), null, 0.0, offset=offset)
        best = smallest("poisson", X, y, 0.05, offset=offset)
        reached = objective("poisson", X, y, path.coef[0], path.intercept[0], 0.05, offset=offset)
        assert path.gap[0] >= (reached - best) / null - 1e-6


def test_the_null_model_of_counts_beside_any_offset():
    X, y = counts()
    days = np.linspace(1, 365, 20)  # not its logarithm
    with pytest.warns(pr.ConvergenceWarning):
        path = pr.fit_path(X, y, loss="poisson", offset=days, n_alphas=3, dtype="float64", max_steps=50)
    intercept = np.log(y.sum()) - special.logsumexp(days)
    null = objective("poisson", X, y, np.zeros(5), intercept, 0.0, offset=days)
    np.testing.assert_allclose(path.objective[0], null, rtol=1e-9)
    assert np.all(path.objective <= null * (1 + 1e-9))
    for k in range(3):
        reached = objective("poisson", X, y, path.coef[k], path.intercept[k], path.alphas[k], offset=days)
        np.testing.assert_allclose(path.objective[k], reached, rtol=1e-9)


def test_a_null_model_that_is_not_found_is_refused():
    X, y = counts()
    loss = pr.Custom(lambda eta, y: jnp.where(eta > 0, eta, jnp.nan) + 0 * y)
    with pytest.raises(ValueError, match="intercept-only model"):
        pr.fit_path(X, y, loss=loss, alphas=[0.1])
    model = pr.LinearModel(X, y, loss, fit_intercept=True)
    assert pr.fista(model, pr.L1(0.1)).status == pr.Status.NON_FINITE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["squared", "logistic", "poisson"])
def test_units_of_a_column_change_nothing(name, dtype):
    X, y = counts()
    y = {"squared": y + np.linspace(0, 1, 20), "logistic": (y > 0).astype(float), "poisson": y}[name]
    large = X.copy()
    large[:, 1] = large[:, 1] * 2.0**20 + np.linspace(0, 1e5, 20)
    plain = large.copy()
    plain[:, 1] /= 2.0**20
    given = {"loss": name, "alphas": [0.2], "penalty_factor": [0, 0, 1, 1, 1], "dtype": dtype, "tol": 1e-5}
    given |= {"exclude": [2]}
    with pytest.warns(pr.DataWarning, match="differ in scale"):
        scaled = pr.fit_path(large, y, **given)
    other = pr.fit_path(plain, y, **given)
    strength = np.array([0, 0, 0.2, 0.2])
    best = smallest(name, plain[:, [0, 1, 3, 4]], y, strength)
    null = {"squared": np.var(y) / 2, "logistic": np.log(2), "poisson": np.mean(special.xlogy(y, y)) + 1}[name]
    for path, columns in ((scaled, large), (other, plain)):
        assert path.converged.all()
        assert path.coef[0, 2] == 0
        reached = objective(name, columns, y, path.coef[0], path.intercept[0], np.insert(strength, 2, 0))
        assert (reached - best) / null <= 2e-5
    np.testing.assert_allclose(scaled.coef[0] * [1, 2.0**20, 1, 1, 1], other.coef[0], atol=2e-2)


def test_excluded_columns_tell_nothing():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(20, 2)) * [1e5, 1]
    y = X[:, 1] + rng.normal(size=20)
    given = {"alphas": [0.1], "penalty_factor": [1, 0], "dtype": "float32"}
    with pytest.warns(pr.DataWarning, match="differ in scale"):
        path = pr.fit_path(X, y, exclude=[0], **given)
    centred = X[:, 1] - X[:, 1].mean()
    np.testing.assert_allclose(path.coef[0], [0, centred @ y / (centred @ centred)], rtol=1e-5)


@pytest.mark.parametrize(("dtype", "apart"), [("float32", 1e-4), ("float64", 1e-8)])
def test_columns_that_sums_cannot_tell_apart(dtype, apart):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 1)) + apart * rng.normal(size=(20, 6))
    y = rng.normal(size=20)
    rows = X.astype(dtype).astype(float)
    residual = y - y.mean() - (rows - rows.mean(0)) @ np.linalg.lstsq(rows - rows.mean(0), y - y.mean(), rcond=None)[0]
    with warnings.catch_warnings():  # how near it comes is for rounding to decide; what it says of that is not
        warnings.simplefilter("ignore", pr.ConvergenceWarning)
        path = pr.fit_path(X.astype(dtype), y, alphas=[1e-14], dtype=dtype, max_steps=1000)
    assert path.converged[0] == (path.gap[0] <= 1e-4)
    reached = objective("squared", rows, y, path.coef[0], path.intercept[0], 1e-14)
    np.testing.assert_allclose(path.objective[0], reached, rtol=1e-3)
    assert (reached - residual @ residual / 40) / (np.var(y) / 2) <= path.gap[0] + 1e-6
    fit = pr.fista(pr.Quadratic(rows.T @ rows / 20, rows.T @ y / 20, y @ y / 40), pr.L1(1e-14), max_steps=2000)
    if fit.status == pr.Status.CONVERGED:
        best = np.linalg.lstsq(rows, y, rcond=None)[0]
        gap = objective("squared", rows, y, fit.w, 0.0, 0.0) - objective("squared", rows, y, best, 0.0, 0.0)
        assert gap / (y @ y / 40) <= 1e-4


def test_gaps_of_columns_far_from_zero_without_an_intercept():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(20, 5)) + 1e4
    y = X @ rng.normal(size=5) + rng.normal(size=20)
    path = pr.fit_path(X, y, alphas=[1.0, 0.1], fit_intercept=False, tol=1e-8, dtype="float64")
    for k, alpha in enumerate(path.alphas):
        residual = y - X @ path.coef[k]
        theta = residual * min(1, alpha / np.abs(X.T @ residual / 20).max())
        primal = objective("squared", X, y, path.coef[k], 0.0, alpha)
        gap = (primal - (y @ y - (y - theta) @ (y - theta)) / 40) / (y @ y / 40)
        # what rounding may have taken from sums over rows is added, up to a thousandth of the tolerance
        assert gap - 1e-13 <= path.gap[k] <= gap + 1e-11


def huber(residual, delta=1.0):
    size = np.abs(residual)
    return np.where(size <= delta, size**2 / 2, delta * (size - delta / 2))


def test_huber_losses_of_a_response_far_from_zero():
    # its numbers have six binary digits after the point: what rounding the intercept to them adds is in the gap
    rng = np.random.default_rng(4)
    X, far = rng.normal(size=(40, 3)), 1e14
    y = far + np.round(64 * (X[:, 0] + rng.standard_t(2, size=40))) / 64
    given = {"loss": pr.Huber(1.0), "alphas": [0.1], "dtype": "float64", "tol": 1e-9}
    near = pr.fit_path(X, y - far, **given)
    with pytest.warns(pr.ConvergenceWarning, match="the intercept is too large for the digits of float64"):
        path = pr.fit_path(X, y, **given)
    np.testing.assert_allclose(path.coef, near.coef, atol=1e-4)
    reached = np.mean(huber(X @ path.coef[0] + (path.intercept[0] - far) - (y - far))) + 0.1 * np.abs(path.coef).sum()
    null = min(np.mean(huber(b - (y - far))) for b in np.linspace(-1, 1, 2001))
    excess = (reached - near.objective[0]) / null
    assert excess > 1e-7
    assert path.gap[0] >= 0.99 * excess


@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_a_response_of_small_deviation_is_not_taken_for_a_constant(loss):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 3)).astype(np.float32)
    y = (1000 + 0.01 * X[:, 0]).astype(np.float32)  # its loss is below tol, but it is all that there is to explain
    fit = pr.fista(pr.LinearModel(X, y, loss, fit_intercept=True), pr.L1(1e-3), tol=1e-4, max_steps=500)
    exact = pr.fit_path(X, y.astype(float) - 1000, loss=loss, alphas=[1e-3], dtype="float64", tol=1e-10)
    np.testing.assert_allclose(fit.w.coef, exact.coef[0], atol=5e-4)
    assert exact.coef[0, 0] > 5e-3


@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_gaps_of_functions_know_what_float32_rounds(loss):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 3)).astype(np.float32)
    y = (1e6 + X[:, 0] + rng.normal(size=40)).astype(np.float32)
    fit = pr.fista(pr.LinearModel(X, y, loss, fit_intercept=True), pr.L1(0.1), tol=1e-5, max_steps=300)
    exact = pr.fit_path(X, y.astype(float) - 1e6, loss=loss, alphas=[0.1], dtype="float64", tol=1e-10)
    w, b = np.asarray(fit.w.coef, float), float(fit.w.intercept)
    residual = X.astype(float) @ w + (b - 1e6) - (y.astype(float) - 1e6)
    losses = residual**2 / 2 if loss == "squared" else huber(residual, 1.345)
    excess = losses.mean() + 0.1 * np.abs(w).sum() - exact.objective[0]
    null = np.var(y.astype(float)) / 2
    assert fit.status != pr.Status.CONVERGED
    assert fit.gap >= excess / null


def test_unpenalised_columns_that_are_nearly_the_same():
    # what is between them is a hundred-millionth of them; in a Gram matrix that is rounding
    rng = np.random.default_rng(1)
    X = 1e8 + rng.normal(size=(40, 2))
    apart = X[:, 1] - X[:, 0]
    y = (apart + rng.logistic(size=40) > 0).astype(float)
    best = optimize.minimize(
        lambda v: np.mean(np.logaddexp(0, v[0] + apart * v[1]) - y * (v[0] + apart * v[1])),
        np.zeros(2),
        method="BFGS",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pr.ConvergenceWarning)
        path = pr.fit_path(X, y, loss="logistic", alphas=[0.0], fit_intercept=False, dtype="float64", max_steps=500)
    eta = path.coef[0].sum() * X[:, 0] + path.coef[0, 1] * apart
    excess = np.mean(np.logaddexp(0, eta) - y * eta) - best.fun
    assert path.gap[0] >= 0.99 * (excess / np.log(2)) - 1e-7
    assert path.converged[0] == (path.gap[0] <= 1e-4)


def test_huber_losses_far_beyond_delta_have_something_to_explain():
    rng = np.random.default_rng(7)
    X, offset = rng.normal(size=(20, 1)), np.round(np.exp(rng.normal(3, 1.5, size=20)))
    y, loss = 1e-9 * rng.normal(size=20), pr.Huber(1e-9)
    given = {"loss": loss, "offset": offset, "alphas": [5e-12], "l1_ratio": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pr.ConvergenceWarning)
        path = pr.fit_path(X, y, dtype="float32", **given)
    best = optimize.linprog(  # the least sum of absolute residuals: within a billionth the same losses
        np.r_[np.zeros(2), np.full(20, 1 / 20)],
        A_ub=np.block([[X, np.ones((20, 1)), -np.eye(20)], [-X, -np.ones((20, 1)), -np.eye(20)]]),
        b_ub=np.r_[-offset, offset],
        bounds=[(None, None)] * 2 + [(0, None)] * 20,
    )
    mean = np.mean(np.abs(X @ path.coef[0].astype(float) + float(path.intercept[0]) + offset))
    null = np.mean(np.abs(offset - np.median(offset)))
    assert path.gap[0] >= (mean - best.fun) / null - 1e-3
    assert (mean - best.fun) / null <= 1e-3 or not path.converged[0]


def test_a_mean_that_float32_rounds_does_not_move_the_intercept():
    """Statistics are taken about a shift near the means: about the one that is taken off, not about its last digits."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(200, 2)) + np.array([67870.0254, 12345.6789])).astype(np.float32)
    y = (X[:, 0] - 67870 + rng.normal(size=200)).astype(np.float32)
    fit = pr.fit_path(X, y, alphas=[1e-3], dtype="float32")
    best = np.mean(y.astype(float) - X.astype(float) @ fit.coef[0].astype(float))
    np.testing.assert_allclose(fit.intercept[0], best, rtol=1e-7)
    left = y - X.astype(float) @ fit.coef[0].astype(float)
    excess = (best - float(fit.intercept[0])) ** 2 / 2 / (np.var(y) / 2)
    assert fit.gap[0] >= 0.99 * excess
    here = np.mean((left - fit.intercept[0]) ** 2) / 2 + 1e-3 * np.abs(fit.coef[0]).sum()
    np.testing.assert_allclose(fit.objective[0], here, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::proxreg.ConvergenceWarning")  # 1e-9 apart they may be beyond float64
@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("apart", [1e-5, 1e-9])
def test_free_columns_that_nearly_depend_on_each_other(loss, apart):
    """A Gram matrix takes them for one, and the best fit of all but rounding needs both."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(60, 4))
    X[:, 1] = X[:, 0] + apart * X[:, 1]
    eta = 2 * (X[:, 1] - X[:, 0]) / apart + X[:, 2]
    y = eta + rng.normal(size=60) if loss == "squared" else (eta + rng.logistic(size=60) > 0).astype(float)
    path = pr.fit_path(X, y, loss=loss, alphas=[0.05], penalty_factor=[0, 0, 1, 1], dtype="float64", max_steps=2000)
    clear = np.column_stack([X[:, 0], (X[:, 1] - X[:, 0]) / apart, X[:, 2:]])
    best = pr.fit_path(clear, y, loss=loss, alphas=[0.05], penalty_factor=[0, 0, 1, 1], dtype="float64", tol=1e-10)
    assert best.converged.all()
    assert path.converged.all() or apart == 1e-9
    null = problems.null_loss(loss, y)
    here = objective(loss, X, y, path.coef[0], path.intercept[0], [0, 0, 0.05, 0.05])
    excess = (here - best.objective[0]) / null
    assert not excess > path.gap[0] * (1 + 1e-9) + 1e-6  # of one that has gone astray both are 1e34, and rounded
    assert not path.converged[0] or excess <= 1e-4


@pytest.mark.parametrize("loss", ["squared", "logistic", "poisson"])
def test_without_a_penalty_limits_have_a_gap(loss):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(50, 3))
    eta = X @ [0.5, -0.5, 0.2]
    y = {"squared": eta, "logistic": eta + rng.logistic(size=50) > 0, "poisson": rng.poisson(np.exp(eta))}[loss]
    path = pr.fit_path(X, y, loss=loss, alphas=[0.0], lower=-0.1, upper=[0.1, 0.1, np.inf], dtype="float64", tol=1e-8)
    assert path.converged.all()
    assert 0 <= path.gap[0] <= 1e-8


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gap_of_a_perfect_fit_within_limits_is_its_objective(dtype):
    """Take the dual point zero: beside free columns that span all rows there is no other."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(30, 60))
    y = X @ np.maximum(rng.normal(size=60), 0)
    path = pr.fit_path(X, y, alphas=[0.0], positive=True, dtype=dtype)
    here = objective("squared", X, y, path.coef[0], path.intercept[0], 0.0)
    assert path.converged.all()
    assert here / (np.var(y) / 2) <= path.gap[0] * (1 + 1e-3) + 1e-12 <= 1.1e-4


def test_samples_have_gaps_beside_free_columns():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(40, 4))
    y = X @ [1.0, 0.5, 0.0, 0.5] + rng.normal(size=40)
    given: Any = {"alphas": 0.1, "penalty_factor": [0, 1, 1, 1], "dtype": "float64", "tol": 1e-6}
    found = pr.bootstrap(X, y, key=jax.random.key(0), num_samples=4, **given)
    assert found.converged.all()
    for k, weights in enumerate(bootstrap_samples(jax.random.key(0), y, None, 4)):
        alone = pr.fit_path(X, y, sample_weight=weights, **given | {"tol": 1e-10})
        here = objective("squared", X, y, found.coef[k, 0], found.intercept[k, 0], [0, 0.1, 0.1, 0.1], weights)
        mean = weights @ y / weights.sum()
        excess = (here - alone.objective[0]) / (weights @ (y - mean) ** 2 / weights.sum() / 2)
        assert excess <= found.gap[k, 0] + 1e-12 <= 1e-6 + 1e-12


def test_where_no_column_is_penalised_any_strength_is_none():
    rng = np.random.default_rng(6)
    X, y = rng.normal(size=(20, 50)), rng.normal(size=20)
    free = pr.fit_path(X, y, alphas=[0.1], penalty_factor=np.zeros(50), dtype="float64")
    none = pr.fit_path(X, y, alphas=[0.0], dtype="float64")
    np.testing.assert_array_equal(free.coef, none.coef)
    assert free.converged.all()


def test_a_null_model_far_from_the_mean_of_the_offsets():
    """Newton's first step from the mean of such offsets leads to 5e23."""
    offset = np.array([1.0, 286, 1, 9, 29, 11, 312, 18])
    y = np.array([0.0, 1, 1, 1, 0, 1, 1, 1])
    null: Any = optimize.minimize_scalar(
        lambda b: np.mean(np.logaddexp(0, offset + b) - y * (offset + b)), bounds=(-300, 300)
    )
    X = np.random.default_rng(0).normal(size=(8, 2))
    path = pr.fit_path(X, y, loss="logistic", alphas=[10.0], offset=offset, dtype="float64")
    np.testing.assert_allclose(path.objective[0], null.fun, rtol=1e-6)
    assert path.converged.all()
