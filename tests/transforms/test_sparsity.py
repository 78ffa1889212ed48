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
    assert rows["dense/kernel"] == ("dense/kernel", (2, 3), "GroupLasso", 6, 3, 3, 1)
    assert rows["dense/bias"] == ("dense/bias", (3,), "L1", 3, 1, 0, 0)
    assert rows["scale"] == ("scale", (), "-", 1, 1, 0, 0)
    assert (table.size, table.nonzero, table.groups, table.dead_groups) == (10, 5, 3, 1)
    assert table.zero_fraction == 0.5
    assert isinstance(table, tuple)


def test_without_a_penalty_and_with_labelled_groups():
    assert pr.sparsity(jnp.zeros(4)).leaves == (("", (4,), "-", 4, 0, 0, 0),)
    labels = pr.GroupLasso(0.1, groups=[[5, 0, 5], [5, 0, 2]])  # labels 1, 3 and 4 have no members
    assert pr.sparsity(jnp.asarray(KERNEL), labels)[3:] == (3, 1)
    assert pr.sparsity(jnp.zeros((2, 3)), labels)[3:] == (3, 3)
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
