"""Exact zeros, exact identities, and the limits of the step."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from tests.cases import PENALTIES
from tests.penalties import evaluate as ev

SHRINKING = [case for case in PENALTIES if case.radius is not None]


@ev.over(SHRINKING)
def test_exact_zeros_within_the_radius_and_none_beyond(case):
    t = ev.steps(case)
    norms = ev.normal(case)
    unit = norms / case.block_norms(norms)
    radius = case.radius(ev.columns(case, t)) + np.zeros_like(unit)
    assert np.all(ev.prox(case, 0.999 * radius * unit, t) == 0)
    beyond = ev.prox(case, 1.001 * radius * unit, t)
    alive = (radius > 0) & ((unit > 0) | case.odd)
    assert np.all(beyond[alive] != 0)
    assert np.all(beyond[~alive] == 0)


@ev.every
def test_no_negative_zero(case):
    v, t = ev.points(case)
    v[5::8] = np.where(v[5::8] > 0, -0.0, v[5::8])
    v[6] = -0.0
    p = ev.prox(case, v, t)
    assert not np.any(np.signbit(p) & (p == 0))


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.float32])
def test_no_negative_zero_from_underflow(dtype):
    small = jnp.array([-jnp.finfo(dtype).smallest_subnormal, -jnp.finfo(dtype).tiny], dtype)
    for penalty in (pr.L2(1e30), pr.L2(np.inf), pr.ElasticNet(np.inf, 0.0), pr.Box(-1e-30, 1.0)):
        p = np.asarray(penalty.prox(small, 1.0))
        assert not np.any(np.signbit(p) & (p == 0)), penalty


@ev.every
def test_step_to_zero_gives_the_projection_on_the_domain(case):
    v = ev.normal(case)
    expected = case.domain(v)
    np.testing.assert_array_equal(ev.prox(case, v, np.zeros(ev.B)), expected)
    np.testing.assert_allclose(ev.prox(case, v, np.full(ev.B, 1e-9)), expected, atol=1e-7)


@ev.every
def test_step_to_infinity_minimises_the_penalty_alone(case):
    v = ev.normal(case)
    p = ev.prox(case, v, np.full(ev.B, 1e15))
    lowest = np.minimum(case.value(case.domain(np.zeros_like(v))), case.value(case.domain(v)))
    np.testing.assert_allclose(case.value(p), lowest, atol=1e-12)


@ev.every
def test_an_infinite_step_is_the_limit_of_long_ones(case):
    """Nothing is penalised at strength 0 however long the step."""
    v = ev.normal(case)
    np.testing.assert_allclose(
        ev.prox(case, v, np.full(ev.B, np.inf)), ev.prox(case, v, np.full(ev.B, 1e30)), atol=1e-12
    )


@pytest.mark.parametrize("alpha", [1e39, np.array([1e39, 1e39, 0.5])])
def test_a_strength_beyond_the_type_is_infinite_without_a_warning(alpha):
    v = jnp.array([3.0, -2.0, 1.0], jnp.float32)
    for penalty in (pr.L1(alpha), pr.L2(alpha), pr.ElasticNet(alpha, 0.5)):
        assert np.all(np.asarray(penalty.prox(v, 1.0))[:2] == 0)
        assert np.isinf(penalty.value(v))
        assert penalty.value(jnp.zeros(3, jnp.float32)) == 0


@ev.over(case for case in PENALTIES if case.id.endswith("-none"))
def test_alpha_zero_is_the_identity(case):
    v, t = ev.points(case)
    np.testing.assert_array_equal(ev.prox(case, v, t), v)
    np.testing.assert_array_equal(ev.value(case, v), 0)
    np.testing.assert_array_equal(ev.subgradient(case, v, v), v)


@ev.over(case for case in PENALTIES if hasattr(case.penalty, "alpha"))
def test_alpha_infinite_allows_zero_only(case):
    infinite = np.full(np.shape(case.penalty.alpha), np.inf)
    frozen = dataclasses.replace(case, penalty=dataclasses.replace(case.penalty, alpha=infinite))
    held = np.ones(case.shape, bool)
    if getattr(case.penalty, "weights", None) is not None:
        held = case.radius(np.ones(())) > 0
    v, t = ev.points(case)
    p, origin = ev.prox(frozen, v, t), np.zeros_like(v)
    np.testing.assert_array_equal(p, np.where(held, 0, v))
    assert not np.signbit(p[:, held]).any()
    np.testing.assert_array_equal(ev.value(frozen, origin), 0)
    np.testing.assert_array_equal(ev.value(frozen, np.where(held, 1e-3, origin)), np.inf)
    np.testing.assert_array_equal(ev.subgradient(frozen, origin, v), np.where(held, 0, v))


def test_alpha_infinite_on_some_coordinates_freezes_only_those():
    v = jnp.array([3.0, -2.0, 0.5])
    np.testing.assert_array_equal(pr.L1(np.array([np.inf, 0.0, np.inf])).prox(v, 1.0), [0, -2, 0])
    group = pr.GroupLasso(1.0, groups=[0, 1, 0], weights=np.array([np.inf, 0]))
    np.testing.assert_array_equal(group.prox(v, 1.0), [0, -2, 0])
    assert jax.jit(pr.L1(np.array([np.inf, 1.0, np.inf])).value)(jnp.array([0.0, 2.0, 0.0])) == 2
