"""The two classic ways to shrink weights in optax's manner, neither of which gives a zero."""

import optax

from proxreg.penalties import Penalty
from proxreg.transforms._landing import wide
from proxreg.transforms._link import scheduled_link
from proxreg.transforms._strength import at, require_nonnegative, require_penalty
from proxreg.transforms._tree import Mask, check, map_leaves, penalties_of


def add_subgradient(penalty: Penalty, mask: Mask = None) -> optax.GradientTransformationExtraArgs:
    """First link of a chain: ``g -> g + s``, s the smallest subgradient of the penalty at the parameters.

    The classic coupled form, what adding the penalty to the loss does. With L1 a weight jumps across zero by lr l1 for
    ever and is never 0.0: that is what ``proximal`` is for. With L2 it is ``optax.add_decayed_weights`` put first.

    Args:
      penalty: any proxreg penalty, ``by_path(...)`` for one per parameter.
      mask: prefix tree of booleans or function returning one; where False, gradients pass unchanged.

    Shor (1985), Minimization methods for non-differentiable functions, chapter 2.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> w, g = jnp.array([1.0, -2.0, 0.0]), jnp.array([0.25, 0.25, 0.25])
    >>> link = pr.add_subgradient(pr.L1(0.5))
    >>> print(link.update(g, link.init(w), w)[0])
    [ 0.75 -0.25  0.25]
    """
    require_penalty(penalty)

    def leaf(penalty, p, g):
        return (g if penalty is None else (wide(g) + penalty.subgradient(wide(p))).astype(g.dtype),)

    def init(params):
        check(penalty, params, mask)
        return optax.EmptyState()

    def update(updates, state, params=None, **extra_args):
        del extra_args
        (updates,) = map_leaves(leaf, penalties_of(penalty, params, mask), params, updates, width=1)
        return updates, state

    return optax.GradientTransformationExtraArgs(init, update)


def decoupled_shrinkage(
    penalty: Penalty, learning_rate: optax.ScalarOrSchedule, *, mask: Mask = None
) -> optax.GradientTransformationExtraArgs:
    """Last link of a chain: ``u -> u - lr_t s``, s the smallest subgradient of the penalty at the parameters.

    What AdamW does with L2, for any penalty: the shrinkage is not scaled by the optimiser's metric. Its rest point is
    not that of loss + penalty unless the chain is plain SGD, and with L1 it gives no zeros: weights swing by lr l1.

    Args:
      penalty: any proxreg penalty, ``by_path(...)`` for one per parameter.
      learning_rate: that of the chain, number or schedule.
      mask: prefix tree of booleans or function returning one; where False, updates pass unchanged.

    Loshchilov and Hutter (2019), Decoupled weight decay regularization.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> adamw = optax.chain(optax.adam(0.1), pr.decoupled_shrinkage(pr.L2(0.01), 0.1))
    >>> w, g = jnp.array([1.0, -2.0]), jnp.array([0.5, 0.5])
    >>> ours, _ = adamw.update(g, adamw.init(w), w)
    >>> theirs, _ = (other := optax.adamw(0.1, weight_decay=0.01)).update(g, other.init(w), w)
    >>> print(jnp.allclose(ours, theirs))
    True
    """
    require_penalty(penalty)
    require_nonnegative(learning_rate=learning_rate)

    def leaf(penalty, p, u, rate):
        return (wide(u) - rate * penalty.subgradient(wide(p))).astype(u.dtype)

    return scheduled_link(penalty, mask, lambda count: (at(learning_rate, count),), leaf)
