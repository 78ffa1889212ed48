"""The table of the documentation: naive chains have exact zeros in the wrong places, or none at all."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr
from tests.transforms.rest import problem, train

RATE, MOMENTUM = 0.05, 0.9

#: chain -> whether its rest point is the lasso solution
CHAINS = {
    "sgd(lr), prox(lr)": (lambda pen: (optax.sgd(RATE), pr.proximal(pen, RATE)), True),
    "sgd(lr, momentum), prox(lr)": (lambda pen: (optax.sgd(RATE, MOMENTUM), pr.proximal(pen, RATE)), False),
    "sgd(lr, nesterov), prox(lr)": (
        lambda pen: (optax.sgd(RATE, MOMENTUM, nesterov=True), pr.proximal(pen, RATE)),
        False,
    ),
    "sgd(lr, momentum), prox(lr / (1 - m))": (
        lambda pen: (optax.sgd(RATE, MOMENTUM), pr.proximal(pen, RATE, step=RATE / (1 - MOMENTUM))),
        True,
    ),
    "adam(lr), prox(lr)": (lambda pen: (optax.adam(RATE), pr.proximal(pen, RATE)), False),
    "adam_euclidean_prox(lr)": (lambda pen: (pr.adam_euclidean_prox(RATE, pen),), False),
    "adagrad(lr), prox(lr)": (lambda pen: (optax.adagrad(RATE), pr.proximal(pen, RATE)), False),
    "lion(lr), prox(lr)": (lambda pen: (optax.lion(RATE, weight_decay=0.0), pr.proximal(pen, RATE)), False),
    "add_subgradient, sgd(lr)": (lambda pen: (pr.add_subgradient(pen), optax.sgd(RATE)), False),
    "sgd(lr), decoupled_shrinkage(lr)": (lambda pen: (optax.sgd(RATE), pr.decoupled_shrinkage(pen, RATE)), False),
    "proximal_sgd(lr, momentum)": (lambda pen: (pr.proximal_sgd(RATE, pen, momentum=MOMENTUM),), True),
    "proximal_adam(lr)": (lambda pen: (pr.proximal_adam(RATE, pen),), True),
    "proximal_adagrad(lr)": (lambda pen: (pr.proximal_adagrad(RATE, pen),), True),
    "proximal_lion(lr)": (lambda pen: (pr.proximal_lion(RATE, pen),), True),
    "ftrl(lr)": (lambda pen: (pr.ftrl(20 * RATE, pen),), True),
    "rda(lr)": (lambda pen: (pr.rda(RATE, pen),), True),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_chain_is_as_right_as_the_documentation_says(chain):
    links, right = CHAINS[chain]
    with jax.enable_x64(True):
        p = problem("lasso")
        w = train(optax.chain(*links(p.penalty)), p.gradient, jnp.zeros(12), 50_000)
        error = np.linalg.norm(w - p.solution)
        same_zeros = np.array_equal(w == 0, p.solution == 0)
        if right:
            assert error < 1e-7
            assert same_zeros
            assert p.violation(w) < 1e-6
        else:
            assert not same_zeros or error > 0.05
            assert p.violation(w) > 1e-3


@pytest.mark.parametrize("chain", ["add_subgradient, sgd(lr)", "sgd(lr), decoupled_shrinkage(lr)"])
def test_subgradients_give_no_zero_at_all(chain):
    with jax.enable_x64(True):
        p = problem("lasso")
        w = train(optax.chain(*CHAINS[chain][0](p.penalty)), p.gradient, jnp.ones(12), 50_000)
        assert np.sum(p.solution == 0) >= 6
        assert np.all(w != 0)


def test_a_fixed_diagonal_preconditioner_needs_its_own_step():
    """U = -lr d g with the step lr d, a tree like the parameters."""
    with jax.enable_x64(True):
        p = problem("lasso")
        d = jnp.geomspace(0.2, 1.0, 12)
        scaled = optax.stateless(lambda g, _: -0.3 * d * g)
        right = train(optax.chain(scaled, pr.proximal(p.penalty, 0.3, step=0.3 * d)), p.gradient, jnp.zeros(12), 20_000)
        np.testing.assert_allclose(right, p.solution, atol=1e-9)
        np.testing.assert_array_equal(right == 0, p.solution == 0)
        wrong = train(optax.chain(scaled, pr.proximal(p.penalty, 0.3)), p.gradient, jnp.zeros(12), 20_000)
        assert p.violation(wrong) > 1e-2
