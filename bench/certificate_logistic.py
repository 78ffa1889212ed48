"""The duality gap of an L1-penalised logistic regression, from the data and the answer alone, in NumPy and float64.

It shares no code with the library or with any solver: this is the judge of both.
"""

import numpy as np
from numpy.typing import ArrayLike


def relative_gap(X: ArrayLike, y: ArrayLike, coef: ArrayLike, alpha: ArrayLike) -> np.ndarray:
    """How far an answer can be from the best one, relative to log 2, the loss of zero coefficients.

    Of ``P(w) = (1/n) sum_i log(1 + exp(-y_i x_i . w)) + alpha ||w||_1``, without intercept, the dual is

        D(q) = -(1/n) sum_i (q_i log q_i + (1 - q_i) log(1 - q_i))       where |sum_i y_i q_i x_i|_inf <= n alpha

    Every such q in [0, 1] bounds the error: ``P(w) - min P`` is at most ``P(w) - D(q)``. The point tried is ``c`` times
    the probability of the other label, ``q_i = c / (1 + exp(y_i x_i . w))``, with the largest feasible c <= 1.

    ``X (n, p)``, ``y (n,)`` of -1 and 1, ``coef (..., p)``, ``alpha (...)``.
    """
    X, y, coef, alpha = (np.asarray(a, np.float64) for a in (X, y, coef, alpha))
    if not np.all(np.abs(y) == 1):
        raise ValueError("labels must be -1 and 1")
    margin = y * (coef @ X.T)
    primal = np.mean(np.logaddexp(0, -margin), -1) + alpha * np.sum(np.abs(coef), -1)
    other = np.exp(-np.logaddexp(0, margin))
    largest = np.max(np.abs((y * other) @ X), -1, initial=0.0) / y.size
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(largest <= alpha, 1.0, alpha / largest)
    q = inside[..., None] * other
    dual = -np.mean(_x_log_x(q) + _x_log_x(1 - q), -1)
    return (primal - dual) / np.log(2)


def _x_log_x(x: np.ndarray) -> np.ndarray:
    return x * np.log(np.where(x > 0, x, 1))
