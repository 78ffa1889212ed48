"""The weighted mean loss of a linear predictor, from data."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, pytree_dataclass, static
from proxreg.losses import Squared, as_loss
from proxreg.models.arrays import computable, dense, require_weights
from proxreg.models.intercept import best_intercept, derivative_rounding, is_best_intercept, weighed
from proxreg.models.linear_problem import LinearProblem, column_norms
from proxreg.penalties import Penalty

NULL_STEPS = 64


@pytree_dataclass
class LinearModel:
    """``sum_i s_i loss(y_i, o_i + b + x_i . w) / sum_i s_i``.

    ``X (n, p)``, ``y (n,)``, ``sample_weight`` s (n,) >= 0 and ``offset`` o (n,); weights count relatively only. The
    parameters are ``w (p,)``, or with ``fit_intercept=True`` the pair ``Coefficients(coef, intercept)``. ``loss`` is a
    loss object, a name or a function ``(eta, y) -> loss of each sample``. For a logistic loss y holds 0 and 1.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> X, y = jnp.array([[1.0], [2.0], [3.0]]), jnp.array([3.0, 5.0, 7.0])
    >>> model = pr.LinearModel(X, y, fit_intercept=True)
    >>> fit = pr.fista(model, pr.Zero())
    >>> print(fit.w.coef, fit.w.intercept)
    [2.] 1.0
    """

    X: ArrayLike
    y: ArrayLike
    loss: Any = Squared()
    sample_weight: ArrayLike | None = None
    offset: ArrayLike | None = None
    fit_intercept: bool = static(default=False)

    def __post_init__(self):
        object.__setattr__(self, "loss", as_loss(self.loss))
        for name in ("X", "y", "sample_weight", "offset"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, dense(getattr(self, name), name))
        X, y = np.shape(self.X), np.shape(self.y)
        if len(X) != 2 or y != X[:1]:
            raise ValueError(f"X must be (n, p) and y (n,), got {X} and {y}")
        if self.offset is not None and np.shape(self.offset) != y:
            raise ValueError(f"offset must have the shape of y, {y}, got {np.shape(self.offset)}")
        self.loss.check(self.y)
        if self.sample_weight is not None:
            require_weights(self.sample_weight, y)

    def parameters(self, w0: Any) -> Any:
        """Return what the penalty sees, as far as its shape and type go."""
        return jax.ShapeDtypeStruct(np.shape(self.X)[1:], jnp.result_type(float))

    def is_valid(self) -> Array:
        """Return whether loss, response and weights are in their ranges: the checks above for what was traced then."""
        good = self.loss.is_valid() & jnp.all(self.loss.takes(jnp.asarray(self.y)))
        if self.sample_weight is None:
            return good
        weight = jnp.asarray(self.sample_weight)
        return good & jnp.all(weight >= 0) & (jnp.sum(weight) > 0)

    def predictor(self, params: Any) -> Array:
        """The linear predictor ``eta (n,)``, offset included."""
        coef, intercept = params if self.fit_intercept else (params, 0)
        eta = jnp.asarray(self.X) @ coef + intercept
        return eta if self.offset is None else eta + self.offset

    def value(self, params: Any) -> Array:
        """The weighted mean loss at the parameters, a scalar."""
        eta, y = self.predictor(params), jnp.asarray(self.y)
        if self.sample_weight is None:
            return jnp.mean(self.loss.value(eta, y))
        weights = jnp.asarray(self.sample_weight)
        # as in ``weighed``, but before the loss: the derivative of what has overflowed would be no number
        eta = jnp.where((weights > 0) | jnp.isfinite(self.loss.value(eta, y)), eta, 0)
        return jnp.vdot(weights, self.loss.value(eta, y)) / jnp.sum(weights)

    def with_penalty(self, penalty: Penalty) -> LinearProblem:
        """The problem that solvers work on: weights that sum to one, columns centred if there is an intercept."""
        X = computable(jnp.asarray(self.X))
        y = jnp.asarray(self.y, X.dtype)
        n = y.size
        weights = jnp.ones(n, X.dtype) if self.sample_weight is None else jnp.asarray(self.sample_weight, X.dtype)
        weights = weights / jnp.sum(weights)
        offset = jnp.zeros(n, X.dtype) if self.offset is None else jnp.asarray(self.offset, X.dtype)
        if self.fit_intercept:
            # the plain means do not depend on the weights: under vmap over weights all lanes share one shifted copy
            shift = jnp.mean(X, axis=0)
            X = X - shift[None]
            center = weights @ X
            start = self.loss.intercept(offset, y, weights)
            null = best_intercept(self.loss, offset, y, weights, start, NULL_STEPS)
            # certificates are relative to this model: without it, there is none
            best = is_best_intercept(self.loss, offset + null, y, weights)
            null = jnp.where(best | ~self.loss.is_valid(), null, jnp.nan)
        else:
            center, null = jnp.zeros(X.shape[1], X.dtype), jnp.zeros((), X.dtype)
            shift = center
        slope = weighed(weights, self.loss.derivative(offset + null, y))
        null_gradient = slope @ X - center * jnp.sum(slope)
        null_loss = jnp.sum(weighed(weights, self.loss.value(offset + null, y)))
        null_residual = jnp.sqrt(jnp.sum(weights * jnp.square(slope / jnp.where(weights > 0, weights, 1))))
        # of a constant y both are rounding, and nothing is relative to that
        rounding = derivative_rounding(self.loss, offset + null, y, weights)
        explained = self.fit_intercept & (null_residual <= rounding) & (null_loss <= jnp.square(rounding))
        return LinearProblem(
            X,
            y,
            weights,
            offset,
            shift,
            center,
            null,
            null_loss=jnp.where(explained, 0, null_loss),
            null_gradient=null_gradient,
            norms=column_norms(X, weights, center, shift),
            null_residual=jnp.where(explained, 0, null_residual),
            loss=self.loss,
            penalty=penalty,
            fit_intercept=self.fit_intercept,
        )
