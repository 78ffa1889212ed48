"""``proximal_sgd``: stochastic gradient descent, with momentum if asked, and the prox step that momentum needs."""

from typing import Any

import jax
import optax

from proxreg.penalties import Penalty
from proxreg.transforms._preconditioned import Diagonal, preconditioned
from proxreg.transforms._strength import strength_of
from proxreg.transforms._tree import Mask


def proximal_sgd(
    learning_rate: optax.ScalarOrSchedule,
    penalty: Penalty | None = None,
    *,
    l1: optax.ScalarOrSchedule | None = None,
    l2: optax.ScalarOrSchedule | None = None,
    strength: optax.ScalarOrSchedule = 1.0,
    momentum: float | jax.Array | None = None,
    nesterov: bool = False,
    accumulator_dtype: Any = None,
    mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """``optax.sgd`` whose rest point solves loss + penalty, with exact zeros.

    ``w -> prox(w - lr trace, lr s)``, ``s = 1 + m + ... + m^(t-1) = (1 - m^t)/(1 - m)`` being the weight of all
    gradients in the trace after t updates (one power more with Nesterov's momentum). A prox of step lr under momentum m
    would solve the problem with a penalty ``1 - m`` times as strong.

    Args:
      learning_rate: number or schedule; constant below 2/L (L the largest curvature) for convergence.
      penalty: any proxreg penalty; or leave it out and give
      l1, l2: the strengths of ``l1 ||w||_1 + l2/2 ||w||^2``, numbers or schedules, which ``optax.inject_hyperparams``
        and ``vmap`` take as well.
      strength: factor on the penalty, number or schedule.
      momentum, nesterov, accumulator_dtype: as in ``optax.sgd``.
      mask: prefix tree of booleans or function returning one; where False, plain SGD. (Not
        ``optax.masked``: around an optimiser it hands out raw gradients as updates, see docs/pitfalls.md.)

    Duchi and Singer (2009), Efficient online and batch learning using forward backward splitting. With noisy gradients
    and a constant rate the zeros come and go; let the rate decay.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = pr.proximal_sgd(0.1, l1=0.5)
    >>> w = jnp.array([1.0, 0.02])
    >>> updates, _ = optimizer.update(jnp.array([1.0, 0.1]), optimizer.init(w), w)
    >>> print(optax.apply_updates(w, updates))
    [0.85 0.  ]
    """
    inner = optax.identity() if momentum is None else optax.trace(momentum, nesterov, accumulator_dtype)

    def curvature(state, count):
        if momentum is None:
            return 1.0
        return (1 - momentum) / (1 - momentum ** (count + int(nesterov)).astype(float))

    return preconditioned(Diagonal(inner, curvature), learning_rate, strength_of(penalty, l1, l2, strength), mask)
