"""``sparsity``: what a penalty has left of a network, parameter by parameter."""

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from proxreg.penalties import Penalty, Zero
from proxreg.penalties.by_path import at_leaf, path_name


class LeafSparsity(NamedTuple):
    """One parameter of a model."""

    path: str  # as in by_path, dense_1/kernel
    shape: tuple[int, ...]
    penalty: str  # its name, "-" for none
    size: int  # number of entries
    nonzero: int  # entries that are not exactly 0.0
    groups: int  # of its group penalty, 0 without one
    dead_groups: int  # of them, those that are zero as a whole


class Sparsity(NamedTuple):
    """What ``sparsity`` returns; its ``repr`` is a table."""

    leaves: tuple[LeafSparsity, ...]  # in the order of the tree
    size: int  # entries of all leaves
    nonzero: int  # of them, not exactly 0.0
    groups: int  # of all group penalties
    dead_groups: int  # of them, zero as a whole

    @property
    def zero_fraction(self) -> float:
        """Share of entries that are exactly 0.0."""
        return 1 - self.nonzero / max(self.size, 1)

    def __repr__(self):
        total = LeafSparsity("total", (), "", *self[1:])
        rows = [("parameter", "shape", "penalty", "non-zero", "of", "zeros", "dead groups")]
        for leaf in (*self.leaves, total):
            zeros = f"{100 * (1 - leaf.nonzero / max(leaf.size, 1)):.1f} %"
            dead = f"{leaf.dead_groups:,} of {leaf.groups:,}" if leaf.groups else ""
            shape = " x ".join(map(str, leaf.shape))
            rows.append((leaf.path, shape, leaf.penalty, f"{leaf.nonzero:,}", f"{leaf.size:,}", zeros, dead))
        widths = [max(len(row[k]) for row in rows) for k in range(7)]
        pads = (str.ljust,) * 3 + (str.rjust,) * 4
        lines = ["  ".join(pad(cell, w) for pad, cell, w in zip(pads, row, widths)).rstrip() for row in rows]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def is_weights(leaf: Any) -> bool:
    """Whether a leaf is an array of floats or complex numbers, as opposed to a function, a key or a counter."""
    return hasattr(leaf, "dtype") and jax.numpy.issubdtype(leaf.dtype, jax.numpy.inexact)


def sparsity(params: Any, penalty: Penalty | None = None) -> Sparsity:
    """A table of non-zero entries and dead groups, per parameter and in total.

    Args:
      params: any tree of arrays, outside ``jit`` (it counts numbers); leaves that are no arrays of floats (functions,
        keys, counters) are left out.
      penalty: what the parameters were trained with, for the columns penalty and dead groups.

    Exact zeros are counted: weights of 1e-12 are not zero.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> params = {"dense": {"kernel": jnp.array([[0.0, 1.0], [0.0, 2.0]]), "bias": jnp.array([0.5, 0.0])}}
    >>> print(pr.sparsity(params, pr.by_path([("kernel", pr.GroupLasso(0.1, axis=0))])))
    parameter     shape  penalty     non-zero  of   zeros  dead groups
    ------------------------------------------------------------------
    dense/bias    2      -                  1   2  50.0 %
    dense/kernel  2 x 2  GroupLasso         2   4  50.0 %       1 of 2
    ------------------------------------------------------------------
    total                                   3   6  50.0 %       1 of 2
    """
    paths = jax.tree_util.tree_leaves_with_path(params)
    if any(isinstance(leaf, Tracer) for _, leaf in paths):
        raise ValueError("sparsity counts numbers and makes a table: call it outside jit, grad and vmap")
    penalties = (Zero() if penalty is None else penalty).per_leaf(params)
    rows = []
    for (path, leaf), own in zip(paths, penalties):
        if not is_weights(leaf):
            continue
        with at_leaf(path):
            norms = own.group_norms(leaf)
        groups, dead = (0, 0) if norms is None else (norms.size, int(np.sum(np.asarray(norms) == 0)))
        name = "-" if isinstance(own, Zero) else type(own).__name__
        shape, count = np.shape(leaf), int(np.count_nonzero(leaf))
        rows.append(LeafSparsity(path_name(path), shape, name, int(np.prod(shape)), count, groups, dead))
    return Sparsity(tuple(rows), *(sum(row[k] for row in rows) for k in range(3, 7)))
