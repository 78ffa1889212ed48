"""What a penalty is: the methods that solvers call, with defaults for a penalty that has only value and prox."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import ClassVar

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, ArrayLike, PyTree, tree_max_abs, tree_sum, tree_where
from proxreg.penalties._numerics import like, operands


class Penalty:
    """Base of all penalties; a new one needs ``value(w)``, ``prox(v, step)`` and ``separable``, the rest has defaults.

    ``separable = True`` says that prox acts on each coordinate alone, ``separable = False`` that coordinates share
    something (a norm, a sum, a rank); a class that says neither is tried on a few points, and refused if they do.
    Parameters and gradients may be arrays or pytrees of arrays. A penalty that is not separable sees the whole tree in
    ``value`` and ``prox``, with one step for all.
    A penalty with no ``conjugate`` gives fits without a duality gap (NaN), stopped on the KKT violation instead.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> @pr.pytree_dataclass
    ... class L0(pr.Penalty):
    ...     separable = True
    ...     alpha: float
    ...     def value(self, w):
    ...         return self.alpha * jnp.sum(w != 0)
    ...     def prox(self, v, step):
    ...         return jnp.where(jnp.abs(v) > jnp.sqrt(2 * step * self.alpha), v, 0)
    >>> print(L0(0.5).prox(jnp.array([0.9, 1.1]), 1.0))
    [0.  1.1]
    """

    #: acts on each coordinate alone, so that prox takes a step per coordinate and coordinate descent applies; where a
    #: class does not say, ``require_declared`` tries
    separable: ClassVar[bool] = True

    def value(self, w: PyTree) -> Array:
        """``pen(w)``, a scalar; infinite outside the domain."""
        raise ValueError(f"{type(self).__name__} needs a method value(w)")

    def prox(self, v: PyTree, step: ArrayLike) -> PyTree:
        """``argmin_u pen(u) + ||u - v||^2 / (2 step)``, like ``v``; step a scalar, or like ``v`` if separable."""
        raise ValueError(f"{type(self).__name__} needs a method prox(v, step)")

    def subgradient(self, w: PyTree, grad: PyTree = 0.0) -> PyTree:
        """Return the smallest element of ``grad + subdifferential(pen)(w)``: the KKT residual where grad is the loss's.

        The default reads it off the prox at a small step, ``(w - prox(w - t grad, t)) / t``, whose limit it is
        (Bauschke and Combettes 2017, Cor. 23.46); exact to about the cube root of the machine precision.
        """
        return self._whole_or_parts(lambda x, g: self._mapping(x, g, _small(x)), w, grad)

    def residual(self, w: PyTree, grad: PyTree, scale: ArrayLike | None = None) -> PyTree:
        """Return what vanishes exactly at stationary points and is as large as a gradient: what solvers stop on.

        The smallest subgradient where the penalty has one of its own. Else the gradient mapping
        ``(w - prox(w - t grad, t)) / t`` at the step ``t = max|w| / scale``, which rounding of w blurs by
        ``eps scale`` only and which bounds the distance to a prox point by ``t |residual|``; or at a small step, if
        less is left there (of penalties that are not convex, prox at a long step leaves stationary points). ``scale``
        is the size of gradients that count, by default the largest entry of ``grad``.
        """
        if type(self).subgradient is not Penalty.subgradient:
            return self.subgradient(w, grad)

        def smaller(x: PyTree, g: PyTree) -> PyTree:
            size, largest = tree_max_abs(x), tree_max_abs(g)
            unit = largest if scale is None else jnp.asarray(scale, largest.dtype)
            usable = (size > 0) & (unit > 0) & jnp.isfinite(size / unit)
            long = self._mapping(x, g, jnp.where(usable, size / jnp.where(unit > 0, unit, 1), _small(x)))
            short = self._mapping(x, g, _small(x))
            return tree_where(tree_max_abs(short) <= tree_max_abs(long), short, long)

        return self._whole_or_parts(smaller, w, grad)

    def _mapping(self, x: PyTree, g: PyTree, t: Array) -> PyTree:
        target = self.prox(jax.tree.map(lambda x, g: (x - t * g).astype(x.dtype), x, g), t)
        return jax.tree.map(lambda x, p: ((x - p) / t).astype(x.dtype), x, target)

    def _whole_or_parts(self, function: Callable[[PyTree, PyTree], PyTree], w: PyTree, grad: PyTree) -> PyTree:
        """``function(w, grad)`` in the precision to compute in; leaf by leaf where the penalty is separable."""
        pairs = _map_with(lambda w, g: operands(w, g), w, grad)
        x, g = jax.tree.transpose(jax.tree.structure(w), jax.tree.structure((0, 0)), pairs)
        residual = jax.tree.map(function, x, g) if self.separable else function(x, g)
        return jax.tree.map(like, residual, w)

    def conjugate(self, u: PyTree) -> Array:
        """``max_w <u, w> - pen(w)``, a scalar; NaN where it is not known."""
        return jnp.full((), jnp.nan)

    def dual_scale(self, w: PyTree, grad: PyTree) -> Array:
        """Largest factor c <= 1 such that ``conjugate(-c grad)`` is finite; NaN where no factor is."""
        return jnp.full((), jnp.nan)

    def dual_value(self, w: PyTree, grad: PyTree, scale: ArrayLike) -> Array:
        """``conjugate(-scale grad)``, or what bounds it from above near the solution; ``scale`` from ``dual_scale``."""
        return self.conjugate(jax.tree.map(lambda g: -scale * g, grad))

    def is_valid(self) -> Array:
        """Return whether all parameters are in their ranges, as a boolean that may be traced: solvers refuse others."""
        return jnp.asarray(True)

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


def _small(tree: PyTree) -> Array:
    """The step that balances rounding against curvature, in the type of the first leaf."""
    dtype = jax.tree.leaves(tree)[0].real.dtype
    return jnp.asarray(jnp.finfo(dtype).eps ** (1 / 3), dtype)


def _map_with(function: Callable, tree: PyTree, *others: PyTree) -> PyTree:
    """Maps over leaves; another argument is a tree of the same structure or one value for all leaves."""
    structure = jax.tree.structure(tree)
    spread = [
        other if jax.tree.structure(other) == structure else jax.tree.map(lambda _, o=other: o, tree)
        for other in others
    ]
    return jax.tree.map(function, tree, *spread)
