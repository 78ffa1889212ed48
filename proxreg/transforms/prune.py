"""``prune``: the hidden units that a penalty has killed are taken out of a stack of dense layers."""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from proxreg.penalties.by_path import path_name
from proxreg.transforms.sparsity import is_weights


class _Layer(NamedTuple):
    """One dense layer ``y = x @ kernel + bias``, and where its arrays are among the leaves of the tree."""

    name: str
    kernel: np.ndarray  # (inputs, units), whatever the order in the tree
    bias: np.ndarray | None
    kernel_at: int
    bias_at: int | None


def prune(
    params: Any,
    *,
    activation: Callable[[Any], Any] | None = None,
    layers: Sequence[str] | None = None,
    transposed: bool = False,
) -> Any:
    """Removes dead hidden units from a stack of dense layers: smaller arrays, the same function, which is checked.

    For ``x -> activation(x @ kernel_1 + bias_1) -> ... -> @ kernel_n + bias_n``. A hidden unit goes when all weights
    into it are exactly zero (its constant ``activation(bias)`` moves into the next bias) or all weights out of it are;
    and whatever dies with it, until nothing changes. Inputs and outputs of the stack stay. The check runs this stack
    on random inputs before and after: whether it is your network, only you know.

    Args:
      params: any tree with a matrix and at most one vector (the bias) per layer, as flax, haiku, equinox or code of
        one's own has them: ``{"dense_1": {"kernel": ..., "bias": ...}, ...}`` or ``[(W, b), ...]``.
      activation: elementwise, after every layer but the last, such as ``jax.nn.relu``. If left out it is taken to be 0
        at 0, as nearly all are, and a dead unit with another bias is an error.
      layers: paths of the layers from input to output, such as ``["encoder/dense_0", "encoder/dense_1"]``; what is
        not named stays untouched. If left out, all of the tree, in the order of a list or of the numbers in the names
        (2 before 10); other names tell no order and are an error.
      transposed: kernels are ``(units, inputs)``, as in equinox and PyTorch.

    Returns the tree with smaller arrays in their dtypes; a layer may be left with no unit at all. ``ValueError`` if the
    shapes do not chain, if a constant has no bias to go to, or if both networks disagree on random inputs. Wrong where
    something else (normalisation over units, residual connections, convolutions) sits between the layers.

    >>> import jax, jax.numpy as jnp, proxreg as pr
    >>> first = (jnp.array([[1.0, 0.0], [2.0, 0.0]]), jnp.array([0.0, 3.0]))
    >>> second = (jnp.array([[1.0], [2.0]]), jnp.array([0.5]))
    >>> for kernel, bias in pr.prune([first, second], activation=jax.nn.relu):
    ...     print(kernel.shape, bias)
    (2, 1) [0.]
    (1, 1) [6.5]
    """
    leaves, structure = jax.tree.flatten(params)
    stack = _stack(params, layers, transposed)
    small = _without_dead_units(stack, activation)
    _require_same_function(stack, small, jax.nn.relu if activation is None else activation)
    for before, after in zip(stack, small):
        kernel = after.kernel.T if transposed else after.kernel
        leaves[before.kernel_at] = jax.numpy.asarray(kernel, leaves[before.kernel_at].dtype)
        if before.bias_at is not None:
            leaves[before.bias_at] = jax.numpy.asarray(after.bias, leaves[before.bias_at].dtype)
    return structure.unflatten(leaves)


