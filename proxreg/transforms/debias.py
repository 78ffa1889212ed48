"""``debias``: training goes on without penalty on the weights that survived, and the zeros stay."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import export

from proxreg.transforms._tree import Mask, flags, require_arrays


class DebiasState(NamedTuple):
    """State of ``debias``."""

    kept: Any  # booleans like the parameters: where they were not zero at ``init``
    inner: optax.OptState  # of the optimiser that trains the rest


export.register_namedtuple_serialization(DebiasState, serialized_name="proxreg.DebiasState")


def debias(
    inner: optax.GradientTransformation | None = None, *, mask: Mask = None
) -> optax.GradientTransformationExtraArgs:
    """Freezes the zeros that the parameters have at ``init``; ``inner`` trains the rest, without penalty.

    The relaxed lasso of deep learning: a penalty finds which weights matter and shrinks them too; a second phase lets
    them have the size that the data want. Both the gradients that ``inner`` sees and the updates that it returns are
    zero where the weights were, so that weight decay, momentum or noise cannot wake them.

    Args:
      inner: the optimiser of the second phase; if left out, this is a link that blanks updates, to be put last.
      mask: prefix tree of booleans or function returning one; where False (biases, say), zeros may move.

    Meinshausen (2007), Relaxed lasso, Computational Statistics and Data Analysis 52. The pattern is that of ``init``:
    call it on the parameters after the first phase.

    >>> import jax.numpy as jnp, optax, proxreg as pr
    >>> w = jnp.array([0.5, 0.0])
    >>> optimizer = pr.debias(optax.sgd(0.1))
    >>> updates, state = optimizer.update(jnp.array([1.0, 1.0]), optimizer.init(w), w)
    >>> print(optax.apply_updates(w, updates))
    [0.4 0. ]
    """
    if inner is not None and not hasattr(inner, "update"):
        raise ValueError(f"inner must be an optax optimiser such as optax.adam(1e-3), got {inner!r}")
    chosen = optax.with_extra_args_support(optax.identity() if inner is None else inner)

    def init(params):
        require_arrays(params)
        kept = jax.tree.map(lambda p: jnp.asarray(p) != 0, params)
        if mask is not None and jax.tree.leaves(params):
            may_freeze = flags(mask, params)
            kept = jax.tree.map(lambda on, freezes: on if freezes else jnp.ones_like(on), kept, may_freeze)
        return DebiasState(kept, chosen.init(params))

    def update(updates, state, params=None, **extra_args):
        updates, inner_state = chosen.update(_where(state.kept, updates), state.inner, params, **extra_args)
        return _where(state.kept, updates), DebiasState(state.kept, inner_state)

    return optax.GradientTransformationExtraArgs(init, update)


def _where(kept: Any, updates: Any) -> Any:
    """The updates, zero where nothing is kept; None stays None."""

    def leaf(u, on):
        return None if u is None else jnp.where(on, u, jnp.zeros_like(u))

    return jax.tree.map(leaf, updates, kept, is_leaf=lambda x: x is None)
