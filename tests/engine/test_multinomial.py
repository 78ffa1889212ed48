"""Several classes: certificates at any point, lanes with weights, and Newton's steps where gradients are slow."""

import jax
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

import proxreg as pr
from proxreg.batch import PenaltyBatch
from proxreg.engine import multinomial as turns
from proxreg.engine import solve_multinomial
from proxreg.engine.multinomial import MultinomialRows
from proxreg.engine.multinomial_newton import minimum
from proxreg.models import Coefficients, MultinomialModel
from proxreg.solvers import Status

N, P, K = 60, 5, 4


@pytest.fixture(autouse=True)
def _wide():
    with jax.enable_x64(True):
        yield


def data(seed=0, n=N, p=P):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    truth = rng.standard_normal((K, p)) * (rng.random((K, p)) < 0.6)
    classes = np.argmax(X @ truth.T + rng.gumbel(size=(n, K)), axis=1)
    return X, np.eye(K)[classes]


def objective(X, y, coef, intercept, alpha, l1_ratio, weights=None):
    losses = -np.sum(y * log_softmax(X @ coef.T + intercept, axis=1), axis=1)
    penalty = alpha * (l1_ratio * np.abs(coef).sum() + (1 - l1_ratio) / 2 * np.square(coef).sum())
    return np.average(losses, weights=weights) + penalty


def smallest(X, y, alpha, l1_ratio, weights=None):
    """The least objective, by a quasi-Newton method on positive and negative parts."""
    size = K * X.shape[1]

    def function(z):
        plus, minus, intercept = z[:size].reshape(K, -1), z[size : 2 * size].reshape(K, -1), z[2 * size :]
        eta = X @ (plus - minus).T + intercept
        s = np.full(len(X), 1 / len(X)) if weights is None else weights / weights.sum()
        slope = s[:, None] * (np.exp(log_softmax(eta, axis=1)) - y)
        g, l1, l2 = slope.T @ X, alpha * l1_ratio, alpha * (1 - l1_ratio)
        ridge = l2 * (plus - minus)
        value = objective(X, y, plus - minus, intercept, 0, 0, weights) + l1 * np.sum(plus + minus)
        gradient = np.r_[(g + ridge + l1).ravel(), (-g - ridge + l1).ravel(), slope.sum(axis=0)]
        return value + l2 / 2 * np.sum(np.square(plus - minus)), gradient

    bounds = [(0, None)] * (2 * size) + [(None, None)] * K
    found = minimize(
        function,
        np.zeros(2 * size + K),
        jac=True,
        bounds=bounds,
        options={"maxiter": 10**5, "ftol": 1e-15, "gtol": 1e-10},
    )
    return found.fun


@pytest.mark.parametrize(("alpha", "l1_ratio"), [(0.05, 1.0), (0.05, 0.3), (0.2, 0.0)])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gap_bounds_how_far_any_point_is_from_the_least_objective(alpha, l1_ratio, weighted):
    X, y = data()
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 3, N).astype(float) if weighted else None
    least = smallest(X, y, alpha, l1_ratio, weights)
    shares = np.average(y, axis=0, weights=weights)
    null_loss = -np.sum(shares * np.log(shares))
    problem = MultinomialModel(X, y, weights, fit_intercept=True).with_penalty(pr.ElasticNet(alpha, l1_ratio))
    best = pr.fista(MultinomialModel(X, y, weights, fit_intercept=True), pr.ElasticNet(alpha, l1_ratio), tol=1e-10)
    for mix in (0.0, 1e-4, 0.1, 1.0):
        coef = best.w.coef + mix * rng.standard_normal((K, P))
        intercept = best.w.intercept + mix * rng.standard_normal(K)
        known = problem.certify(problem.start(Coefficients(coef, intercept)))
        value = objective(X, y, coef, intercept, alpha, l1_ratio, weights)
        np.testing.assert_allclose(known.objective, value, rtol=1e-12)
        assert known.gap * null_loss >= value - least - 1e-9
    assert best.gap <= 1e-10
    assert best.status == Status.CONVERGED
    np.testing.assert_allclose(best.objective, least, rtol=1e-7)


