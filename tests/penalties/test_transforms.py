"""Penalties are pytrees: they pass through jit, vmap and tree.map, and act on pytrees of parameters."""

import dataclasses
import re

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg import penalties
from tests.penalties import evaluate as ev


@ev.every
def test_pytree_round_trip(case):
    leaves, structure = jax.tree.flatten(case.penalty)
    again = jax.tree.unflatten(structure, leaves)
    assert type(again) is type(case.penalty)
    for field in dataclasses.fields(case.penalty):
        one, other = (getattr(penalty, field.name) for penalty in (again, case.penalty))
        assert jax.tree.structure(one) == jax.tree.structure(other)
        assert all(a is b for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other)))
    assert hash(structure) == hash(jax.tree.structure(again))
    assert all(isinstance(leaf, (float, np.ndarray)) for leaf in leaves)
    doubled = jax.tree.map(lambda leaf: 2 * leaf, case.penalty)
    np.testing.assert_array_equal(jax.tree.leaves(doubled)[:1], [2 * leaf for leaf in leaves[:1]])
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(case.penalty)]
    fields = [f.name for f in dataclasses.fields(case.penalty)]
    assert all(any(re.match(rf"\.{name}\b", path) for name in fields) for path in paths)


@ev.every
def test_placeholders_pass_through(case):
    """JAX rebuilds trees of objects, None and bools: no check may run on those."""
    for placeholder in (object(), None, True, "name"):
        assert type(jax.tree.map(lambda _, x=placeholder: x, case.penalty)) is type(case.penalty)


@ev.every
def test_not_callable_and_compared_by_identity(case):
    assert not callable(case.penalty)
    assert case.penalty == case.penalty
    assert case.penalty != jax.tree.map(lambda leaf: leaf, case.penalty)


@ev.every
def test_eager_jit_and_vmap_agree(case):
    v, t = ev.points(case)
    w = case.domain(v)
    both_ways = [lambda penalty, v, w, t: (penalty.prox(v, t), penalty.value(w), penalty.subgradient(w, v))]
    if case.id in ("l1", "elastic_net", "group_lasso-scattered", "box"):
        both_ways.append(jax.jit(both_ways[0]))
    with jax.enable_x64(True):
        for i in (7, 8):
            expected = ev.prox(case, v, t)[i], ev.value(case, w)[i], ev.subgradient(case, w, v)[i]
            for answers in both_ways:
                chex.assert_trees_all_close(answers(case.penalty, v[i], w[i], t[i]), expected, rtol=1e-14, atol=1e-14)


V = np.array([3.0, -0.5, 0.2, -2.0], np.float32)
FAMILIES = {
    "l1": lambda alpha: pr.L1(alpha),
    "l1-positive": lambda alpha: pr.L1(alpha, positive=True),
    "l2": lambda alpha: pr.L2(alpha),
    "elastic_net": lambda alpha: pr.ElasticNet(alpha, 0.3),
    "group_lasso": lambda alpha: pr.GroupLasso(alpha, groups=[0, 1, 0, 1], weights=np.array([0.5, 2.0])),
    "box": lambda bound: pr.Box(-1.0, bound),
}


@pytest.mark.parametrize("make", FAMILIES.values(), ids=FAMILIES)
def test_one_trace_and_vmap_for_a_grid_of_strengths(make):
    """Made anew for each strength, as a user would; and made inside the transformation."""
    grid = np.geomspace(0.01, 2.5, 7).tolist()
    chex.clear_trace_counter()
    prox = jax.jit(chex.assert_max_traces(lambda penalty, v: penalty.prox(v, 0.8), n=1))
    loop = np.stack([prox(make(alpha), V) for alpha in grid])
    assert len({row.tobytes() for row in loop}) == 7
    batched = jax.vmap(lambda alpha: make(alpha).prox(V, 0.8))(jnp.array(grid))
    np.testing.assert_allclose(batched, loop, rtol=1e-6, atol=1e-7)


def test_a_batched_penalty_is_a_penalty_with_batched_leaves():
    grid = jnp.array([0.1, 1.0, 2.0])
    batch = jax.vmap(lambda alpha, ratio: pr.ElasticNet(alpha, ratio))(grid, grid / 2)
    np.testing.assert_array_equal(batch.alpha, grid)
    each = jax.vmap(lambda penalty: penalty.value(V))(batch)
    np.testing.assert_allclose(each, [pr.ElasticNet(a, a / 2).value(V) for a in grid], rtol=1e-6)


