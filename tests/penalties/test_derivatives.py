"""Derivatives: of the value, of the prox in all its arguments, and where they are convention rather than calculus."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.cases import PENALTIES
from tests.penalties import evaluate as ev


def leaves(case):
    """The penalty with float64 arrays for parameters, and a direction in which to move them."""
    rng = ev.generator(case, 9)
    penalty = jax.tree.map(lambda leaf: np.asarray(leaf, float), case.penalty)
    return penalty, jax.tree.map(lambda leaf: np.asarray(rng.normal(size=leaf.shape)), penalty)


@jax.jit
def _derivatives(penalty, direction, v, v_dot, t, t_dot, u):
    def one(v, v_dot, t, t_dot, u):
        def prox(*args):
            return args[0].prox(*args[1:])

        p, p_dot = jax.jvp(prox, (penalty, v, t), (direction, v_dot, t_dot))
        return p, p_dot, jax.vjp(prox, penalty, v, t)[1](u)

    return jax.vmap(one)(v, v_dot, t, t_dot, u)


def derivatives(case, v, t):
    """prox, its derivative in random directions of v, t and the parameters, and the products with the transpose."""
    directions = ev.normal(case, 5), ev.generator(case, 6).normal(size=ev.B), ev.normal(case, 7)
    with jax.enable_x64(True):
        penalty, direction = leaves(case)
        p, p_dot, back = _derivatives(penalty, direction, v, directions[0], t, directions[1], directions[2])
        return np.asarray(p), np.asarray(p_dot), jax.tree.map(np.asarray, back), (direction, *directions)


def smooth_points(case):
    """Points and steps, none within a thousandth of a kink."""
    t = np.linspace(0.2, 3.0, ev.B)
    v = 3 * ev.normal(case, 2)
    for _ in range(3):
        if case.radius is not None:
            near = np.abs(case.block_norms(v) - case.radius(ev.columns(case, t))) < 1e-3
        else:
            near = np.any([np.abs(v - kink) < 1e-3 for kink in case.kinks(1.0)] or [np.zeros_like(v, bool)], axis=0)
        v = np.where(near, v + 0.01, v)
    return v, t


@ev.every
def test_jvp_against_finite_differences(case):
    """In v, step and every parameter at once; vjp is its transpose."""
    v, t = smooth_points(case)
    _, p_dot, (penalty_bar, v_bar, t_bar), (direction, v_dot, t_dot, u) = derivatives(case, v, t)
    h = 1e-6

    def moved(sign):
        penalty = jax.tree.map(lambda leaf, d: leaf + sign * h * d, leaves(case)[0], direction)
        with jax.enable_x64(True):
            return ev.prox(type(case)(case.id, penalty, case.terms), v + sign * h * v_dot, t + sign * h * t_dot)

    assert np.abs(p_dot).max() > 0.1
    np.testing.assert_allclose(p_dot, (moved(1) - moved(-1)) / (2 * h), rtol=1e-6, atol=1e-7)
    transposed = np.sum(v_bar * v_dot) + np.sum(t_bar * t_dot)
    for bar, dot in zip(jax.tree.leaves(penalty_bar), jax.tree.leaves(direction)):
        transposed += np.sum(bar * dot)
    np.testing.assert_allclose(np.sum(u * p_dot), transposed, rtol=1e-10)


@ev.every
def test_derivatives_at_kinks_are_finite_and_zero_where_prox_is_zero(case):
    t = np.full(ev.B, 0.5)
    kinks = np.stack([np.zeros(case.shape), *case.kinks(0.5)])
    v = np.resize(np.concatenate([kinks, 0.5 * kinks, -kinks, np.nextafter(kinks, 0)]), (ev.B, *case.shape))
    v[20:] *= np.sign(ev.normal(case))[20:]
    p, p_dot, back, _ = derivatives(case, v, t)
    assert np.isfinite(p_dot).all()
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(back))
    if case.radius is not None:
        dead = (p == 0) & (case.radius(np.asarray(0.5)) > 0)
        assert np.any(dead) == bool(np.any(case.radius(np.ones(())) > 0))
        assert np.all(p_dot[dead] == 0)
        assert np.all(back[1][dead] == 0)


@ev.over(case for case in PENALTIES if case.id.endswith("-none") or case.id in ("zero", "l2", "box", "box-symmetric"))
def test_smooth_at_zero(case):
    """Zero is no special point of a prox that is differentiable there: the Jacobian is the one beside it."""
    t = np.full(ev.B, 0.5)
    at_zero, beside = (derivatives(case, np.full((ev.B, *case.shape), x), t)[2][1] for x in (0.0, 1e-7))
    assert np.abs(at_zero).max() > 0.1
    np.testing.assert_allclose(at_zero, beside, atol=1e-6)


@ev.over(case for case in PENALTIES if case.convex)
def test_gradient_of_the_envelope(case):
    """``M(v) = pen(p) + |p - v|^2/2t`` has gradient ``(v - p)/t``, kinks of the prox included."""

    def envelope(penalty, v, t):
        p = penalty.prox(v, t)
        return penalty.value(p) + jnp.sum((p - v) ** 2) / (2 * t)

    v, t = smooth_points(case)
    v[:3] = 0
    with jax.enable_x64(True):
        gradient = jax.jit(jax.vmap(jax.grad(envelope, 1), (None, 0, 0)))(leaves(case)[0], v, t)
    np.testing.assert_allclose(gradient, (v - ev.prox(case, v, t)) / ev.columns(case, t), rtol=1e-10, atol=1e-10)


@ev.every
def test_gradient_of_the_value_is_the_subgradient(case):
    """At zero too: autodiff of a norm there is NaN unless guarded."""
    w = case.domain(ev.normal(case))
    w[:4] = case.domain(np.zeros(case.shape))
    w[4:8, ..., 0] = case.domain(np.zeros((4, *case.shape)))[..., 0]
    with jax.enable_x64(True):
        gradient = np.asarray(jax.jit(jax.vmap(jax.grad(lambda w, pen: pen.value(w)), (0, None)))(w, leaves(case)[0]))
    assert np.isfinite(gradient).all()
    inside = w != 0
    expected = ev.subgradient(case, w, np.zeros_like(w))
    np.testing.assert_allclose(gradient[inside], expected[inside], rtol=1e-12, atol=1e-12)
    if case.domain is np.asarray:
        np.testing.assert_allclose(gradient[:4], expected[:4], atol=1e-15)


SMOOTH = [case for case in PENALTIES if case.radius is None and not case.faces]


@ev.over(SMOOTH)
def test_second_derivatives_at_zero(case):
    """What Newton's method and curvature estimates see at the usual starting point."""
    h = 1e-3
    units = h * np.eye(6)
    curvature = (case.value(units) + case.value(-units) - 2 * case.value(np.zeros_like(units))) / h**2
    with jax.enable_x64(True):
        hessian = jax.hessian(case.penalty.value)(jnp.zeros(6))
        jacobian = jax.jacfwd(case.penalty.subgradient)(jnp.zeros(6))
    np.testing.assert_allclose(hessian, np.diag(curvature), atol=1e-12)
    np.testing.assert_allclose(jacobian, np.diag(curvature), atol=1e-12)


@pytest.mark.parametrize("name", ["alpha", "l1_ratio"])
@pytest.mark.parametrize("case", [case for case in PENALTIES if case.id.startswith("elastic_net")], ids=lambda c: c.id)
def test_value_is_differentiable_in_its_parameters_at_the_ends(case, name):
    """``l1_ratio`` 0 and 1 are where a search over it starts and ends."""
    w = case.domain(ev.normal(case, 1, 1)[0])
    with jax.enable_x64(True):
        penalty, _ = leaves(case)
        gradient = jax.grad(lambda pen: pen.value(w))(penalty)
        ones = np.ones_like(getattr(penalty, name))
        up, down = (
            jax.tree.map(lambda leaf, s=s: leaf + (s * 1e-6 * ones if leaf is getattr(penalty, name) else 0), penalty)
            for s in (1, -1)
        )
        slope = (up.value(w) - down.value(w)) / 2e-6
        np.testing.assert_allclose(np.sum(getattr(gradient, name)), slope, rtol=1e-6)
