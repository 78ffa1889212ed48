"""One penalty per parameter: paths of every kind of tree, and the mistakes that are named."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr

MODEL = {
    "encoder": {"dense_1": {"kernel": jnp.ones((4, 3)), "bias": jnp.ones(3)}},
    "head": {"kernel": jnp.ones((3, 2)), "bias": jnp.ones(2)},
}


class Layer(NamedTuple):
    """A layer as a NamedTuple."""

    kernel: Any
    bias: Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Module:
    """A model as a dataclass with layers in a list, as equinox has them."""

    layers: list
    scale: Any


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Variables:
    """An array in an attribute ``value``, as flax.nnx holds them."""

    value: Any


LAYERED = Module([Layer(jnp.ones(2), None), Layer(jnp.ones(2), jnp.ones(2))], jnp.ones(1))


def penalised(pen, tree):
    """The paths of the leaves that the penalty shrinks."""
    shrunk = pen.prox(tree, 1.0)
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    changed = [not np.array_equal(a, b) for (_, a), b in zip(leaves, jax.tree.leaves(shrunk))]
    return [jax.tree_util.keystr(path) for (path, _), c in zip(leaves, changed) if c]


def test_each_leaf_takes_the_penalty_of_its_rule():
    pen = pr.by_path(
        [("encoder.*kernel", pr.L1(0.1)), ("head/kernel$", pr.L2(0.5)), ("bias", None)], default=pr.L1(9.0)
    )
    shrunk = pen.prox(MODEL, 2.0)
    np.testing.assert_allclose(shrunk["encoder"]["dense_1"]["kernel"], 0.8, rtol=1e-6)
    np.testing.assert_allclose(shrunk["head"]["kernel"], 0.5, rtol=1e-6)
    np.testing.assert_array_equal(shrunk["head"]["bias"], 1.0)
    np.testing.assert_allclose(pen.value(MODEL), 12 * 0.1 + 6 * 0.25, rtol=1e-6)
    assert not np.any(pr.by_path([("kernel", None)], default=pr.L1(9.0)).prox(MODEL, 1.0)["head"]["bias"])
    gradient = pen.subgradient(MODEL, jax.tree.map(jnp.ones_like, MODEL))
    np.testing.assert_allclose(gradient["encoder"]["dense_1"]["kernel"], 1.1, rtol=1e-6)
    np.testing.assert_array_equal(gradient["head"]["bias"], 1.0)


@pytest.mark.parametrize(
    ("tree", "pattern", "paths"),
    [
        (MODEL, r"\['head'\]\['kernel'\]", ["['head']['kernel']"]),
        (MODEL, "^head/kernel$", ["['head']['kernel']"]),
        ((Layer(jnp.ones(2), jnp.ones(2)), jnp.ones(1)), r"0/kernel", ["[0].kernel"]),
        ((Layer(jnp.ones(2), jnp.ones(2)), jnp.ones(1)), r"\[1\]", ["[1]"]),
        (
            LAYERED,
            r"^layers/\d/kernel",
            [".layers[0].kernel", ".layers[1].kernel"],
        ),
        (Module([jnp.ones(2)], jnp.ones(1)), r"\.scale", [".scale"]),
        (jnp.ones(3), "", [""]),
        (MODEL, "^(?!head)", ["['encoder']['dense_1']['bias']", "['encoder']['dense_1']['kernel']"]),
        ({"top": jnp.ones(1), "body": {"w": jnp.ones(1)}}, "^[^/]+$", ["['top']"]),
        (Variables(jnp.ones(2)), "^$", [".value"]),
        ({"l1": {"kernel": Variables(jnp.ones(2))}}, "kernel$", ["['l1']['kernel'].value"]),
    ],
)
def test_paths_of_every_kind_of_tree(tree, pattern, paths):
    assert penalised(pr.by_path([(pattern, pr.L1(0.5))]), tree) == paths


def test_units_channels_and_heads_die_whole():
    rng = np.random.default_rng(0)
    tree = {
        "dense": jnp.asarray(rng.standard_normal((5, 4))),
        "conv": jnp.asarray(rng.standard_normal((3, 3, 2, 6))),
        "heads": jnp.asarray(rng.standard_normal((8, 3, 4))),
    }
    dead = {"dense": (slice(None), 1), "conv": (..., 2), "heads": (slice(None), 0)}
    tree = {name: leaf.at[dead[name]].multiply(1e-3) for name, leaf in tree.items()}
    axes = {"dense": 0, "conv": (0, 1, 2), "heads": (0, 2)}
    pen = pr.by_path([(name, pr.GroupLasso(0.5, axis=axis)) for name, axis in axes.items()])
    shrunk = pen.prox(tree, 1.0)
    for name, leaf in shrunk.items():
        assert not np.any(leaf[dead[name]])
        assert np.sum(leaf == 0) == np.size(leaf[dead[name]])


def test_strengths_are_leaves_of_the_whole():
    pen = pr.by_path([("kernel", pr.L1(0.1)), ("bias", pr.ElasticNet(0.2, 0.5))])
    assert len(jax.tree.leaves(pen)) == 3
    values = jax.vmap(lambda scale: jax.tree.map(lambda x: scale * x, pen).penalties[0].value(jnp.ones(2)))(
        jnp.arange(3.0)
    )
    np.testing.assert_allclose(values, [0.0, 0.2, 0.4], rtol=1e-6)
    assert pen.separable
    assert not pr.by_path([("kernel", pr.GroupLasso(0.1, axis=0))]).separable


def test_without_rules_nothing_is_penalised():
    assert pr.by_path([]).alpha_max(MODEL) == 0
    assert pr.by_path([]).value(MODEL) == 0


def test_fista_takes_it():
    def half_square(params):
        return sum(jnp.sum((leaf - 2.0) ** 2) / 2 for leaf in jax.tree.leaves(params))

    start = {"a": jnp.zeros(3), "b": jnp.zeros(2)}
    found = pr.fista(half_square, pr.by_path([("a", pr.L1(0.5)), ("b", pr.L2(1.0))]), start, tol=1e-6)
    np.testing.assert_allclose(found.w["a"], 1.5, atol=1e-4)
    np.testing.assert_allclose(found.w["b"], 1.0, atol=1e-4)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([("kernal", pr.L1(0.1))], r"the pattern 'kernal' matches no parameter; the nearest are .*kernel"),
        ([("^encoder/dense_2", pr.L1(0.1))], r"matches no parameter; the nearest are encoder/dense_1/"),
        ([("kernel", pr.L1(0.1)), ("head", pr.L1(0.2))], r"head/kernel is matched by 'kernel' and 'head'"),
        (
            [("head/bias", pr.GroupLasso(0.1, axis=1))],
            r"at head/bias: axis 1 is out of range for .* \(2,\)",
        ),
        ([("head/kernel", pr.GroupLasso(0.1, groups=[0, 1]))], r"at head/kernel: groups have shape \(2,\)"),
    ],
)
def test_mistakes_are_named_when_the_penalty_meets_the_parameters(rules, message):
    pen = pr.by_path(rules)
    for use in (
        lambda: pen.value(MODEL),
        lambda: pen.prox(MODEL, 1.0),
        lambda: pr.proximal(pen, 0.1).init(MODEL),
        lambda: pr.proximal_adam(0.1, pen).init(MODEL),
        lambda: pr.ftrl(0.1, pen).init(MODEL),
        lambda: pr.proximal_lion(0.1, pen).init(MODEL),
        lambda: pr.add_subgradient(pen).init(MODEL),
        lambda: jax.jit(optax.chain(optax.sgd(0.1), pr.proximal(pen, 0.1)).init)(MODEL),
        lambda: pr.sparsity(MODEL, pen),
    ):
        with pytest.raises(ValueError, match=message):
            use()


@pytest.mark.parametrize(
    ("rules", "default", "message"),
    [
        ([("kernel", 0.1)], None, "the penalty of 'kernel' must be a penalty such as"),
        ([("kernel",)], None, "rules must be pairs"),
        ({"kernel": pr.L1(0.1)}, None, "rules must be pairs"),
        ([("ker(nel", pr.L1(0.1))], None, "is not a regular expression"),
        ([], 0.1, "default must be a penalty"),
        ([("x", pr.by_path([]))], None, "must be a penalty such as"),
    ],
)
def test_malformed_rules_are_refused_at_once(rules, default, message):
    with pytest.raises(ValueError, match=message):
        pr.by_path(rules, default)
