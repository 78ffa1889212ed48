"""``ftrl`` and ``rda`` against the algorithms as printed, in NumPy."""

import jax
import numpy as np
import optax
import pytest

import proxreg as pr

RNG = np.random.default_rng(0)
GRADIENTS = RNG.standard_normal((200, 6)) + np.array([0.0, 0.1, 0.3, -0.3, 1.0, 0.0])


def soft(v, tau):
    return np.sign(v) * np.maximum(np.abs(v) - tau, 0)


def iterates(optimiser, start=None):
    """The parameters before each gradient and after the last."""
    with jax.enable_x64(True):
        w = jax.numpy.zeros(6) if start is None else jax.numpy.asarray(start)
        state, found = optimiser.init(w), [np.asarray(w)]
        for g in GRADIENTS:
            updates, state = optimiser.update(jax.numpy.asarray(g), state, w)
            w = optax.apply_updates(w, updates)
            found.append(np.asarray(w))
    return np.array(found)


@pytest.mark.parametrize("once", [False, True])
def test_ftrl_is_algorithm_1(once):
    """McMahan et al. (2013), algorithm 1; with the penalty once per round (McMahan 2011) or once in all."""
    rate, beta, l1, l2 = 0.3, 1.0, 0.2, 0.1
    z, n = np.zeros(6), np.zeros(6)
    expected = []
    for t, g in enumerate([*GRADIENTS, np.zeros(6)]):
        rounds = (t > 0) if once else t
        w = -soft(z, rounds * l1) / ((beta + np.sqrt(n)) / rate + rounds * l2)
        expected.append(w)
        sigma = (np.sqrt(n + g**2) - np.sqrt(n)) / rate
        z, n = z + g - sigma * w, n + g**2
    strength = (lambda count: 1.0 * (count == 0)) if once else 1.0
    found = iterates(pr.ftrl(rate, l1=l1, l2=l2, beta=beta, strength=strength))
    np.testing.assert_allclose(found, expected, atol=1e-10)
    np.testing.assert_array_equal(found == 0, np.array(expected) == 0)
    assert once or 0.1 < np.mean(found[50:] == 0) < 0.9


def test_rda_is_equation_8():
    """Xiao (2010), eq. 8 with h = ||w||^2 / 2 and beta_t = 1 / rate."""
    rate, l1, l2 = 0.2, 0.2, 0.1
    sums = np.concatenate([np.zeros((1, 6)), np.cumsum(GRADIENTS, axis=0)])
    t = np.arange(201)[:, None]
    expected = -soft(rate * sums, rate * t * l1) / (1 + rate * t * l2)
    found = iterates(pr.rda(rate, l1=l1, l2=l2))
    np.testing.assert_allclose(found, expected, atol=1e-10)
    np.testing.assert_array_equal(found == 0, expected == 0)


def test_rda_weighs_gradients_by_their_rates_from_any_start():
    rates = 0.5 / np.sqrt(1 + np.arange(200))
    start = np.linspace(-1, 1, 6)
    sums = np.concatenate([np.zeros((1, 6)), np.cumsum(rates[:, None] * GRADIENTS, axis=0)])
    total = np.concatenate([[0.0], np.cumsum(rates)])[:, None]
    found = iterates(pr.rda(lambda count: 0.5 / jax.numpy.sqrt(1.0 + count.astype(float)), pr.L1(0.2)), start)
    np.testing.assert_allclose(found, soft(start - sums, 0.2 * total), atol=1e-10)


def test_averages_make_sparser_weights_than_last_gradients():
    """What they are for: with noisy gradients far more zeros than proximal SGD or AdaGrad at the same strength."""
    tail = slice(100, None)

    def zeros(optimiser):
        return np.mean(iterates(optimiser)[tail, :4] == 0)

    assert zeros(pr.rda(0.05, l1=0.35)) > 2 * zeros(pr.proximal_sgd(0.05, l1=0.35))
    assert zeros(pr.ftrl(0.3, l1=0.35)) > 2 * zeros(pr.proximal_adagrad(0.3, l1=0.35))
