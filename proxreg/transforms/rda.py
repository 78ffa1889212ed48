"""``rda``: regularised dual averaging."""

import optax

from proxreg.penalties import Penalty
from proxreg.transforms._dual_averaging import dual_averaging
from proxreg.transforms._strength import at, require_nonnegative, strength_of
from proxreg.transforms._tree import Mask


def rda(
    learning_rate: optax.ScalarOrSchedule,
    penalty: Penalty | None = None,
    *,
    l1: optax.ScalarOrSchedule | None = None,
    l2: optax.ScalarOrSchedule | None = None,
    strength: optax.ScalarOrSchedule = 1.0,
    mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """Regularised dual averaging: the zeros are decided by the average of all gradients, and stay where noise is.

    ``w_{t+1} = argmin_w <sum_s lr_s g_s, w> + (sum_s lr_s) penalty(w) + 1/2 ||w - w_1||^2``, the gradients weighed by
    their learning rates. For a constant rate that is Xiao (2010), Dual averaging methods for regularized stochastic
    learning, eq. 8, with ``h = 1/2 ||w - w_1||^2`` and ``beta_t = 1/lr``; for a schedule, Nesterov (2009),
    Primal-dual subgradient methods, with these weights. Xiao's ``beta_t = gamma sqrt(t)`` also pulls towards ``w_1``,
    less and less, so that the solution is approached like ``1/sqrt(t)``; a rate that falls like that damps noise as
    well, without the pull. Without a penalty this is SGD.

    Args:
      learning_rate: number or schedule; constant below 2/L (L the largest curvature) for convergence.
      penalty: any convex proxreg penalty; or leave it out and give
      l1, l2: the strengths of ``l1 ||w||_1 + l2/2 ||w||^2``, numbers or schedules, which ``optax.inject_hyperparams``
        and ``vmap`` take as well.
      strength: factor on the penalty, number or schedule. Of schedules (l1 and l2 too) the sum over updates acts.
      mask: prefix tree of booleans or function returning one; where False, SGD. (Not
        ``optax.masked``: around an optimiser it hands out raw gradients as updates, see docs/pitfalls.md.)

    For curved penalties (l2, groups) the effective rate falls like 1/t, so that convergence is slower than that of
    ``proximal_sgd``. The dual sums grow with t; for float32 see ``ftrl``.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = pr.rda(0.1, l1=0.5)
    >>> w = jnp.array([1.0, 0.02])
    >>> updates, _ = optimizer.update(jnp.array([1.0, 0.1]), optimizer.init(w), w)
    >>> print(optax.apply_updates(w, updates))
    [0.85 0.  ]
    """
    require_nonnegative(learning_rate=learning_rate)
    own = strength_of(penalty, l1, l2, strength)
    return dual_averaging(lambda count: at(learning_rate, count), None, 0.0, own, mask)
