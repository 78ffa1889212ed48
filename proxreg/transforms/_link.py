"""A link of a chain that follows schedules: the same on each leaf, with its numbers of the moment."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import export

from proxreg.penalties import Penalty
from proxreg.transforms._tree import Mask, check, map_leaves, penalties_of


class CountState(NamedTuple):
    """State of a link that follows schedules."""

    count: jax.typing.ArrayLike  # updates so far, int32  # pyright: ignore[reportIncompatibleMethodOverride]


export.register_namedtuple_serialization(CountState, serialized_name="proxreg.CountState")


def scheduled_link(
    penalty: Penalty, mask: Mask, values: Callable[[Any], tuple], leaf: Callable[..., jax.Array]
) -> optax.GradientTransformationExtraArgs:
    """``leaf(penalty, p, u, *values(count))`` where a penalty acts; elsewhere updates pass unchanged."""

    def init(params):
        check(penalty, params, mask)
        return CountState(jnp.zeros([], jnp.int32))

    def update(updates, state, params=None, **extra_args):
        del extra_args

        def each(penalty, p, u, *given):
            return (u if penalty is None else leaf(penalty, p, u, *given),)

        penalties = penalties_of(penalty, params, mask)
        (updates,) = map_leaves(each, penalties, params, updates, *values(state.count), width=1)
        return updates, CountState(optax.safe_increment(state.count))

    return optax.GradientTransformationExtraArgs(init, update)
