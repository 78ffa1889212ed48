"""Choose the columns of a working set: those in use, and those nearest to entering.

After Massias, Gramfort and Salmon 2018, Celer: a dual method for sparse generalized linear models.
"""

import jax
import jax.numpy as jnp

from proxreg._pytree import Array
from proxreg.penalties import Penalty


def best_columns(score: Array, width: int) -> Array:
    """Return the numbers ``(..., width)`` of the columns with the highest scores ``(..., p)``."""
    # a CPU selects among numbers of float32, and sorts all of any other type
    return jax.lax.top_k(score.astype(jnp.float32), width)[1]


def of_columns(penalties: Penalty, at: Array | None, p: int) -> Penalty:
    """Return the lanes' penalties of some columns: of parameters that come one per column, those of these."""
    if at is None:
        return penalties
    return jax.tree.map(lambda leaf: leaf[:, at] if leaf.shape[1:] == (p,) else leaf, penalties)


def entry_factors(penalty: Penalty, w: Array, gradient: Array) -> Array:
    """Return the factor on the strength at which each column ``(p,)`` of a lane enters; infinite for those in use.

    It is 1 or more where a column has to enter now. A penalty that does not know has its violations in that place.
    """
    used = (w != 0) | (penalty.prox(jnp.zeros_like(w), jnp.ones((), w.dtype)) != 0)
    if type(penalty).alpha_max is Penalty.alpha_max:
        return jnp.where(used, jnp.inf, jnp.abs(penalty.residual(w, gradient)))
    axes = jax.tree.map(lambda leaf: 0 if jnp.shape(leaf) == w.shape else None, penalty)
    factor = jax.vmap(lambda own, g: own.alpha_max(g), in_axes=(axes, 0))(penalty, gradient)
    return jnp.where(used, jnp.inf, factor)
