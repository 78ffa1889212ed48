"""``gradient_mapping``: the first link of a chain, after which any optimiser has the right rest point."""

from typing import Any

import jax
import numpy as np
import optax
from jax.core import Tracer

from proxreg.penalties import Penalty
from proxreg.transforms._landing import wide
from proxreg.transforms._link import scheduled_link
from proxreg.transforms._strength import at, require_nonnegative, require_penalty
from proxreg.transforms._tree import Mask


def gradient_mapping(penalty: Penalty, step: Any, *, mask: Mask = None) -> optax.GradientTransformationExtraArgs:
    """First link of a chain: ``g -> (p - prox(p - step g, step)) / step``, zero exactly at solutions of loss + penalty.

    The gradient of a smooth problem vanishes at the solution, that of a penalised one does not; the gradient mapping
    does, so that every optimiser that rests where its input is zero (Adam, momentum, Lion, second-order ones) rests at
    the right point. The weights approach their zeros without hitting them: follow up with ``proximal_sgd`` or set
    small ones to zero; for exact zeros while training use the proximal optimisers.

    Args:
      penalty: any proxreg penalty, ``by_path(...)`` for one per parameter.
      step: number, schedule, or tree like the parameters; below 1/L for a gradient mapping that points downhill. It
        does not matter for the rest point, and need not be the learning rate.
      mask: prefix tree of booleans or function returning one; where False, gradients pass unchanged.

    Nesterov (2013), Gradient methods for minimizing composite functions, section 2.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> optimizer = optax.chain(pr.gradient_mapping(pr.L1(0.5), 0.1), optax.adam(0.1))
    >>> w = jnp.array([1.0, 0.0])
    >>> mapped, _ = pr.gradient_mapping(pr.L1(0.5), 0.1).update(jnp.array([-0.5, 0.3]), optimizer.init(w)[0], w)
    >>> print(mapped)
    [0. 0.]
    """
    require_penalty(penalty)
    if not callable(step):
        jax.tree.map(_require_positive, step)

    def leaf(penalty, p, g, t):
        x = wide(p)
        return ((x - penalty.prox(x - t * wide(g), t)) / t).astype(g.dtype)

    return scheduled_link(penalty, mask, lambda count: (at(step, count),), leaf)


def _require_positive(step: Any) -> None:
    require_nonnegative(step=step)
    if not isinstance(step, Tracer) and not np.all(np.asarray(step) > 0):
        raise ValueError("step must be > 0: the gradient mapping is a quotient by it")
