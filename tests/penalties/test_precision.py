"""Dtypes go in and come out; half precision is computed in single; nothing overflows on the way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from tests.penalties import evaluate as ev

DTYPES = [jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@ev.every
def test_maps_keep_dtype_and_shape_whatever_the_parameters(case, dtype):
    """Parameters and steps that are float64 or integers never widen the answer, under strict promotion too."""
    wide = dtype if dtype in (jnp.float32, jnp.float64) else jnp.float32
    numbers = [np.float64, jnp.bfloat16]
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        w = jax.ShapeDtypeStruct(case.shape, dtype)
        for number in numbers:
            penalty = jax.tree.map(lambda leaf, number=number: _cast(leaf, number), case.penalty)
            for step in (number(0.5), np.int64(1)):
                assert jax.eval_shape(lambda v, pen=penalty, t=step: pen.prox(v, t), w).dtype == dtype
            for answer in (
                jax.eval_shape(lambda v, pen=penalty: pen.subgradient(v), w),
                jax.eval_shape(lambda v, pen=penalty: pen.subgradient(v, 2 * v), w),
            ):
                assert (answer.dtype, answer.shape) == (dtype, case.shape)
            for answer in (
                jax.eval_shape(penalty.value, w),
                jax.eval_shape(penalty.conjugate, w),
                jax.eval_shape(penalty.dual_scale, w, w),
            ):
                assert (answer.dtype, answer.shape) == (wide, ())


def _cast(leaf, number):
    return np.asarray(leaf) if number is np.float64 else jnp.asarray(leaf, number)


@pytest.mark.parametrize("penalty", [pr.L1(1), pr.L2(1), pr.ElasticNet(1, 1), pr.GroupLasso(1), pr.Box(0, 2)], ids=repr)
def test_integers_are_numbers(penalty):
    """Integer parameters, and integer arrays as input, give floating-point answers."""
    p = penalty.prox(jnp.array([3, -1]), 1)
    assert p.dtype == jnp.zeros(()).dtype
    np.testing.assert_allclose(p, penalty.prox(jnp.array([3.0, -1.0]), 1.0))


@pytest.mark.parametrize("alpha", [np.float64(0.5), jnp.bfloat16(0.5), np.float16(0.5), jnp.float32(0.5), np.int8(1)])
def test_parameters_of_any_numeric_type_are_accepted(alpha):
    penalties = pr.L1(alpha), pr.L2(alpha), pr.ElasticNet(alpha, alpha), pr.GroupLasso(alpha), pr.Box(-alpha, alpha)
    for penalty in penalties:
        assert jax.eval_shape(penalty.prox, jnp.ones(3, jnp.bfloat16), alpha).dtype == jnp.bfloat16


@ev.every
def test_single_precision_agrees_with_double(case):
    v = 3 * ev.normal(case).astype(np.float32)
    t = np.geomspace(1e-3, 1e2, ev.B).astype(np.float32)
    double = ev.prox(case, v.astype(float), t.astype(float))
    single = ev.prox(case, v, t)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, rtol=1e-5, atol=3e-6)
    w = case.domain(v.astype(float))
    np.testing.assert_allclose(ev.value(case, w.astype(np.float32)), ev.value(case, w), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16], ids=lambda dtype: dtype.__name__)
@ev.one_per_class
def test_half_precision_is_the_rounded_answer(case, dtype):
    """Threshold and input are subtracted in single precision: one rounding at the end, none on the way."""
    v = (3 * ev.normal(case)).astype(dtype)
    t = np.geomspace(1e-3, 1e1, ev.B)
    exact = ev.prox(case, v.astype(float), t)
    p = ev.prox(case, v, t)
    assert p.dtype == dtype
    ulp = np.maximum(float(jnp.finfo(dtype).eps) * np.abs(exact), float(jnp.finfo(dtype).smallest_subnormal))
    assert np.all(np.abs(p.astype(float) - exact) <= 0.6 * ulp + 1e-6)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
def test_a_projected_point_is_inside_the_box(dtype):
    """Bounds that the dtype cannot represent are rounded before they are compared."""
    box = pr.Box(-0.1, 0.1)
    with jax.enable_x64(True):
        p = box.prox(jnp.array([-3.0, 3.0], dtype), 1.0)
        assert p.dtype == dtype
        assert box.value(p) == 0
        assert np.all(box.subgradient(p, jnp.array([1.0, -1.0], dtype)) == 0)


EXTREMES = [(jnp.float32, 1e20), (jnp.float32, 1e-30), (jnp.float16, 300.0), (jnp.bfloat16, 1e25)]


@pytest.mark.parametrize(("dtype", "size"), EXTREMES, ids=["large", "small", "float16", "bfloat16"])
def test_norms_of_large_and_small_entries(dtype, size):
    """Squares of these are out of range; the norm is not."""
    v = jnp.array([3, 4], dtype) * jnp.asarray(size, dtype)
    length = 5.0 * float(jnp.asarray(size, dtype))
    pen = pr.GroupLasso(1.0)
    eps = float(jnp.finfo(dtype).eps)
    np.testing.assert_allclose(pen.value(v), length, rtol=2 * eps)
    np.testing.assert_allclose(pen.prox(v, length / 2).astype(float), v.astype(float) / 2, rtol=4 * eps)
    np.testing.assert_allclose(pen.subgradient(v).astype(float), [0.6, 0.8], rtol=4 * eps)
    np.testing.assert_allclose(pen.alpha_max(v), length, rtol=2 * eps)
    np.testing.assert_allclose(jax.grad(pen.value)(v).astype(float), [0.6, 0.8], rtol=4 * eps)


@pytest.mark.parametrize("positive", [False, True])
def test_dual_point_of_a_large_problem_is_feasible(positive):
    """Scaling onto the bound and comparing with it round differently, in single precision and over long groups most."""
    grad = 3 * np.random.default_rng(0).normal(size=200_000).astype(np.float32)
    labels = np.arange(grad.size) % 3
    groups = [] if positive else [pr.GroupLasso(0.7), pr.GroupLasso(0.7, groups=labels)]
    for penalty in (pr.L1(0.7, positive), pr.ElasticNet(0.7, 1.0, positive), *groups):
        c = penalty.dual_scale(jnp.zeros(grad.size), grad)
        assert 0 < c < 1
        assert penalty.conjugate(-c * grad) == 0
        assert penalty.conjugate(-1.001 * c * grad) == jnp.inf


def test_complex_lasso():
    """The modulus is penalised: the prox shrinks it and keeps the phase."""
    v = jnp.array([3 + 4j, 0.3 - 0.4j, 0, -2j], jnp.complex64)
    pen = pr.L1(1.0)
    p = pen.prox(v, np.float64(1.0))
    assert p.dtype == jnp.complex64
    np.testing.assert_allclose(p, [2.4 + 3.2j, 0, 0, -1j], rtol=1e-6)
    assert pen.value(v).dtype == jnp.float32
    np.testing.assert_allclose(pen.value(v), 7.5, rtol=1e-6)
    np.testing.assert_allclose(pen.subgradient(p, p - v), 0, atol=1e-6)
    np.testing.assert_allclose(pen.subgradient(v), [0.6 + 0.8j, 0.6 - 0.8j, 0, -1j], rtol=1e-6)
    np.testing.assert_allclose(pen.alpha_max(v), 5, rtol=1e-6)
    assert pen.conjugate(v / 6) == 0
    assert pen.conjugate(v / 4) == jnp.inf
    jacobian = jax.jvp(lambda v: pen.prox(v, 1.0), (v,), (jnp.ones_like(v),))[1]
    assert np.isfinite(jacobian).all()
    np.testing.assert_array_equal(jacobian[1:3], 0)
    np.testing.assert_array_equal(pr.L1(0.0).prox(v, 1.0), v)
