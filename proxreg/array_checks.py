"""Arrays of finite numbers from whatever a user passes, on the host or on a device."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from proxreg.models import require_dense


def as_host_array(values: Any, what: str, names: tuple[str, ...] | None = None) -> np.ndarray:
    """Return a NumPy array; raise ValueError for tracers, masked entries and what is no array."""
    if isinstance(values, Tracer):
        raise ValueError(
            f"{what} is traced: fitting functions check and report on the host and cannot run inside jit, vmap or "
            "grad; there, use pr.fista(pr.LinearModel(X, y), penalty)"
        )
    require_dense(values, what)
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        hidden = np.argwhere(np.ma.getmaskarray(values))
        count = f"{len(hidden)} masked " + ("entry" if len(hidden) == 1 else "entries, the first")
        raise ValueError(f"{what} has {count}{_place(hidden[0], names)}; fill or impute")
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{what} must be an array of numbers: {error}") from None


def as_numbers(values: Any, what: str, names: tuple[str, ...] | None = None) -> Any:
    """Return an array of real numbers, missing ones as NaN; a JAX array stays one."""
    if not isinstance(values, jax.Array) or isinstance(values, Tracer):
        values = as_host_array(values, what, names)
    kind = values.dtype.kind
    if kind == "c":
        raise ValueError(f"{what} must be real, got complex numbers")
    if kind in "mM":
        raise ValueError(f"{what} must hold numbers, got {values.dtype}")
    if kind in "OSU":
        values = np.where(missing(np.asarray(values)), np.nan, values) if kind == "O" else values
        try:
            return values.astype(float)
        except (TypeError, ValueError):
            at, value = next((at, value) for at, value in np.ndenumerate(values) if not _is_number(value))
            shown = value.item() if isinstance(value, np.generic) else value
            raise ValueError(f"{what} must hold numbers, got {shown!r}{_place(at, names)}") from None
    return values.astype(float) if kind == "b" else values


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _place(at: Any, names: tuple[str, ...] | None) -> str:
    if len(at) == 0:
        return ""
    column = "" if len(at) == 1 else f", column {at[1] if names is None else repr(names[at[1]])}"
    return f" in row {at[0]}{column}"


def missing(values: np.ndarray) -> np.ndarray:
    """Return where an array, of labels perhaps, has None, NaN or the missing value of a data frame."""
    if values.dtype != object:
        return values != values  # NaN alone differs from itself

    def gone(value: Any) -> bool:
        return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)

    return np.array([gone(value) for value in values.ravel()], bool).reshape(values.shape)


def require_finite(values: Any, what: str, names: tuple[str, ...] | None = None) -> None:
    """Raise ValueError that counts the entries which are not finite and names the first."""
    # the sum is finite unless an entry is not, or it overflows: a pass without a temporary array
    xp = jnp if isinstance(values, jax.Array) else np
    if not jnp.issubdtype(values.dtype, jnp.floating):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(float(xp.sum(values))):
            return
    bad = np.argwhere(~np.isfinite(np.asarray(values)))
    if bad.size:
        count = f"{len(bad)} NaN or infinite " + ("entry" if len(bad) == 1 else "entries, the first")
        raise ValueError(f"{what} has {count}{_place(bad[0], names)}; remove or impute")


def require_range(values: Any, what: str, dtype: np.dtype) -> None:
    """Raise ValueError where finite numbers are beyond the largest of a floating-point type."""
    values, largest = np.asarray(values), float(np.finfo(dtype).max)
    if values.dtype.kind not in "iuf":
        return
    values = values.astype(np.float64)
    beyond = np.isfinite(values) & (np.abs(values) > largest)
    if beyond.any():
        remedy = "pass dtype='float64', or smaller numbers"
        raise ValueError(f"{what} must be within {largest:.2g} in {dtype}, got {values[beyond][0]:g}; {remedy}")
