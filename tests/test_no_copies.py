"""No solver holds a copy of X for each lane, whatever differs between lanes: a look at every array of its program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from tests.cases import LOSSES, SOLVERS

LANES, N, P = 7, 1100, 23  # more columns than there are slots: a predictor of each is no copy of X


def arrays(jaxpr):
    """The shapes of all arrays that a program makes, those of its loops and branches included."""
    for equation in jaxpr.eqns:
        yield from ((equation.primitive.name, variable.aval.shape) for variable in equation.outvars)
        for value in jax.tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "jaxpr")):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                yield from arrays(inner)


def copies(function, *lanes):
    """Names and shapes of the arrays that are as large as X for every lane."""
    program = jax.make_jaxpr(jax.vmap(function))(*lanes)
    return {(name, shape) for name, shape in arrays(program.jaxpr) if np.prod(shape) >= LANES * N * P}


SOLVES = [(case.id, case.solve) for case in SOLVERS] + [
    ("solve_path", lambda model, penalty: pr.solve_path(model, penalty, jnp.array([1.0, 0.5]))),
    ("solve_path on rows", lambda model, penalty: pr.solve_path(model, penalty, jnp.array([1.0]), working_set=P)),
]


def data(case):
    rng = np.random.default_rng(0)
    return jnp.asarray(rng.normal(size=(N, P))), jnp.asarray(case.y(rng, N))


@pytest.mark.parametrize("name", [name for name, _ in SOLVES])
@pytest.mark.parametrize("case", LOSSES, ids=lambda case: case.id)
def test_lanes_share_the_data(case, name):
    (X, y), solve = data(case), dict(SOLVES)[name]
    weights, offsets = jnp.ones((LANES, N)), jnp.zeros((LANES, N))

    def fit(y, sample_weight, offset):
        model = pr.LinearModel(X, y, case.loss, sample_weight=sample_weight, offset=offset, fit_intercept=True)
        return solve(model, pr.ElasticNet(0.1, 0.5))

    responses = jnp.broadcast_to(y, (LANES, N))
    assert copies(lambda weight: fit(y, weight, None), weights) == set()
    assert copies(lambda y: fit(y, None, None), responses) == set()
    assert copies(lambda offset: fit(y, None, offset), offsets) == set()


def test_a_copy_is_noticed():
    X = jnp.ones((N, P))
    assert copies(lambda w: jax.jit(lambda w: (w[:, None] * X).T @ X)(w), jnp.ones((LANES, N)))
