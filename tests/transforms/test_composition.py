"""Inside optax's wrappers, each time against the same training written without them."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr
from tests.transforms.optimisers import IMPURE, OPTIMISERS

by_case = pytest.mark.parametrize("case", [*OPTIMISERS, *IMPURE], ids=lambda case: case.id)

START = {"kernel": jnp.linspace(-1.0, 1.0, 12).reshape(4, 3), "bias": jnp.array([0.3, 0.0, -0.2])}
TARGET = {"kernel": jnp.where(jnp.arange(12).reshape(4, 3) % 4 == 0, 1.0, 0.02), "bias": jnp.array([0.5, -0.5, 0.0])}
PENALTY = pr.by_path([("kernel", pr.L1(0.3))])


def gradient(params):
    """Of half the squared distance to the target."""
    return jax.tree.map(lambda p, t: p - t, params, TARGET)


def run(optimiser, num_steps=60, start=START, gradients=None):
    """The parameters after training, by hand."""
    params, state = start, optimiser.init(start)
    update = jax.jit(optimiser.update)
    for k in range(num_steps):
        updates, state = update(gradient(params) if gradients is None else gradients[k], state, params)
        params = optax.apply_updates(params, updates)
    return params, state


def same(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **{"rtol": 1e-5, "atol": 1e-6, **tolerance}), one, other)


@by_case
def test_in_a_chain_after_clipping(case):
    wide = optax.chain(optax.clip_by_global_norm(1e6), case(0.05, PENALTY))
    same(run(wide)[0], run(case(0.05, PENALTY))[0])
    assert np.sum(run(optax.chain(optax.clip_by_global_norm(0.5), case(0.05, PENALTY)))[0]["kernel"] == 0) > 0


@by_case
def test_masked_and_partitioned(case):
    kernels = {"kernel": True, "bias": False}
    sgd_on_the_rest = optax.masked(optax.sgd(0.05), {"kernel": False, "bias": True})
    masked, _ = run(optax.chain(optax.masked(case(0.05, pr.L1(0.3)), kernels), sgd_on_the_rest))
    labels = {"kernel": "sparse", "bias": "dense"}
    parts = {"sparse": case(0.05, pr.L1(0.3)), "dense": optax.sgd(0.05)}
    partitioned, _ = run(optax.partition(parts, labels))
    transformed, _ = run(optax.multi_transform(parts, lambda params: labels))
    expected = {
        "kernel": run(case(0.05, PENALTY))[0]["kernel"],
        "bias": run(optax.sgd(0.05))[0]["bias"],
    }
    for found in (masked, partitioned, transformed):
        same(found, expected)
        assert np.sum(found["kernel"] == 0) > 0


@by_case
def test_rules_by_path_see_masked_leaves(case):
    """A rule for a leaf that a mask has taken out has matched, and does nothing."""
    rules = pr.by_path([("kernel", pr.L1(0.3)), ("bias", pr.L1(9.0))])
    kernels = {"kernel": True, "bias": False}
    found, _ = run(
        optax.chain(
            optax.masked(case(0.05, rules), kernels), optax.masked(optax.set_to_zero(), {"kernel": False, "bias": True})
        )
    )
    same(found, {"kernel": run(case(0.05, PENALTY))[0]["kernel"], "bias": START["bias"]})


@by_case
def test_accumulated_gradients(case):
    """MultiSteps: zeros stay exact between updates, and the mean of two gradients counts as one."""
    optimiser = optax.MultiSteps(case(0.05, PENALTY), every_k_schedule=2)
    pairs = [jax.tree.map(lambda p, s=s: jnp.cos(s + 5 * p) + 0.2, START) for s in range(80)]
    means = [jax.tree.map(lambda a, b: (a + b) / 2, pairs[k], pairs[k + 1]) for k in range(0, 80, 2)]
    found, _ = run(optimiser, 80, gradients=pairs)
    expected, _ = run(case(0.05, PENALTY), 40, gradients=means)
    same(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found["kernel"] == 0, expected["kernel"] == 0)


@by_case
def test_bad_gradients_are_left_out(case):
    optimiser = optax.apply_if_finite(case(0.05, PENALTY), max_consecutive_errors=3)
    good = [jax.tree.map(lambda p, s=s: jnp.cos(s + 5 * p), START) for s in range(40)]
    bad = jax.tree.map(lambda p: p * jnp.nan, START)
    found, _ = run(optimiser, 42, gradients=[*good[:20], bad, bad, *good[20:]])
    expected, _ = run(case(0.05, PENALTY), 40, gradients=good)
    same(found, expected)
    np.testing.assert_array_equal(found["kernel"] == 0, expected["kernel"] == 0)


@by_case
def test_lookahead(case):
    """Fast weights are synchronised to slow ones: where both are zero they stay so."""
    params = optax.LookaheadParams.init_synced(START)
    optimiser = optax.lookahead(case(0.05, pr.L1(50.0)), sync_period=3, slow_step_size=1.0)
    state = optimiser.init(params)
    update = jax.jit(optimiser.update)
    for _ in range(200):
        updates, state = update(gradient(params.fast), state, params)
        params = optax.apply_updates(params, updates)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(params))


@by_case
def test_an_average_of_weights_is_zero_where_all_of_them_are(case):
    """EMA of the parameters after the pattern has settled."""
    params, state = run(case(0.05, PENALTY), 400)
    ema = optax.ema(0.9)
    mean, average = params, ema.init(params)
    optimiser = case(0.05, PENALTY)
    for _ in range(20):
        updates, state = jax.jit(optimiser.update)(gradient(params), state, params)
        params = optax.apply_updates(params, updates)
        mean, average = ema.update(params, average)
    assert np.sum(params["kernel"] == 0) > 0
    np.testing.assert_array_equal(mean["kernel"] == 0, params["kernel"] == 0)


def test_freezing_and_gradient_noise_around_the_link():
    noisy = optax.chain(optax.add_noise(0.1, 0.5, jax.random.key(0)), optax.sgd(0.05), pr.proximal(PENALTY, 0.05))
    assert np.sum(run(noisy)[0]["kernel"] == 0) > 0


def test_gradients_in_bfloat16_with_wider_masters():
    """As mixed precision training has them: the zeros are those of training without it."""
    params, state = START, (optimiser := pr.proximal_adam(0.05, PENALTY)).init(START)
    for _ in range(300):
        cast = optax.tree_utils.tree_cast(gradient(params), jnp.bfloat16)
        updates, state = jax.jit(optimiser.update)(cast, state, params)
        params = optax.apply_updates(params, updates)
    expected, _ = run(optimiser, 300)
    assert params["kernel"].dtype == START["kernel"].dtype
    np.testing.assert_array_equal(params["kernel"] == 0, expected["kernel"] == 0)
    np.testing.assert_allclose(params["kernel"], expected["kernel"], atol=0.02)
