"""What is known about a point: its objective, its duality gap and its violation of the optimality conditions."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp

from proxreg._pytree import Array, PyTree, tree_max_abs, tree_vdot
from proxreg.penalties import Penalty


class Certificate(NamedTuple):
    """A point's quality; ``tol`` bounds both the gap, where it is known, and the violation."""

    objective: Array  # loss + penalty
    gap: Array  # duality gap over the intercept-only loss; NaN where no dual point is known
    violation: Array  # max_j |subgradient_j(w, grad)| / (norm of column j * norm of the residual at w = 0)

    @property
    def error(self) -> Array:
        """What ``tol`` bounds."""
        return jnp.where(jnp.isnan(self.gap), self.violation, jnp.maximum(self.gap, self.violation))


def duality_gap(penalty: Penalty, w: PyTree, gradient: PyTree, loss_gap: Callable[[Array], Array]) -> Array:
    """Objective minus dual objective at a multiple c of the loss's derivative.

    With ``theta = c loss'(eta)`` the gap is a sum of two Fenchel-Young inequalities, each term >= 0 and so free of
    cancellation: ``loss_gap(c) = loss + loss*(theta) - <theta, eta>`` over the samples, and
    ``pen(w) + pen*(-c X' loss') + c <w, X' loss'>`` over the coefficients, where c is the penalty's ``dual_scale``
    (Massias, Gramfort and Salmon 2018, Celer, section 2, for the lasso).
    """
    scale = penalty.dual_scale(w, gradient)
    rest = penalty.value(w) + penalty.dual_value(w, gradient, scale) + scale * tree_vdot(w, gradient)
    total = loss_gap(scale) + rest
    # below zero by rounding, which is finite: minus infinity is no gap but an overflow
    return jnp.where(jnp.isnan(scale) | (total == -jnp.inf), jnp.nan, jnp.maximum(total, 0))


def violation(penalty: Penalty, w: PyTree, gradient: PyTree, scale: Array | None = None) -> Array:
    """The largest entry of the smallest element of ``gradient + subdifferential(pen)(w)``.

    For a penalty without a subgradient of its own, of its ``residual``; ``scale`` is the size of gradients that count.
    """
    return tree_max_abs(penalty.residual(w, gradient, scale))


def column_violation(penalty: Penalty, w: Array, gradient: Array, norms: Array, residual: Array) -> Array:
    """Return ``max_j |subgradient_j| / (norms_j residual)``, the violation in units of its own column.

    ``norms (p,)`` are those of the columns under the weights, ``residual`` that of the loss's derivatives at w = 0: by
    the inequality of Cauchy and Schwarz no gradient there is larger than their product, so that the quotient is at most
    about 1 and stays what it is when a column is multiplied by a number, whatever the other columns are. A column of
    norm zero counts as it is.
    """
    unit = jnp.where(norms > 0, norms, 1)
    size = jnp.abs(penalty.residual(w, gradient, residual * jnp.max(unit, initial=0.0)))
    return relative(jnp.max(size / jnp.broadcast_to(unit, size.shape), initial=0.0), residual)


def least_squares_certificate(
    penalty: Penalty, w: Array, gradient: Array, loss: Array, norms: Array, null_loss: Array
) -> Certificate:
    """Return what is known about ``w (p,)`` where half the squared residual is ``loss``, and ``null_loss`` at zero.

    ``gradient (p,)`` is that of the loss, ``norms (p,)`` are those of the columns.
    """
    gap = duality_gap(penalty, w, gradient, lambda c: jnp.square(1 - c) * loss)
    worst = column_violation(penalty, w, gradient, norms, jnp.sqrt(2 * null_loss))
    return Certificate(loss + penalty.value(w), relative(gap, null_loss), worst)


def relative(amount: Array, scale: Array) -> Array:
    """``amount / scale``; as it is where the scale is zero, so that an exact zero stays one."""
    return amount / jnp.where(scale > 0, scale, 1)
