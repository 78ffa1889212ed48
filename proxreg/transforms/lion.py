"""``proximal_lion``: Lion, and the prox in the metric that turns its sign back into a gradient step."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import export

from proxreg.penalties import Penalty
from proxreg.transforms._landing import land, wide
from proxreg.transforms._strength import at, require_nonnegative, strength_of
from proxreg.transforms._tree import Mask, check, flags, map_leaves, penalties_of


class LionState(NamedTuple):
    """State of ``proximal_lion``."""

    count: jax.typing.ArrayLike  # updates so far, int32  # pyright: ignore[reportIncompatibleMethodOverride]
    mu: optax.Updates  # average of the gradients


export.register_namedtuple_serialization(LionState, serialized_name="proxreg.LionState")


def proximal_lion(
    learning_rate: optax.ScalarOrSchedule,
    penalty: Penalty | None = None,
    *,
    l1: optax.ScalarOrSchedule | None = None,
    l2: optax.ScalarOrSchedule | None = None,
    strength: optax.ScalarOrSchedule = 1.0,
    b1: Any = 0.9,
    b2: Any = 0.99,
    mu_dtype: Any = None,
    weight_decay: optax.ScalarOrSchedule = 0.0,
    weight_decay_mask: Mask = None,
    mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """``optax.lion`` whose rest point solves loss + penalty, with exact zeros.

    Lion moves by ``lr sign(c)``, c an average of gradients: a gradient step in the metric ``D = 1/|c|``, which is the
    metric for the prox. So that no weight is thrown to zero where c passes through 0, neither part may move a weight
    by more than lr: ``D = 1 / max(|c|, |s|)`` with s the pull of the penalty (l1 for L1), and

        ``w -> prox_D(w - lr (D c + weight_decay w), lr D)``.

    Where the gradient exceeds the pull of the penalty, and where nothing is penalised, the step is Lion's. At rest c is
    the gradient, and any D has the right fixed point. Unpenalised weights swing by lr, as with Lion: let it decay.

    Args:
      learning_rate: number or schedule.
      penalty: any proxreg penalty; or leave it out and give
      l1, l2: the strengths of ``l1 ||w||_1 + l2/2 ||w||^2``, numbers or schedules, which ``optax.inject_hyperparams``
        and ``vmap`` take as well.
      strength: factor on the penalty, number or schedule.
      b1, b2, mu_dtype: as in ``optax.lion``.
      weight_decay, weight_decay_mask: decoupled, as in ``optax.lion``, but 0 unless given: no part of any objective.
      mask: prefix tree of booleans or function returning one; where False, plain Lion. (Not
        ``optax.masked``: around an optimiser it hands out raw gradients as updates, see docs/pitfalls.md.)

    Chen et al. (2023), Symbolic discovery of optimization algorithms, for Lion; the metric is this library's own.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = pr.proximal_lion(0.1, l1=0.5)
    >>> w = jnp.array([1.0, 0.02])
    >>> updates, _ = optimizer.update(jnp.array([10.0, 1.0]), optimizer.init(w), w)
    >>> print(optax.apply_updates(w, updates))
    [0.85 0.  ]
    """
    require_nonnegative(learning_rate=learning_rate, weight_decay=weight_decay)
    own = strength_of(penalty, l1, l2, strength)

    def init(params):
        check(own.at(jnp.zeros([], jnp.int32))[0], params, mask)
        return LionState(jnp.zeros([], jnp.int32), optax.tree_utils.tree_zeros_like(params, dtype=mu_dtype))

    def update(updates, state, params=None, **extra_args):
        del extra_args
        penalty, factor = own.at(state.count)
        rate, decay = at(learning_rate, state.count), at(weight_decay, state.count)
        penalties = penalties_of(penalty, params, mask)

        def leaf(penalty, p, g, mu, decayed):
            c = (1.0 - b1) * g + b1 * mu
            new = ((1 - b2) * g + b2 * mu).astype(mu.dtype)
            if penalty is None:
                direction, size = jnp.sign(c), None
            else:
                size = jnp.maximum(jnp.abs(wide(c)), factor * penalty.pull(wide(p)))
                size = jnp.maximum(penalty.metric(size), jnp.finfo(size.dtype).tiny)
                direction = (c / size).astype(c.dtype)
            if decayed:
                direction = direction + jnp.asarray(decay, c.real.dtype) * p
            u = jnp.asarray(-rate, c.real.dtype) * direction
            return u if penalty is None else land(penalty, p, u, rate * factor / size)[0], new

        decayed = flags(weight_decay_mask, params)
        updates, mu = map_leaves(leaf, penalties, params, updates, state.mu, decayed, width=2)
        return updates, LionState(optax.safe_increment(state.count), mu)

    return optax.GradientTransformationExtraArgs(init, update)
