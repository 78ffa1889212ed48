"""Frozen dataclasses that are pytrees: hyper-parameters are leaves, structure is static."""

import dataclasses
import typing
from typing import Any, TypeVar

import jax
import numpy as np
from jax.core import Tracer

from proxreg._static_fields import register_serialization

Array = jax.Array
ArrayLike = Any
PyTree = Any
T = TypeVar("T")


def static(default: Any = dataclasses.MISSING) -> Any:
    """Declares a field that a Python ``if`` may read: part of the tree's structure, hashed by ``jit``."""
    return dataclasses.field(default=default, metadata={"static": True})


@typing.dataclass_transform(eq_default=False, frozen_default=True, field_specifiers=(static, dataclasses.field))
def pytree_dataclass(cls: type[T]) -> type[T]:
    """Makes a class a frozen dataclass whose fields are pytree leaves, except those declared ``static``.

    There is no ``__eq__`` (arrays have no truth value) and ``__post_init__`` runs for the user's own calls
    only: JAX rebuilds objects from tracers and placeholders, which no check could read. ``jax.export`` can serialise
    the tree by the class's module and name, where its static fields are numbers, strings or tuples of these.

    >>> import jax
    >>> @pytree_dataclass
    ... class Scaled:
    ...     alpha: float
    ...     positive: bool = static(default=False)
    >>> jax.tree.leaves(Scaled(2.0))
    [2.0]
    """
    cls = dataclasses.dataclass(frozen=True, eq=False)(cls)
    names = [field.name for field in dataclasses.fields(cls)]  # pyright: ignore[reportArgumentType]
    fixed = {f.name for f in dataclasses.fields(cls) if f.metadata.get("static")}  # pyright: ignore[reportArgumentType]
    leaves = tuple(name for name in names if name not in fixed)
    structure = tuple(name for name in names if name in fixed)

    def flatten_with_keys(obj):
        children = tuple((jax.tree_util.GetAttrKey(name), getattr(obj, name)) for name in leaves)
        return children, tuple(getattr(obj, name) for name in structure)

    def flatten(obj):
        return tuple(getattr(obj, name) for name in leaves), tuple(getattr(obj, name) for name in structure)

    def unflatten(aux, children):
        obj = object.__new__(cls)
        for name, value in (*zip(leaves, children), *zip(structure, aux)):
            object.__setattr__(obj, name, value)
        return obj

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    register_serialization(cls)
    return cls


def replace(obj: T, **changes: Any) -> T:
    """A copy with some fields changed and no check run again, so that it serves inside ``jit`` as well."""
    new = object.__new__(type(obj))
    for field in dataclasses.fields(obj):  # pyright: ignore[reportArgumentType]
        object.__setattr__(new, field.name, changes.pop(field.name, getattr(obj, field.name)))
    if changes:
        raise ValueError(f"{type(obj).__name__} has no field {sorted(changes)[0]!r}")
    return new


def concrete(value: Any) -> np.ndarray | None:
    """The numbers behind ``value``, or None inside a JAX transformation, where they are not known."""
    if value is None or isinstance(value, Tracer):
        return None
    return np.asarray(value)


def strong(tree: PyTree, *, integers: bool = True) -> PyTree:
    """The tree with single numbers as arrays of JAX's float type: ``jit`` sees 1, 1.0 and ``np.float32(1)`` alike.

    Without ``integers`` whole numbers stay: what a user's function takes may be an index.
    """

    def leaf(x):
        kind = jax.numpy.result_type(x)
        whole = integers and jax.numpy.issubdtype(kind, jax.numpy.integer)
        single = np.ndim(x) == 0 and (whole or jax.numpy.issubdtype(kind, jax.numpy.floating))
        return jax.numpy.asarray(x, jax.numpy.result_type(float)) if single else x

    with np.errstate(over="ignore"):  # 1e39 is infinite in float32, and means what infinity means
        return jax.tree.map(leaf, tree)


def tree_sum(tree: PyTree) -> Array:
    """The sum of all leaves, themselves scalars."""
    return sum(jax.tree.leaves(tree)) if jax.tree.leaves(tree) else jax.numpy.zeros(())  # pyright: ignore


def tree_vdot(a: PyTree, b: PyTree) -> Array:
    """Return the inner product over all leaves, of complex numbers its real part."""
    return tree_sum(jax.tree.map(lambda x, y: jax.numpy.sum((x * jax.numpy.conj(y)).real), a, b))


def tree_max_abs(tree: PyTree) -> Array:
    """The largest absolute entry over all leaves; NaN wherever there is one."""
    largest = [jax.numpy.max(jax.numpy.abs(leaf), initial=0.0) for leaf in jax.tree.leaves(tree)]
    return jax.numpy.max(jax.numpy.stack(largest))


def tree_where(condition: ArrayLike, a: PyTree, b: PyTree) -> PyTree:
    """``a`` where a scalar condition holds, else ``b``."""
    return jax.tree.map(lambda x, y: jax.numpy.where(condition, x, y), a, b)


def tree_take(tree: Any, chosen: Any) -> Any:
    """Return the entries with these numbers along the first axis of every leaf, as arrays of NumPy."""
    return jax.tree.map(lambda leaf: np.asarray(leaf)[chosen], tree)


def tree_put(tree: PyTree, chosen: Any, part: PyTree) -> None:
    """Write ``part`` to the entries with these numbers along the first axis of every leaf, arrays of NumPy."""
    for whole, leaf in zip(jax.tree.leaves(tree), jax.tree.leaves(part)):
        whole[chosen] = leaf
