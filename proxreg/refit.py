"""Fits without a penalty on a few columns: least squares, or Newton's method for any other loss."""

from typing import NamedTuple

import jax
import numpy as np
from scipy.linalg import cho_factor, cho_solve

from proxreg import _precision
from proxreg.losses import Huber, Logistic, Loss, Squared

MAX_STEPS = 100
TOL = 1e-12  # of the gradient, relative to what the slopes of the rows could add up to
PERFECT = 1e-12  # residuals, relative to those of no fit, that are rounding
HALVINGS = 30
ROUNDING = 4 * np.finfo(float).eps
FAR = 30.0  # linear predictors from which on it is asked whether classes are separated
APART = 1e-6  # of its terms, by which a row may go the wrong way in a direction that separates
FLAT = 1e-3  # of the largest curvature, which is 1
CLEAR = 1e-3  # of a column's length is not told by others: then normal equations keep ten digits
DEFINITE = 1e-6  # likewise, of a direction that is only a direction


class Refit(NamedTuple):
    """Where the loss is smallest."""

    coef: np.ndarray  # (k,)
    intercept: float
    loss: float  # mean
    violation: float  # largest entry of the gradient over what the slopes of the rows could add up to
    num_steps: int

    @property
    def converged(self) -> bool:
        """Whether that is a minimum, to rounding."""
        return self.violation <= np.sqrt(TOL)


def refit(
    loss: Loss,
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    offset: np.ndarray | None,
    fit_intercept: bool,
    start: np.ndarray,
) -> Refit:
    """Minimises ``sum_i s_i loss(y_i, o_i + b + x_i . w)`` for weights that sum to one, from coefficients and intercept
    ``start (k + 1,)``; of several minimisers of a squared loss the shortest.
    """
    design = np.column_stack([X, np.ones(len(y))]) if fit_intercept else X
    offset = np.zeros(len(y)) if offset is None else offset
    if isinstance(loss, Squared):
        theta, steps = _least_squares(design, y - offset, weights, fit_intercept), 1
    else:
        theta, steps = _newton(loss, design, y, weights, offset, start[: design.shape[1]])
    value, slope, _ = _derivatives(loss, design @ theta + offset, y)
    if isinstance(loss, Squared) and np.max(np.abs(slope)) <= PERFECT * np.max(np.abs(y - offset)):
        slope = np.zeros_like(slope)
    gradient = np.abs(design.T @ (weights * slope))
    coef, intercept = (theta[:-1], float(theta[-1])) if fit_intercept else (theta, 0.0)
    size = _size(design, weights, slope)
    violation = float(np.max(gradient / np.where(size > 0, size, 1), initial=0.0))
    return Refit(coef, intercept, float(weights @ value), violation, steps)


def _least_squares(design: np.ndarray, y: np.ndarray, weights: np.ndarray, centred: bool) -> np.ndarray:
    root = np.sqrt(weights)
    if not centred:
        return _shortest(design * root[:, None], y * root)
    X = design[:, :-1]  # the intercept apart: large means would take its digits
    mean, y_mean = weights @ X, weights @ y
    coef = _shortest((X - mean) * root[:, None], (y - y_mean) * root)
    return np.append(coef, y_mean - coef @ mean)


def _shortest(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest x that minimises ``||A x - b||``; from normal equations where these lose few digits."""
    x = _by_cholesky(A.T @ A, A.T @ b, CLEAR)
    return np.linalg.lstsq(A, b, rcond=None)[0] if x is None else x


def _by_cholesky(H: np.ndarray, b: np.ndarray, least: float) -> np.ndarray | None:
    """Of ``H x = b``; None where less than a share ``least`` of some column is not told by those before it."""
    try:
        factor = cho_factor(H, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    clear = np.diagonal(factor[0]) > least * np.sqrt(np.diagonal(H))
    return cho_solve(factor, b, check_finite=False) if clear.all() else None


def _size(design: np.ndarray, weights: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """What a gradient ``(k,)`` is small beside: the largest that slopes of this size could add up to."""
    return np.abs(design).T @ weights * np.max(np.abs(slope), initial=0.0)


def _derivatives(loss: Loss, eta: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with _precision.scope(np.dtype(np.float64)):
        value, slope, curvature = _of_rows(loss, eta, y)
        return np.asarray(value), np.asarray(slope), np.asarray(curvature)


@jax.jit
def _of_rows(loss: Loss, eta: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    return loss.value(eta, y), loss.derivative(eta, y), loss.second_derivative(eta, y)


def _newton(
    loss: Loss, design: np.ndarray, y: np.ndarray, weights: np.ndarray, offset: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, int]:
    """Newton's steps, halved until the loss falls; ends where no step lowers it, or classes are separated."""
    theta = start.copy()
    value, slope, curvature = _derivatives(loss, design @ theta + offset, y)
    for step in range(MAX_STEPS):
        gradient = design.T @ (weights * slope)
        if np.all(np.abs(gradient) <= TOL * _size(design, weights, slope)):
            return theta, step
        # where rows have no curvature, beyond Huber's bend, a little of its bound stands in
        curved = np.maximum(curvature, FLAT) if isinstance(loss, Huber) else curvature
        hessian = (design.T * (weights * curved)) @ design
        hessian[np.diag_indices_from(hessian)] *= 1 + 1e-12
        move = _by_cholesky(hessian, gradient, DEFINITE)
        move = np.linalg.lstsq(hessian, gradient, rcond=None)[0] if move is None else move
        length = 1.0
        for _ in range(HALVINGS):
            new = theta - length * move
            found = _derivatives(loss, design @ new + offset, y)
            change = weights @ found[0] - weights @ value
            # losses as low as rounding tells: then the gradients do
            flatter = np.max(np.abs(design.T @ (weights * found[1]))) < np.max(np.abs(gradient))
            if change < 0 or (change <= ROUNDING * (weights @ np.abs(value)) and flatter):
                break
            length /= 2
        else:
            return theta, step
        theta, (value, slope, curvature) = new, found
        if isinstance(loss, Logistic) and np.max(np.abs(design @ theta)) > FAR and _separates(design, -move, y):
            return theta, step + 1
    return theta, MAX_STEPS


def _separates(design: np.ndarray, direction: np.ndarray, y: np.ndarray) -> bool:
    """Whether a direction suits the class of every row: then the likelihood rises along it forever."""
    return bool(np.all((2 * y - 1) * (design @ direction) >= -APART * (np.abs(design) @ np.abs(direction))))
