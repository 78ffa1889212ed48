"""What a penalty is: the methods that solvers call, with defaults for a penalty that has only value and prox."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, ArrayLike, PyTree, tree_sum
from proxreg.penalties._numerics import like, operands


class Penalty:
    """Base of all penalties; a new one needs ``value(w)`` and ``prox(v, step)``, the rest has defaults.

    Parameters and gradients may be arrays or pytrees of arrays: values add up over leaves, maps act leaf by leaf.
    A penalty with no ``conjugate`` gives fits without a duality gap (NaN), stopped on the KKT violation instead.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> @pr.pytree_dataclass
    ... class L0(pr.Penalty):
    ...     alpha: float
    ...     def value(self, w):
    ...         return self.alpha * jnp.sum(w != 0)
    ...     def prox(self, v, step):
    ...         return jnp.where(jnp.abs(v) > jnp.sqrt(2 * step * self.alpha), v, 0)
    >>> print(L0(0.5).prox(jnp.array([0.9, 1.1]), 1.0))
    [0.  1.1]
    """

    #: acts on each coordinate alone, so that prox takes a step per coordinate and coordinate descent applies
    separable: ClassVar[bool] = True

    def value(self, w: PyTree) -> Array:
        """``pen(w)``, a scalar; infinite outside the domain."""
        raise ValueError(f"{type(self).__name__} needs a method value(w)")

    def prox(self, v: PyTree, step: ArrayLike) -> PyTree:
        """``argmin_u pen(u) + ||u - v||^2 / (2 step)``, like ``v``; step a scalar, or like ``v`` if separable."""
        raise ValueError(f"{type(self).__name__} needs a method prox(v, step)")

    def subgradient(self, w: PyTree, grad: PyTree = 0.0) -> PyTree:
        """Smallest element of ``grad + subdifferential(pen)(w)``: the KKT residual where grad is the loss's.

        The default reads it off the prox at a small step, ``(w - prox(w - t grad, t)) / t``, whose limit it is
        (Bauschke and Combettes 2017, Cor. 23.46); exact to about the cube root of the machine precision.
        """

        def leaf(w, g):
            x, g = operands(w, g)
            t = jnp.asarray(jnp.finfo(x.dtype).eps ** (1 / 3), x.real.dtype)
            return like((x - self.prox(x - t * g, t)) / t, w)

        return _map_with(leaf, w, grad)

    def conjugate(self, u: PyTree) -> Array:
        """``max_w <u, w> - pen(w)``, a scalar; NaN where it is not known."""
        return jnp.full((), jnp.nan)

    def dual_scale(self, w: PyTree, grad: PyTree) -> Array:
        """Largest factor c <= 1 such that ``conjugate(-c grad)`` is finite; NaN where no factor is."""
        return jnp.full((), jnp.nan)

    def dual_value(self, w: PyTree, grad: PyTree, scale: ArrayLike) -> Array:
        """``conjugate(-scale grad)``, or what bounds it from above near the solution; ``scale`` from ``dual_scale``."""
        return self.conjugate(jax.tree.map(lambda g: -scale * g, grad))

    def alpha_max(self, grad: PyTree) -> Array:
        """Smallest factor on the strength at which w = 0 is a solution, given the loss's gradient there."""
        raise ValueError(f"{type(self).__name__} has no alpha_max(grad); give alphas= yourself, or add the method")

    def per_leaf(self, tree: PyTree) -> "list[Penalty]":
        """The penalty of each leaf of a tree, in the order of ``jax.tree.leaves``: this one for all of them."""
        return [self] * len(jax.tree.leaves(tree))

    def group_norms(self, w: Array) -> Array | None:
        """The norm of each group ``(number of groups,)``; None where the penalty has no groups."""
        return None

    def metric(self, curvature: Array) -> Array:
        """Smallest diagonal above ``curvature`` whose inverse prox can take as a step; its shape broadcasts."""
        return curvature if self.separable else jnp.max(curvature, initial=0.0)

    def pull(self, w: Array) -> Array:
        """How hard the penalty pulls at each entry, |subgradient|, typically; 0 where a strength is infinite."""
        size = jnp.abs(self.subgradient(w))
        return jnp.where(jnp.isfinite(size), size, 0)


def binds(*functions: Callable) -> Callable[[type], type]:
    """Gives a dataclass the pure functions of its module as methods, its fields passed by name.

    Reductions are combined over the leaves of a pytree (``value`` and ``conjugate`` add, ``dual_scale`` takes the
    smallest, ``alpha_max`` the largest), maps are applied leaf by leaf.
    """

    def decorate(cls: type) -> type:
        for function in functions:
            setattr(cls, function.__name__, _method(function, [f.name for f in dataclasses.fields(cls)]))
        return cls

    return decorate


_REDUCTIONS: dict[str, Callable[[PyTree], Array]] = {
    "value": tree_sum,
    "conjugate": tree_sum,
    "dual_value": tree_sum,
    "dual_scale": lambda tree: jnp.min(jnp.stack(jax.tree.leaves(tree))),
    "alpha_max": lambda tree: jnp.max(jnp.stack(jax.tree.leaves(tree))),
}


def _method(function: Callable, fields: list[str]) -> Callable:
    reduce = _REDUCTIONS.get(function.__name__, lambda tree: tree)
    own = [p for name, p in inspect.signature(function).parameters.items() if name not in fields]
    signature = inspect.Signature([inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *own])

    def method(*args, **named):
        given = signature.bind(*args, **named).arguments
        self, (name, tree), *others = given.pop("self"), *given.items()
        bound = {field: getattr(self, field) for field in fields}

        def leaf(x, *values):
            return function(**{name: x}, **dict(zip((other for other, _ in others), values)), **bound)

        return reduce(_map_with(leaf, tree, *(value for _, value in others)))

    method.__name__, method.__doc__ = function.__name__, function.__doc__
    method.__signature__ = signature  # pyright: ignore[reportFunctionMemberAccess]
    return method


def _map_with(function: Callable, tree: PyTree, *others: PyTree) -> PyTree:
    """Maps over leaves; another argument is a tree of the same structure or one value for all leaves."""
    structure = jax.tree.structure(tree)
    spread = [
        other if jax.tree.structure(other) == structure else jax.tree.map(lambda _, o=other: o, tree)
        for other in others
    ]
    return jax.tree.map(function, tree, *spread)
