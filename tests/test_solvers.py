"""Every registered solver: right answers, a status per lane, one trace, and the transformations of JAX."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg.solvers.coordinate_descent import _coordinate_descent
from proxreg.solvers.fista import _fista
from tests import problems
from tests.cases import SOLVERS

every = pytest.mark.parametrize("case", SOLVERS, ids=lambda case: case.id)
TIGHT = {"tol": 1e-11, "max_steps": 20_000}


def _model(name="squared", **options):
    X, y = problems.responses(name)
    return pr.LinearModel(X, y, name, fit_intercept=True, **options)


def _same(a, b, atol=1e-6):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=atol, rtol=1e-6), a, b)


@pytest.mark.parametrize("name", list(problems.LOSSES))
@every
def test_equals_an_independent_minimiser(case, name):
    X, y = problems.responses(name)
    with jax.enable_x64(True):
        fit = jax.device_get(case.solve(_model(name), pr.ElasticNet(0.1, 0.8), **TIGHT))
    coef, intercept = problems.minimise_l1(name, X, y, 0.1, 0.8)
    assert fit.status == pr.Status.CONVERGED
    np.testing.assert_allclose(fit.w.coef, coef, atol=2e-5)
    np.testing.assert_allclose(fit.w.intercept, intercept, atol=2e-5)
    ours = problems.objective(name, X, y, fit.w.coef, fit.w.intercept, 0.1, 0.8)
    assert ours <= problems.objective(name, X, y, coef, intercept, 0.1, 0.8) + 1e-10


@pytest.mark.parametrize(
    "penalty",
    [
        pr.Zero(),
        pr.L2(0.3),
        pr.L1(np.linspace(0.01, 0.4, 8)),
        pr.L1(0.1, positive=True),
        pr.ElasticNet(0.2, 0.5, positive=True),
        pr.NonNegative(),
        pr.Box(-1.0, 0.5),
    ],
    ids=lambda penalty: type(penalty).__name__,
)
@every
def test_penalties_reach_the_optimality_conditions(case, penalty):
    X, y = problems.regression()
    with jax.enable_x64(True):
        fit = jax.device_get(case.solve(_model(), penalty, tol=1e-11, max_steps=20_000))
        gradient = X.T @ (X @ fit.w.coef + fit.w.intercept - y) / len(y)
        residual = jax.device_get(penalty.subgradient(fit.w.coef, gradient))
    assert fit.status == pr.Status.CONVERGED
    np.testing.assert_allclose(residual, 0, atol=1e-5)
    np.testing.assert_allclose(np.mean(y - X @ fit.w.coef), fit.w.intercept, atol=1e-9)


@pytest.mark.parametrize("name", ["squared", "logistic"])
@every
def test_gram_and_residual_form_agree_and_so_do_centred_and_raw_data(case, name):
    X, y = problems.responses(name)
    shifted = X + 1e3
    with jax.enable_x64(True):
        a = case.solve(pr.LinearModel(X, y, name, fit_intercept=True), pr.L1(0.1), **TIGHT)
        b = case.solve(pr.LinearModel(shifted, y, name, fit_intercept=True), pr.L1(0.1), **TIGHT)
        _same(a.w.coef, b.w.coef)
        assert int(b.num_steps) <= 2 * int(a.num_steps) + 10
        if name == "squared":
            Xc, yc = X - X.mean(0), y - y.mean()
            c = case.solve(pr.Quadratic(Xc.T @ Xc / 60, Xc.T @ yc / 60, yc @ yc / 120), pr.L1(0.1), **TIGHT)
            _same(a.w.coef, c.w)


@every
def test_lanes_equal_single_runs_and_a_bad_one_stays_alone(case):
    alphas = np.array([0.5, np.nan, 0.05, 0.005])
    with jax.enable_x64(True):
        solve = jax.jit(lambda alpha: case.solve(_model(), pr.L1(alpha), tol=1e-9))
        lanes = jax.device_get(jax.vmap(solve)(alphas))
        alone = [jax.device_get(solve(alpha)) for alpha in alphas]
    assert list(lanes.status) == [0, pr.Status.NON_FINITE, 0, 0]
    for i in (0, 2, 3):
        np.testing.assert_allclose(lanes.w.coef[i], alone[i].w.coef, atol=1e-9)
        assert lanes.num_steps[i] == alone[i].num_steps  # a finished lane is not touched again


@every
def test_status(case):
    X, y = problems.regression()
    bad = X.copy()
    bad[3, 2] = np.nan
    short = case.solve(_model(), pr.L1(0.01), tol=1e-6, max_steps=2)
    assert (int(short.status), int(short.num_steps)) == (pr.Status.MAX_STEPS, 2)
    assert int(case.solve(pr.LinearModel(bad, y), pr.L1(0.01)).status) == pr.Status.NON_FINITE
    assert int(case.solve(_model(), pr.L1(0.01), tol=1e-4).status) == pr.Status.CONVERGED


@every
def test_a_warm_start_at_the_solution_takes_no_step(case):
    with jax.enable_x64(True):
        for smooth in (_model(), pr.Quadratic(np.diag([1.0, 2.0]), np.array([3.0, 0.5]), 5.0)):
            first = case.solve(smooth, pr.L1(0.1), tol=1e-9)
            again = case.solve(smooth, pr.L1(0.1), first.w, tol=1e-8)
            assert int(again.num_steps) == 0
            _same(first.w, again.w, atol=1e-12)


@every
def test_an_alpha_grid_traces_once(case):
    model = _model()

    @jax.jit
    @chex.assert_max_traces(n=1)
    def solve(alpha, tol):
        return case.solve(model, pr.ElasticNet(alpha, 0.5), tol=tol)

    chex.clear_trace_counter()
    for alpha in (0.3, 0.1, 0.01):
        solve(jnp.float32(alpha), 1e-4)
    lanes = jax.vmap(lambda alpha: case.solve(model, pr.L1(alpha)))
    with jax.log_compiles(False), jax.checking_leaks():
        assert lanes(jnp.array([0.1, 0.2])).w.coef.shape == (2, 8)


@every
def test_precision_is_kept(case):
    X, y = problems.regression()
    for dtype, wide in (("float32", False), ("float32", True), ("float64", True)):
        with jax.enable_x64(wide):
            model = pr.LinearModel(jnp.asarray(X, dtype), jnp.asarray(y, dtype), fit_intercept=True)
            fit = case.solve(model, pr.ElasticNet(0.1, 0.5), tol=1e-4)
            for leaf in jax.tree.leaves((fit.w, fit.objective, fit.gap, fit.violation)):
                assert leaf.dtype == dtype
            assert fit.status == pr.Status.CONVERGED


@pytest.mark.parametrize("penalty", [pr.L1(0.2), pr.ElasticNet(0.2, 0.5)], ids=["l1", "elastic-net"])
@every
def test_gradient_through_the_unrolled_solver(case, penalty):
    """Against the derivative of the solution on its support, from the implicit function theorem."""
    X, y = problems.regression()
    X, y = X - X.mean(0), y - y.mean()
    ratio = getattr(penalty, "l1_ratio", 1.0)
    with jax.enable_x64(True):

        def norm(alpha):
            w = case.solve(pr.LinearModel(X, y), pr.ElasticNet(alpha, ratio), tol=1e-14, max_steps=300, unroll=True).w
            return jnp.sum(w**2) / 2

        value, slope = jax.device_get(jax.value_and_grad(norm)(0.2))
        w = jax.device_get(case.solve(pr.LinearModel(X, y), pr.ElasticNet(0.2, ratio), tol=1e-14).w)
    on = w != 0
    hessian = X[:, on].T @ X[:, on] / len(y) + 0.2 * (1 - ratio) * np.eye(on.sum())
    expected = -w[on] @ np.linalg.solve(hessian, ratio * np.sign(w[on]) + (1 - ratio) * w[on])
    np.testing.assert_allclose(value, w @ w / 2, rtol=1e-9)
    np.testing.assert_allclose(slope, expected, rtol=1e-6)


@every
def test_vmap_over_data_sets(case):
    data = [problems.regression(seed=seed) for seed in range(3)]
    X, y = (np.stack(part) for part in zip(*data))
    with jax.enable_x64(True):
        solve = jax.vmap(lambda X, y: case.solve(pr.LinearModel(X, y, fit_intercept=True), pr.L1(0.1), tol=1e-10))
        lanes = solve(X, y)
        for i in range(3):
            alone = case.solve(pr.LinearModel(X[i], y[i], fit_intercept=True), pr.L1(0.1), tol=1e-10)
            _same(jax.tree.map(lambda leaf, i=i: leaf[i], lanes.w), alone.w)


@pytest.mark.parametrize("name", ["squared", "logistic"])
@every
def test_large_means_do_not_stall_float32(case, name):
    X, y = problems.responses(name, n=200)
    shifted = (X * np.array([10] + [1] * 7) + np.array([2000] + [300] * 7)).astype(np.float32)
    fit = case.solve(pr.LinearModel(shifted, y.astype(np.float32), name, fit_intercept=True), pr.L1(0.02), tol=1e-4)
    assert int(fit.status) == pr.Status.CONVERGED
    assert int(fit.num_steps) < 300


@every
def test_the_type_of_a_scalar_is_no_reason_to_compile(case):
    X, y = problems.regression(n=31)
    jitted = {"fista": _fista, "coordinate_descent": _coordinate_descent}[case.id]
    case.solve(pr.LinearModel(X, y, pr.Huber(1.0)), pr.L1(0.1))
    before = jitted._cache_size()  # pyright: ignore
    for alpha in (0.2, np.float64(0.3), np.float32(0.3), jnp.asarray(0.1)):
        case.solve(pr.LinearModel(X, y, pr.Huber(alpha + 1)), pr.L1(alpha), tol=1, max_steps=np.int64(3))
    case.solve(pr.LinearModel(X, y, pr.Huber(2)), pr.L1(1))
    assert jitted._cache_size() == before  # pyright: ignore
    model = pr.LinearModel(X, y, fit_intercept=True)
    case.solve(model, pr.L1(0.1), pr.Coefficients(np.zeros(8, np.float32), jnp.zeros(())))
    before = jitted._cache_size()  # pyright: ignore
    for intercept in (0, 0.0, np.float64(0.0)):
        case.solve(model, pr.L1(np.int64(1)), pr.Coefficients(np.zeros(8, np.float32), intercept))
    assert jitted._cache_size() == before  # pyright: ignore


@every
def test_degenerate_columns_are_finite(case):
    X, y = problems.regression()
    X = np.column_stack([X, np.zeros(60), np.full(60, 3.0), X[:, 0], 1e-8 * X[:, 1], 1e8 * X[:, 2]])
    with jax.enable_x64(True):
        fit = jax.device_get(case.solve(pr.LinearModel(X, y, fit_intercept=True), pr.L1(0.1), tol=1e-8))
    assert fit.status == pr.Status.CONVERGED
    assert np.all(np.isfinite(fit.w.coef))
    assert fit.w.coef[8] == 0
    assert abs(fit.w.coef[9]) < 1e-12


def test_wrong_arguments():
    model = _model()
    with pytest.raises(ValueError, match=r"use pr\.fista"):
        pr.coordinate_descent(model, pr.GroupLasso(0.1))
    with pytest.raises(ValueError, match=r"for a function use pr\.fista"):
        pr.coordinate_descent(lambda w: jnp.sum(w**2), pr.L1(0.1))  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"pr\.Coefficients\(coef, intercept\)"):
        pr.fista(model, pr.L1(0.1), np.zeros(8))
    with pytest.raises(ValueError, match=r"penalty must be a penalty such as pr\.L1\(0\.1\), got 'l1'"):
        pr.fista(model, "l1")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="tol must be >= 0, got -1"):
        pr.coordinate_descent(model, pr.L1(0.1), tol=-1)
    with pytest.raises(ValueError, match=r"w0 has shape \(3,\), expected \(8,\)"):
        pr.fista(model, pr.L1(0.1), pr.Coefficients(np.zeros(3), 0.0))
    with pytest.raises(ValueError, match="w0 is needed"):
        pr.fista(lambda w: jnp.sum(w**2), pr.L1(0.1))
    with pytest.raises(ValueError, match="must return a scalar"):
        pr.fista(lambda w: w**2, pr.L1(0.1), np.ones(3))
    with pytest.raises(ValueError, match=r"X must be \(n, p\) and y \(n,\)"):
        pr.LinearModel(np.ones((3, 2)), np.ones(4))
    with pytest.raises(ValueError, match=r"sample_weight must have the shape of y"):
        pr.LinearModel(np.ones((3, 2)), np.ones(3), sample_weight=np.ones(2))
    with pytest.raises(ValueError, match=r"G must be \(p, p\)"):
        pr.Quadratic(np.ones((3, 2)), np.ones(3))
    with pytest.raises(ValueError, match=r"smooth must be pr\.LinearModel"):
        pr.fista(3.0, pr.L1(0.1))
