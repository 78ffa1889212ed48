"""Pruned networks are smaller and compute the same, whatever the layout of their parameters."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr


def network(widths=(5, 8, 7, 3), dead_in=((1, 4), (0,)), dead_out=((2,), (3, 4)), seed=0):
    """Layers (kernel, bias), some hidden units with no weight in, some with none out."""
    rng = np.random.default_rng(seed)
    layers = [(rng.standard_normal((a, b)), rng.standard_normal(b)) for a, b in itertools.pairwise(widths)]
    for k, units in enumerate(dead_in):
        layers[k][0][:, list(units)] = 0
    for k, units in enumerate(dead_out):
        layers[k + 1][0][list(units)] = 0
    return layers


def forward(layers, x, activation=np.tanh):
    """In NumPy's float64."""
    for k, (kernel, bias) in enumerate(layers):
        x = x @ np.asarray(kernel, float) + np.asarray(bias, float)
        x = activation(x) if k < len(layers) - 1 else x
    return x


X = np.random.default_rng(1).standard_normal((50, 5))


@pytest.mark.parametrize(
    ("activation", "reference"),
    [(jnp.tanh, np.tanh), (jax.nn.relu, lambda x: np.maximum(x, 0)), (jax.nn.sigmoid, lambda x: 1 / (1 + np.exp(-x)))],
)
def test_same_function_with_fewer_units(activation, reference):
    layers = network()
    small = pr.prune([(jnp.asarray(k), jnp.asarray(b)) for k, b in layers], activation=activation)
    assert [k.shape for k, _ in small] == [(5, 5), (5, 4), (4, 3)]
    assert [b.shape for _, b in small] == [(5,), (4,), (3,)]
    np.testing.assert_allclose(forward(small, X, reference), forward(layers, X, reference), atol=1e-5)


def as_flax(layers):
    return {f"Dense_{k}": {"kernel": w, "bias": b} for k, (w, b) in enumerate(layers)}


def as_equinox(layers):
    return [{"weight": w.T, "bias": b} for w, b in layers]


def test_layouts_of_flax_and_equinox():
    layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in network()]
    small = pr.prune(layers, activation=jnp.tanh)
    flax = pr.prune(as_flax(layers), activation=jnp.tanh)
    equinox = pr.prune(as_equinox(layers), activation=jnp.tanh, transposed=True)
    for k, (kernel, bias) in enumerate(small):
        np.testing.assert_array_equal(flax[f"Dense_{k}"]["kernel"], kernel)
        np.testing.assert_array_equal(equinox[k]["weight"].T, kernel)
        np.testing.assert_array_equal(equinox[k]["bias"], bias)


def test_names_count_by_number_and_layers_can_be_chosen():
    widths = (5, *[6] * 11, 3)
    layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in network(widths, ((1,),), ())]
    small = pr.prune(as_flax(layers), activation=jnp.tanh)
    assert small["Dense_0"]["kernel"].shape == (5, 5)
    assert small["Dense_10"]["kernel"].shape == (6, 6)
    mixed = {"norm": {"scale": jnp.ones(5)}, "mlp": as_flax(layers[:1] + layers[-1:]), "conv": jnp.ones((3, 3, 1, 2))}
    names = ["mlp/Dense_0", "mlp/Dense_1"]
    found = pr.prune(mixed, activation=jnp.tanh, layers=names)
    assert found["mlp"]["Dense_1"]["kernel"].shape == (5, 3)
    np.testing.assert_array_equal(found["conv"], mixed["conv"])


def test_death_spreads_in_both_directions():
    """A unit whose only readers are dead goes too, and so does one that reads only constants that are zero."""
    layers = [(np.ones((2, 2)), np.zeros(2)), (np.eye(2), np.zeros(2)), (np.array([[1.0], [0.0]]), np.zeros(1))]
    small = pr.prune([(jnp.asarray(w), jnp.asarray(b)) for w, b in layers])
    assert [w.shape for w, _ in small] == [(2, 1), (1, 1), (1, 1)]
    layers = [
        (np.array([[0.0, 1.0]] * 2), np.array([3.0, 0.0])),
        (np.eye(2), np.zeros(2)),
        (np.ones((2, 1)), np.zeros(1)),
    ]
    small = pr.prune([(jnp.asarray(w), jnp.asarray(b)) for w, b in layers], activation=jax.nn.relu)
    assert [w.shape for w, _ in small] == [(2, 1), (1, 1), (1, 1)]
    np.testing.assert_allclose(small[2][1], [3.0])


def test_without_an_activation_only_units_that_are_zero_go():
    """Nearly every activation is 0 at 0."""
    layers = network(dead_out=((), ()))
    for k, units in enumerate(((1, 4), (0,))):
        layers[k][1][list(units)] = 0
    small = pr.prune([(jnp.asarray(w), jnp.asarray(b)) for w, b in layers])
    assert [w.shape for w, _ in small] == [(5, 6), (6, 6), (6, 3)]
    np.testing.assert_allclose(forward(small, X), forward(layers, X), atol=1e-5)


