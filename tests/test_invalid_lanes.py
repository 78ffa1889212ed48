"""A lane with a parameter outside its range, which no check could read, says so and disturbs nobody."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg._pytree import replace
from tests import problems
from tests.cases import SOLVERS

X, Y = problems.regression(n=30, p=4)
CLASSES, COUNTS = (Y.mean() < Y).astype(float), np.round(np.exp(Y - Y.max()) * 5)


def _model(loss: Any = "squared", y: Any = Y, **options: Any) -> pr.LinearModel:
    return pr.LinearModel(X, y, loss, fit_intercept=True, **options)


LANES = {  # what a lane's number makes, one that is out of range, one that is not
    "alpha": (lambda a: (_model(), pr.L1(a)), -0.1, 0.1),
    "alpha of ridge": (lambda a: (_model(), pr.L2(a)), -0.1, 0.1),
    "alpha per coordinate": (lambda a: (_model(), pr.L1(jnp.array([0.1, 0.1, 0.1, 1.0]) * a)), -0.1, 0.1),
    "alpha in a tree": (lambda a: (_model(), pr.by_path([("", pr.L1(a))])), -0.1, 0.1),
    "l1_ratio": (lambda r: (_model(), pr.ElasticNet(0.1, r)), 1.5, 0.5),
    "lower": (lambda u: (_model(), pr.BoundedElasticNet(0.1, 0.5, u, 1.0)), 0.5, -0.5),
    "crossing limits": (lambda u: (_model(), pr.Box(0.5, u)), 0.2, 0.8),
    "weight": (lambda s: (_model(sample_weight=jnp.ones(30).at[3].set(s)), pr.L1(0.1)), -0.5, 0.5),
    "delta": (lambda d: (_model(pr.Huber(d)), pr.L1(0.1)), -1.0, 1.0),
    "class": (lambda c: (_model("logistic", jnp.asarray(CLASSES).at[3].set(c)), pr.L1(0.01)), 2.0, 1.0),
    "count": (lambda c: (_model("poisson", jnp.asarray(COUNTS).at[3].set(c)), pr.L1(0.01)), -1.0, 1.0),
}


@pytest.mark.parametrize("lane", LANES.values(), ids=LANES)
@pytest.mark.parametrize("case", SOLVERS, ids=lambda case: case.id)
def test_an_invalid_lane_is_marked_and_its_neighbours_are_bitwise_what_they_are_without_it(case, lane):
    make, bad, good = lane
    solve = jax.jit(jax.vmap(lambda number: case.solve(*make(number), tol=1e-4)))
    with_bad, without = (jax.device_get(solve(jnp.array([good, other, good]))) for other in (bad, good))
    assert list(with_bad.status) == [0, pr.Status.INVALID, 0]
    for number in (with_bad.objective, with_bad.gap, with_bad.violation):
        assert np.isnan(number[1])
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[[0, 2]], b[[0, 2]]), with_bad, without)


def test_weights_of_groups():
    def solve(weight):
        penalty = pr.GroupLasso(0.1, groups=[0, 0, 1, 1], weights=jnp.array([1.0, 1.0]) * weight)
        return pr.fista(_model(), penalty).status

    assert list(jax.vmap(solve)(jnp.array([1.0, -1.0]))) == [0, pr.Status.INVALID]


@pytest.mark.parametrize("lower", [np.nan, 0.1])
def test_limits_that_are_no_numbers(lower):
    penalty = replace(pr.BoundedElasticNet(10.0, 1.0), lower=jnp.asarray(lower))
    assert int(pr.fista(_model(), penalty).status) != pr.Status.CONVERGED


def test_a_single_solve_from_a_tree_that_no_check_saw():
    fit = pr.fista(_model(), replace(pr.L1(1.0), alpha=-0.1))
    assert int(fit.status) == pr.Status.INVALID
    assert int(fit.num_steps) == 0
