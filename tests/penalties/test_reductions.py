"""Special cases of one penalty are another; parameters act where they are meant to."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from tests.cases import PenaltyCase
from tests.penalties import evaluate as ev

STRENGTHS = np.array([0.2, 1.0, 1.7, 0.0, 0.5, 0.9])
RATIOS = np.array([0.3, 0.9, 0.5, 1.0, 0.0, 0.7])

EQUAL = {
    "elastic net with ratio 1 is the lasso": (pr.ElasticNet(0.7, 1.0), pr.L1(0.7)),
    "elastic net with ratio 0 is ridge": (pr.ElasticNet(0.7, 0.0), pr.L2(0.7)),
    "strengths of the elastic net": (pr.ElasticNet.from_strengths(l1=0.3, l2=0.2), pr.ElasticNet(0.5, 0.6)),
    "its strengths may both be 0": (pr.ElasticNet.from_strengths(0.0, 0.0), pr.Zero()),
    "positive elastic net with ratio 1": (pr.ElasticNet(0.7, 1.0, positive=True), pr.L1(0.7, positive=True)),
    "groups of size one are the lasso": (pr.GroupLasso(0.7, groups=range(6)), pr.L1(0.7)),
    "their weights are its strengths": (
        pr.GroupLasso(2.0, groups=[3, 1, 0, 2, 5, 4], weights=np.array([1.7, 1.0, 0.0, 0.2, 0.9, 0.5])),
        pr.L1(2 * STRENGTHS),
    ),
    "a norm over no axis": (pr.GroupLasso(0.7, axis=()), pr.L1(0.7)),
    "one label is the whole": (pr.GroupLasso(0.7, groups=[0] * 6), pr.GroupLasso(0.7)),
    "equal coordinates are a scalar": (pr.L1(np.full(6, 0.7)), pr.L1(0.7)),
    "alpha 0 is no penalty": (pr.L1(0.0), pr.Zero()),
    "ridge of alpha 0": (pr.L2(0.0), pr.Zero()),
    "groups of alpha 0": (pr.GroupLasso(0.0), pr.Zero()),
    "the infinite box": (pr.Box(-np.inf, np.inf), pr.Zero()),
    "the half-line": (pr.Box(0.0, np.inf), pr.NonNegative()),
    "alpha 0, positive": (pr.L1(0.0, positive=True), pr.NonNegative()),
}


@jax.jit
def jacobians(penalty, v, t):
    """The derivative of the prox in its input."""
    return jax.vmap(jax.jacfwd(penalty.prox))(v, t)


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_reduction(one, other):
    """Values, maps, duals and the derivative of the prox, at the origin included."""
    case, twin = (PenaltyCase("reduction", penalty, terms=np.zeros_like) for penalty in (one, other))
    v, t = ev.points(case)
    g = ev.columns(case, np.resize([0.0, 0.02, 0.3, 1.0, 5.0], ev.B)) * ev.normal(case, 1)
    same = functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-14)
    same(ev.value(case, v), ev.value(twin, v))
    same(ev.prox(case, v, t), ev.prox(twin, v, t), atol=1e-12)
    same(ev.subgradient(case, v, g), ev.subgradient(twin, v, g))
    same(ev.conjugate(case, g), ev.conjugate(twin, g))
    same(ev.dual_scale(case, v, g), ev.dual_scale(twin, v, g))
    if isinstance(other, pr.NonNegative):
        v = v + 1e-9  # derivatives where the half-line ends are convention
    with jax.enable_x64(True):
        same(*(jacobians(jax.tree.map(np.asarray, penalty), v, t) for penalty in (one, other)))


def test_each_coordinate_has_its_own_parameters():
    """A penalty with vectors of parameters is a sum of scalar ones."""
    v = np.random.default_rng(1).normal(size=6).astype(np.float32) * 3
    vectors = [pr.L1(STRENGTHS), pr.L2(STRENGTHS), pr.ElasticNet(STRENGTHS, RATIOS), pr.Box(-STRENGTHS, RATIOS)]
    for penalty in vectors:
        alone = [jax.tree.map(lambda leaf, j=j: leaf[j], penalty) for j in range(6)]
        np.testing.assert_array_equal(penalty.prox(v, 0.8), [pen.prox(x, 0.8) for pen, x in zip(alone, v)])
        np.testing.assert_allclose(penalty.value(v), sum(pen.value(x) for pen, x in zip(alone, v)), rtol=1e-6)


def test_each_group_has_its_own_weight_wherever_its_members_are():
    v = np.random.default_rng(2).normal(size=7).astype(np.float32) * 3
    labels, weights = np.array([2, 0, 2, 3, 0, 2, 3]), np.array([0.4, 5.0, 1.3, 0.0])
    p = np.asarray(pr.GroupLasso(0.9, groups=labels, weights=weights).prox(v, 0.8))
    for label in (0, 2, 3):
        member = labels == label
        np.testing.assert_allclose(p[member], pr.GroupLasso(0.9 * weights[label]).prox(v[member], 0.8), rtol=1e-6)


def test_axis_is_the_axis_of_the_norm():
    """``axis=0`` on a kernel ``(inputs, outputs)`` keeps or drops whole output units."""
    kernel = jnp.array([[3.0, 0.1], [4.0, 0.1]])
    np.testing.assert_allclose(pr.GroupLasso(1.0, axis=0).prox(kernel, 1.0), [[2.4, 0], [3.2, 0]], rtol=1e-6)
    np.testing.assert_allclose(pr.GroupLasso(1.0, axis=1).value(kernel), np.hypot(3, 0.1) + np.hypot(4, 0.1), rtol=1e-6)
