"""``proximal_adagrad``: AdaGrad, and the prox in its metric."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from proxreg.penalties import Penalty
from proxreg.transforms._preconditioned import Diagonal, preconditioned
from proxreg.transforms._strength import strength_of
from proxreg.transforms._tree import Mask


def proximal_adagrad(
    learning_rate: optax.ScalarOrSchedule,
    penalty: Penalty | None = None,
    *,
    l1: optax.ScalarOrSchedule | None = None,
    l2: optax.ScalarOrSchedule | None = None,
    strength: optax.ScalarOrSchedule = 1.0,
    initial_accumulator_value: Any = 0.1,
    eps: Any = 1e-7,
    mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """``optax.adagrad`` whose rest point solves loss + penalty, with exact zeros.

    ``w -> prox_D(w - lr D g, lr D)`` with ``D = 1 / sqrt(sum of g^2 + eps)`` per coordinate, for groups the smallest of
    each, and at most one over the penalty's pull, as in ``proximal_adam``. The steps fall like ``1/sqrt(t)``, so that
    a rest point comes late; ``ftrl`` has the same steps and gives sparser weights from noisy gradients.

    Args:
      learning_rate: number or schedule.
      penalty: any proxreg penalty; or leave it out and give
      l1, l2: the strengths of ``l1 ||w||_1 + l2/2 ||w||^2``, numbers or schedules, which ``optax.inject_hyperparams``
        and ``vmap`` take as well.
      strength: factor on the penalty, number or schedule.
      initial_accumulator_value, eps: as in ``optax.adagrad``.
      mask: prefix tree of booleans or function returning one; where False, plain AdaGrad. (Not
        ``optax.masked``: around an optimiser it hands out raw gradients as updates, see docs/pitfalls.md.)

    Duchi, Hazan and Singer (2011), Adaptive subgradient methods, section 1.1 (composite mirror descent).

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = pr.proximal_adagrad(0.1, l1=0.5, initial_accumulator_value=0.0)
    >>> w = jnp.array([1.0, 0.02])
    >>> updates, _ = optimizer.update(jnp.array([1.0, 0.1]), optimizer.init(w), w)
    >>> print(optax.apply_updates(w, updates))
    [0.85 0.  ]
    """

    def curvature(state, count):
        return jax.tree.map(lambda t: jnp.where(t > 0, jnp.sqrt(t + eps), 0), state.sum_of_squares)

    inner = optax.scale_by_rss(initial_accumulator_value, eps)
    return preconditioned(Diagonal(inner, curvature), learning_rate, strength_of(penalty, l1, l2, strength), mask)
