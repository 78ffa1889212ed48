"""Zeros are exactly +0.0 in every precision, types are kept, and rounding cannot undo them."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr
from tests.transforms.optimisers import IMPURE, OPTIMISERS

DTYPES = ["float16", "bfloat16", "float32", "float64", "complex64"]
PAIRS = np.arange(400) // 2
EVERY = [*OPTIMISERS, *IMPURE]


def sample(seed, dtype, shape=(400,)):
    """Standard normal numbers; for complex types, real and imaginary parts."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    if np.issubdtype(jnp.dtype(dtype), np.complexfloating):
        x = x + 1j * rng.standard_normal(shape)
    return jnp.asarray(x, dtype)


def negative_zeros(x):
    """How many entries are -0.0."""
    x = np.asarray(x)
    parts = [x.real, x.imag] if np.iscomplexobj(x) else [x.astype(np.float64)]
    return sum(int(np.sum((part == 0) & np.signbit(part))) for part in parts)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.id)
def test_updates_reach_exact_zeros(case, dtype):
    with jax.enable_x64(dtype == "float64"):
        w, optimiser = sample(0, dtype), case(5e-2, pr.L1(20.0))
        state = optimiser.init(w)
        step = jax.jit(optimiser.update)
        for seed in range(30):
            updates, state = step(sample(seed, dtype), state, w)
            w = optax.apply_updates(w, updates)
            assert updates.dtype == w.dtype == dtype
            assert not negative_zeros(w)
        assert np.sum(np.asarray(w) == 0) > 50


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "penalty", [pr.L1(0.3), pr.ElasticNet(0.5, 0.6), pr.GroupLasso(0.6, groups=np.arange(400) // 2)]
)
def test_the_link_lands_on_the_prox(penalty, dtype):
    """Against the soft threshold in NumPy's float64, to the rounding of the type."""
    with jax.enable_x64(dtype == "float64"):
        w, u = sample(0, dtype), 0.1 * sample(1, dtype)
        link = pr.proximal(penalty, 1.0)
        updates, _ = jax.jit(link.update)(u, link.init(w), w)
        landed = np.asarray(optax.apply_updates(w, updates)).astype(complex)
    v = np.asarray(w).astype(complex) + np.asarray(u).astype(complex)
    l1, l2 = {"L1": (0.3, 0.0), "ElasticNet": (0.3, 0.2), "GroupLasso": (0.6, 0.0)}[type(penalty).__name__]
    size = np.abs(v)
    if isinstance(penalty, pr.GroupLasso):
        size = np.repeat(np.linalg.norm(v.reshape(-1, 2), axis=1), 2)
    expected = v * np.maximum(1 - l1 / size, 0) / (1 + l2)
    eps = float(jnp.finfo(dtype).eps)
    np.testing.assert_allclose(landed, expected, atol=8 * eps)
    clear = np.abs(size - l1) > 8 * eps
    np.testing.assert_array_equal((landed == 0)[clear], (expected == 0)[clear])
    assert np.sum(landed == 0) > 2
    assert not negative_zeros(landed)


@pytest.mark.parametrize(
    ("weights", "gradients"), [("float32", "bfloat16"), ("float32", "float16"), ("bfloat16", "float32")]
)
def test_mixed_precision_cancels_exactly(weights, gradients):
    """A float32 master weight is zero exactly though its gradient, and so the update before the link, is bfloat16."""
    w, u = sample(0, weights), 0.1 * sample(1, gradients)
    optimiser = optax.chain(optax.sgd(0.1), pr.proximal(pr.L1(1e9), 0.1))
    updates, _ = jax.jit(optimiser.update)(u, optimiser.init(w), w)
    assert updates.dtype == "float32"
    landed = optax.apply_updates(w, updates)
    assert landed.dtype == weights
    assert not np.any(landed)
    for case in OPTIMISERS:
        own = case(10.0, pr.L1(1e9))
        updates, _ = jax.jit(own.update)(u, own.init(w), w)
        landed = optax.apply_updates(w, updates)
        assert landed.dtype == weights
        assert not np.any(landed), case.id


def test_a_negative_zero_becomes_positive():
    w = jnp.array([-0.0, 0.0, -1.0])
    for u in ([0.0, -0.0, 1.0], [-0.0, 0.0, 0.9]):
        link = pr.proximal(pr.L1(1.0), 0.5)
        updates, _ = link.update(jnp.array(u), link.init(w), w)
        assert not negative_zeros(optax.apply_updates(w, updates))


def test_not_a_number_survives():
    w = jnp.array([1.0, 0.0, jnp.nan])
    for case in EVERY:
        optimiser = case(0.1, pr.L1(0.5))
        updates, _ = optimiser.update(jnp.array([jnp.nan, 1.0, 0.0]), optimiser.init(w), w)
        assert np.isnan(optax.apply_updates(w, updates)).tolist() == [True, False, True], case.id


def test_a_threshold_too_small_for_half_precision_acts_in_the_arithmetic():
    """1e-4 times 1e-3 is 1e-7: below the least float16, felt by a weight of 5e-8 all the same."""
    w = jnp.array([5e-7, -5e-7, 1.0], "float16")
    link = pr.proximal(pr.L1(1e-3), 1e-3)
    updates, _ = link.update(jnp.zeros(3, "float16"), link.init(w), w)
    np.testing.assert_array_equal(optax.apply_updates(w, updates), [0.0, 0.0, 1.0])
