"""What a model is built from: dense arrays of real numbers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from proxreg._pytree import Array, concrete


def dense(values: Any, name: str) -> Any:
    """Return ``values`` as an array, whose entries stay where they are; lists and data frames become NumPy's.

    Raises ValueError for what is sparse, an operator, masked, complex or no array of numbers.
    """
    kind = type(values).__name__
    require_dense(values, name)
    if not isinstance(values, jax.Array | np.ndarray | np.generic | jax.ShapeDtypeStruct | bool | int | float):
        traced = hasattr(values, "__jax_array__") or any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))
        try:
            values = jnp.asarray(values) if traced else np.asarray(values)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must be an array of numbers: {error}") from None
    dtype = getattr(values, "dtype", None) or jnp.result_type(values)
    if not (jnp.issubdtype(dtype, jnp.number) or jnp.issubdtype(dtype, jnp.bool_)):
        raise ValueError(f"{name} must be a dense array of numbers, got {kind} of {dtype}")
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise ValueError(f"{name} must be real, got complex numbers")
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked entries; remove or impute")
    return values


def require_dense(values: Any, what: str) -> None:
    """Raise ValueError for sparse arrays and operators, by name."""
    for method in ("toarray", "todense"):
        if hasattr(values, method):
            raise ValueError(f"{what} is sparse; pass {what}.{method}() (dense arrays only)")
    if hasattr(values, "matvec") or hasattr(values, "mv"):
        kind = type(values).__name__
        raise ValueError(f"{what} is an operator ({kind}); pass its matrix as an array (dense arrays only)")


def computable(X: Array) -> Array:
    """Return X in a type that sums are taken in: at least float32, whole numbers in JAX's float type."""
    if jnp.issubdtype(X.dtype, jnp.inexact) and jnp.finfo(X.dtype).bits >= 32:
        return X
    return X.astype(jnp.promote_types(X.dtype, jnp.float32) if X.dtype.itemsize < 4 else float)


def require_weights(sample_weight: Any, shape: tuple[int, ...]) -> None:
    """Raise ValueError for weights of another shape, or, where they are known, below zero or all zero."""
    if np.shape(sample_weight) != shape:
        raise ValueError(f"sample_weight must have the shape of y, {shape}, got {np.shape(sample_weight)}")
    weight = concrete(sample_weight)
    if weight is not None and not (np.all(weight >= 0) and np.sum(weight) > 0):
        raise ValueError("sample_weight must be >= 0 with a positive sum")
