"""The library's answers in float64 for a batch of points, compiled once per shape and shared by all tests."""

import jax
import numpy as np
import pytest

from tests.cases import PENALTIES

B = 64  # points in every batch, so that each function is compiled once per penalty structure


def over(cases):
    """Parametrises a test over the cases for which it makes sense."""
    chosen = list(cases)
    return pytest.mark.parametrize("case", chosen, ids=[case.id for case in chosen])


every = over(PENALTIES)
convex = over(case for case in PENALTIES if case.convex)
one_per_class = over({type(case.penalty): case for case in reversed(PENALTIES)}.values())


def _batched(name, *axes):
    function = jax.jit(jax.vmap(lambda penalty, *args: getattr(penalty, name)(*args), (None, *axes)))

    def evaluate(case, *args):
        with jax.enable_x64(True):
            return np.asarray(function(jax.tree.map(np.asarray, case.penalty), *args))

    return evaluate


value = _batched("value", 0)
prox = _batched("prox", 0, 0)
subgradient = _batched("subgradient", 0, 0)
conjugate = _batched("conjugate", 0)
dual_scale = _batched("dual_scale", 0, 0)
alpha_max = _batched("alpha_max", 0)


def generator(case, salt=0):
    """A generator of its own for each case, the same in every run and on every machine."""
    return np.random.default_rng([salt, *case.id.encode()])


def normal(case, salt=0, count=B):
    """Points with entries of size about one."""
    return generator(case, salt).normal(size=(count, *case.shape))


def columns(case, t):
    """A number per point, shaped to broadcast against a batch of points."""
    return np.reshape(t, (-1, *[1] * len(case.shape)))


def steps(case, salt=0, count=B):
    """Steps between 1e-4 and 1e3, evenly on the logarithmic scale and in random order."""
    return generator(case, salt + 1).permutation(np.geomspace(1e-4, 1e3, count))


def points(case, salt=0):
    """Points and steps of which prox sends some entries to each of its branches: ``v (B, *shape), t (B,)``."""
    t = steps(case, salt)
    v = 2 * normal(case, salt) * np.where(np.arange(B) % 2, 1 + t, 1)[(..., *[None] * len(case.shape))]
    v[:4] = 0
    return v, t