def _stack(params: Any, names: Sequence[str] | None, transposed: bool) -> list[_Layer]:
    """The dense layers of the tree from input to output."""
    found: dict[str, list[int]] = {}
    arrays = []
    for index, (path, leaf) in enumerate(jax.tree_util.tree_leaves_with_path(params)):
        arrays.append(np.asarray(leaf) if is_weights(leaf) else None)
        if arrays[-1] is not None:
            found.setdefault(path_name(path).rpartition("/")[0], []).append(index)
    names = _in_order(found) if names is None else names
    unknown = [name for name in names if name not in found]
    if unknown:
        raise ValueError(f"layers names {unknown[0]!r}, but the tree has {', '.join(found)}")
    stack = []
    for name in names:
        matrices = [i for i in found[name] if arrays[i].ndim == 2]
        vectors = [i for i in found[name] if arrays[i].ndim == 1]
        if len(matrices) != 1 or len(vectors) > 1 or len(found[name]) != len(matrices) + len(vectors):
            shapes = ", ".join(str(arrays[i].shape) for i in found[name])
            raise ValueError(
                f"{name or 'the root'} is no dense layer (one matrix, at most one vector), it has {shapes}: "
                "name the dense layers with layers="
            )
        # float64, so that moving constants between biases rounds once only
        kernel = arrays[matrices[0]].astype(np.float64)
        bias = arrays[vectors[0]].astype(np.float64) if vectors else None
        at = vectors[0] if vectors else None
        stack.append(_Layer(name, kernel.T if transposed else kernel, bias, matrices[0], at))
    for layer in stack:
        if layer.bias is not None and layer.bias.shape != layer.kernel.shape[1:]:
            hint = "" if transposed else "; if kernels are (units, inputs), pass transposed=True"
            raise ValueError(f"{layer.name} has {layer.kernel.shape[1]} units and a bias of {layer.bias.size}{hint}")
    for one, two in itertools.pairwise(stack):
        if one.kernel.shape[1] != two.kernel.shape[0]:
            raise ValueError(
                f"{one.name} has {one.kernel.shape[1]} units, but {two.name} takes {two.kernel.shape[0]}: pass the "
                "order as layers=, from input to output, or transposed=True if kernels are (units, inputs)"
            )
    return stack


def _in_order(names: Iterable[str]) -> list[str]:
    """By their numbers; an error where names differ in anything else."""
    pieces = {name: re.split(r"(\d+)", name) for name in names}
    if len({tuple(parts[::2]) for parts in pieces.values()}) > 1:
        raise ValueError(
            f"the names {', '.join(pieces)} tell no order: pass layers=, their paths from the input to the output"
        )
    return sorted(pieces, key=lambda name: [int(number) for number in pieces[name][1::2]])


def _without_dead_units(stack: list[_Layer], activation: Callable | None) -> list[_Layer]:
    stack = list(stack)
    changed = True
    while changed:
        changed = False
        for k in range(len(stack) - 1):
            one, two = stack[k], stack[k + 1]
            constant, unused = ~one.kernel.any(axis=0), ~two.kernel.any(axis=1)
            dead = constant | unused
            if not dead.any():
                continue
            changed = True
            bias = np.zeros(one.kernel.shape[1]) if one.bias is None else one.bias
            moving = dead & ~unused
            if activation is None and np.any(bias[moving]):
                raise ValueError(f"{one.name} has dead units with a bias: pass activation=, such as jax.nn.relu")
            level = bias if activation is None else np.asarray(activation(jax.numpy.asarray(bias)), np.float64)
            shift = np.where(moving, level, 0) @ two.kernel
            if two.bias is None and shift.any():
                raise ValueError(f"{two.name} needs a bias to take up the constants of the dead units of {one.name}")
            stack[k] = one._replace(kernel=one.kernel[:, ~dead], bias=None if one.bias is None else one.bias[~dead])
            stack[k + 1] = two._replace(kernel=two.kernel[~dead], bias=None if two.bias is None else two.bias + shift)
    return stack


def _require_same_function(stack: list[_Layer], small: list[_Layer], activation: Callable) -> None:
    inputs = np.random.default_rng(0).standard_normal((64, stack[0].kernel.shape[0]))

    def outputs(layers):
        x = inputs
        for k, layer in enumerate(layers):
            x = x @ layer.kernel + (0 if layer.bias is None else layer.bias)
            if k < len(layers) - 1:
                x = np.asarray(activation(jax.numpy.asarray(x)), np.float64)
        return x

    before, after = outputs(stack), outputs(small)
    scale = np.max(np.abs(before), initial=1e-30)
    if not np.max(np.abs(before - after), initial=0.0) <= 1e-4 * scale:
        raise ValueError(
            "the pruned network is not the same function: activation must act elementwise, and weights be finite"
        )
