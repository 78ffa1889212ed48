"""Without a penalty each optimiser is the plain one, and behaves as optax asks of optimisers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr
from tests.transforms.optimisers import IMPURE, OPTIMISERS

EVERY = [*OPTIMISERS, *IMPURE]
by_case = pytest.mark.parametrize("case", EVERY, ids=lambda case: case.id)


def parabola(w):
    """Of three parameters, around (1, -1, 1)."""
    return jnp.sum((w - jnp.array([1.0, -1.0, 1.0])) ** 2)


def rosenbrock(w):
    """The bent valley around (1, 1)."""
    return (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2


def mixed(w):
    """A parabola of a vector and a matrix."""
    return parabola(w[0]) + jnp.sum((w[1] - jnp.array([[1.0, 0.0], [-1.0, 1.0]])) ** 2)


TARGETS = {
    "parabola": (parabola, lambda: jnp.array([-1.0, 10.0, 1.0])),
    "rosenbrock": (rosenbrock, lambda: jnp.zeros(2)),
    "mixed": (mixed, lambda: (jnp.zeros(3), jnp.zeros((2, 2)))),
}
NOTHING = {"zero": pr.Zero(), "strength 0": pr.L1(0.0), "by path": pr.by_path([])}


def trajectory(optimiser, f, start, num_steps):
    """The parameters after each of the updates."""

    def step(carry, _):
        w, state = carry
        updates, state = optimiser.update(jax.grad(f)(w), state, w)
        w = optax.apply_updates(w, updates)
        return (w, state), w

    run = jax.jit(lambda w: jax.lax.scan(step, (w, optimiser.init(w)), None, length=num_steps)[1])
    return jax.tree.map(np.asarray, run(start))


@pytest.mark.parametrize(
    ("target", "nothing"), [*((target, "zero") for target in TARGETS), ("mixed", "strength 0"), ("parabola", "by path")]
)
@by_case
def test_without_penalty_it_is_the_plain_optimiser(case, target, nothing):
    f, start = TARGETS[target]
    rate = 1e-3 if target == "rosenbrock" else 1e-2
    with jax.enable_x64(True):
        schedule = optax.exponential_decay(rate, 50, 0.9)
        ours = trajectory(case(schedule, NOTHING[nothing]), f, start(), 100)
        theirs = trajectory(case.plain(schedule), f, start(), 100)
    for one, other in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs)):
        assert np.all(np.isfinite(other))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


@by_case
def test_a_masked_leaf_is_left_to_the_plain_optimiser(case):
    f, start = TARGETS["mixed"]
    with jax.enable_x64(True):
        ours = trajectory(case(1e-2, pr.L1(0.4), mask=(True, False)), f, start(), 100)
        theirs = trajectory(case.plain(1e-2), f, start(), 100)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-9, atol=1e-10)
    assert np.abs(ours[0] - theirs[0]).max() > 1e-2


@pytest.mark.parametrize("target", ["parabola", "rosenbrock"])
@by_case
def test_it_converges_where_the_plain_one_does(case, target):
    """Optax's own bounds for contributed optimisers: within 3e-2 after 30,000 updates."""
    f, start = TARGETS[target]
    rate = {"adagrad": 1.0, "ftrl": 1.0}.get(case.id, 1e-3 if case.plain is optax.sgd or "sgd" in case.id else 1e-2)
    ends = [
        trajectory(make(optax.exponential_decay(rate, 2000, 0.9)), f, start(), 30_000)[-1]
        for make in (lambda rate: case(rate, pr.Zero()), case.plain)
    ]
    np.testing.assert_allclose(*ends, atol=1e-3)
    if "weight_decay" not in case.options:
        np.testing.assert_allclose(
            ends[0], {"parabola": [1, -1, 1], "rosenbrock": [1, 1]}[target], rtol=3e-2, atol=3e-2
        )
