"""A branch that costs nothing where it is not taken, under ``vmap`` too."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

Value = TypeVar("Value")


def apply_where(needed: Any, function: Callable[[Value], Value], value: Value) -> Value:
    """Return ``function(value)`` where a scalar says that it is ``needed``, else ``value``.

    ``jax.lax.cond`` computes both branches for all lanes under ``vmap``; a loop of at most one round ends for all lanes
    at once where none needs it. No reverse mode.
    """

    def once(carry: tuple[Any, Value]) -> tuple[Any, Value]:
        return jnp.zeros((), bool), function(carry[1])

    return jax.lax.while_loop(lambda carry: carry[0], once, (jnp.asarray(needed), value))[1]
