"""What optax and JAX ask of every transformation: states, extra arguments, retracing, injection, mapping."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr
from tests.transforms.optimisers import IMPURE, OPTIMISERS, OptimiserCase

PARAMS = {
    "dense": {"kernel": jnp.linspace(-1, 1, 12).reshape(4, 3), "bias": jnp.array([0.3, 0.0, -0.2])},
    "scale": jnp.array([2.0]),
}
GRADS = jax.tree.map(lambda p: jnp.cos(7 * p), PARAMS)
PENALTY = pr.by_path([("kernel", pr.GroupLasso(0.2, axis=0)), ("bias", pr.L1(0.1))])


def _link(id, make):
    """A link as if it were an optimiser."""
    return OptimiserCase(id, lambda rate, penalty, **options: make(rate, penalty, **options), optax.sgd, 0.1)


LINKS = [
    _link("proximal", lambda rate, pen, **options: pr.proximal(pen, rate, **options)),
    _link("proximal-step", lambda rate, pen, **options: pr.proximal(pen, step=rate, **options)),
    _link("gradient_mapping", lambda rate, pen, **options: pr.gradient_mapping(pen, rate, **options)),
    _link("add_subgradient", lambda rate, pen, **options: pr.add_subgradient(pen, **options)),
    _link("decoupled_shrinkage", lambda rate, pen, **options: pr.decoupled_shrinkage(pen, rate, **options)),
    _link("debias", lambda rate, pen, **options: pr.debias(optax.adam(rate), **options)),
]
EVERY = [*OPTIMISERS, *IMPURE, *LINKS]
by_case = pytest.mark.parametrize("case", EVERY, ids=lambda case: case.id)
by_optimiser = pytest.mark.parametrize("case", [*OPTIMISERS, *IMPURE], ids=lambda case: case.id)


def types(tree):
    """What must not change from one update to the next."""
    return jax.tree.map(lambda x: (jnp.shape(x), x.dtype, x.weak_type), jax.eval_shape(lambda: tree))


def same(one, other, **tolerance):
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other)):
        np.testing.assert_allclose(a, b, **{"rtol": 1e-6, "atol": 1e-7, **tolerance})


def test_every_optimiser_has_a_case():
    """Whatever is exported with a learning rate and a penalty, in that order."""
    found = set()
    for name in dir(pr):
        exported = getattr(pr, name)
        if inspect.isfunction(exported):
            names = list(inspect.signature(exported).parameters)
            found |= {exported} if names[:2] == ["learning_rate", "penalty"] else set()
    assert found == {case.make for case in [*OPTIMISERS, *IMPURE]}
    assert pr.proximal_adam in found


@by_case
def test_everything_returned_takes_extra_arguments(case):
    transformation = case(0.1, PENALTY)
    assert isinstance(transformation, optax.GradientTransformationExtraArgs)
    state = transformation.init(PARAMS)
    plain, _ = transformation.update(GRADS, state, PARAMS)
    extra, _ = transformation.update(GRADS, state, PARAMS, value=1.0, something_unknown=jnp.ones(3))
    same(plain, extra)


@by_case
def test_missing_params_are_named_as_optax_names_them(case):
    if case.id == "debias":
        pytest.skip("needs no parameters")
    transformation = case(0.1, PENALTY)
    expected = (
        "You are using a transformation that requires the current value of parameters, but you are not passing `params`"
    )
    with pytest.raises(ValueError, match=expected):
        transformation.update(GRADS, transformation.init(PARAMS))


@pytest.mark.parametrize(
    ("dtype", "rate"),
    [("bfloat16", 0.1), ("float32", np.float32(0.1)), ("bfloat16", optax.linear_schedule(0.1, 0.0, 10))],
    ids=["bfloat16", "float32", "schedule"],
)
@by_case
def test_the_state_keeps_structure_and_types(case, dtype, rate):
    params, grads = (jax.tree.map(lambda x: x.astype(dtype), tree) for tree in (PARAMS, GRADS))
    if case.id == "debias":
        rate = float(rate) if np.ndim(rate) == 0 and not callable(rate) else rate  # optax.adam's own business
    transformation = case(rate, PENALTY)
    state = transformation.init(params)
    for leaf in jax.tree.leaves(state):
        assert isinstance(leaf, jax.Array)
        assert not leaf.weak_type
    updates, new = transformation.update(grads, state, params)
    assert jax.tree.structure(new) == jax.tree.structure(state)
    assert types(new) == types(state)
    assert types(updates) == types(params)
    _, jitted = jax.jit(transformation.update)(grads, state, params)
    assert types(jitted) == types(state)


@by_case
def test_jit_changes_nothing_and_does_not_trace_twice(case):
    transformation = case(optax.linear_schedule(0.1, 0.0, 10), PENALTY)
    count = 0

    def step(params, state):
        nonlocal count
        count += 1
        updates, state = transformation.update(GRADS, state, params)
        return optax.apply_updates(params, updates), state

    eager, compiled = (PARAMS, transformation.init(PARAMS)), (PARAMS, transformation.init(PARAMS))
    jitted = jax.jit(step)
    for _ in range(4):
        compiled = jitted(*compiled)
    assert count == 1
    for _ in range(4):
        eager = step(*eager)
    same(eager, compiled, rtol=1e-5, atol=1e-6)


@by_case
def test_parameters_of_the_state_can_be_mapped(case):
    transformation = case(0.1, PENALTY)
    state = transformation.init(PARAMS)
    same(optax.tree_utils.tree_map_params(transformation, lambda x: x, state), state)
    marked = optax.tree_utils.tree_map_params(
        transformation, lambda x: "parameter", state, transform_non_params=lambda x: "other"
    )
    assert jax.tree.structure(marked) == jax.tree.structure(state)
    shaped = [m for m, leaf in zip(jax.tree.leaves(marked), jax.tree.leaves(state)) if jnp.shape(leaf) == (4, 3)]
    assert set(shaped) <= {"parameter"}


@by_case
def test_leaves_without_a_parameter_or_a_gradient_pass(case):
    transformation = case(0.1, pr.L1(0.1))
    params = {"a": jnp.ones(2), "nothing": None, "frozen": jnp.ones(2)}
    grads = {"a": jnp.ones(2), "nothing": None, "frozen": None}
    if case.id not in {
        "lion",
        "lion-decay",
        "ftrl",
        "rda",
        "proximal",
        "proximal-step",
        "gradient_mapping",
        "add_subgradient",
    }:
        grads = {**grads, "frozen": jnp.zeros(2)}  # where optax's own parts are inside, what they take
    state = transformation.init(params)
    updates, new = transformation.update(grads, state, params)
    assert updates["nothing"] is None
    assert (updates["frozen"] is None) == (grads["frozen"] is None)
    assert jax.tree.structure(new) == jax.tree.structure(state)


@by_optimiser
def test_hyperparameters_can_be_injected(case):
    options = {"learning_rate": 0.1, "l1": 0.2, "l2": 0.05, **case.options}
    factory = optax.inject_hyperparams(case.make)
    injected, own = factory(**options), case.make(**options)
    assert {"learning_rate", "l1", "l2", "strength"} <= set(injected.init(PARAMS).hyperparams)
    one, two = (PARAMS, injected.init(PARAMS)), (PARAMS, own.init(PARAMS))
    for _ in range(3):
        for transformation, carry in ((injected, one), (own, two)):
            updates, new = jax.jit(transformation.update)(GRADS, carry[1], carry[0])
            carry = optax.apply_updates(carry[0], updates), new
            one, two = (carry, two) if transformation is injected else (one, carry)
    same(one[0], two[0], rtol=1e-4, atol=1e-5)
    same(one[1].inner_state, two[1], rtol=1e-4, atol=1e-5)
    # a strength changed by hand acts at the next update, without another trace
    count = 0

    @jax.jit
    def step(state, params):
        nonlocal count
        count += 1
        return optax.apply_updates(params, injected.update(GRADS, state, params)[0])

    huge = jnp.full_like(one[1].hyperparams["l1"], 1e6)
    weak = step(one[1], one[0])
    strong = step(one[1]._replace(hyperparams={**one[1].hyperparams, "l1": huge}), one[0])
    assert count == 1
    weak, strong = (np.abs(params["dense"]["kernel"]) for params in (weak, strong))
    assert np.mean(strong) < np.mean(weak) - 0.005  # Lion moves by its rate at most, the others go to zero


@by_optimiser
def test_a_whole_sweep_over_strengths_is_one_call(case):
    strengths = jnp.array([0.0, 0.1, 1.0, 100.0])

    def train(l1, penalty=None):
        optimiser = case(0.05, **({"l1": l1} if penalty is None else {"penalty": penalty}))

        def step(carry, _):
            params, state = carry
            updates, state = optimiser.update(params - 0.5, state, params)
            return (optax.apply_updates(params, updates), state), None

        start = jnp.linspace(-1.0, 1.0, 7)
        return jax.lax.scan(step, (start, optimiser.init(start)), None, length=50)[0][0]

    together = jax.jit(jax.vmap(train))(strengths)
    np.testing.assert_allclose(together, [train(l1) for l1 in strengths], rtol=1e-5, atol=1e-6)
    assert not np.any(together[-1])
    mapped = jax.vmap(functools.partial(train, None))(pr.L1(strengths))
    np.testing.assert_allclose(mapped, together, rtol=1e-5, atol=1e-6)
