"""A user's own loss, from one function."""

from collections.abc import Callable

import jax.numpy as jnp

from proxreg._pytree import Array, pytree_dataclass, static
from proxreg.losses.base import Loss


@pytree_dataclass
class Custom(Loss):
    """A loss from any function ``(eta, y) -> loss of each sample``, elementwise, convex and differentiable in ``eta``.

    Derivatives come by automatic differentiation. Its conjugate is not known, so fits report a NaN gap and stop on
    the KKT violation. Wherever a loss is taken, such a function may be passed as it is. It becomes part of compiled
    programs, which a process keeps: define it once, since an equal lambda written anew compiles anew. Whether it has
    a minimum is not known either: where it falls for ever, as a likelihood of separated classes does without a penalty,
    a fit ends where its slope is within ``tol``.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> quartic = pr.Custom(lambda eta, y: (eta - y) ** 4)
    >>> print(quartic.derivative(jnp.array([1.0, 2.0]), jnp.zeros(2)))
    [ 4. 32.]
    """

    function: Callable[[Array, Array], Array] = static()

    def value(self, eta: Array, y: Array) -> Array:
        """``function(eta, y)``; raises ValueError unless it is one loss per sample."""
        losses = self.function(eta, y)
        if jnp.shape(losses) != jnp.shape(eta):
            raise ValueError(
                f"a loss must return one value per sample, shape {jnp.shape(eta)}, got shape {jnp.shape(losses)}; "
                "leave the mean to the fit"
            )
        return jnp.asarray(losses, jnp.result_type(eta))  # NumPy scalars in a loss widen it
