"""Any differentiable function of any pytree of parameters."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, PyTree, pytree_dataclass, static, tree_max_abs, tree_vdot
from proxreg.models.certificate import Certificate, relative, violation
from proxreg.models.problem import Curvature, Point
from proxreg.penalties import Penalty


@pytree_dataclass
class Function:
    """A smooth function ``params -> scalar``, convex for the answer to be a minimum.

    The function is part of the compiled program: the same object does not compile twice, a new lambda does.
    """

    function: Callable[[PyTree], Array] = static()

    def value(self, params: PyTree) -> Array:
        """The function's value."""
        return self.function(params)

    def with_penalty(self, penalty: Penalty, w0: PyTree) -> "FunctionProblem":
        """The problem that solvers work on; ``w0`` tells shapes and where to measure the curvature."""
        w0 = _floating(w0)
        shape = jax.eval_shape(self.function, w0)
        if not hasattr(shape, "shape") or shape.shape != ():
            raise ValueError(f"the smooth function must return a scalar, got {shape}")
        zero = jax.tree.map(jnp.zeros_like, w0)
        null_gradient = tree_max_abs(jax.grad(self.function)(zero))
        return FunctionProblem(penalty, null_gradient, _curvature(self.function, w0), self.function)


@pytree_dataclass
class FunctionProblem:
    """See ``Problem``; a point has no image."""

    penalty: Penalty
    null_gradient: Array
    scale: Array
    function: Callable[[PyTree], Array] = static()

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
        return self.at(_floating(w0))

    def at(self, params: PyTree) -> Point:
        """Nothing is computed in advance."""
        return Point(params, ())

    def gradient(self, point: Point) -> PyTree:
        """By automatic differentiation."""
        return jax.grad(self.function)(point.params)

    def divergence(self, new: Point, old: Point, move: PyTree, gradient: PyTree) -> tuple[Array, Array]:
        """From two values of the function."""
        after, before = self.function(new.params), self.function(old.params)
        noise = 8 * jnp.finfo(after.dtype).eps * (jnp.abs(after) + jnp.abs(before))
        return after - before - tree_vdot(gradient, move), noise

    def prox(self, params: PyTree, step: PyTree) -> PyTree:
        """The penalty's."""
        return self.penalty.prox(params, step)

    def steps(self, point: Point) -> PyTree:
        """One over the curvature along the gradient at the start; backtracking corrects it."""
        return jax.tree.map(lambda leaf: (1 / self.scale).astype(leaf.real.dtype), point.params)

    def certify(self, point: Point) -> Certificate:
        """One gradient; there is no dual."""
        value, gradient = jax.value_and_grad(self.function)(point.params)
        objective = value + self.penalty.value(point.params).astype(value.dtype)
        rest = violation(self.penalty, point.params, gradient).astype(value.dtype)
        rest = relative(rest, self.null_gradient.astype(value.dtype))
        return Certificate(objective, jnp.full_like(objective, jnp.nan), rest)

    def solution(self, point: Point) -> PyTree:
        """The parameters."""
        return point.params


def _floating(tree: PyTree) -> PyTree:
    """The tree as arrays that can be differentiated: whole numbers become floats."""

    def leaf(x):
        x = jnp.asarray(x)
        return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(float)

    return jax.tree.map(leaf, tree)


def _curvature(function: Callable[[PyTree], Array], w0: PyTree) -> Array:
    gradient = jax.grad(function)
    g, product = jax.jvp(gradient, (w0,), (gradient(w0),))
    length = tree_vdot(g, g)
    size = jnp.sqrt(tree_vdot(product, product) / jnp.where(length > 0, length, 1))
    return jax.lax.stop_gradient(jnp.where(jnp.isfinite(size) & (size > 0), size, 1))
