"""``proximal_adam``: Adam, and the prox in Adam's own metric; and the cheap mixture of Adam with a Euclidean prox."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from proxreg.penalties import Penalty
from proxreg.transforms._preconditioned import Diagonal, preconditioned
from proxreg.transforms._strength import strength_of
from proxreg.transforms._tree import Mask


def proximal_adam(
    learning_rate: optax.ScalarOrSchedule,
    penalty: Penalty | None = None,
    *,
    l1: optax.ScalarOrSchedule | None = None,
    l2: optax.ScalarOrSchedule | None = None,
    strength: optax.ScalarOrSchedule = 1.0,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-8,
    eps_root: Any = 0.0,
    mu_dtype: Any = None,
    nesterov: bool = False,
    weight_decay: optax.ScalarOrSchedule = 0.0,
    weight_decay_mask: Mask = None,
    mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """``optax.adamw`` whose rest point solves loss + penalty, with exact zeros.

    ``w -> prox_D(w - lr (D m + weight_decay w), lr D)`` with Adam's metric ``D = 1 / (sqrt(v) + eps)`` per coordinate,
    m and v the corrected moments; for groups the smallest D of each. The threshold is ``lr l1 / (sqrt(v) + eps)``: a
    weight that gets small gradients meets a large one, as it takes large steps. Where the penalty pulls harder than
    typical gradients do, ``D = 1 / l1`` (its subgradient, for other penalties), so that it moves no weight by more than
    lr: else weights without a gradient in the first batch (v = 0) would be zero after one step. The rest point
    is the same for any D.

    Args:
      learning_rate: number or schedule.
      penalty: any proxreg penalty; or leave it out and give
      l1, l2: the strengths of ``l1 ||w||_1 + l2/2 ||w||^2``, numbers or schedules, which ``optax.inject_hyperparams``
        and ``vmap`` take as well.
      strength: factor on the penalty, number or schedule. A strong penalty from the first step on can empty a network
        before it has learnt anything: let it rise, ``strength=optax.linear_schedule(0.0, 1.0, num_steps)``.
      b1, b2, eps, eps_root, mu_dtype, nesterov: as in ``optax.adam``.
      weight_decay, weight_decay_mask: decoupled, as in ``optax.adamw``; not part of any objective (the rest point then
        depends on the metric). For an L2 term in the objective pass ``l2=``.
      mask: prefix tree of booleans or function returning one; where False, plain AdamW. (Not
        ``optax.masked``: around an optimiser it hands out raw gradients as updates, see docs/pitfalls.md.)

    Yun, Lozano and Yang (2021), Adaptive proximal gradient methods for structured neural networks; Kingma and Ba
    (2015), Adam; the bound on D is this library's own.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = pr.proximal_adam(0.1, l1=0.5)
    >>> w = jnp.array([1.0, 0.02])
    >>> updates, _ = optimizer.update(jnp.array([1.0, 0.1]), optimizer.init(w), w)
    >>> print(optax.apply_updates(w, updates))
    [0.85 0.  ]
    """

    def curvature(state, count):
        # spelt as in scale_by_adam, its own counter included, so that the compiler sees one computation
        squares = optax.tree_utils.tree_bias_correction(state.nu, b2, state.count)
        return jax.tree.map(lambda v: jnp.sqrt(v + eps_root) + eps, squares)

    def average(state, gradients):
        if not nesterov:
            return _corrected(state.mu, b1, state.count)
        ahead = _corrected(state.mu, b1, state.count + 1)
        return jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, ahead, _corrected(gradients, b1, state.count))

    inner = optax.scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov)
    adam = Diagonal(inner, curvature, average)
    own = strength_of(penalty, l1, l2, strength)
    return preconditioned(adam, learning_rate, own, mask, weight_decay, weight_decay_mask)


def _corrected(moment: Any, decay: Any, count: Any) -> Any:
    """Without the bias to zero; times a reciprocal, which XLA on CPU fuses where it writes a quotient to memory."""
    return jax.tree.map(lambda m: m * (1 / (1 - decay**count)).astype(m.real.dtype), moment)


def adam_euclidean_prox(
    learning_rate: optax.ScalarOrSchedule,
    penalty: Penalty | None = None,
    *,
    l1: optax.ScalarOrSchedule | None = None,
    l2: optax.ScalarOrSchedule | None = None,
    strength: optax.ScalarOrSchedule = 1.0,
    b1: Any = 0.9,
    b2: Any = 0.999,
    eps: Any = 1e-8,
    eps_root: Any = 0.0,
    mu_dtype: Any = None,
    nesterov: bool = False,
    weight_decay: optax.ScalarOrSchedule = 0.0,
    weight_decay_mask: Mask = None,
    mask: Mask = None,
) -> optax.GradientTransformationExtraArgs:
    """Adam, then the prox with the learning rate as its step, the same for all weights: **not** loss + penalty.

    ``w -> prox(w - lr D m, lr)``. Cheaper than ``proximal_adam`` by a division, and the threshold ``lr l1`` does not
    depend on the gradients. At rest ``0 in D g + d penalty(w)``: each weight's penalty is multiplied by its own
    ``sqrt(v) + eps``, the typical size of its gradient, so that strengths mean something else than everywhere else in
    this library. Arguments as in ``proximal_adam``.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = pr.adam_euclidean_prox(0.1, l1=0.5)
    >>> w = jnp.array([1.0, 0.02])
    >>> updates, _ = optimizer.update(jnp.array([1.0, 0.1]), optimizer.init(w), w)
    >>> print(optax.apply_updates(w, updates))
    [ 0.85 -0.03]
    """
    inner = optax.scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov)
    own = strength_of(penalty, l1, l2, strength)
    return preconditioned(Diagonal(inner), learning_rate, own, mask, weight_decay, weight_decay_mask)
