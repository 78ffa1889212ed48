"""What a model is built from: dense arrays of real numbers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


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
