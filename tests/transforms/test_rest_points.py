"""Each optimiser ends at the solution of loss + penalty: ``fit_path``'s coefficients, with exactly its zeros."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr
from tests.transforms.optimisers import OPTIMISERS
from tests.transforms.rest import PENALTIES, RATES, problem, train


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("case", OPTIMISERS, ids=lambda case: case.id)
def test_rest_point_is_the_solution(case, name, rate):
    with jax.enable_x64(True):
        p = problem(name)
        num_steps = 500_000 if case.averages and name == "group lasso" else 30_000
        w = train(case(RATES[rate](case.rate), p.penalty), p.gradient, jnp.zeros(12), num_steps)
        assert 0 < np.sum(p.solution == 0) < 12
        np.testing.assert_array_equal(w == 0, p.solution == 0)
        np.testing.assert_allclose(w, p.solution, atol=1e-4)
        assert p.violation(w) < 1e-6


@pytest.mark.parametrize("case", OPTIMISERS, ids=lambda case: case.id)
def test_start_does_not_matter_and_strengths_are_a_penalty(case):
    with jax.enable_x64(True):
        p = problem("elastic net")
        alpha, ratio = p.penalty.alpha, p.penalty.l1_ratio
        optimiser = case(case.rate, l1=alpha * ratio, l2=alpha * (1 - ratio))
        w = train(optimiser, p.gradient, jnp.linspace(-3.0, 3.0, 12), 50_000)
        np.testing.assert_array_equal(w == 0, p.solution == 0)
        np.testing.assert_allclose(w, p.solution, atol=1e-4)


@pytest.mark.parametrize("case", OPTIMISERS, ids=lambda case: case.id)
def test_a_scheduled_strength_ends_where_its_last_value_does(case):
    with jax.enable_x64(True):
        p = problem("lasso")
        warm = optax.linear_schedule(0.0, 1.0, 1000)
        w = train(case(case.rate, p.penalty, strength=warm), p.gradient, jnp.zeros(12), 50_000)
        np.testing.assert_array_equal(w == 0, p.solution == 0)
        np.testing.assert_allclose(w, p.solution, atol=1e-4)
        alpha = p.penalty.alpha
        other = case(case.rate, l1=optax.linear_schedule(0.0, alpha, 1000))
        np.testing.assert_allclose(train(other, p.gradient, jnp.zeros(12), 50_000), w, atol=1e-9)


@pytest.mark.parametrize("downstream", ["adam", "momentum", "lion", "rmsprop"])
def test_after_the_gradient_mapping_any_optimiser_rests_at_the_solution(downstream):
    with jax.enable_x64(True):
        p = problem("group lasso")
        rate = optax.exponential_decay(0.01, 1000, 0.7)
        other = {
            "adam": optax.adam(rate),
            "momentum": optax.sgd(rate, momentum=0.9),
            "lion": optax.lion(rate, weight_decay=0.0),
            "rmsprop": optax.rmsprop(rate),
        }[downstream]
        w = train(optax.chain(pr.gradient_mapping(p.penalty, 0.2), other), p.gradient, jnp.ones(12), 50_000)
        np.testing.assert_allclose(w, p.solution, atol=1e-4)
        mapped, _ = (link := pr.gradient_mapping(p.penalty, 0.2)).update(
            p.gradient(jnp.asarray(p.solution)), link.init(w), jnp.asarray(p.solution)
        )
        np.testing.assert_allclose(mapped, 0, atol=1e-10)
