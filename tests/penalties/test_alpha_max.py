"""At ``alpha_max`` everything is zero, and just below it something is not."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from tests.cases import PENALTIES
from tests.penalties import evaluate as ev

ZEROING = [case for case in PENALTIES if case.radius is not None and np.any(case.radius(np.ones(())) > 0)]


def scaled(case, factor):
    """The case with the penalty's alpha multiplied, wherever it is."""

    def multiplied(path, leaf):
        return factor * leaf if jax.tree_util.keystr(path).endswith(".alpha") else leaf

    return dataclasses.replace(case, penalty=jax.tree_util.tree_map_with_path(multiplied, case.penalty))


def penalised_gradients(case):
    """Gradients that vanish where no multiple of the penalty makes a zero."""
    return ev.normal(case) * (case.radius(np.ones(())) > 0)


@ev.over(ZEROING)
def test_zero_is_optimal_above_and_not_below(case):
    gradients = penalised_gradients(case)
    for g, largest in zip(gradients[:3], ev.alpha_max(case, gradients)):
        assert largest > 0
        batch, origin = np.broadcast_to(g, gradients.shape), np.zeros_like(gradients)
        for factor, zero in [(1.001, True), (0.999, False)]:
            other = scaled(case, factor * largest)
            assert np.all(ev.subgradient(other, origin, batch) == 0) == zero
            assert np.all(ev.prox(other, -batch, np.ones(ev.B)) == 0) == zero


@ev.over(case for case in ZEROING if not case.odd)
def test_positive_counts_falling_directions_only(case):
    np.testing.assert_array_equal(ev.alpha_max(case, np.abs(ev.normal(case))), 0)


def test_by_hand():
    g = jnp.array([3.0, -4.0, 1.0])
    assert pr.L1(1.0).alpha_max(g) == 4
    assert pr.L1(1.0, positive=True).alpha_max(-g) == 3
    assert pr.L1(np.array([0.5, 4.0, 0.0])).alpha_max(g) == 6
    assert pr.ElasticNet(1.0, 0.25).alpha_max(g) == 16
    assert pr.GroupLasso(1.0, groups=[0, 0, 1]).alpha_max(g) == 5
    assert pr.GroupLasso(1.0, groups=[0, 0, 1], weights=np.array([2.0, 0.25])).alpha_max(g) == 4


@pytest.mark.parametrize("penalty", [pr.L2(1.0), pr.Zero(), pr.ElasticNet(1.0, 0.0)])
def test_infinite_where_nothing_makes_zeros(penalty):
    assert penalty.alpha_max(jnp.array([0.0, -1.0])) == jnp.inf
    assert penalty.alpha_max(jnp.zeros(2)) == 0


@pytest.mark.parametrize("penalty", [pr.NonNegative(), pr.Box(0.0, 1.0)])
def test_refused_by_a_penalty_without_strength(penalty):
    with pytest.raises(ValueError, match=rf"{type(penalty).__name__} has no alpha_max.*alphas="):
        penalty.alpha_max(jnp.ones(2))


def test_scaled_gradients_scale_it():
    for case in ZEROING:
        gradients = penalised_gradients(case)
        np.testing.assert_allclose(ev.alpha_max(case, 3 * gradients), 3 * ev.alpha_max(case, gradients), rtol=1e-14)
