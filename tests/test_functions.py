"""Functions for FISTA: their data, what is kept of them, and the parameters that they may have."""

import gc
import weakref

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg.solvers.fista import _fista_function
from tests import problems

X, Y = problems.regression(n=30, p=4)


def _loss(w, X, y):
    return jnp.mean((X @ w - y) ** 2) / 2


def test_args_serve_new_data_without_a_new_trace():
    loss = chex.assert_max_traces(_loss, n=20)  # by one compilation; a second one would be as many again
    chex.clear_trace_counter()
    start = jnp.zeros(4)
    pr.fista(loss, pr.L1(0.1), start, args=(X, Y))
    loss = jax.tree_util.Partial(loss).func
    for seed in range(3):
        data = problems.regression(n=30, p=4, seed=seed)
        fit = pr.fista(loss, pr.L1(0.1), start, args=data, tol=1e-6)
        same = pr.fista(pr.LinearModel(*data), pr.L1(0.1), tol=1e-6)
        np.testing.assert_allclose(fit.w, same.w, atol=1e-4)


def test_lanes_over_args():
    lanes = jax.vmap(lambda y: pr.fista(_loss, pr.L1(0.1), jnp.zeros(4), args=(X, y), tol=1e-6).w)
    expected = [pr.fista(pr.LinearModel(X, y), pr.L1(0.1), tol=1e-6).w for y in (Y, -Y)]
    np.testing.assert_allclose(lanes(np.stack([Y, -Y])), expected, atol=1e-4)


def _solved(kind):
    data = jnp.asarray(X)

    class Model:
        def loss(self, w):
            return _loss(w, data, Y)

    model = Model()
    function = (lambda w: _loss(w, data, Y)) if kind == "lambda" else model.loss
    pr.fista(function, pr.L1(0.1), jnp.zeros(4))
    return [weakref.ref(thing) for thing in (data, model if kind == "method" else function)]


@pytest.mark.parametrize("kind", ["lambda", "method"])
def test_a_function_and_its_data_are_not_kept(kind):
    before = len(_fista_function._programs)
    gone = _solved(kind)
    _solved(kind)  # JAX itself keeps the last function that it traced
    gc.collect()
    assert [reference() is None for reference in gone] == [True, True]
    assert len(_fista_function._programs) <= before + 1


def test_a_method_compiles_once():
    class Model:
        traces = 0

        def loss(self, w):
            type(self).traces += 1
            return _loss(w, X, Y)

    model = Model()
    pr.fista(model.loss, pr.L1(0.1), jnp.zeros(4))
    once = Model.traces
    pr.fista(model.loss, pr.L1(0.2), jnp.zeros(4))
    assert Model.traces == once


def test_complex_parameters():
    """Against the real problem with twice as many parameters, and one group for each pair."""
    rng = np.random.default_rng(0)
    with jax.enable_x64(True):
        A = rng.normal(size=(20, 4)) + 1j * rng.normal(size=(20, 4))
        b = A @ np.array([1.0, 0, 1j, 0]) + 0.1 * rng.normal(size=20)
        fit = pr.fista(lambda w: jnp.sum(jnp.abs(A @ w - b) ** 2) / 40, pr.L1(0.3), jnp.zeros(4, complex), tol=1e-10)
        both = np.block([[A.real, -A.imag], [A.imag, A.real]])
        pairs = pr.GroupLasso(0.3, groups=np.tile(np.arange(4), 2))
        model = pr.Quadratic(both.T @ both / 20, both.T @ np.r_[b.real, b.imag] / 20)
        same = pr.fista(model, pairs, tol=1e-12).w
    assert int(fit.status) == pr.Status.CONVERGED
    np.testing.assert_allclose(np.r_[fit.w.real, fit.w.imag], same, atol=1e-8)
    assert np.count_nonzero(fit.w) == 2


def test_penalties_that_have_an_order_refuse_complex_parameters():
    for penalty in (pr.L1(0.1, positive=True), pr.NonNegative(), pr.BoundedElasticNet(0.1)):
        with pytest.raises(ValueError, match="needs real parameters, got complex64"):
            pr.fista(lambda w: jnp.sum(jnp.abs(w - 1j) ** 2), penalty, jnp.zeros(2, jnp.complex64))
    with pytest.raises(ValueError, match="must return a scalar, a real one"):
        pr.fista(lambda w: jnp.sum(w**2), pr.L1(0.1), jnp.zeros(2, jnp.complex64))


@pytest.mark.parametrize("penalty", [pr.L1(0.1), pr.GroupLasso(0.1)], ids=["l1", "group"])
def test_leaves_of_two_types(penalty):
    with jax.enable_x64(True):

        def loss(tree):
            return jnp.mean((X[:, :2] @ tree["a"] + X[:, 2:] @ tree["b"] - Y) ** 2) / 2

        start = {"a": jnp.zeros(2, jnp.float32), "b": jnp.zeros(2, jnp.float64)}
        fit = pr.fista(loss, penalty, start, tol=1e-5)
        wide = pr.fista(loss, penalty, jax.tree.map(lambda x: x.astype(float), start), tol=1e-9)
    assert int(fit.status) == pr.Status.CONVERGED
    assert (fit.w["a"].dtype, fit.w["b"].dtype) == (jnp.float32, jnp.float64)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), fit.w, wide.w)


def test_what_is_no_array_is_named():
    with pytest.raises(ValueError, match=r"activation is not: .*eqx\.filter.*nnx\.state"):
        pr.fista(lambda m: jnp.sum(m["w"] ** 2), pr.L1(0.1), {"w": jnp.ones(2), "activation": jnp.tanh})
    with pytest.raises(ValueError, match="args are for functions; LinearModel holds its own data"):
        pr.fista(pr.LinearModel(X, Y), pr.L1(0.1), args=(X,))
    with pytest.raises(ValueError, match="args must be a tuple"):
        pr.fista(_loss, pr.L1(0.1), jnp.zeros(4), args=[X, Y])  # pyright: ignore[reportArgumentType]


def test_a_function_without_a_gradient_at_zero_is_not_done_at_once():
    """Relative to an infinite gradient everything is small."""
    fit = pr.fista(lambda w: jnp.sum(w - jnp.log(w)), pr.Zero(), jnp.full(3, 0.3), tol=1e-5)
    assert int(fit.status) == pr.Status.CONVERGED
    np.testing.assert_allclose(fit.w, 1.0, atol=1e-3)
