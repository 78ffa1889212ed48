"""Which floating-point type a fit runs in, and 64-bit types for one call without switching JAX."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

#: what a gap can be told to; below it rounding decides (float32: off by up to 2e-6)
SMALLEST_TOL = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-14}


def resolve(dtype: Any, X: Any) -> np.dtype:
    """The type to compute in: as asked, else that of X as JAX holds it."""
    if dtype is None:
        own = np.dtype(getattr(X, "dtype", float))
        wide = jax.config.jax_enable_x64 and own != np.float32 and own.itemsize > 2  # pyright: ignore
        return np.dtype(np.float64 if wide else np.float32)
    try:
        chosen = np.dtype(dtype)
    except TypeError:
        chosen = None
    if chosen is None or chosen not in SMALLEST_TOL:
        raise ValueError(f"dtype must be float32 or float64, got {dtype!r}")
    return chosen


@contextlib.contextmanager
def scope(dtype: np.dtype) -> Iterator[None]:
    """A context in which JAX has this type; nothing outside it changes.

    JAX's checks for the code of users rest there: data are checked on the host, the NaN of a gap that is not known is
    no mistake, and ranks are promoted on purpose.
    """
    with contextlib.ExitStack() as stack:
        if jax.config.jax_numpy_rank_promotion != "allow":  # pyright: ignore[reportAttributeAccessIssue]
            stack.enter_context(jax.numpy_rank_promotion("allow"))
        if jax.config.jax_debug_nans:  # pyright: ignore[reportAttributeAccessIssue]
            stack.enter_context(jax.debug_nans(False))
        if dtype == np.float64:
            stack.enter_context(jax.enable_x64(True))
        yield
