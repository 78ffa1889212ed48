"""Several classes at once: the mean cross-entropy of a softmax of one linear predictor per class, with a penalty."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from proxreg._pytree import Array, ArrayLike, pytree_dataclass, static
from proxreg.models.certificate import Certificate, column_violation, duality_gap, relative
from proxreg.models.intercept import weighed
from proxreg.models.linear_problem import Coefficients, column_norms, weighted_squares
from proxreg.models.problem import Curvature, Point
from proxreg.models.spectrum import majoriser
from proxreg.penalties import Penalty

BOUND = 0.5  # of the softmax's Hessian, in any direction (Boehning 1992, Ann. Inst. Statist. Math. 44)


@pytree_dataclass
class MultinomialModel:
    """``sum_i s_i (log sum_k exp(eta_ik) - sum_k y_ik eta_ik) / sum_i s_i`` with ``eta_ik = b_k + x_i . w_k``.

    ``X (n, p)``, ``y (n, K)`` the shares of the classes in each row, mostly one 1; ``sample_weight (n,)``; ``present
    (K,)``, True for the classes that there are: the others have probability 0, and parameters that stay 0. The
    parameters are ``w (K, p)``, or with ``fit_intercept=True`` the pair ``Coefficients(coef, intercept (K,))``.
    """

    X: ArrayLike
    y: ArrayLike
    sample_weight: ArrayLike | None = None
    fit_intercept: bool = static(default=False)
    present: ArrayLike | None = None

    def parameters(self, w0: Any) -> Any:
        """Return what the penalty sees, as far as its shape and type go."""
        return jax.ShapeDtypeStruct((*self.y.shape[1:], *self.X.shape[1:]), jnp.result_type(float))

    def is_valid(self) -> Array:
        """Return whether weights and shares are >= 0."""
        weights = jnp.ones(()) if self.sample_weight is None else jnp.asarray(self.sample_weight)
        return jnp.all(weights >= 0) & jnp.all(jnp.asarray(self.y) >= 0)

    def with_penalty(self, penalty: Penalty) -> "MultinomialProblem":
        """The problem that solvers work on: weights that sum to one, columns centred if there is an intercept."""
        X, y = jnp.asarray(self.X), jnp.asarray(self.y)
        weights = jnp.ones(len(y), X.dtype) if self.sample_weight is None else jnp.asarray(self.sample_weight)
        weights = weights / jnp.sum(weights)
        present = jnp.ones(y.shape[1], bool) if self.present is None else jnp.asarray(self.present)
        if self.fit_intercept:
            center, shares = weights @ X, weights @ y
            null = jnp.log(jnp.maximum(shares, jnp.finfo(X.dtype).tiny))
            null = jnp.where(shares > 0, null - jnp.mean(null, where=present), null)
            null = jnp.where(present, null, 0)
        else:
            center, null = jnp.zeros(X.shape[1], X.dtype), jnp.zeros(y.shape[1], X.dtype)
        log_p = log_softmax(null, present)[None]
        residual = excess(softmax(null, present)[None], y)
        slope = weights[:, None] * residual
        return MultinomialProblem(
            X,
            y,
            weights,
            center,
            null,
            null_loss=-jnp.sum(jnp.where(y > 0, weights[:, None] * y * log_p, 0)),
            null_gradient=slope.T @ X - jnp.sum(slope, axis=0)[:, None] * center[None],
            null_residual=jnp.sqrt(jnp.sum(weights[:, None] * jnp.square(residual))),
            penalty=penalty,
            present=present,
            fit_intercept=self.fit_intercept,
        )


def log_softmax(eta: Array, present: Array) -> Array:
    """Return the logarithms of probabilities over the last axis; ``-inf`` for a class that is not present.

    That of a probability near 1 has all its digits.
    """
    p = softmax(eta, present)
    return jnp.where(p > 0.5, jnp.log1p(-_others(p)), jax.nn.log_softmax(eta, where=present))


def softmax(eta: Array, present: Array) -> Array:
    """Return the probabilities; exactly 0 for a class that is not present."""
    return jax.nn.softmax(eta, where=present)


def excess(p: Array, y: Array) -> Array:
    """Return ``p - y`` of probabilities and shares, with all digits where a probability and a share are near 1."""
    return jnp.where(p > 0.5, (1 - y) - _others(p), p - y)


def _others(p: Array) -> Array:
    """Return, for a probability above a half, one less it, as the sum of the others: a product, which is quicker."""
    return (jnp.where(p > 0.5, 0, p) @ jnp.ones(p.shape[-1], p.dtype))[..., None]


class Image(NamedTuple):
    """What is affine in the parameters."""

    eta: Array  # (n, K)


@pytree_dataclass
class MultinomialProblem:
    """See ``Problem``. The parameters are ``Coefficients`` of the centred columns, as in ``LinearProblem``."""

    X: Array
    y: Array
    weights: Array  # sum to one
    center: Array  # weighted means of X
    null: Array  # intercepts of the intercept-only model
    null_loss: Array
    null_gradient: Array  # of the coefficients there
    null_residual: Array  # norm of the loss's derivatives there, under the weights
    penalty: Penalty
    present: Array  # (K,) whether there is such a class
    fit_intercept: bool = static()

    @property
    def curvature(self) -> Curvature:
        """At most a half of the columns' own."""
        return "bounded"

    @property
    def check_every(self) -> int:
        """A certificate costs a product."""
        return 4

    def start(self, w0: Any) -> Point:
        """The point for the user's parameters; the intercept-only model where None."""
        if w0 is None:
            return self.at(Coefficients(jnp.zeros_like(self.null_gradient), self.null))
        coef, intercept = w0 if self.fit_intercept else (w0, jnp.zeros_like(self.null))
        return self.at(Coefficients(coef, intercept + coef @ self.center))

    def at(self, params: Coefficients) -> Point:
        """One product with X."""
        return Point(params, Image(self.X @ params.coef.T + (params.intercept - params.coef @ self.center)[None]))

    def _slope(self, eta: Array) -> Array:
        return self.weights[:, None] * (softmax(eta, self.present) - self.y)

    def _pull(self, slope: Array) -> Coefficients:
        """The gradient that derivatives ``(n, K)`` give."""
        total = jnp.sum(slope, axis=0)
        coef = slope.T @ self.X - total[:, None] * self.center[None]
        return Coefficients(coef, total if self.fit_intercept else jnp.zeros_like(total))

    def gradient(self, point: Point) -> Coefficients:
        """One product with the transpose of X.

        Steps do not need more digits than a probability has, which cost a third of their time; certificates do.
        """
        return self._pull(self._slope(point.image.eta))

    def divergence(self, new: Point, old: Point, move: Coefficients, gradient: Coefficients) -> tuple[Array, Array]:
        """To second order, ``<f'(new) - f'(old), move> / 2``: sample by sample, so that nothing large cancels."""
        before, after = (softmax(point.image.eta, self.present) for point in (old, new))
        shift = self.weights[:, None] * (new.image.eta - old.image.eta)
        noise = 4 * jnp.finfo(self.X.dtype).eps * jnp.sum((after + before + self.y) * jnp.abs(shift))
        return jnp.sum((after - before) * shift) / 2, noise

    def prox(self, params: Coefficients, step: Coefficients) -> Coefficients:
        """The penalty's, of the coefficients; intercepts are free."""
        return Coefficients(self.penalty.prox(params.coef, step.coef), params.intercept)

    def steps(self, point: Point) -> Coefficients:
        """One over a diagonal majoriser of the Hessian."""
        weights = BOUND * self.weights

        def product(v: Array) -> Array:
            u = weights * (self.X @ v - self.center @ v)
            return u @ self.X - jnp.sum(u) * self.center

        curvature = weighted_squares(self.X, weights, self.center, jnp.zeros_like(self.center))
        diagonal = majoriser(product, self.penalty.metric(curvature), curvature.size)
        return Coefficients(
            jnp.broadcast_to(1 / diagonal, self.null_gradient.shape), jnp.full_like(self.null, 1 / BOUND)
        )

    def certify(self, point: Point) -> Certificate:
        """Two products; the gap is that of probabilities which sum, over rows, to what each class has in y.

        It is zero only where these are the model's own (Gibbs' inequality, row by row) and the penalty has them for a
        subgradient; the violation is that of the model's probabilities.
        """
        coef, eta = point.params.coef, point.image.eta
        log_p, p = log_softmax(eta, self.present), softmax(eta, self.present)
        residual = excess(p, self.y)
        gradient, total = self._pull(self.weights[:, None] * residual)
        dual = residual + self._balancing(p, total) if self.fit_intercept else residual
        dual_gradient = self._pull(self.weights[:, None] * dual).coef

        def loss_gap(c: Array) -> Array:
            # loss + conjugate - product is the divergence of the dual point's probabilities from the model's
            mixed, rest = self.y + c * dual, (1 - self.y) - c * dual
            log = jnp.where(mixed > 0.5, jnp.log1p(-jnp.minimum(rest, 0.5)), jnp.log(jnp.where(mixed > 0, mixed, 1)))
            rows = jnp.sum(jnp.where(mixed > 0, mixed * (log - log_p), 0), axis=1)
            return jnp.sum(weighed(self.weights, rows))

        losses = -jnp.sum(jnp.where(self.y > 0, self.y * log_p, 0), axis=1) + jnp.sum(xlogy(self.y, self.y), axis=1)
        objective = jnp.sum(weighed(self.weights, losses)) + self.penalty.value(coef)
        gap = relative(duality_gap(self.penalty, coef, dual_gradient, loss_gap), self.null_loss)
        norms = column_norms(self.X, self.weights, self.center, jnp.zeros_like(self.center))
        worst = column_violation(self.penalty, coef, gradient, norms, self.null_residual)
        return Certificate(objective, gap, jnp.maximum(worst, relative(jnp.max(jnp.abs(total)), self.null_residual)))

    def _balancing(self, p: Array, surplus: Array) -> Array:
        """Return what to add to probabilities so that their weighted sums over rows are those of y, as a dual point's.

        Classes that have too much by ``surplus (K,)`` give, in every row, the same part of what they have, and the
        others get it.
        """
        have = self.weights @ p
        spare, lack = jnp.maximum(surplus, 0), jnp.maximum(-surplus, 0)
        given = p * (spare / jnp.where(have > 0, have, 1))[None]
        total = jnp.sum(lack)
        return jnp.sum(given, axis=1, keepdims=True) * (lack / jnp.where(total > 0, total, 1))[None] - given

    def solution(self, point: Point) -> Any:
        """The parameters of the columns as they are, not centred."""
        coef, intercept = point.params
        return Coefficients(coef, intercept - coef @ self.center) if self.fit_intercept else coef
