"""What FISTA alone can do: any function, any pytree, penalties that couple coordinates, steps found on the way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg.solvers import fista_init, fista_step
from tests import problems


def test_pytree_of_parameters_and_a_callable():
    X, y = problems.regression()
    X, y = X - X.mean(0), y - y.mean()
    with jax.enable_x64(True):

        def loss(params):
            return jnp.mean((X[:, :3] @ params["first"] + X[:, 3:] @ params["rest"][0] - y) ** 2) / 2

        start = {"first": np.zeros(3), "rest": [np.zeros(5)]}
        fit = jax.device_get(pr.fista(loss, pr.ElasticNet(0.1, 0.5), start, tol=1e-10))
        flat = jax.device_get(pr.fista(pr.LinearModel(X, y), pr.ElasticNet(0.1, 0.5), tol=1e-14))
    assert fit.status == pr.Status.CONVERGED
    assert np.isnan(fit.gap)
    assert fit.violation <= 1e-10
    np.testing.assert_allclose(np.concatenate([fit.w["first"], fit.w["rest"][0]]), flat.w, atol=1e-7)
    np.testing.assert_allclose(fit.objective, flat.objective, rtol=1e-12)


def test_a_function_that_closes_over_traced_values():
    def solve(target):
        return pr.fista(lambda w: jnp.sum((w - target) ** 2) / 2, pr.L1(0.5), jnp.zeros(2), tol=1e-6).w

    targets = jnp.array([[2.0, 0.1], [0.2, -3.0]])
    expected = [[1.5, 0.0], [0.0, -2.5]]
    np.testing.assert_allclose(jax.vmap(solve)(targets), expected, atol=1e-5)
    np.testing.assert_allclose([jax.jit(solve)(target) for target in targets], expected, atol=1e-5)


def test_steps_that_start_far_too_long_are_shortened():
    """The curvature at the start is tiny next to that on the way: exp at -20."""
    with jax.enable_x64(True):
        fit = pr.fista(lambda w: jnp.exp(w[0]) - 3 * w[0] + w[1] ** 2, pr.L1(0.5), np.array([-20.0, 1.0]), tol=1e-9)
    assert int(fit.status) == pr.Status.CONVERGED
    np.testing.assert_allclose(fit.w, [np.log(2.5), 0.0], atol=1e-7)


def test_poisson_from_a_bad_start():
    X, y = problems.responses("poisson")
    with jax.enable_x64(True):
        start = pr.Coefficients(np.full(8, 3.0), 5.0)
        fit = pr.fista(pr.LinearModel(X, y, "poisson", fit_intercept=True), pr.L1(0.1), start, tol=1e-8)
        assert int(fit.status) == pr.Status.CONVERGED
        coef, _ = problems.minimise_l1("poisson", X, y, 0.1)
        np.testing.assert_allclose(fit.w.coef, coef, atol=1e-3)


@pytest.mark.parametrize("name", ["squared", "logistic"])
def test_group_lasso_equals_a_long_plain_proximal_gradient_run(name):
    X, y = problems.responses(name)
    labels, weights = np.array([2, 0, 1, 2, 1, 0, 0, 2]), np.array([1.0, 2.0, 0.7])
    with jax.enable_x64(True):
        model = pr.LinearModel(X, y, name)
        fit = jax.device_get(pr.fista(model, pr.GroupLasso(0.1, labels, weights=weights), tol=1e-12))
    derivative = problems.LOSSES[name][1]
    t = 1 / np.linalg.eigvalsh(X.T @ X / len(y)).max()
    w = np.zeros(8)
    for _ in range(20_000):
        v = w - t * X.T @ derivative(X @ w, y) / len(y)
        for g in range(3):
            norm = np.linalg.norm(v[labels == g])
            w[labels == g] = v[labels == g] * max(0, 1 - t * 0.1 * weights[g] / max(norm, 1e-300))
    np.testing.assert_allclose(fit.w, w, atol=1e-5)
    assert np.array_equal(fit.w == 0, w == 0)


def test_custom_loss_equals_the_built_in_one():
    X, y = problems.responses("logistic")
    with jax.enable_x64(True):
        custom = pr.LinearModel(X, y, lambda eta, y: jnp.logaddexp(0, eta) - y * eta, fit_intercept=True)
        a = pr.fista(custom, pr.L1(0.02), tol=1e-10)
        b = pr.fista(pr.LinearModel(X, y, "logistic", fit_intercept=True), pr.L1(0.02), tol=1e-13)
        assert np.isnan(a.gap)
        assert int(a.status) == pr.Status.CONVERGED
        np.testing.assert_allclose(a.w.coef, b.w.coef, atol=1e-6)
        np.testing.assert_allclose(a.objective, b.objective, rtol=1e-10)


def test_a_custom_penalty_with_value_and_prox_only():
    @pr.pytree_dataclass
    class HalfL1(pr.Penalty):
        alpha: float

        def value(self, w):
            return self.alpha * jnp.sum(jnp.abs(w)) / 2

        def prox(self, v, step):
            return jnp.sign(v) * jnp.maximum(jnp.abs(v) - step * self.alpha / 2, 0)

    X, y = problems.regression()
    with jax.enable_x64(True):
        own = pr.fista(pr.LinearModel(X, y, fit_intercept=True), HalfL1(0.2), tol=1e-8)
        same = pr.fista(pr.LinearModel(X, y, fit_intercept=True), pr.L1(0.1), tol=1e-13)
        assert int(own.status) == pr.Status.CONVERGED
        np.testing.assert_allclose(own.w.coef, same.w.coef, atol=1e-6)


def test_init_and_step_by_hand():
    X, y = problems.regression()
    with jax.enable_x64(True):
        problem = pr.LinearModel(X, y, fit_intercept=True).with_penalty(pr.L1(0.1))
        point = problem.start(None)
        steps = problem.steps(point)
        state = fista_init(point, steps)
        before = problem.certify(state.point)
        for _ in range(200):
            state = fista_step(problem, steps, state)
        after = problem.certify(state.point)
        assert float(before.gap) > 0.1
        assert float(after.gap) < 1e-9
        same = pr.fista(pr.LinearModel(X, y, fit_intercept=True), pr.L1(0.1), tol=1e-12)
        np.testing.assert_allclose(problem.solution(state.point).coef, same.w.coef, atol=1e-5)


def test_value_of_the_models_is_the_objective_less_the_penalty():
    X, y = problems.responses("poisson")
    weights, offset = np.arange(60.0), np.linspace(-1, 1, 60)
    with jax.enable_x64(True):
        model = pr.LinearModel(X, y, "poisson", weights, offset, fit_intercept=True)
        fit = pr.fista(model, pr.L1(0.1), tol=1e-9)
        value = model.value(fit.w) + pr.L1(0.1).value(fit.w.coef)
        np.testing.assert_allclose(value, fit.objective, rtol=1e-12)
        quadratic = pr.Quadratic(np.diag([1.0, 2.0]), np.array([3.0, 0.5]), 5.0)
        np.testing.assert_allclose(quadratic.value(np.array([1.0, -1.0])), 0.5 + 1 - 3 + 0.5 + 5)
