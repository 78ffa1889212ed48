"""The duality gap of a lasso or an elastic net, from the data and the answer alone, in NumPy and float64.

It shares no code with the library or with any solver: this is the judge of both.
"""

import numpy as np
from numpy.typing import ArrayLike


def relative_gap(
    X: ArrayLike,
    y: ArrayLike,
    coef: ArrayLike,
    intercept: ArrayLike,
    alpha: ArrayLike,
    l1_ratio: ArrayLike = 1.0,
    *,
    fit_intercept: bool = True,
) -> np.ndarray:
    """How far an answer can be from the best one, relative to the loss of the intercept-only model.

    Of ``P(w, b) = ||y - b - X w||^2 / (2 n) + l1 ||w||_1 + l2/2 ||w||^2`` with ``l1 = alpha l1_ratio`` and
    ``l2 = alpha (1 - l1_ratio)``, the dual is

        D(u) = <u, y> - n ||u||^2 / 2 - sum_j (|x_j . u| - l1)_+^2 / (2 l2)       (l2 = 0: |x_j . u| <= l1)

    subject to ``sum(u) = 0`` if there is an intercept. Every such u bounds the error: ``P(w, b) - min P`` is at most
    ``P(w, b) - D(u)``. The points tried are ``u = c r / n`` with r the residual (centred if there is an intercept),
    c = 1 and the largest c <= 1 with ``|x_j . u| <= l1``; the better one counts.

    ``X (n, p)``, ``y (n,)``, ``coef (..., p)``, the others broadcast against ``(...)``. Without an intercept the
    reference is the loss at zero. NaN where nothing is penalised (alpha = 0) and the gradient is not zero.
    """
    X, y, coef = (np.asarray(a, np.float64) for a in (X, y, coef))
    intercept, alpha, l1_ratio = (np.asarray(a, np.float64) for a in (intercept, alpha, l1_ratio))
    lead = np.broadcast_shapes(coef.shape[:-1], intercept.shape, alpha.shape, l1_ratio.shape)
    coef = np.broadcast_to(coef, (*lead, coef.shape[-1]))
    l1, l2 = np.broadcast_to(alpha * l1_ratio, lead), np.broadcast_to(alpha * (1 - l1_ratio), lead)

    n = y.size
    residual = y - np.broadcast_to(intercept, lead)[..., None] - coef @ X.T
    primal = np.sum(residual**2, -1) / (2 * n) + l1 * np.sum(np.abs(coef), -1) + l2 / 2 * np.sum(coef**2, -1)
    if fit_intercept:
        residual = residual - np.mean(residual, -1, keepdims=True)
        y = y - np.mean(y)  # a centred u does not see the mean
    correlation = np.abs(residual @ X) / n
    slope, square = residual @ y / n, np.sum(residual**2, -1) / n

    def dual(c: np.ndarray) -> np.ndarray:
        excess = np.maximum(c[..., None] * correlation - l1[..., None], 0)
        ridge = np.sum(excess**2, -1) / (2 * np.where(l2 > 0, l2, 1))
        return c * slope - c**2 * square / 2 - np.where(l2 > 0, ridge, 0)

    largest = np.max(correlation, -1, initial=0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(largest <= l1, 1.0, l1 / largest)
    whole = np.where(l2 > 0, 1.0, inside)
    best = np.maximum(dual(inside), dual(whole))
    known = (l1 > 0) | (l2 > 0) | (largest == 0)
    reference = y @ y / (2 * n)
    return np.where(known, primal - best, np.nan) / (reference if reference > 0 else 1.0)
