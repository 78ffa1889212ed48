"""``ftrl``: follow the regularised leader, with a proximal term around every iterate."""

from typing import Any

import jax.numpy as jnp
import optax

from proxreg.penalties import Penalty
from proxreg.transforms._dual_averaging import dual_averaging
from proxreg.transforms._strength import at, require_nonnegative, strength_of
from proxreg.transforms._tree import Mask


def ftrl(
    learning_rate: optax.ScalarOrSchedule,
    penalty: Penalty | None = None,
    *,
    l1: optax.ScalarOrSchedule | None = None,
    l2: optax.ScalarOrSchedule | None = None,
    strength: optax.ScalarOrSchedule = 1.0,
    beta: Any = 1.0,
    initial_accumulator_value: Any = 0.0,
    mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """FTRL-proximal: sparse weights from noisy gradients, since zeros are decided by the average of all gradients.

    ``w_{t+1} = argmin_w <sum_s g_s, w> + t penalty(w) + 1/2 sum_s ||w - w_s||^2_{sigma_s}`` with ``sum_{s<=t} sigma_s =
    (beta + sqrt(sum_s g_s^2)) / lr`` per coordinate, for groups the largest of each. Without a penalty this is AdaGrad.

    The penalty counts once per update, as in McMahan (2011), so that the rest point is that of the mean loss +
    penalty, like everywhere in this library. McMahan et al. (2013), Ad click prediction, algorithm 1, and TensorFlow
    count it once in all; for that let it fade: ``strength=lambda t: 1.0 * (t == 0)``.

    Args:
      learning_rate: number or schedule; alpha in the paper.
      penalty: any convex proxreg penalty; or leave it out and give
      l1, l2: the strengths of ``l1 ||w||_1 + l2/2 ||w||^2``, numbers or schedules, which ``optax.inject_hyperparams``
        and ``vmap`` take as well.
      strength: factor on the penalty, number or schedule. Of schedules (l1 and l2 too) the sum over updates acts.
      beta: added to the root of the sum of squares; 1 in the paper.
      initial_accumulator_value: start of the sums of squares; 0 in the paper.
      mask: prefix tree of booleans or function returning one; where False, AdaGrad. (Not
        ``optax.masked``: around an optimiser it hands out raw gradients as updates, see docs/pitfalls.md.)

    It starts from any parameters (the paper: from zero). With beta = 0, weights without a gradient so far stay where
    they are. The dual sums grow with t: in float32 the rest point drifts by about 1e-3 in 10^5 to 10^6 updates, and
    after 2^24 the penalty is counted no more. Where groups or l2 curve the penalty, the last digits come slowly.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = pr.ftrl(0.1, l1=0.5, beta=0.0)
    >>> w = jnp.array([1.0, 0.02])
    >>> updates, _ = optimizer.update(jnp.array([1.0, 0.1]), optimizer.init(w), w)
    >>> print(optax.apply_updates(w, updates))
    [0.85 0.  ]
    """
    require_nonnegative(learning_rate=learning_rate)

    def curvature(squares, count):
        return (beta + jnp.sqrt(squares)) / jnp.asarray(at(learning_rate, count), squares.dtype)

    own = strength_of(penalty, l1, l2, strength)

    def weight(count):  # at rate 0 nothing moves, and no round is counted
        return jnp.where(jnp.asarray(at(learning_rate, count)) > 0, 1.0, 0.0)

    return dual_averaging(weight, curvature, initial_accumulator_value, own, mask)
