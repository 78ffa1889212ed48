"""``sparsity``: what a penalty has left of a network, parameter by parameter."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.core import Tracer

from proxreg.penalties import Penalty, Zero
from proxreg.penalties.by_path import at_leaf, path_name

#: what flax keeps beside parameters: classes of nnx variables, and collections of linen
STATE_VARIABLES = frozenset(("BatchStat", "Cache", "Intermediate", "Perturbation", "RngState"))
STATE_COLLECTIONS = frozenset(("batch_stats", "cache", "intermediates", "perturbations"))


class LeafSparsity(NamedTuple):
    """One parameter of a model."""

    path: str  # as in by_path, dense_1/kernel
    shape: tuple[int, ...]
    penalty: str  # its name, "-" for none
    size: int  # number of entries
    nonzero: int  # numbers that are not exactly 0.0
    groups: int  # of its group penalty, 0 without one
    dead_groups: int  # of them, those that are zero as a whole
    nan: int = 0  # entries that are no number


class Sparsity(NamedTuple):
    """What ``sparsity`` returns; its ``repr`` is a table."""

    leaves: tuple[LeafSparsity, ...]  # in the order of the tree
    size: int  # entries of all leaves
    nonzero: int  # of them, numbers that are not exactly 0.0
    groups: int  # of all group penalties
    dead_groups: int  # of them, zero as a whole
    nan: int = 0  # entries that are no number

    @property
    def zero_fraction(self) -> float:
        """Share of entries that are exactly 0.0."""
        return _zero_share(self)

    def __repr__(self):
        total = LeafSparsity("total", (), "", *self[1:])
        titles = ("parameter", "shape", "penalty", "non-zero", "of", "zeros", "dead groups")
        rows: list[tuple[str, ...]] = [titles + ("NaN",) * bool(self.nan)]
        for leaf in (*self.leaves, total):
            dead = f"{leaf.dead_groups:,} of {leaf.groups:,}" if leaf.groups else ""
            counts = f"{leaf.nonzero:,}", f"{leaf.size:,}", f"{100 * _zero_share(leaf):.1f} %", dead
            shape = " x ".join(map(str, leaf.shape))
            rows.append((leaf.path, shape, leaf.penalty, *counts) + (f"{leaf.nan:,}",) * bool(self.nan))
        widths = [max(map(len, column)) for column in zip(*rows)]
        pads = (str.ljust,) * 3 + (str.rjust,) * 5
        lines = ["  ".join(pad(cell, w) for pad, cell, w in zip(pads, row, widths)).rstrip() for row in rows]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _zero_share(counts: LeafSparsity | Sparsity) -> float:
    return (counts.size - counts.nonzero - counts.nan) / counts.size if counts.size else 0.0


def is_weights(leaf: Any) -> bool:
    """Whether a leaf is an array of floats or complex numbers, as opposed to a function, a key or a counter."""
    return hasattr(leaf, "dtype") and jax.numpy.issubdtype(leaf.dtype, jax.numpy.inexact)


def _is_state(node: Any) -> bool:
    """Return whether a node is a variable of flax.nnx that no optimiser trains, such as a batch statistic."""
    kind = getattr(node, "type", None)
    kind = kind if isinstance(kind, type) else type(node)
    return any(cls.__name__ in STATE_VARIABLES and cls.__module__.startswith("flax.") for cls in kind.__mro__)


def _trained(params: Any) -> list[bool]:
    """Return for each leaf, in the order of ``jax.tree.leaves``, whether it is a parameter rather than a state."""
    whole = isinstance(params, Mapping) and "params" in params  # the variables of a flax.linen model
    trained = []
    for path, node in jax.tree_util.tree_leaves_with_path(params, is_leaf=_is_state):
        beside = whole and getattr(path[0], "key", None) in STATE_COLLECTIONS
        trained += [not (beside or _is_state(node))] * len(jax.tree.leaves(node))
    return trained


def sparsity(params: Any, penalty: Penalty | None = None) -> Sparsity:
    """A table of non-zero entries and dead groups, per parameter and in total.

    Args:
      params: any tree of arrays, outside ``jit`` (it counts numbers); leaves that are no arrays of floats (functions,
        keys, counters) are left out, and so is what flax keeps beside parameters: batch statistics, caches.
      penalty: what the parameters were trained with, for the columns penalty and dead groups.

    Exact zeros are counted: weights of 1e-12 are not zero. NaN is neither zero nor a number: where there is any, a
    column counts it.

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
    for (path, leaf), own, trained in zip(paths, penalties, _trained(params)):
        if not (trained and is_weights(leaf)):
            continue
        with at_leaf(path):
            norms = own.group_norms(leaf)
        groups, dead = (0, 0) if norms is None else (norms.size, int(np.sum(np.asarray(norms) == 0)))
        name = "-" if isinstance(own, Zero) else type(own).__name__
        shape, nan = np.shape(leaf), int(np.count_nonzero(jax.numpy.isnan(leaf)))
        count = int(np.count_nonzero(leaf)) - nan
        rows.append(LeafSparsity(path_name(path), shape, name, int(np.prod(shape)), count, groups, dead, nan))
    return Sparsity(tuple(rows), *(sum(row[k] for row in rows) for k in range(3, 8)))
