"""Any differentiable function of any pytree of parameters."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, PyTree, pytree_dataclass, static, tree_max_abs, tree_vdot
from proxreg.models.certificate import Certificate, relative, violation
from proxreg.models.problem import Curvature, Point
from proxreg.penalties import Penalty
from proxreg.penalties.by_path import path_name


@pytree_dataclass
class Function:
    """A smooth function ``(params, *args) -> scalar``, convex in ``params`` for the answer to be a minimum.

    The function is part of the compiled program, ``args`` are its data.
    """

    function: Callable[..., Array] = static()
    args: tuple = ()

    def parameters(self, w0: PyTree) -> PyTree:
        """Return what the penalty sees."""
        return w0

    def is_valid(self) -> Array:
        """Return True: a function has no range to keep."""
        return jnp.asarray(True)

    def value(self, params: PyTree) -> Array:
        """The function's value."""
        return self.function(params, *self.args)

    def with_penalty(self, penalty: Penalty, w0: PyTree) -> "FunctionProblem":
        """The problem that solvers work on; ``w0`` tells shapes and where to measure the curvature."""
        w0 = as_parameters(w0)
        shape = jax.eval_shape(self.value, w0)
        if not hasattr(shape, "shape") or shape.shape != () or not jnp.issubdtype(shape.dtype, jnp.floating):
            raise ValueError(f"the smooth function must return a scalar, a real one, got {shape}")
        null = tree_max_abs(jax.grad(self.value)(jax.tree.map(jnp.zeros_like, w0)))
        start = tree_max_abs(jax.grad(self.value)(w0))
        # a logarithm has no gradient at zero: relative to an infinite one, anything would be small
        scale = jnp.where(jnp.isfinite(null), null, jnp.where(jnp.isfinite(start), start, 1))
        return FunctionProblem(penalty, jax.lax.stop_gradient(scale), _curvature(self.value, w0), self)


@pytree_dataclass
class FunctionProblem:
    """See ``Problem``; a point has no image."""

    penalty: Penalty
    null_gradient: Array
    scale: Array
    smooth: Function

    @property
    def check_every(self) -> int:
        """A certificate costs a gradient."""
        return 4

    @property
    def curvature(self) -> Curvature:
        """Backtracking finds it."""
        return "unknown"

    def start(self, w0: Any) -> Point:
        """The point for ``w0``."""
        return self.at(as_parameters(w0))

    def at(self, params: PyTree) -> Point:
        """Nothing is computed in advance."""
        return Point(params, ())

    def gradient(self, point: Point) -> PyTree:
        """By automatic differentiation."""
        return _conjugate(jax.grad(self.smooth.value)(point.params))

    def divergence(self, new: Point, old: Point, move: PyTree, gradient: PyTree) -> tuple[Array, Array]:
        """From two values of the function."""
        after, before = self.smooth.value(new.params), self.smooth.value(old.params)
        noise = 8 * jnp.finfo(after.dtype).eps * (jnp.abs(after) + jnp.abs(before))
        return after - before - tree_vdot(gradient, move), noise

    def prox(self, params: PyTree, step: PyTree) -> PyTree:
        """The penalty's, with the one step that all leaves have, in the types of the parameters."""
        target = self.penalty.prox(params, jax.tree.leaves(step)[0])
        return jax.tree.map(lambda new, old: jnp.asarray(new).astype(old.dtype), target, params)

    def steps(self, point: Point) -> PyTree:
        """One over the curvature along the gradient at the start; backtracking corrects it."""
        return jax.tree.map(lambda leaf: (1 / self.scale).astype(leaf.real.dtype), point.params)

    def certify(self, point: Point) -> Certificate:
        """One gradient; there is no dual."""
        value, gradient = jax.value_and_grad(self.smooth.value)(point.params)
        objective = value + self.penalty.value(point.params).astype(value.dtype)
        rest = violation(self.penalty, point.params, _conjugate(gradient), self.null_gradient).astype(value.dtype)
        rest = relative(rest, self.null_gradient.astype(value.dtype))
        return Certificate(objective, jnp.full_like(objective, jnp.nan), rest)

    def solution(self, point: Point) -> PyTree:
        """The parameters."""
        return point.params


def as_parameters(tree: PyTree) -> PyTree:
    """Return the tree as arrays that can be differentiated; whole numbers become floats.

    Raises ValueError for a leaf that is no array of numbers, naming it.
    """

    def leaf(path, x):
        try:
            x = jnp.asarray(x)
        except (TypeError, ValueError):
            x = None
        if x is None or not (jnp.issubdtype(x.dtype, jnp.number) or jnp.issubdtype(x.dtype, jnp.bool_)):
            place = path_name(path) or "w0"
            raise ValueError(
                f"parameters must be arrays of numbers, {place} is not: pass the arrays alone as w0 (of an equinox "
                "module eqx.filter(model, eqx.is_inexact_array), of a flax one nnx.state(model, nnx.Param)) and put "
                "the rest back inside the function"
            )
        return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)

    return jax.tree_util.tree_map_with_path(leaf, tree)


def _conjugate(gradient: PyTree) -> PyTree:
    """The direction of steepest ascent: of complex parameters ``jax.grad`` gives its conjugate."""
    return jax.tree.map(jnp.conj, gradient)


def _curvature(function: Callable[[PyTree], Array], w0: PyTree) -> Array:
    def gradient(w):
        return _conjugate(jax.grad(function)(w))

    g, product = jax.jvp(gradient, (w0,), (gradient(w0),))
    length = tree_vdot(g, g)
    size = jnp.sqrt(tree_vdot(product, product) / jnp.where(length > 0, length, 1))
    return jax.lax.stop_gradient(jnp.where(jnp.isfinite(size) & (size > 0), size, 1))