def test_a_point_far_out_has_a_certificate_too():
    X, y = data()
    problem = MultinomialModel(X, y, fit_intercept=True).with_penalty(pr.L1(0.1))
    known = problem.certify(problem.start(Coefficients(1e4 * np.ones((K, P)) * np.arange(K)[:, None], np.zeros(K))))
    assert np.isfinite(known.gap)
    assert known.gap > 1


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_two_classes_are_a_logistic_regression(fit_intercept):
    X, y = data()
    y = np.stack([y[:, :2].sum(axis=1), y[:, 2:].sum(axis=1)], axis=1)
    both = pr.fista(MultinomialModel(X, y, fit_intercept=fit_intercept), pr.L2(0.1), tol=1e-12)
    one = pr.fista(pr.LinearModel(X, y[:, 1], "logistic", fit_intercept=fit_intercept), pr.L2(0.05), tol=1e-12)
    coef = both.w.coef if fit_intercept else both.w
    np.testing.assert_allclose(coef[1] - coef[0], one.w.coef if fit_intercept else one.w, atol=1e-6)
    np.testing.assert_allclose(both.objective, one.objective, rtol=1e-10)


def test_lanes_are_fits_of_their_own():
    X, y = data()
    X -= X.mean(axis=0)
    rng = np.random.default_rng(2)
    weights = rng.integers(0, 3, (3, N)).astype(float)
    alpha, ratio = np.array([0.02, 0.1, 0.02]), np.array([1.0, 0.5, 0.0])
    model = MultinomialModel(X, y, fit_intercept=True)
    family = PenaltyBatch(pr.ElasticNet(1.0, 1.0), None, alpha, ratio)
    found = solve_multinomial(model, family, weights, tol=1e-12, max_steps=10_000)
    for lane in range(3):
        rows = np.repeat(np.arange(N), weights[lane].astype(int))
        alone = MultinomialModel(X[rows], y[rows], fit_intercept=True)
        known = pr.fista(alone, pr.ElasticNet(alpha[lane], ratio[lane]), tol=1e-13)
        np.testing.assert_allclose(found.w.coef[lane], known.w.coef, atol=1e-6)
        np.testing.assert_allclose(found.objective[lane], known.objective, rtol=1e-11)
    assert np.all(found.status == Status.CONVERGED)
    assert np.all(found.gap <= 1e-12)


def test_memory_for_some_lanes_at_a_time_serves_all(monkeypatch):
    X, y = data()
    family = PenaltyBatch(pr.ElasticNet(1.0, 1.0), None, np.geomspace(0.01, 0.2, 5), np.ones(5))
    given = MultinomialModel(X, y), family, np.ones((5, N))
    whole = solve_multinomial(*given, tol=1e-12, max_steps=1000)
    monkeypatch.setattr("proxreg.engine.multinomial.ROOM", 2 * y.size)
    pieces = solve_multinomial(*given, tol=1e-12, max_steps=1000)
    np.testing.assert_allclose(pieces.w, whole.w, atol=1e-9)
    np.testing.assert_allclose(pieces.objective, whole.objective, rtol=1e-12)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_newton_finishes_what_gradients_do_not(monkeypatch, l1_ratio, fit_intercept):
    X, y = data(3)
    X = X @ (np.eye(P) + 40 * np.ones((P, P)) / P) / 40
    X -= X.mean(axis=0)
    family = PenaltyBatch(pr.ElasticNet(1.0, 1.0), None, np.array([1e-4, 1e-5]), np.full(2, l1_ratio))
    given = MultinomialModel(X, y, fit_intercept=fit_intercept), family, np.ones((2, N))
    quick = solve_multinomial(*given, tol=1e-12, max_steps=10**5)
    monkeypatch.setattr(turns, "newton", lambda rows, family, w, *given: np.zeros(len(w), np.int32))
    slow = solve_multinomial(*given, tol=1e-12, max_steps=10**5)
    assert np.all(quick.status == Status.CONVERGED)
    assert quick.num_steps.max() < slow.num_steps.max() / 2
    np.testing.assert_allclose(quick.objective, slow.objective, rtol=1e-11)


def test_too_many_coefficients_for_newton_are_left_to_gradients(monkeypatch):
    X, y = data(3)
    monkeypatch.setattr("proxreg.engine.multinomial.WIDEST", 2)
    family = PenaltyBatch(pr.ElasticNet(1.0, 1.0), None, np.array([1e-4]), np.zeros(1))
    model = MultinomialModel(X, y)
    rows = MultinomialRows.of(model, np.ones((1, N)))
    known = rows.look(family, np.zeros(1, int), np.zeros((1, K, P)), np.zeros((1, K)))
    move, shift = rows.move(known, np.zeros((1, K, P)), False, 0)
    assert not move.any()
    assert not shift.any()
    found = solve_multinomial(model, family, np.ones((1, N)), tol=1e-8, max_steps=10**5)
    assert found.status[0] == Status.CONVERGED


def test_classes_apart_without_a_penalty_end():
    X = np.array([[-1.0], [0.0], [1.0]])
    family = PenaltyBatch(pr.ElasticNet(1.0, 1.0), None, np.zeros(1), np.zeros(1))
    model = MultinomialModel(X, np.eye(3), fit_intercept=True)
    found = solve_multinomial(model, family, np.ones((1, 3)), tol=1e-8, max_steps=500)
    assert np.all(np.isfinite(found.w.coef))
    assert found.objective[0] < 1e-2


