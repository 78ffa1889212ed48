"""Conjugates and dual scaling: what the duality gap of every fit rests on."""

import numpy as np
import pytest

import proxreg as pr
from tests.cases import PENALTIES
from tests.penalties import evaluate as ev


def inner(a, b):
    """One inner product per point of the batch."""
    return (a * b).reshape(len(a), -1).sum(1)


def infinite(case, y):
    """Whether ``sup_w <y, w> - f(w)`` is infinite: it grows without end along y restricted to some block."""
    growth = np.full(len(y), -np.inf)
    for label in np.unique(case.labels):
        part = np.where(case.labels == label, y, 0)
        norm = np.maximum(np.sqrt(inner(part, part)), 1e-300)
        w = case.domain(1e12 * part / ev.columns(case, norm))
        growth = np.maximum(growth, (inner(y, w) - case.value(w)) / 1e12)
    return growth > 1e-8


@ev.convex
def test_moreau_identity(case):
    """``prox_{tf}(v) + t prox_{f*/t}(v/t) = v``, the second term coded independently."""
    v, t = ev.points(case)
    rows = ev.columns(case, t)
    with np.errstate(all="ignore"):
        dual = rows * case.dual_prox(v / rows, 1 / rows)
    np.testing.assert_allclose(ev.prox(case, v, t) + dual, v, rtol=1e-12, atol=1e-12)


@ev.convex
def test_fenchel_young(case):
    """``f*(y) = <y, p> - f(p)`` where y is a subgradient at p, and ``>=`` everywhere else."""
    v, t = ev.points(case)
    p = ev.prox(case, v, t)
    y = (v - p) / ev.columns(case, t) * (1 - 1e-11)
    y[t < 1e-2] = ev.subgradient(case, p, np.zeros_like(p))[t < 1e-2]
    expected = inner(y, p) - case.value(p)
    assert np.all(np.abs(ev.conjugate(case, y) - expected) <= 1e-10 * (1 + np.abs(inner(y, p)) + case.value(p)))
    y = 2 * ev.normal(case, 1)
    for salt in range(3):
        w = case.domain(3 * ev.normal(case, 10 + salt))
        assert np.all(ev.conjugate(case, y) + case.value(w) >= inner(y, w) - 1e-12)


@ev.convex
def test_conjugate_is_infinite_exactly_where_the_supremum_is(case):
    size = np.resize([0.0, 0.02, 0.3, 1.0, 5.0], ev.B)
    y = ev.columns(case, size) * ev.normal(case)
    np.testing.assert_array_equal(np.isinf(ev.conjugate(case, y)), infinite(case, y))


@ev.over(case for case in PENALTIES if case.separable and case.convex)
def test_conjugate_is_the_supremum_over_a_grid(case):
    y = 0.9 * ev.normal(case)
    finite = ~infinite(case, y)
    centre, radius = np.zeros_like(y), 2.0e2
    gain = np.zeros(0)
    for _ in range(4):
        w = case.domain(centre + radius * np.linspace(-1, 1, 401)[:, None, None])
        gain = y * w - case.terms(w)
        centre = np.take_along_axis(w, np.argmax(gain, 0)[None], 0)[0]
        radius /= 100
    np.testing.assert_allclose(ev.conjugate(case, y)[finite], gain.max(0).sum(1)[finite], rtol=1e-6, atol=1e-4)


@ev.convex
def test_dual_scale_is_feasible_and_the_largest(case):
    w = case.domain(ev.normal(case))
    grad = ev.columns(case, np.resize([0.0, 0.02, 0.3, 1.0, 5.0], ev.B)) * ev.normal(case, 1)
    c = ev.dual_scale(case, w, grad)
    known = ~np.isnan(c)
    scaled = -ev.columns(case, np.where(known, c, 0)) * grad
    assert np.all((c[known] > 0) & (c[known] <= 1))
    assert np.isfinite(ev.conjugate(case, scaled)[known]).all()
    assert not infinite(case, scaled * (1 - 1e-6))[known].any()
    np.testing.assert_array_equal(~known, infinite(case, -1e-3 * grad))
    shrunk = known & (c < 1)
    if not isinstance(case.penalty, (pr.ElasticNet, pr.BoundedElasticNet)):  # they scale the augmented design
        assert infinite(case, 1.001 * scaled)[shrunk].all()


@pytest.mark.parametrize("positive", [False, True])
def test_dual_scale_of_the_elastic_net_is_the_augmented_lasso_s(positive):
    """Rows ``sqrt(l2) I`` appended to the design, with targets 0, turn it into a lasso with gradient ``g + l2 w``."""
    case = next(case for case in PENALTIES if case.id == ("elastic_net-positive" if positive else "elastic_net"))
    w, grad = case.domain(ev.normal(case)), 3 * ev.normal(case, 1)
    total = -(grad + 0.9 * 0.7 * w)
    largest = np.maximum(1e-9, np.max(total if positive else np.abs(total), axis=1))
    np.testing.assert_allclose(ev.dual_scale(case, w, grad), np.minimum(1, 0.27 / largest), rtol=1e-13)
