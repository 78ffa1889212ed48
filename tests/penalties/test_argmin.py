"""prox is the minimiser of ``pen(u) + ||u - v||^2 / (2 step)``, the penalty being the NumPy reference."""

import numpy as np
from scipy.optimize import minimize_scalar

from tests.cases import PENALTIES
from tests.penalties import evaluate as ev


@ev.every
def test_value_is_the_reference(case):
    w = np.concatenate([ev.normal(case, count=ev.B // 2), case.domain(ev.normal(case, 1, ev.B // 2))])
    w[::7] = case.domain(np.zeros(case.shape))
    expected = case.value(w)
    assert np.isfinite(expected).any()
    np.testing.assert_allclose(ev.value(case, w), expected, rtol=1e-13)


@ev.convex
def test_three_point_inequality(case):
    """``f(p) + |p-v|^2/2t + |u-p|^2/2t <= f(u) + |u-v|^2/2t`` for all u: what strong convexity gives the minimiser."""
    v, t = ev.points(case)
    p = ev.prox(case, v, t)
    assert np.isfinite(case.value(p)).all()
    rows = ev.columns(case, t)
    for salt, size in enumerate([1e-3, 1e-1, 1.0, 10.0]):
        u = case.domain(p + size * (1 + np.abs(p)) * ev.normal(case, 10 + salt))
        for other in (u, case.domain(v), case.domain(np.zeros_like(v)), case.domain(np.where(u > 0.5, p, u))):
            sides = [((a - b) ** 2 / (2 * rows)).reshape(ev.B, -1).sum(1) for a, b in [(p, v), (other, p), (other, v)]]
            excess = case.value(p) + sides[0] + sides[1] - case.value(other) - sides[2]
            scale = np.maximum(case.value(other) + sides[2], sides[0] + sides[1])
            assert np.all(excess <= 1e-13 * scale + 1e-13), excess.max()


def near_thresholds(case, t):
    """Inputs at each kink, one rounding error to both sides of it, well off it, and at zero."""
    offsets = [np.zeros(case.shape), 0.3 * np.ones(case.shape), np.full(case.shape, -4.0 * (1 + t))]
    for kink in case.kinks(t):
        offsets += [np.nextafter(kink, -np.inf), kink, np.nextafter(kink, np.inf), 0.9 * kink, 1.1 * kink]
    return np.stack(offsets)


@ev.over(case for case in PENALTIES if case.separable)
def test_minimises_over_a_dense_grid(case):
    for t in (1e-3, 0.4, 1.0, 50.0):
        v = near_thresholds(case, t)
        p = ev.prox(case, np.resize(v, (ev.B, *case.shape)), np.full(ev.B, t))[: len(v)]

        def objective(u, v=v, t=t):
            return case.terms(u) + (u - v) ** 2 / (2 * t)

        centre, radius = np.zeros_like(v), 1.0 + 2 * np.abs(v)
        for _ in range(3):
            grid = case.domain(centre + radius * np.linspace(-1, 1, 1001)[:, None, None])
            best = np.argmin(objective(grid), axis=0)
            centre = np.take_along_axis(grid, best[None], 0)[0]
            radius = radius / 400
        assert np.all(objective(p) <= objective(centre) * (1 + 1e-14) + 1e-300)
        if case.convex:
            np.testing.assert_allclose(p, centre, atol=1e-5 * (1 + np.abs(v).max()))


@ev.over(case for case in PENALTIES if not case.separable)
def test_minimises_along_the_radius_of_each_group(case):
    """A function of the group's norm has its minimiser on the ray through v: one-dimensional again."""
    v, t = ev.points(case)
    p = ev.prox(case, v, t)
    for i in range(4, ev.B, 6):
        for label in np.unique(case.labels):
            member = case.labels == label
            norm = np.linalg.norm(v[i][member])

            def objective(r, v=v[i], t=t[i], member=member, norm=norm):
                u = np.where(member, v * r / norm, 0)
                return case.value(u) + (r - norm) ** 2 / (2 * t)

            best = minimize_scalar(objective, bounds=(0, norm), method="bounded", options={"xatol": 1e-10 * norm})
            np.testing.assert_allclose(p[i][member], v[i][member] * best.x / norm, atol=1e-6 * float(norm))  # pyright: ignore
