"""Proximal form of an optimiser with a diagonal metric: its step, then the prox in that same metric."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import export

from proxreg.transforms._landing import inverse, land
from proxreg.transforms._strength import Strength, at, require_nonnegative
from proxreg.transforms._tree import Mask, check, flags, map_leaves, penalties_of


class PreconditionedState(NamedTuple):
    """State of the proximal optimisers."""

    num_updates: jax.typing.ArrayLike  # so far, int32: where schedules are; "count" is the inner optimiser's
    inner: optax.OptState  # of the optimiser without penalty


export.register_namedtuple_serialization(PreconditionedState, serialized_name="proxreg.PreconditionedState")


class Diagonal(NamedTuple):
    """An optimiser that turns gradients into ``D m``: a diagonal metric times an average of gradients."""

    inner: optax.GradientTransformation  # gives D m
    curvature: Callable[[Any, Any], Any] = lambda state, count: 1.0  # (inner state, updates so far) -> 1/D
    average: Callable[[Any, Any], Any] = lambda state, gradients: gradients  # (inner state, gradients) -> m


def preconditioned(
    optimiser: Diagonal,
    learning_rate: optax.ScalarOrSchedule,
    strength: Strength,
    mask: Mask,
    weight_decay: optax.ScalarOrSchedule = 0.0,
    weight_decay_mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """``p -> prox_D(p - lr (D m + decay p), lr D)``.

    At rest m is the gradient g, so that ``p = prox_D(p - lr D g, lr D)``, which holds if and only if
    ``0 in g + d penalty(p)``, whatever D is.

    Where D is a tree, two things make it smaller, in the step as well as in the prox, so that the rest point stays.
    Neither the gradient nor the penalty may move a weight by more than about lr: 1/D is at least the pull of the
    penalty, or a weight without gradients so far (D = 1/eps) would be zero after one step. And a penalty of groups
    has its closed form only where D is constant in each group: the smallest D of the group is everybody's.
    """
    require_nonnegative(learning_rate=learning_rate, weight_decay=weight_decay)
    inner = optax.with_extra_args_support(optimiser.inner)
    decays = callable(weight_decay) or not isinstance(weight_decay, int | float) or weight_decay != 0

    def init(params):
        check(strength.at(jnp.zeros([], jnp.int32))[0], params, mask)
        return PreconditionedState(jnp.zeros([], jnp.int32), inner.init(params))

    def update(updates, state, params=None, **extra_args):
        penalty, factor = strength.at(state.num_updates)
        penalties = penalties_of(penalty, params, mask)
        steps, inner_state = inner.update(updates, state.inner, params, **extra_args)
        rate, decay = at(learning_rate, state.num_updates), at(weight_decay, state.num_updates)
        count = optax.safe_increment(state.num_updates)

        def leaf(penalty, p, u, m, c, decayed):
            d = inverse(c)
            if penalty is not None and jnp.ndim(c):
                d = inverse(penalty.metric(jnp.maximum(c, factor * penalty.pull(p))))
                u = (m * d).astype(u.dtype)
            if decays and decayed:
                u = u + jnp.asarray(decay, u.real.dtype) * p
            u = jnp.asarray(-rate, u.real.dtype) * u
            return (u if penalty is None else land(penalty, p, u, rate * factor * d)[0],)

        decayed = flags(weight_decay_mask, params)
        trees = steps, optimiser.average(inner_state, updates), optimiser.curvature(inner_state, count), decayed
        (updates,) = map_leaves(leaf, penalties, params, *trees, width=1)
        return updates, PreconditionedState(count, inner_state)

    return optax.GradientTransformationExtraArgs(init, update)
