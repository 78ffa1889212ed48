"""Mistakes in the call of a transformation are named at once, with what to pass instead."""

import jax
import jax.numpy as jnp
import optax
import pytest

import proxreg as pr
from tests.transforms.optimisers import IMPURE, OPTIMISERS

by_case = pytest.mark.parametrize("case", [*OPTIMISERS, *IMPURE], ids=lambda case: case.id)


@by_case
@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0.1,), {}, r"pass a penalty such as proxreg.L1\(1e-4\), or its strengths l1= and l2="),
        ((0.1, pr.L1(0.1)), {"l1": 0.1}, "pass a penalty or the strengths l1= and l2=, not both"),
        ((0.1, 0.1), {}, "penalty must be a penalty such as"),
        ((pr.L1(0.1), 0.1), {}, "arguments swapped|penalty must be"),
        ((-0.1,), {"l1": 0.1}, "learning_rate must be >= 0, got -0.1"),
        ((0.1,), {"l1": -0.1}, "l1 must be >= 0"),
        ((0.1,), {"l2": float("nan")}, "l2 must be >= 0"),
        ((0.1, pr.L1(0.1)), {"strength": -1.0}, "strength must be >= 0"),
        ((pr.L1(0.1),), {"l1": 0.1}, "learning_rate must be a number or a schedule, .* swapped"),
    ],
)
def test_optimisers(case, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        case.make(*arguments, **case.options, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pr.proximal(0.1, 0.1), "penalty must be a penalty such as"),
        (lambda: pr.proximal(0.1, pr.L1(0.1)), "penalty must be a penalty such as"),
        (lambda: pr.proximal(pr.L1(0.1), pr.L1(0.1)), "are the arguments swapped"),
        (lambda: pr.proximal(pr.L1(0.1)), "pass the learning_rate of the chain, or the prox step as step="),
        (lambda: pr.proximal(pr.L1(0.1), step=-1.0), "step must be >= 0"),
        (lambda: pr.add_subgradient(0.1), "penalty must be a penalty"),
        (lambda: pr.decoupled_shrinkage(pr.L1(0.1), -1.0), "learning_rate must be >= 0"),
        (lambda: pr.gradient_mapping(pr.L1(0.1), -1.0), "step must be >= 0"),
        (lambda: pr.gradient_mapping(pr.L1(0.1), 0.0), "step must be > 0"),
        (
            lambda: pr.proximal(pr.L1(0.1), 0.1, mask={"a": 1.5}).init({"a": jnp.ones(2)}),
            "mask must have booleans as leaves",
        ),
        (
            lambda: pr.proximal(pr.GroupLasso(0.1, axis=1), 0.1).init({"a": {"b": jnp.ones(2)}}),
            "at a/b: axis 1 is out of range",
        ),
    ],
)
def test_links(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pr.pytree_dataclass
class Module:
    """A whole module, as equinox has them: its functions and keys are leaves too."""

    weight: jax.Array
    activation: object = jnp.tanh


@by_case
def test_a_whole_module_is_refused_with_what_to_pass(case):
    optimiser = case.make(0.1, l1=0.1, **case.options)
    for module, name in ((Module(jnp.ones(2)), "activation"), (Module(jnp.ones(2), jax.random.key(0)), "key<fry>")):
        with pytest.raises(ValueError, match=f"{name}.*eqx.filter.model, eqx.is_inexact_array.*nnx.state"):
            optimiser.init(module)
    with pytest.raises(ValueError, match="what was passed is Linear: pass eqx"):
        optimiser.init(type("Linear", (), {})())


@pytest.mark.parametrize(
    "link",
    [
        pr.proximal(pr.L1(0.1), 0.1),
        pr.add_subgradient(pr.L1(0.1)),
        pr.decoupled_shrinkage(pr.L1(0.1), 0.1),
        pr.gradient_mapping(pr.L1(0.1), 0.1),
        pr.debias(optax.sgd(0.1)),
    ],
    ids=["proximal", "add_subgradient", "decoupled_shrinkage", "gradient_mapping", "debias"],
)
def test_links_refuse_a_whole_module_too(link):
    with pytest.raises(ValueError, match=r"activation is .*: pass eqx"):
        link.init(Module(jnp.ones(2)))
