"""Least squares as a quadratic from data: the sums, the way back to the data's scale, and what rounding leaves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from tests import problems


@pytest.fixture(autouse=True)
def _wide():
    with jax.enable_x64(True):
        yield


def reference(X, y, weights, fit_intercept, standardize):
    """G, c, constant, center and scale, in NumPy, in one go."""
    s = np.ones(len(y)) if weights is None else weights
    s = s / s.sum()
    center, y_center = (s @ X, s @ y) if fit_intercept else (np.zeros(X.shape[1]), 0.0)
    X, y = X - center, y - y_center
    scale = np.sqrt(s @ X**2) if standardize else np.ones(X.shape[1])
    scale[scale == 0] = 1
    X = X / scale
    return X.T @ (X * s[:, None]), X.T @ (s * y), s @ y**2 / 2, center, scale


@pytest.mark.parametrize("n", [40, 512, 1300])  # less than a block of rows, one, and some with a remainder
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_are_those_of_numpy(n, standardize, fit_intercept, weighted):
    X, y = problems.regression(n, 6)
    X[:, 2] = 0
    weights = np.random.default_rng(1).integers(0, 3, n).astype(float) if weighted else None
    found = pr.Quadratic.from_data(X, y, weights, fit_intercept=fit_intercept, standardize=standardize)
    G, c, constant, _, _ = reference(X, y, weights, fit_intercept, standardize)
    np.testing.assert_allclose(found.G, G, atol=1e-12)
    np.testing.assert_allclose(found.c, c, atol=1e-12)
    np.testing.assert_allclose(np.asarray(found.constant), constant, rtol=1e-12)
    np.testing.assert_array_equal(found.G, found.G.T)


@pytest.mark.parametrize("standardize", [False, True])
def test_restored_solutions_are_those_of_the_data(standardize):
    X, y = problems.regression(60, 6)
    smooth = pr.Quadratic.from_data(X, y, standardize=standardize)
    fits = pr.solve_path(smooth, pr.L1(), [0.5, 0.1], tol=1e-10)
    coef, intercept = smooth.restore(fits.w)
    path = pr.fit_path(X, y, alphas=[0.5, 0.1], standardize=standardize, dtype="float64", tol=1e-10)
    np.testing.assert_allclose(coef, path.coef, atol=1e-6)
    np.testing.assert_allclose(intercept, path.intercept, atol=1e-6)
    np.testing.assert_allclose(fits.objective, path.objective, rtol=1e-9)
    bare = pr.Quadratic.from_data(X, y, fit_intercept=False, standardize=standardize)
    assert np.shape(bare.restore(fits.w)) == (2, 6)


def test_large_means_keep_their_digits():
    X, y = problems.regression(700, 5)
    far, weights = X + 1e6, np.linspace(0.5, 1.5, 700)
    near, shifted = pr.Quadratic.from_data(X, y, weights), pr.Quadratic.from_data(far, y + 1e6, weights)
    np.testing.assert_allclose(shifted.G, near.G, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(np.asarray(shifted.constant), np.asarray(near.constant), rtol=1e-8)


def test_constant_columns_have_no_variance():
    X, y = problems.regression(700, 4)
    X[:, 1] = 0.1 + 1e5
    found = pr.Quadratic.from_data(X.astype(np.float32), y.astype(np.float32), standardize=True)
    assert not np.any(found.G[1])
    assert found.c[1] == 0
    assert found.units is not None
    assert found.units.scale[1] == 1


def test_rows_of_weight_zero_may_be_anywhere():
    X, y = problems.regression(60, 4)
    weights = (np.arange(60) > 0).astype(float)
    X[0], y[0] = 1e200, -1e200
    found, alone = pr.Quadratic.from_data(X, y, weights), pr.Quadratic.from_data(X[1:], y[1:])
    np.testing.assert_allclose(found.G, alone.G, atol=1e-12)
    np.testing.assert_allclose(np.asarray(found.constant), np.asarray(alone.constant), rtol=1e-12)


def test_responses_share_g():
    """Under vmap over y the Gram matrix is computed once."""
    X, y = problems.regression(600, 5)
    responses = jnp.stack([jnp.asarray(y), jnp.asarray(y) ** 2])
    program = jax.make_jaxpr(jax.vmap(lambda y: pr.Quadratic.from_data(X, y).c))(responses)
    shapes = [variable.aval.shape for equation in program.jaxpr.eqns for variable in equation.outvars]
    assert (2, 5) in shapes
    assert (2, 5, 5) not in shapes
    found = jax.vmap(lambda y: pr.Quadratic.from_data(X, y))(responses)
    np.testing.assert_allclose(found.c[1], pr.Quadratic.from_data(X, y**2).c, atol=1e-12)


def test_types():
    X, y = problems.regression(60, 4)
    for kind, expected in ((np.float16, jnp.float32), (np.float32, jnp.float32), (int, jnp.float64)):
        assert pr.Quadratic.from_data(X.astype(kind), y).G.dtype == expected  # pyright: ignore


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X, y: pr.Quadratic.from_data(X[0], y), r"X must be \(n, p\)"),
        (lambda X, y: pr.Quadratic.from_data(X, np.stack([y, y], 1)), "map over responses with jax.vmap"),
        (lambda X, y: pr.Quadratic.from_data(X, y, y[1:]), "sample_weight must have the shape of y"),
        (lambda X, y: pr.Quadratic.from_data(X, y, -np.ones(len(y))), "sample_weight must be >= 0"),
        (lambda X, y: pr.Quadratic(np.eye(2), np.ones(2)).restore(np.ones(2)), "made by pr.Quadratic.from_data"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*problems.regression(20, 3))
