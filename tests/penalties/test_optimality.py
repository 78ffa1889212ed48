"""value, subgradient and prox belong together: the optimality conditions of convex analysis."""

import numpy as np

from tests.penalties import evaluate as ev


def rounding(case, v, t):
    """The size of a rounding error in ``(p - v)/t``, generously."""
    return 1e-12 * (1 + np.abs(v).reshape(ev.B, -1).max(1) / t).reshape(ev.B, *[1] * len(case.shape))


@ev.every
def test_prox_satisfies_its_optimality_condition(case):
    """``0`` lies in ``(p - v)/t + subdifferential(p)``."""
    v, t = ev.points(case)
    p = ev.prox(case, v, t)
    residual = ev.subgradient(case, p, (p - v) / ev.columns(case, t))
    assert np.all(np.abs(residual) <= rounding(case, v, t)), np.abs(residual).max()


@ev.convex
def test_optimality_condition_fails_elsewhere(case):
    """By strong convexity the smallest element at any other point of the domain is at least ``|u - p|/t``."""
    v, t = ev.points(case)
    p = ev.prox(case, v, t)
    u = case.domain(p + 0.1 * (1 + np.abs(p)) * ev.normal(case, 5))
    residual = ev.subgradient(case, u, (u - v) / ev.columns(case, t)).reshape(ev.B, -1)
    distance = np.linalg.norm((u - p).reshape(ev.B, -1), axis=1)
    assert np.all(np.linalg.norm(residual, axis=1) >= distance / t * (1 - 1e-9))


@ev.convex
def test_subgradient_inequality(case):
    """``f(u) >= f(w) + <s, u - w>`` for s in the subdifferential at w, here the smallest element."""
    for salt in range(3):
        w, u = case.domain(ev.normal(case, salt)), case.domain(3 * ev.normal(case, 20 + salt))
        w[: ev.B // 2] = case.domain(np.where(w[: ev.B // 2] > 0.2, w[: ev.B // 2], 0))
        s = ev.subgradient(case, w, np.zeros_like(w))
        assert np.isfinite(s).all()
        bound = case.value(w) + (s * (u - w)).reshape(ev.B, -1).sum(1)
        assert np.all(case.value(u) >= bound - 1e-12)


@ev.convex
def test_subgradient_is_the_smallest_element(case):
    """``r = grad + s`` with s a subgradient, and ``|r|^2 <= <r, grad + s'>`` for every other one s'."""
    v, t = ev.points(case)
    w = ev.prox(case, v, t)
    grad = 2 * ev.normal(case, 7)
    r = ev.subgradient(case, w, grad)
    u = case.domain(w + 3 * ev.normal(case, 8))
    gap = case.value(u) - case.value(w) - ((r - grad) * (u - w)).reshape(ev.B, -1).sum(1)
    assert np.all(gap >= -1e-9 * (1 + case.value(u) + case.value(w)))
    other = (v - w) / ev.columns(case, t)
    excess = (r * (r - grad - other)).reshape(ev.B, -1).sum(1)
    assert np.all(excess <= 1e-10 * (1 + np.abs(other).reshape(ev.B, -1).max(1)))


@ev.convex
def test_firmly_nonexpansive(case):
    """``|p - q|^2 <= <p - q, v - u>``."""
    v, t = ev.points(case)
    for size in (0.01, 1.0, 10.0):
        u = v + size * ev.normal(case, 3)
        difference = ev.prox(case, v, t) - ev.prox(case, u, t)
        inner = (difference * (v - u)).reshape(ev.B, -1).sum(1)
        assert np.all((difference**2).reshape(ev.B, -1).sum(1) <= inner + 1e-12 * (1 + np.abs(v).max()) ** 2)


@ev.every
def test_subgradient_is_infinite_outside_the_domain(case):
    w = 3 * ev.normal(case)
    outside = case.domain(w) != w
    s = ev.subgradient(case, w, np.zeros_like(w))
    np.testing.assert_array_equal(np.isinf(s), outside)
