"""Parameters leaf by leaf: which penalty acts on each, and the update that lands on a prox."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg.penalties import Penalty, Zero, require_declared
from proxreg.penalties.by_path import at_leaf, path_name

Mask = Any  # prefix tree of booleans, a function of the parameters that returns one, or None

NO_PARAMS = (
    "You are using a transformation that requires the current value of parameters, but you are not passing `params` "
    "when calling `update`."
)


def require_arrays(params: Any) -> None:
    """Raise where a leaf is no array of numbers: a whole module was passed, its functions and keys included."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        dtype = getattr(leaf, "dtype", None) if hasattr(leaf, "shape") else None
        if isinstance(leaf, bool | int | float | complex) or (dtype is not None and _numeric(dtype)):
            continue
        raise ValueError(
            f"parameters must be arrays of numbers, {path_name(path) or 'what was passed'} is "
            f"{type(leaf).__name__ if dtype is None else dtype}: pass eqx.filter(model, eqx.is_inexact_array) of an "
            "equinox module, nnx.state(model, nnx.Param) of a flax one, and the same in update"
        )


def _numeric(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jnp.number) or jnp.issubdtype(dtype, jnp.bool_)


def check(penalty: Penalty, params: Any, mask: Mask) -> None:
    """Raises where a penalty does not fit its leaf; traces only. Placeholders without leaves pass (``map_params``)."""
    if not jax.tree.leaves(params):
        return
    require_arrays(params)
    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    for path, own, leaf in zip(paths, penalties_of(penalty, params, mask), jax.tree.leaves(params)):
        if own is not None:
            with at_leaf(path):
                require_declared(own, leaf)
                jax.eval_shape(own.value, leaf)


def penalties_of(penalty: Penalty, params: Any, mask: Mask) -> list[Penalty | None]:
    """The penalty of each leaf, None where ``mask`` is False or there is none."""
    if params is None:
        raise ValueError(NO_PARAMS)
    found = [None if isinstance(own, Zero) else own for own in penalty.per_leaf(params)]
    return [own if on else None for own, on in zip(found, jax.tree.leaves(flags(mask, params)))]


def flags(mask: Mask, params: Any) -> Any:
    """A tree of booleans like ``params``: the mask's prefix tree spread out; True where there is no mask."""
    if mask is None:
        return jax.tree.map(lambda _: True, params)
    # a module of booleans may be callable itself: only leaves that are functions make a mask a function
    functions = [callable(leaf) for leaf in jax.tree.leaves(mask)]
    tree = mask(params) if functions and all(functions) else mask

    def spread(on, part):
        if np.ndim(on) or np.asarray(on).dtype != bool:
            raise ValueError(f"mask must have booleans as leaves, got {on!r}: True for what is penalised")
        return jax.tree.map(lambda _: bool(on), part)

    return jax.tree.map(spread, tree, params)


def map_leaves(
    function: Callable[..., tuple], penalties: list[Penalty | None], params: Any, updates: Any, *trees: Any, width: int
) -> tuple:
    """``function(penalty, leaf, update, *others)`` on each leaf of ``params``: a tree for each of ``width`` results.

    Another argument is a tree like ``params`` or one number for all. Results after the first take the place of the
    arguments after ``update``, in their order: where ``updates`` has None (nothing to train) they are what they were.
    """
    leaves, structure = jax.tree.flatten(params)
    columns = [structure.flatten_up_to(updates)]
    for tree in trees:
        single = jax.tree_util.treedef_is_leaf(jax.tree.structure(tree)) and jnp.ndim(tree) == 0
        columns.append([tree] * len(leaves) if single else structure.flatten_up_to(tree))
    results = [
        (None, *others)[:width]
        if update is None
        else function(penalty, jnp.asarray(leaf), jnp.asarray(update), *others)
        for penalty, leaf, update, *others in zip(penalties, leaves, *columns)
    ]
    return tuple(structure.unflatten([result[k] for result in results]) for k in range(width))
