"""``proximal``: the last link of a chain, which makes the parameters land on the prox of a penalty."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.core import Tracer

from proxreg.penalties import Penalty
from proxreg.transforms._landing import land
from proxreg.transforms._link import scheduled_link
from proxreg.transforms._strength import at, require_nonnegative, require_penalty
from proxreg.transforms._tree import Mask, map_leaves, penalties_of


def proximal(
    penalty: Penalty,
    learning_rate: optax.ScalarOrSchedule | None = None,
    *,
    mask: Mask = None,
    step: Any = None,
    strength: optax.ScalarOrSchedule = 1.0,
) -> optax.GradientTransformationExtraArgs:
    """Last link of a chain: ``u -> prox(p + u, lr_t) - p``, so that parameters become exactly 0.0.

    Put it last, after the learning rate, and give it the same rate. ``prox(v, t) = argmin_w penalty(w) +
    ||w - v||^2 / (2 t)`` with ``t`` the learning rate times ``strength``, both numbers or schedules.

    **For which chains it is right.** At rest ``w = prox(w + u(g), t)``, and that says ``0 in g + d penalty(w)``, the
    optimality condition of loss + penalty, if and only if ``u(g) = -t g`` there. So:

    ======================================================= ==========================================================
    what comes before                                       what to pass
    ======================================================= ==========================================================
    ``sgd(lr)``; clipping that is inactive at rest          ``proximal(penalty, lr)``
    ``sgd(lr, momentum=m)``, Nesterov's too: u = -lr g/(1-m) ``step=lr / (1 - m)``, or ``proximal_sgd``
    a fixed diagonal preconditioner: u = -lr d g            ``step=lr d``, a tree like the parameters
    Adam, AdaGrad, Lion                                     **wrong here**: ``proximal_adam``, ``proximal_adagrad``,
                                                            ``proximal_lion``
    any other optimiser, weight decay                       another problem's solution; ``gradient_mapping`` as the
                                                            first link has the right one, without exact zeros
    ======================================================= ==========================================================

    With a wrong step the zeros are as exact, and in the wrong places.

    Args:
      penalty: any proxreg penalty, ``by_path(...)`` for one per parameter. Non-convex ones give stationary points.
      learning_rate: that of the chain, a number or a schedule of the number of updates.
      mask: prefix tree of booleans, or a function of the parameters returning one; where False, updates pass unchanged.
        (``optax.masked`` does the same around this link. Around a whole optimiser, such as ``proximal_adam``, it is a
        trap: the raw gradients of what is masked out become its updates, and these parameters climb the loss.)
      step: the prox step instead of the learning rate: a number, a tree like the parameters (entries must be equal
        within a group for group penalties), or a function of the number of updates returning either.
      strength: factor on the penalty, a number or a schedule: ``optax.linear_schedule(0, 1, 1000)`` warms it up.

    The update has the wider of the types of parameter and gradient; the arithmetic is in float32 at least. In
    bfloat16 weights a shrinkage below half a unit in the last place is lost in the sum, as any small update is.
    An average of weights (EMA, lookahead's slow weights) is zero only where all weights in it were, and a wrapper that
    scales updates afterwards (``optax.contrib.mechanize``, a learning rate after this link) undoes zeros.

    Parikh and Boyd (2014), Proximal algorithms, section 4.2; Yun, Lozano and Yang (2021), Adaptive proximal gradient
    methods for structured neural networks.

    >>> import jax, jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = optax.chain(optax.sgd(0.1), pr.proximal(pr.L1(0.5), 0.1))
    >>> w = jnp.array([1.0, 0.02])
    >>> state = optimizer.init(w)
    >>> updates, state = optimizer.update(jnp.array([1.0, 0.1]), state, w)
    >>> print(optax.apply_updates(w, updates))
    [0.85 0.  ]
    """
    require_penalty(penalty)
    if learning_rate is None and step is None:
        raise ValueError("pass the learning_rate of the chain, or the prox step as step=")
    if learning_rate is not None:
        require_nonnegative(learning_rate=learning_rate)
    if step is not None and not callable(step):
        jax.tree.map(lambda value: require_nonnegative(step=value), step)
    require_nonnegative(strength=strength)

    def values(count):
        return at(learning_rate if step is None else step, count), at(strength, count)

    def leaf(penalty, p, u, step, factor):
        return land(penalty, p, u, step * factor)[0]

    link = scheduled_link(penalty, mask, values, leaf)

    def init(params):
        state = link.init(params)
        if step is not None and not callable(step) and jax.tree.leaves(params):
            map_leaves(_require_one_step_per_group, penalties_of(penalty, params, mask), params, params, step, width=0)
        return state

    return optax.GradientTransformationExtraArgs(init, link.update)


def _require_one_step_per_group(penalty: Penalty | None, p: jax.Array, _: jax.Array, step: Any) -> tuple:
    """Raises where a group has several steps, for which its prox has no closed form; traced steps pass."""
    if penalty is not None and not penalty.separable and jnp.ndim(step) and not isinstance(step, Tracer):
        curvature = 1 / jnp.broadcast_to(step, p.shape)
        if not jnp.all(penalty.metric(curvature) == curvature):
            raise ValueError(f"step must be the same for all entries of a group of {type(penalty).__name__}")
    return ()