def test_one_lane_is_safe_under_jit_and_vmap():
    X, y = data()
    model, alphas = MultinomialModel(X.astype(np.float32), y.astype(np.float32)), np.array([0.02, 0.1], np.float32)
    lanes = jax.jit(jax.vmap(lambda alpha: pr.fista(model, pr.L1(alpha), tol=1e-5)))(alphas)
    for lane, alpha in enumerate(alphas):
        alone = pr.fista(model, pr.L1(alpha), tol=1e-5)
        np.testing.assert_allclose(lanes.w[lane], alone.w, atol=1e-3)
    assert np.all(lanes.gap <= 1e-5)


def test_a_column_that_is_constant_where_rows_count_is_no_violation():
    # 0.3 there, about its mean over all rows elsewhere: what is left of it is the rounding of a mean
    X, y = data()
    weights = (np.arange(N) % 3 > 0).astype(float)
    X[:, 0] = np.where(weights > 0, 0.3, X[:, 0])
    family = PenaltyBatch(pr.ElasticNet(1.0, 1.0), None, np.array([0.01, 0.1]), np.zeros(2))
    model = MultinomialModel(X - X.mean(axis=0), y, fit_intercept=True)
    found = solve_multinomial(model, family, np.stack([weights, weights]), tol=1e-12, max_steps=10_000)
    assert (found.status == Status.CONVERGED).all()
    np.testing.assert_allclose(found.w.coef[:, :, 0], 0, atol=1e-12)


@pytest.mark.parametrize(("dtype", "rare", "tol"), [("float32", 1e-7, 1e-4), ("float64", 1e-16, 1e-8)])
def test_classes_that_have_next_to_no_weight_are_fitted(dtype, rare, tol):
    """Tell probabilities near 1 apart, where the whole loss is smaller than the rounding of one of them."""
    X, y = data(n=30, p=2)
    weights = np.where(y[:, 0] == 1, 1, rare)
    weights, alpha = weights / weights.sum(), 0.01 * rare
    model = MultinomialModel(X.astype(dtype), y.astype(dtype), fit_intercept=True)
    family = PenaltyBatch(pr.ElasticNet(1.0, 0.0), None, np.array([alpha], dtype), np.zeros(1, dtype))
    found = solve_multinomial(model, family, weights.astype(dtype)[None], tol=tol, max_steps=10_000)
    assert found.status[0] == Status.CONVERGED

    def function(z):
        """The objective, all of whose parts have their digits: of each row relative to the class that it has."""
        coef, intercept = z[:-K].reshape(K, -1), z[-K:]
        eta = X @ coef.T + intercept
        odds = np.where(y == 1, 0, np.exp(eta - np.sum(y * eta, axis=1, keepdims=True)))
        others = odds.sum(axis=1, keepdims=True)
        slope = weights[:, None] * np.where(y == 1, -others, odds) / (1 + others)
        value = weights @ np.log1p(others[:, 0]) + alpha / 2 * np.sum(np.square(coef))
        return value / rare, np.r_[(slope.T @ X + alpha * coef).ravel(), slope.sum(axis=0)] / rare

    start = np.r_[found.w.coef[0].ravel(), found.w.intercept[0]].astype(float)
    best = minimize(function, start, jac=True, method="BFGS", options={"gtol": 1e-9}).fun
    null = np.log(weights @ y)
    null_loss = function(np.r_[np.zeros(2 * K), null])[0]
    assert function(start)[0] - best <= (float(found.gap[0]) + 1e2 * np.finfo(dtype).eps) * null_loss


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(8))
def test_the_minimum_of_the_model(positive, ridge, seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, 25))
    A = rng.standard_normal((k + 3, k)) @ (np.eye(k) + rng.standard_normal((k, k)) * (seed % 3))
    H, g = A.T @ A, 3 * rng.standard_normal(k)
    l1, l2 = rng.uniform(0.1, 2, k), np.full(k, ridge)
    w = np.where(rng.random(k) < 0.5, rng.standard_normal(k), 0)
    w = np.abs(w) if positive else w
    u = minimum(H, g, w, l1, l2, positive)
    slope = g + H @ (u - w) + l2 * u
    used = u != 0
    np.testing.assert_allclose(slope[used], -l1[used] * np.sign(u[used]), atol=1e-8 * np.abs(H).max())
    assert np.all((-slope if positive else np.abs(slope))[~used] <= l1[~used] + 1e-8 * np.abs(H).max())
    assert not positive or u.min() >= 0
