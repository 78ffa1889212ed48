"""The unpenalised intercept: the root of a monotone function of one variable."""

import jax
import jax.numpy as jnp

from proxreg._pytree import Array
from proxreg.losses import Loss

FLAT = 1e-2  # of the largest second derivative, below which one says nothing about other intercepts


def best_intercept(loss: Loss, eta: Array, y: Array, weights: Array, start: Array, steps: int) -> Array:
    """The ``b`` that minimises ``sum_i weights_i loss(eta_i + b, y_i)``, searched from ``start``.

    Newton steps while they halve the derivative, otherwise steps that double until they bracket the root and
    bisections after that (Press et al. 2007, Numerical Recipes, section 9.4); the best point seen is returned. Costs
    ``steps`` passes over ``eta``.
    """

    def slopes(b):
        at = eta + b
        first = jnp.sum(weighed(weights, loss.derivative(at, y)))
        second = jnp.sum(weighed(weights, loss.second_derivative(at, y)))
        return first, second

    if loss.affine:
        first, second = slopes(start)
        return start - first / second
    if loss.closed_intercept:
        return loss.intercept(eta, y, weights)

    infinite = jnp.asarray(jnp.inf, eta.dtype)

    def body(_, carry):
        b, slope, low, high, width, best, best_slope = carry
        first, second = slopes(b)
        better = jnp.abs(first) < jnp.abs(best_slope)
        best, best_slope = jnp.where(better, b, best), jnp.where(better, first, best_slope)
        low, high = jnp.where(first < 0, b, low), jnp.where(first > 0, b, high)
        newton = b - first / jnp.where(second > 0, second, 1)
        middle = (low + high) / 2
        safe = jnp.where(jnp.isfinite(middle), middle, b - jnp.sign(first) * width)
        inside = (newton > low) & (newton < high) & (second > 0)
        quick = inside & (jnp.abs(first) <= jnp.abs(slope) / 2)
        # where curvature can explode, or has next to vanished, a far Newton step is no better than none
        flat = True if loss.curvature is None else second < FLAT * loss.curvature
        quick = quick & ((jnp.abs(newton - b) <= width) | jnp.logical_not(flat))
        return jnp.where(quick, newton, safe), first, low, high, 2 * width, best, best_slope

    width = jnp.ones((), eta.dtype)
    carry = (start, infinite, -infinite, infinite, width, start, infinite)
    return jax.lax.fori_loop(0, steps, body, carry)[5]


def is_best_intercept(loss: Loss, eta: Array, y: Array, weights: Array) -> Array:
    """Return whether the derivatives at ``eta`` cancel, as at a best intercept they do, to a third of the digits."""
    slope = weighed(weights, loss.derivative(eta, y))
    size = jnp.finfo(eta.dtype).eps ** (1 / 3) * jnp.sum(jnp.abs(slope))
    return jnp.abs(jnp.sum(slope)) <= size + derivative_rounding(loss, eta, y, weights)


def derivative_rounding(loss: Loss, eta: Array, y: Array, weights: Array) -> Array:
    """Return what rounding leaves of a sum of derivatives; where there is nothing to explain, that is all there is."""
    return 4 * jnp.finfo(eta.dtype).eps * jnp.sum(weighed(weights, loss.derivative_terms(eta, y)))


def weighed(weights: Array, values: Array) -> Array:
    """``weights * values``; of weight 0 values may have overflowed, as no fit keeps them small, and count nothing."""
    return weights * jnp.where((weights > 0) | jnp.isfinite(values), values, 0)


def balanced(u: Array) -> Array:
    """``u`` with its positive or its negative part scaled down so that the sum is zero.

    A dual point must be orthogonal to the intercept's column of ones. Every factor lies in [0, 1], so a point in the
    domain of the conjugate (convex, and it holds 0) stays inside; at the best intercept all factors are 1.
    """
    up, down = jnp.sum(jnp.maximum(u, 0)), jnp.sum(jnp.maximum(-u, 0))
    smaller = jnp.minimum(up, down)
    return jnp.where(u > 0, u * _ratio(smaller, up), u * _ratio(smaller, down))


def _ratio(part: Array, whole: Array) -> Array:
    return jnp.where(whole == 0, 0, part / jnp.where(whole == 0, 1, whole))
