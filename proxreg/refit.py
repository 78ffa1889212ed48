"""Fits without a penalty on a few columns: least squares, or Newton's method for any other loss."""

from typing import NamedTuple

import jax
import numpy as np

from proxreg import _precision
from proxreg.losses import Loss, Squared

MAX_STEPS = 100
TOL = 1e-10  # of the gradient, relative to that without any coefficient
HALVINGS = 30
FAR = 30.0  # linear predictors from which on a likelihood that still rises has no maximum


class Refit(NamedTuple):
    """Where the loss is smallest."""

    coef: np.ndarray  # (k,)
    intercept: float
    loss: float  # mean
    violation: float  # largest entry of the gradient over that of the model without coefficients
    num_steps: int

    @property
    def converged(self) -> bool:
        """Whether that is a minimum, to rounding."""
        return self.violation <= np.sqrt(TOL)


def refit(
    loss: Loss, X: np.ndarray, y: np.ndarray, weights: np.ndarray, offset: np.ndarray | None, fit_intercept: bool
) -> Refit:
    """Minimises ``sum_i s_i loss(y_i, o_i + b + x_i . w)`` for weights that sum to one; of several minimisers of a
    squared loss the shortest.
    """
    design = np.column_stack([X, np.ones(len(y))]) if fit_intercept else X
    offset = np.zeros(len(y)) if offset is None else offset
    if isinstance(loss, Squared):
        theta, steps = _least_squares(design, y - offset, weights, fit_intercept), 1
    else:
        theta, steps = _newton(loss, design, y, weights, offset)
    value, slope, _ = _derivatives(loss, design @ theta + offset, y)
    _, slope_at_zero, _ = _derivatives(loss, offset, y)
    worst, size = (np.max(np.abs(design.T @ (weights * each)), initial=0.0) for each in (slope, slope_at_zero))
    coef, intercept = (theta[:-1], float(theta[-1])) if fit_intercept else (theta, 0.0)
    return Refit(coef, intercept, float(weights @ value), float(worst / size if size > 0 else 0.0), steps)


def _least_squares(design: np.ndarray, y: np.ndarray, weights: np.ndarray, centred: bool) -> np.ndarray:
    if not centred:
        root = np.sqrt(weights)
        return np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    X, root = design[:, :-1], np.sqrt(weights)  # the intercept apart: large means would take its digits
    mean, y_mean = weights @ X, weights @ y
    coef = np.linalg.lstsq((X - mean) * root[:, None], (y - y_mean) * root, rcond=None)[0]
    return np.append(coef, y_mean - coef @ mean)


def _derivatives(loss: Loss, eta: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with _precision.scope(np.dtype(np.float64)):
        value, slope, curvature = _of_rows(loss, eta, y)
        return np.asarray(value), np.asarray(slope), np.asarray(curvature)


@jax.jit
def _of_rows(loss: Loss, eta: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    return loss.value(eta, y), loss.derivative(eta, y), loss.second_derivative(eta, y)


def _newton(
    loss: Loss, design: np.ndarray, y: np.ndarray, weights: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, int]:
    """Newton's steps, halved until the loss falls; ends where no step lowers it, or a likelihood has no maximum."""
    theta = np.zeros(design.shape[1])
    value, slope, curvature = _derivatives(loss, offset, y)
    first = np.max(np.abs(design.T @ (weights * slope)), initial=0.0)
    for step in range(MAX_STEPS):
        gradient = design.T @ (weights * slope)
        if np.max(np.abs(gradient), initial=0.0) <= TOL * first or np.max(np.abs(design @ theta)) > FAR:
            return theta, step
        hessian = (design.T * (weights * curvature)) @ design
        hessian[np.diag_indices_from(hessian)] *= 1 + 1e-12
        move = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        length = 1.0
        for _ in range(HALVINGS):
            new = theta - length * move
            found = _derivatives(loss, design @ new + offset, y)
            if weights @ found[0] < weights @ value:
                break
            length /= 2
        else:
            return theta, step
        theta, (value, slope, curvature) = new, found
    return theta, MAX_STEPS
