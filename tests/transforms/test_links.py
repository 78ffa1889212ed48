"""The links one at a time: what each does to an update, by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr

W = jnp.array([1.0, -0.5, 0.02, 0.0])
G = jnp.array([0.5, 0.5, -0.1, 3.0])


def after(link, updates=G, params=W, num_steps=1):
    """The updates of the last of some calls on the same input."""
    state = link.init(params)
    for _ in range(num_steps - 1):
        _, state = link.update(updates, state, params)
    return link.update(updates, state, params)[0]


def test_proximal_takes_the_schedule_where_the_chain_is():
    schedule = optax.piecewise_constant_schedule(1.0, {2: 0.1})
    link = pr.proximal(pr.L1(1.0), schedule)
    soft = [jnp.sign(v) * jnp.maximum(jnp.abs(v) - t, 0) - W for v, t in [(W + G, 1.0), (W + G, 1.0), (W + G, 0.1)]]
    for k, expected in enumerate(soft):
        np.testing.assert_allclose(after(link, num_steps=k + 1), expected, atol=1e-6)


def test_step_and_strength_multiply_and_may_be_trees_or_functions():
    d = jnp.array([0.1, 0.5, 1.0, 2.0])
    expected = jnp.sign(W + G) * jnp.maximum(jnp.abs(W + G) - 0.3 * d, 0) - W
    links = [
        pr.proximal(pr.L1(0.3), step=d),
        pr.proximal(pr.L1(0.3), 7.0, step=d),
        pr.proximal(pr.L1(0.6), step=d, strength=0.5),
        pr.proximal(pr.L1(0.3), step=lambda count: d * (1 + count)),
        pr.proximal(pr.L1(0.3 * d), 1.0),
        pr.proximal(pr.L1(0.3), step=d, strength=optax.constant_schedule(1.0)),
    ]
    for link in links:
        np.testing.assert_allclose(after(link), expected, atol=1e-6)
    tree = pr.proximal(pr.L1(0.3), step={"a": d, "b": 0.0})
    found = after(tree, {"a": G, "b": G}, {"a": W, "b": W})
    np.testing.assert_allclose(found["a"], expected, atol=1e-6)
    np.testing.assert_array_equal(found["b"], G)


def test_a_step_that_differs_within_a_group_is_refused():
    pen = pr.GroupLasso(0.3, groups=[0, 0, 1, 1])
    pr.proximal(pen, step=jnp.array([0.1, 0.1, 0.5, 0.5])).init(W)
    with pytest.raises(ValueError, match="step must be the same for all entries of a group"):
        pr.proximal(pen, step=jnp.array([0.1, 0.2, 0.5, 0.5])).init(W)


@pytest.mark.parametrize("mask", [{"a": True, "b": False}, lambda params: {"a": True, "b": {"c": False}}])
def test_masks_are_prefixes_or_functions(mask):
    params = {"a": W, "b": {"c": W}}
    found = after(pr.proximal(pr.L1(100.0), 1.0, mask=mask), jax.tree.map(lambda _: G, params), params)
    np.testing.assert_array_equal(found["a"], -W)
    np.testing.assert_array_equal(found["b"]["c"], G)


def test_subgradients_are_added_before_or_after_the_rate():
    np.testing.assert_allclose(after(pr.add_subgradient(pr.L1(0.3))), G + 0.3 * np.sign(W), atol=1e-7)
    np.testing.assert_allclose(after(pr.add_subgradient(pr.L2(0.3), mask=True)), G + 0.3 * W, atol=1e-7)
    np.testing.assert_array_equal(after(pr.add_subgradient(pr.L2(0.3), mask=False)), G)
    np.testing.assert_array_equal(after(pr.add_subgradient(pr.L2(0.3), False)), G)
    rate = optax.piecewise_constant_schedule(0.1, {1: 0.5})
    link = pr.decoupled_shrinkage(pr.ElasticNet.from_strengths(0.3, 0.2), rate)
    for k, lr in enumerate([0.1, 0.05]):
        np.testing.assert_allclose(after(link, num_steps=k + 1), G - lr * (0.3 * np.sign(W) + 0.2 * W), atol=1e-7)


def test_decoupled_l2_is_adamw():
    ours = optax.chain(optax.adam(0.1), pr.decoupled_shrinkage(pr.L2(0.05), 0.1))
    np.testing.assert_allclose(
        after(ours, num_steps=5), after(optax.adamw(0.1, weight_decay=0.05), num_steps=5), rtol=1e-5
    )


def test_the_gradient_mapping_is_a_gradient_where_nothing_is_penalised_and_a_step_with_sgd():
    np.testing.assert_allclose(after(pr.gradient_mapping(pr.Zero(), 0.3)), G, atol=1e-6)
    step = optax.chain(pr.gradient_mapping(pr.L1(0.5), 0.3), optax.sgd(0.3))
    link = optax.chain(optax.sgd(0.3), pr.proximal(pr.L1(0.5), 0.3))
    np.testing.assert_allclose(after(step), after(link), atol=1e-6)


def test_debias_freezes_the_zeros_of_init_and_nothing_else():
    params = {"kernel": jnp.array([0.0, 1.0, 0.0, -2.0]), "bias": jnp.zeros(2)}
    grads = jax.tree.map(jnp.ones_like, params)
    optimiser = pr.debias(optax.adamw(0.1, weight_decay=0.1), mask={"kernel": True, "bias": False})
    state = optimiser.init(params)
    for _ in range(20):
        updates, state = jax.jit(optimiser.update)(grads, state, params)
        params = optax.apply_updates(params, updates)
    np.testing.assert_array_equal(params["kernel"] == 0, [True, False, True, False])
    assert np.all(params["bias"] != 0)
    # a survivor that passes through zero later is not caught
    link = pr.debias()
    start = jnp.array([0.0, 1.0])
    state = link.init(start)
    _, state = link.update(jnp.array([1.0, -1.0]), state, start)
    updates, _ = link.update(jnp.array([1.0, 1.0]), state, jnp.zeros(2))
    np.testing.assert_array_equal(updates, [0.0, 1.0])


def test_debias_removes_the_shrinkage_of_the_lasso():
    """The relaxed lasso: least squares on the support that the lasso found."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((80, 10))
    y = X @ np.array([2.0, -1.0, *np.zeros(8)]) + 0.1 * rng.standard_normal(80)

    def train(optimiser, w):
        state = optimiser.init(w)
        step = jax.jit(lambda w, state: optimiser.update(X.T @ (X @ w - y) / 80, state, w))
        for _ in range(400):
            updates, state = step(w, state)
            w = optax.apply_updates(w, updates)
        return np.asarray(w)

    lasso = train(pr.proximal_sgd(0.3, l1=0.2), jnp.zeros(10))
    relaxed = train(pr.debias(optax.sgd(0.3)), jnp.asarray(lasso))
    support = lasso != 0
    assert support.tolist() == [True, True, *[False] * 8]
    np.testing.assert_allclose(relaxed[support], np.linalg.lstsq(X[:, support], y)[0], rtol=1e-4)
    np.testing.assert_array_equal(relaxed == 0, lasso == 0)
    assert np.all(np.abs(relaxed[support]) > np.abs(lasso[support]) + 0.1)