def test_leaves_that_are_no_weights_are_left_alone():
    """Functions and keys in a module's tree."""
    layers = [(jnp.asarray(w), jnp.asarray(b)) for w, b in network(dead_in=((1,), ()), dead_out=())]
    tree = {"layers": [{"w": w, "b": b, "act": jnp.tanh} for w, b in layers], "key": jax.random.key(0), "n": 3}
    small = pr.prune(tree, activation=jnp.tanh)
    assert small["layers"][0]["w"].shape == (5, 7)
    assert small["layers"][0]["act"] is jnp.tanh
    assert pr.sparsity(tree).size == pr.sparsity(layers).size


def test_nothing_alive_leaves_a_constant():
    layers = [(jnp.zeros((5, 4)), jnp.ones(4)), (jnp.ones((4, 2)), jnp.zeros(2))]
    small = pr.prune(layers, activation=jax.nn.relu)
    assert [w.shape for w, _ in small] == [(5, 0), (0, 2)]
    np.testing.assert_allclose(forward(small, X, np.tanh), 4.0)


def test_nothing_dead_changes_nothing_and_types_are_kept():
    layers = [(jnp.asarray(w, "bfloat16"), jnp.asarray(b, "bfloat16")) for w, b in network(dead_in=(), dead_out=())]
    for one, other in zip(jax.tree.leaves(pr.prune(layers)), jax.tree.leaves(layers)):
        assert one.dtype == "bfloat16"
        np.testing.assert_array_equal(one, other)


def test_after_training_with_a_group_penalty():
    """The whole way: train, count, prune, compare."""
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((200, 5)), "float32")
    y = jnp.maximum(x[:, :1] - x[:, 1:2], 0)
    params = as_flax(
        [(jnp.asarray(w / 3, "float32"), jnp.asarray(0 * b, "float32")) for w, b in network((5, 30, 20, 1), (), ())]
    )
    pen = pr.by_path([("Dense_[01]/kernel", pr.GroupLasso(0.03, axis=0))])

    def predict(params, x):
        for k in range(2):
            x = jax.nn.relu(x @ params[f"Dense_{k}"]["kernel"] + params[f"Dense_{k}"]["bias"])
        return x @ params["Dense_2"]["kernel"] + params["Dense_2"]["bias"]

    optimiser = pr.proximal_adam(0.01, pen)
    state = optimiser.init(params)

    @jax.jit
    def step(params, state):
        grads = jax.grad(lambda params: jnp.mean((predict(params, x) - y) ** 2))(params)
        updates, state = optimiser.update(grads, state, params)
        return jax.tree.map(lambda p, u: p + u, params, updates), state

    for _ in range(500):
        params, state = step(params, state)
    table = pr.sparsity(params, pen)
    small = pr.prune(params, activation=jax.nn.relu)
    assert table.dead_groups > 10
    assert small["Dense_0"]["kernel"].shape[1] <= 30 - table.leaves[1].dead_groups
    np.testing.assert_allclose(predict(small, x), predict(params, x), atol=1e-5)
    assert pr.sparsity(small).size < 0.8 * table.size


@pytest.mark.parametrize(
    ("params", "options", "message"),
    [
        ([(jnp.ones((3, 4)), jnp.ones(4)), (jnp.ones((5, 2)), jnp.ones(2))], {}, r"0 has 4 units, but 1 takes 5"),
        ([(jnp.ones((3, 4)), jnp.ones(3))], {}, r"pass transposed=True"),
        ({"a": jnp.ones((2, 3, 4))}, {}, r"no dense layer .* it has \(2, 3, 4\)"),
        ({"a": {"w": jnp.ones((2, 3))}}, {"layers": ["b"]}, r"layers names 'b', but the tree has a"),
        (
            [{"w": jnp.zeros((2, 3)), "b": jnp.ones(3)}, {"w": jnp.ones((3, 1))}],
            {"activation": jax.nn.relu},
            r"1 needs a bias to take up",
        ),
        (
            [(jnp.zeros((2, 3)), jnp.ones(3)), (jnp.ones((3, 1)), jnp.ones(1))],
            {},
            "0 has dead units with a bias: pass activ",
        ),
        (
            {name: {"w": jnp.ones((3, 3))} for name in ("body_0", "head_a", "head_b")},
            {},
            "the names body_0, head_a, head_b tell no order: pass layers=",
        ),
        ({"in": {"w": jnp.ones((3, 3))}, "out": {"w": jnp.ones((3, 3))}}, {}, "tell no order"),
        (
            [(jnp.ones((2, 3)) * jnp.array([0.0, 1, 1]), jnp.ones(3)), (jnp.ones((3, 1)), jnp.ones(1))],
            {"activation": jax.nn.softmax},
            "not the same function",
        ),
        ([(jnp.full((2, 3), jnp.nan), jnp.ones(3)), (jnp.ones((3, 1)), jnp.ones(1))], {}, "not the same function"),
    ],
)
def test_mistakes_are_named(params, options, message):
    with pytest.raises(ValueError, match=message):
        pr.prune(params, **options)