def test_equal_groupings_share_a_trace_and_others_do_not():
    chex.clear_trace_counter()
    value = jax.jit(chex.assert_max_traces(lambda penalty: penalty.value(V), n=2))
    for labels in ([0, 0, 1, 1], np.array([0, 0, 1, 1]), [0, 1, 1, 0], [0, 1, 1, 0]):
        value(pr.GroupLasso(1.0, groups=labels))
    assert value(pr.GroupLasso(1.0, groups=[0, 0, 1, 1])) != value(pr.GroupLasso(1.0, groups=[0, 1, 1, 0]))


@pytest.mark.parametrize("penalty", [pr.L1(0.7), pr.GroupLasso(0.7), pr.GroupLasso(0.7, axis=0)], ids=repr)
def test_pytrees_of_parameters(penalty):
    """Values add up over leaves, maps act leaf by leaf, certificates take the worst leaf."""
    w = {"dense": {"kernel": jnp.array([[3.0, 0.1], [-4.0, 0.2]])}, "scale": (jnp.array([0.3, -2.0]),)}
    g = jax.tree.map(jnp.cos, w)
    leaves, grads = jax.tree.leaves(w), jax.tree.leaves(g)
    chex.assert_trees_all_close(penalty.prox(w, 0.5), jax.tree.map(lambda x: penalty.prox(x, 0.5), w))
    chex.assert_trees_all_close(penalty.subgradient(w), jax.tree.map(penalty.subgradient, w))
    chex.assert_trees_all_close(penalty.subgradient(w, g), jax.tree.map(penalty.subgradient, w, g))
    np.testing.assert_allclose(penalty.value(w), sum(map(penalty.value, leaves)), rtol=1e-6)
    np.testing.assert_allclose(penalty.conjugate(g), sum(map(penalty.conjugate, grads)), rtol=1e-6)
    np.testing.assert_allclose(penalty.alpha_max(g), max(map(penalty.alpha_max, grads)), rtol=1e-6)
    np.testing.assert_allclose(penalty.dual_scale(w, g), min(map(penalty.dual_scale, leaves, grads)), rtol=1e-6)


def test_steps_may_be_a_tree_like_the_parameters():
    w = {"a": jnp.array([3.0, -3.0]), "b": jnp.array([3.0])}
    p = pr.L1(1.0).prox(w, {"a": jnp.array([1.0, 2.0]), "b": 0.5})
    chex.assert_trees_all_close(p, {"a": jnp.array([2.0, -1.0]), "b": jnp.array([2.5])})


@ev.one_per_class
def test_methods_are_the_module_s_functions(case):
    """``pr.l1.prox(v, step, alpha)`` and ``pr.L1(alpha).prox(v, step)`` are one thing."""
    if isinstance(case.penalty, pr.ByPath):
        pytest.skip("is made of penalties, not of functions")
    module = getattr(pr, type(case.penalty).__module__.rsplit(".", 1)[1])
    assert module is getattr(penalties, module.__name__.rsplit(".", 1)[1])
    fields = {f.name: getattr(case.penalty, f.name) for f in dataclasses.fields(case.penalty)}
    v, g = ev.normal(case, 0, 2).astype(np.float32)
    np.testing.assert_array_equal(module.prox(v, 0.8, **fields), case.penalty.prox(v, 0.8))
    np.testing.assert_array_equal(module.prox(v, 0.8, **fields), case.penalty.prox(v, step=0.8))
    np.testing.assert_array_equal(module.value(v, **fields), case.penalty.value(v))
    np.testing.assert_array_equal(module.subgradient(v, grad=g, **fields), case.penalty.subgradient(v, g))
    np.testing.assert_array_equal(module.conjugate(v, **fields), case.penalty.conjugate(v))
    np.testing.assert_array_equal(module.dual_scale(v, g, **fields), case.penalty.dual_scale(v, grad=g))


def test_module_functions_take_parameters_by_position():
    np.testing.assert_allclose(pr.l1.prox(V, 1.0, 0.5), [2.5, 0, 0, -1.5])
    np.testing.assert_allclose(pr.l1.subgradient(V, 0.5, 1.0), [1.5, 0.5, 1.5, 0.5])
    np.testing.assert_allclose(pr.elastic_net.prox(V, 1.0, 1.0, 0.5), [5 / 3, 0, 0, -1], rtol=1e-6)
    np.testing.assert_allclose(pr.group_lasso.value(V, 2.0, groups=[0, 1, 1, 0]), 2 * (13**0.5 + 0.29**0.5), rtol=1e-6)
    np.testing.assert_allclose(pr.box.prox(V, 1.0, -1.0, 2.0), [2, -0.5, 0.2, -1])
