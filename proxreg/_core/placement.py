"""Decide in one place where data are and what computes: a test can have a CPU do what an accelerator would."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import jax
from jax.core import Tracer

_assumed: contextvars.ContextVar[str | None] = contextvars.ContextVar("platform", default=None)


def platform() -> str:
    """Return the name of what computes: "cpu", "gpu" or "tpu"."""
    return _assumed.get() or jax.default_backend()


def is_at_hand(array: Any) -> bool:
    """Return whether NumPy reads an array of JAX without a transfer."""
    if _assumed.get() is not None or isinstance(array, Tracer):
        return False
    return {device.platform for device in array.devices()} == {"cpu"}


@contextlib.contextmanager
def as_if_on(name: str) -> Iterator[None]:
    """Take the branches for another platform inside, with arrays of JAX out of NumPy's reach."""
    token = _assumed.set(name)
    try:
        yield
    finally:
        _assumed.reset(token)
