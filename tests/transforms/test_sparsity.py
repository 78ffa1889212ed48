"""The table counts what NumPy counts, and says where."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr

KERNEL = np.array([[0.0, 1.0, 0.0], [0.0, -2.0, 1e-30]], "float32")
PARAMS = {"dense": {"kernel": jnp.asarray(KERNEL), "bias": jnp.array([0.0, 1.0, -0.0])}, "scale": jnp.array(2.0)}


def test_counts():
    table = pr.sparsity(PARAMS, pr.by_path([("kernel", pr.GroupLasso(0.1, axis=0)), ("bias", pr.L1(0.1))]))
    rows = {leaf.path: leaf for leaf in table.leaves}
    assert rows["dense/kernel"] == ("dense/kernel", (2, 3), "GroupLasso", 6, 3, 3, 1, 0)
    assert rows["dense/bias"] == ("dense/bias", (3,), "L1", 3, 1, 0, 0, 0)
    assert rows["scale"] == ("scale", (), "-", 1, 1, 0, 0, 0)
    assert (table.size, table.nonzero, table.groups, table.dead_groups) == (10, 5, 3, 1)
    assert table.zero_fraction == 0.5
    assert isinstance(table, tuple)


def test_without_a_penalty_and_with_labelled_groups():
    assert pr.sparsity(jnp.zeros(4)).leaves == (("", (4,), "-", 4, 0, 0, 0, 0),)
    labels = pr.GroupLasso(0.1, groups=[[5, 0, 5], [5, 0, 2]])  # labels 1, 3 and 4 have no members
    assert pr.sparsity(jnp.asarray(KERNEL), labels)[3:5] == (3, 1)
    assert pr.sparsity(jnp.zeros((2, 3)), labels)[3:5] == (3, 3)
    assert pr.sparsity({}).size == 0


def test_the_table_reads_well():
    text = repr(pr.sparsity(PARAMS, pr.GroupLasso(0.1)))
    lines = text.splitlines()
    assert lines[0].split() == ["parameter", "shape", "penalty", "non-zero", "of", "zeros", "dead", "groups"]
    assert len(lines) == 1 + 1 + 3 + 1 + 1
    assert lines[3].split() == ["dense/kernel", "2", "x", "3", "GroupLasso", "3", "6", "50.0", "%", "0", "of", "1"]
    assert lines[-1].startswith("total")
    assert all(line == line.rstrip() and len(line) < 100 for line in lines)


def test_inside_jit_it_says_so():
    with pytest.raises(ValueError, match="call it outside jit"):
        jax.jit(lambda p: pr.sparsity(p).nonzero)(PARAMS)


def test_nan_is_neither_zero_nor_a_number():
    params = {"a": jnp.array([0.0, jnp.nan, 1.0, jnp.nan]), "b": jnp.array([[0.0, jnp.nan], [0.0, 0.0]])}
    table = pr.sparsity(params, pr.GroupLasso(0.1, axis=0))
    assert [(leaf.nonzero, leaf.nan, leaf.dead_groups) for leaf in table.leaves] == [(1, 2, 0), (0, 1, 1)]
    assert (table.size, table.nonzero, table.nan) == (8, 1, 3)
    assert table.zero_fraction == 4 / 8
    lines = repr(table).splitlines()
    assert lines[0].split()[-1] == "NaN"
    assert lines[2].split()[3:] == ["1", "4", "25.0", "%", "0", "of", "1", "2"]
    assert lines[-1].split() == ["total", "1", "8", "50.0", "%", "1", "of", "3", "3"]
    assert "NaN" not in repr(pr.sparsity(PARAMS))
    assert pr.sparsity({"half": jnp.array([jnp.nan, 0.0], jnp.bfloat16)}).nan == 1


def variable(name, *bases):
    """A class of variables, as flax.nnx has them, without flax."""
    made = type(name, bases or (object,), {"__init__": lambda self, value: setattr(self, "value", value)})
    made.__module__ = "flax.nnx.variablelib"

    def children(node):
        return ((jax.tree_util.GetAttrKey("value"), node.value),), None

    jax.tree_util.register_pytree_with_keys(made, children, lambda _, values: made(*values))
    return made


def test_batch_statistics_of_a_whole_module_are_no_parameters():
    Variable = variable("Variable")
    Param, BatchStat = variable("Param", Variable), variable("BatchStat", Variable)
    Own, LoRAParam = variable("RunningMean", BatchStat), variable("LoRAParam", Param)
    kept = {"kernel": Param(jnp.ones(3)), "low": LoRAParam(jnp.array([0.0, 1.0])), "plain": jnp.zeros(2)}
    model = {"mean": BatchStat(jnp.zeros(5)), "other": {"mean": Own(jnp.zeros(7))}, **kept}
    assert pr.sparsity(model) == pr.sparsity(kept)
    assert [leaf.path.split("/")[0] for leaf in pr.sparsity(model, pr.L1(0.1)).leaves] == ["kernel", "low", "plain"]
    linen = {"params": kept, "batch_stats": {"bn": {"mean": jnp.zeros(4)}}}
    assert pr.sparsity(linen).size == 7
    assert pr.sparsity({"batch_stats": jnp.zeros(4)}).size == 4  # a parameter that is called so
