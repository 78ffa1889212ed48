"""Proximal form of an optimiser with a diagonal metric: its step, then the prox in that same metric."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from proxreg.transforms._landing import inverse, land
from proxreg.transforms._strength import Strength, at, require_nonnegative
from proxreg.transforms._tree import Mask, check, flags, map_leaves, penalties_of


class PreconditionedState(NamedTuple):
    """State of the proximal optimisers."""

    count: jax.typing.ArrayLike  # updates so far, int32  # pyright: ignore[reportIncompatibleMethodOverride]
    inner: optax.OptState  # of the optimiser without penalty


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

    A penalty of groups has its closed form only where D is constant in each group; there the smallest D of the group
    replaces the others, in the step as well as in the prox, or the rest point would be another one.
    """
    require_nonnegative(learning_rate=learning_rate, weight_decay=weight_decay)
    inner = optax.with_extra_args_support(optimiser.inner)
    decays = callable(weight_decay) or not isinstance(weight_decay, int | float) or weight_decay != 0

    def init(params):
        check(strength.at(jnp.zeros([], jnp.int32))[0], params, mask)
        return PreconditionedState(jnp.zeros([], jnp.int32), inner.init(params))

    def update(updates, state, params=None, **extra_args):
        penalty, factor = strength.at(state.count)
        penalties = penalties_of(penalty, params, mask)
        steps, inner_state = inner.update(updates, state.inner, params, **extra_args)
        rate, decay = at(learning_rate, state.count), at(weight_decay, state.count)
        count = optax.safe_increment(state.count)

        def leaf(penalty, p, u, m, c, decayed):
            d = inverse(c)
            if penalty is not None and not penalty.separable and jnp.ndim(c):
                d = inverse(penalty.metric(c))
                u = (m * d).astype(u.dtype)
            if decays and decayed:
                u = u + jnp.asarray(decay, u.real.dtype) * p
            u = jnp.asarray(-rate, u.real.dtype) * u
            return (u if penalty is None else land(penalty, p, u, rate * factor * d)[0],)

        decayed = True if weight_decay_mask is None else _tree_of_flags(weight_decay_mask, params)
        trees = steps, optimiser.average(inner_state, updates), optimiser.curvature(inner_state, count), decayed
        (updates,) = map_leaves(leaf, penalties, params, *trees, width=1)
        return updates, PreconditionedState(count, inner_state)

    return optax.GradientTransformationExtraArgs(init, update)


def _tree_of_flags(mask: Any, params: Any) -> Any:
    return jax.tree.unflatten(jax.tree.structure(params), flags(mask, params))
