"""A linear model with a penalty, prepared for the solvers."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import export

from proxreg._core import apply_where
from proxreg._pytree import Array, pytree_dataclass, static
from proxreg.losses import Loss
from proxreg.models.certificate import Certificate, column_violation, duality_gap, relative
from proxreg.models.intercept import balanced, best_intercept, derivative_rounding, weighed
from proxreg.models.problem import Curvature, Point
from proxreg.models.spectrum import majoriser
from proxreg.penalties import Penalty

POLISH_STEPS = 4


class Coefficients(NamedTuple):
    """The parameters of a linear model with an intercept; penalties see ``coef`` only."""

    coef: Any
    intercept: Any


export.register_namedtuple_serialization(Coefficients, serialized_name="proxreg.Coefficients")


class Image(NamedTuple):
    """What is affine in the parameters."""

    eta: Array  # linear predictor (n,)
    gradient: Coefficients | None  # of the smooth part, for a loss whose derivative is affine


@pytree_dataclass
class LinearProblem:
    """See ``Problem``. The parameters are ``Coefficients`` of the *centred* columns, whatever the user's are.

    On centred columns the intercept and the coefficients do not interact (exactly for the squared loss, in the
    majoriser for others), so columns with large means cost no steps. The plain means are off X already; what the
    weighted means differ by is subtracted from products, so that lanes with weights of their own share X. Without an
    intercept both are zero and the intercept stays zero.
    """

    X: Array
    y: Array
    weights: Array  # sum to one
    offset: Array
    shift: Array  # plain means of the user's columns, taken off
    center: Array  # weighted means of X
    null: Array  # intercept of the intercept-only model
    null_loss: Array
    null_gradient: Array  # of the coefficients there
    null_residual: Array  # norm of the loss's derivatives there, under the weights
    norms: Array  # of the columns, under the weights
    loss: Loss
    penalty: Penalty
    fit_intercept: bool = static()

    @property
    def curvature(self) -> Curvature:
        """That of the loss."""
        if self.loss.affine:
            return "constant"
        return "unknown" if self.loss.curvature is None else "bounded"

    @property
    def check_every(self) -> int:
        """A certificate costs a product where the gradient is not affine."""
        return 1 if self.loss.affine else 4

    def start(self, w0: Any) -> Point:
        """The point for the user's parameters; the intercept-only model where None."""
        if w0 is None:
            return self.at(Coefficients(jnp.zeros_like(self.center), self.null))
        if self.fit_intercept and not (isinstance(w0, tuple) and len(w0) == 2):
            raise ValueError("with fit_intercept=True, w0 must be pr.Coefficients(coef, intercept)")
        coef, intercept = w0 if self.fit_intercept else (w0, 0.0)
        coef, intercept = jnp.asarray(coef, self.X.dtype), jnp.asarray(intercept, self.X.dtype)
        if coef.shape != self.center.shape or intercept.shape != ():
            raise ValueError(f"w0 has shape {coef.shape}, expected {self.center.shape}")
        return self.at(Coefficients(coef, intercept + (self.shift + self.center) @ coef))

    def at(self, params: Coefficients) -> Point:
        """One product with X, and one with its transpose where the gradient is affine."""
        eta = self.predictor(params)
        return Point(params, Image(eta, self.pull(self.slope(eta)) if self.loss.affine else None))

    def predictor(self, params: Coefficients) -> Array:
        """The linear predictor ``eta (n,)``, offset included: one product with X."""
        return self.X @ params.coef + (params.intercept - self.center @ params.coef) + self.offset

    def loss_of(self, eta: Array) -> Array:
        """The weighted mean loss."""
        return jnp.sum(weighed(self.weights, self.loss.value(eta, self.y)))

    def slope(self, eta: Array) -> Array:
        """The loss's derivative by each sample's predictor, times its weight."""
        return weighed(self.weights, self.loss.derivative(eta, self.y))

    def pull(self, slope: Array) -> Coefficients:
        """The gradient that a derivative per sample gives."""
        total = jnp.sum(slope)
        coef = slope @ self.X - self.center * total
        return Coefficients(coef, total if self.fit_intercept else jnp.zeros_like(total))

    def gradient(self, point: Point) -> Coefficients:
        """One product with the transpose of X, unless the point carries it."""
        carried = point.image.gradient
        return self.pull(self.slope(point.image.eta)) if carried is None else carried

    def divergence(self, new: Point, old: Point, move: Coefficients, gradient: Coefficients) -> tuple[Array, Array]:
        """To second order, ``<f'(new) - f'(old), move> / 2``: sample by sample, so that nothing large cancels.

        Where no bound of the curvature says that such a step is safe, exactly: ``f(new) + f*(u) - u new`` with
        ``u = f'(old)`` is the divergence, as Fenchel's equality holds at the old point.
        """
        before, after = old.image.eta, new.image.eta
        first, second = self.loss.derivative(before, self.y), self.loss.derivative(after, self.y)
        shift = self.weights * (after - before)
        noise = 4 * jnp.finfo(self.X.dtype).eps * jnp.sum(weighed(jnp.abs(shift), jnp.abs(first) + jnp.abs(second)))
        second_order = jnp.sum(jnp.where(shift == 0, 0, (second - first) * shift)) / 2
        if self.loss.curvature is not None:
            return second_order, noise
        exact = jnp.sum(weighed(self.weights, self.loss.fenchel_young(after, first, self.y)))
        return jnp.where(jnp.isnan(exact), second_order, exact), noise

    def prox(self, params: Coefficients, step: Coefficients) -> Coefficients:
        """The penalty's, of the coefficients; the intercept is free."""
        return Coefficients(self.penalty.prox(params.coef, step.coef), params.intercept)

    def curvature_weights(self, eta: Array) -> Array:
        """Bounds of the second derivative per sample, times the weights; local values where there is no bound."""
        if self.loss.curvature is not None:
            return self.loss.curvature * self.weights
        return weighed(self.weights, jnp.maximum(self.loss.second_derivative(eta, self.y), 0))

    def local_curvature(self, eta: Array) -> Array:
        """Second derivatives per sample times the weights, at least a small part of their bound where there is one."""
        floor = self.loss.least_curvature * (self.loss.curvature or 0.0)
        return weighed(self.weights, jnp.maximum(self.loss.second_derivative(eta, self.y), floor))

    def column_curvature(self, weights: Array) -> Array:
        """``sum_i weights_i (x_ij - center_j)^2`` per column; 0 where there is nothing but rounding."""
        return weighted_squares(self.X, weights, self.center, self.shift)

    def steps(self, point: Point) -> Coefficients:
        """One over a diagonal majoriser of the Hessian: the bound where there is one, else at the start."""
        weights = self.curvature_weights(point.image.eta)

        def product(v: Array) -> Array:
            return self.pull(weights * (self.X @ v - self.center @ v)).coef

        curvature = self.column_curvature(weights)
        diagonal = majoriser(product, self.penalty.metric(curvature), curvature.size)
        total = jnp.sum(weights)
        return Coefficients(1 / diagonal, 1 / jnp.where(total > 0, total, 1))

    def intercept_shift(self, eta: Array) -> Array:
        """What to add to the intercept to make it the best one for its coefficients."""
        zero = jnp.zeros((), eta.dtype)
        if not self.fit_intercept:
            return zero
        return best_intercept(self.loss, eta, self.y, self.weights, zero, POLISH_STEPS)

    def polished(self, point: Point) -> Point:
        """Return the point with its intercept at its best; on centred columns the coefficients' gradient stays."""
        (coef, intercept), (eta, gradient) = point
        shift = self.intercept_shift(eta)
        return Point(Coefficients(coef, intercept + shift), Image(eta + shift, gradient))

    def certify(self, point: Point) -> Certificate:
        """The certificate of the point with its intercept at its best."""
        return self.certify_polished(self.polished(point))

    def certify_polished(self, point: Point, *, forward: bool = False) -> Certificate:
        """At most two products; the gap has a dual point that is orthogonal to the intercept.

        With ``forward`` the second one is left out where it makes no difference; then there is no reverse mode.

        Both parts of the gap are zero only where the dual point is the derivative at ``eta`` and the penalty's
        subgradient there: at an optimum. The violation is that of the derivatives themselves, intercept included, not
        of the dual point made of them.
        """
        params, eta = point.params, point.image.eta
        coef = params.coef
        if self.loss.affine or not self.fit_intercept:  # on centred columns a shift of eta leaves an affine gradient
            gradient, factor, slope_violation = self.gradient(point).coef, 1.0, 0.0
            dual_gradient = gradient
        else:
            slope = self.slope(eta)
            gradient, total = self.pull(slope)
            dual = balanced(slope)
            factor = jnp.where(slope == 0, 1, dual / jnp.where(slope == 0, 1, slope))
            if forward:  # at the best intercept they differ by rounding alone, and one product is enough
                differs = jnp.max(jnp.abs(1 - factor)) > 16 * jnp.finfo(eta.dtype).eps
                dual_gradient = apply_where(differs, lambda _: self.pull(dual).coef, gradient)
            else:
                dual_gradient = self.pull(dual).coef
            left = jnp.maximum(jnp.abs(total) - derivative_rounding(self.loss, eta, self.y, self.weights), 0)
            slope_violation = relative(left, self.null_residual)
        theta = factor * self.loss.derivative(eta, self.y)

        def loss_gap(c: Array) -> Array:
            return jnp.sum(weighed(self.weights, self.loss.fenchel_young(eta, c * theta, self.y)))

        objective = self.loss_of(eta) + self.penalty.value(coef)
        lost = jnp.where(self.null_loss > 0, self._rounding(eta, self._restored(params)), 0)
        gap = relative(duality_gap(self.penalty, coef, dual_gradient, loss_gap) + lost, self.null_loss)
        worst = column_violation(self.penalty, coef, gradient, self.norms, self.null_residual)
        return Certificate(objective, gap, jnp.maximum(worst, slope_violation))

    def _rounding(self, eta: Array, intercept: Array) -> Array:
        """Return what rounding the predictors and the returned intercept adds to the loss, where its slope is zero.

        It matters where these are large beside what is to be explained, as with means of a million in float32.
        """
        off = jnp.finfo(eta.dtype).eps * (jnp.abs(eta) + jnp.abs(intercept))
        return jnp.sum(weighed(self.curvature_weights(eta), jnp.square(off))) / 2

    def _restored(self, params: Coefficients) -> Array:
        """Return the intercept of the columns as they are, not centred."""
        return params.intercept - (self.shift + self.center) @ params.coef

    def solution(self, point: Point) -> Any:
        """The parameters of the columns as they are, not centred, the intercept at its best."""
        return self.restored(self.polished(point).params)

    def restored(self, params: Coefficients) -> Any:
        """Return what the user's parameters are for those of the centred columns."""
        return Coefficients(params.coef, self._restored(params)) if self.fit_intercept else params.coef


def weighted_squares(X: Array, weights: Array, center: Array, shift: Array) -> Array:
    """Return ``sum_i weights_i (x_ij - center_j)^2`` per column ``(p,)``, 0 where there is nothing but rounding.

    Multiplied out, so that lanes with weights of their own make no copies of X. ``shift (p,)`` has been taken off the
    columns: rounding is relative to it as well.
    """
    eps, total = jnp.finfo(X.dtype).eps, jnp.sum(weights)
    square = weights @ jnp.square(X)
    curvature = square - 2 * center * (weights @ X) + total * jnp.square(center)
    rounding = 4 * eps * (square + total * jnp.square(center)) + total * jnp.square(4 * eps * shift)
    return jnp.where((curvature <= rounding) & ((center != 0) | (shift != 0)), 0, curvature)


def column_norms(X: Array, weights: Array, center: Array, shift: Array) -> Array:
    """Return the roots of ``weighted_squares``, which do not underflow where the squares do."""
    peak = jnp.max(jnp.abs(X), axis=0, initial=0.0)
    unit = jnp.where(peak > 0, peak, 1)
    return peak * jnp.sqrt(jnp.maximum(weighted_squares(X / unit[None], weights, center / unit, shift / unit), 0))
