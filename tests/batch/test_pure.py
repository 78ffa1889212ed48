"""solve_path inside other people's programs: jit, vmap, scan; a status per lane, clear errors, few programs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg.batch.solve_path import _solve_path
from tests import problems

ALPHAS = jnp.array([0.5, 0.2, 0.1, 0.05])


@pytest.fixture(autouse=True)
def _wide():
    with jax.enable_x64(True):
        yield


def solve(X, y, weights=None, alphas=ALPHAS, loss="squared", **options):
    model = pr.LinearModel(X, y, loss=loss, sample_weight=weights, fit_intercept=True)
    return pr.solve_path(model, pr.ElasticNet(1.0, 0.9), alphas, tol=1e-9, **options)


def same(found, other, rtol=1e-9):
    np.testing.assert_array_equal(found.status, 0)
    np.testing.assert_array_equal(other.status, 0)
    np.testing.assert_allclose(found.objective, other.objective, rtol=rtol)
    np.testing.assert_allclose(found.w.coef, other.w.coef, atol=1e-5)


@pytest.mark.parametrize(("loss", "p", "width"), [("squared", 8, None), ("squared", 40, 20), ("logistic", 8, None)])
def test_data_responses_and_weights_are_mapped(loss, p, width):
    rng = np.random.default_rng(0)
    sets = [problems.responses(loss, 60, p, seed) for seed in range(3)]
    X, y = (np.stack(parts) for parts in zip(*sets))
    weights = rng.integers(0, 3, size=(3, 60)).astype(float)
    options = {"loss": loss, "working_set": width}
    alone = jax.jit(lambda X, y, weights: solve(X, y, weights, **options))
    one_by_one = [alone(X[k], y[k], weights[k]) for k in range(3)]
    expected = jax.tree.map(lambda *leaves: np.stack(leaves), *one_by_one)
    same(jax.jit(jax.vmap(lambda X, y, w: solve(X, y, w, **options)))(X, y, weights), expected)
    by_weight = [alone(X[0], y[0], weights[k]) for k in range(3)]
    expected = jax.tree.map(lambda *leaves: np.stack(leaves), *by_weight)
    same(jax.vmap(lambda w: solve(X[0], y[0], w, **options))(weights), expected)


def test_weights_of_zero_leave_rows_out():
    X, y = problems.regression(60, 8)
    weights = (np.arange(60) % 3 > 0).astype(float)
    same(solve(X, y, weights), solve(X[weights > 0], y[weights > 0]))


def test_scan_over_responses():
    X, y = problems.regression(60, 8)
    responses = np.stack([y, y**2, -y])
    _, scanned = jax.lax.scan(lambda carry, y: (carry, solve(X, y)), None, responses)
    same(scanned, jax.vmap(lambda y: solve(X, y))(responses))


def test_strengths_may_be_traced_and_mapped():
    X, y = problems.regression(60, 8)
    by_ratio = jax.vmap(lambda ratio: pr.solve_path(pr.LinearModel(X, y), pr.ElasticNet(), ALPHAS, l1_ratio=ratio))
    ratios = jnp.array([0.3, 1.0])
    found = by_ratio(ratios)
    together = pr.solve_path(pr.LinearModel(X, y), pr.ElasticNet(), ALPHAS, l1_ratio=ratios)
    assert found.w.shape == together.w.shape == (2, 4, 8)
    np.testing.assert_allclose(found.objective, together.objective, rtol=1e-4)


def test_a_bad_lane_leaves_its_neighbours_alone():
    X, y = problems.regression(60, 8)
    alphas = jnp.array([0.5, jnp.nan, 0.2, -1.0, 0.1])
    for loss in ("squared", "huber"):
        found = jax.jit(lambda alphas, loss=loss: solve(X, y, alphas=alphas, loss=loss))(alphas)
        assert [int(status) for status in found.status] == [0, pr.Status.NON_FINITE, 0, pr.Status.INVALID, 0]
        same(
            jax.tree.map(lambda leaf: leaf[::2], found),
            solve(X, y, alphas=jnp.array([0.5, 0.2, 0.1]), loss=loss),
        )
        assert np.all(np.isnan(found.objective[jnp.array([1, 3])]))


def test_data_that_are_no_numbers_are_non_finite():
    X, y = problems.regression(60, 8)
    both = np.stack([y, np.where(np.arange(60) == 3, np.nan, y)])
    found = jax.vmap(lambda y: solve(X, y))(both)
    np.testing.assert_array_equal(found.status[0], pr.Status.CONVERGED)
    np.testing.assert_array_equal(found.status[1], pr.Status.NON_FINITE)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_small_budget_is_spent_and_no_more(loss):
    X, y = problems.responses(loss)
    found = pr.solve_path(pr.LinearModel(X, y, loss=loss), pr.L1(), [0.1, 1e-3], tol=1e-12, max_steps=3)
    assert np.all(found.num_steps <= 3)
    assert found.status[1] == pr.Status.MAX_STEPS
    assert found.gap[1] > 1e-12


def test_a_support_that_outgrows_a_fixed_working_set():
    X, y = problems.regression(60, 40)
    alphas = jnp.array([1.0, 0.5, 1e-3])
    found = pr.solve_path(pr.LinearModel(X, y, fit_intercept=True), pr.L1(), alphas, tol=1e-9, working_set=8)
    assert [int(status) for status in found.status] == [0, 0, pr.Status.WORKING_SET]
    assert np.count_nonzero(found.w.coef[2]) >= 8


def test_weak_penalties_in_float32_say_how_far_they_are():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 1))
    X = np.hstack([x, x + 1e-4 * rng.normal(size=(100, 3))]).astype(np.float32)
    y = (X @ [1.0, -1.0, 2.0, 0.0] + rng.normal(size=100)).astype(np.float32)
    with jax.enable_x64(False):
        found = pr.solve_path(pr.LinearModel(X, y), pr.L1(), [1e-2, 1e-6], tol=1e-9, max_steps=500)
    assert np.all((found.status == pr.Status.CONVERGED) == (np.maximum(found.gap, found.violation) <= 1e-9))


def test_equal_shapes_are_one_program():
    X, y = problems.regression(60, 8)
    traced = []

    @jax.jit
    def path(X, y, alphas):
        traced.append(1)
        return pr.solve_path(pr.LinearModel(X, y), pr.L1(), alphas)

    path(X, y, ALPHAS)
    path(2 * X, y, ALPHAS / 2)
    assert len(traced) == 1
    program: Any = _solve_path
    pr.solve_path(pr.LinearModel(X, y), pr.L1(), ALPHAS)
    programs = program._cache_size()
    pr.solve_path(pr.LinearModel(X, y), pr.L1(3), np.array(ALPHAS), tol=1, max_steps=np.int64(7))
    pr.solve_path(pr.LinearModel(X, y), pr.L1(np.float64(2)), [1, 2, 3, 4], tol=jnp.float32(1e-3))
    assert program._cache_size() == programs


def test_derivatives_are_refused_with_what_to_do():
    X, y = problems.regression(60, 8)
    for differentiate in (jax.jacfwd, jax.jacrev):
        with pytest.raises(ValueError, match=r"differentiate pr\.fista"):
            differentiate(lambda alphas: solve(X, y, alphas=alphas).objective)(ALPHAS)
    grads = jax.grad(lambda c: c * jnp.sum(solve(X, y).objective))(2.0)
    assert np.isfinite(grads)


X_SMALL, Y_SMALL = problems.regression(20, 4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: pr.solve_path(m, pr.Zero(), [1.0]), "needs a penalty with an alpha"),
        (lambda m: pr.solve_path(m, pr.L1(), 1.0), r"alphas must be \(K,\)"),
        (lambda m: pr.solve_path(m, pr.L1(), []), r"alphas must be \(K,\)"),
        (lambda m: pr.solve_path(m, pr.L1(), [1.0, -1.0]), "alphas must be >= 0"),
        (lambda m: pr.solve_path(m, pr.L1(), "many"), "alphas must be numbers"),
        (lambda m: pr.solve_path(m, pr.L1(), [[1.0]]), "without l1_ratio"),
        (lambda m: pr.solve_path(m, pr.L1(), [1.0], l1_ratio=0.5), "L1 has no l1_ratio"),
        (lambda m: pr.solve_path(m, pr.ElasticNet(), [1.0], l1_ratio=2), "l1_ratio must be >= 0 and <= 1"),
        (lambda m: pr.solve_path(m, pr.ElasticNet(), [[1.0]], l1_ratio=[0.5, 1.0]), r"got \(2,\) and \(1, 1\)"),
        (lambda m: pr.solve_path(vars(m), pr.L1(), [1.0]), "map pr.fista"),
        (lambda m: pr.solve_path(m, pr.L1(), [1.0], working_set=0), "working_set must be"),
        (lambda m: pr.solve_path(m, pr.GroupLasso(), [1.0], working_set=3), "needs a separable penalty"),
        (lambda m: pr.solve_path(m, pr.L1(), [1.0], w0=np.zeros(4)), "w0 must be pr.Coefficients"),
        (lambda m: pr.solve_path(m, pr.L1(), [1.0], w0=pr.Coefficients(np.zeros(3), 0.0)), r"got \(3,\)"),
        (lambda m: pr.solve_path(m, pr.L1(), [1.0], tol=-1), "tol must be >= 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(pr.LinearModel(X_SMALL, Y_SMALL, fit_intercept=True))
