"""The objective of a penalised fit, from the data and a point alone, in extended precision.

It shares no code with the library or with any solver: all that the judge of the random search believes.
"""

from typing import Any, NamedTuple

import numpy as np

LONG = np.longdouble


class Smooth(NamedTuple):
    """The weighted mean loss: rows of positive weight only."""

    X: np.ndarray  # (n, p)
    y: np.ndarray  # (n,)
    weights: np.ndarray  # (n,) sum to one
    offset: np.ndarray  # (n,)
    loss: str
    delta: float  # of Huber's loss
    fit_intercept: bool
    null: Any = None  # intercept of the intercept-only model, infinite where its optimum is at infinity


class Penalty(NamedTuple):
    """``sum_j l1_j |w_j| + l2_j/2 w_j^2`` for ``lower <= w <= upper``; all ``(p,)``, finite but for the limits."""

    l1: np.ndarray
    l2: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


class Value(NamedTuple):
    """An objective, and how exactly it is known."""

    total: Any  # loss + penalty
    noise: Any  # what rounding may have done to it
    spread: Any  # by how much it changes, at most, where every term of the predictor changes by its own size
    of_columns: Any  # the same of the columns' terms alone, about their means


def smooth_of(X: Any, y: Any, loss: str, *, weights: Any, offset: Any, delta: float, fit_intercept: bool) -> Smooth:
    """Return the rows of positive weight in extended precision."""
    n = len(y)
    s = np.ones(n, LONG) if weights is None else np.asarray(weights, LONG)
    o = np.zeros(n, LONG) if offset is None else np.asarray(offset, LONG)
    rows = s > 0
    s = s[rows] / s[rows].max()
    X, y = np.asarray(X, LONG)[rows], np.asarray(y, LONG)[rows]
    smooth = Smooth(X, y, s / s.sum(), o[rows], loss, delta, fit_intercept)
    with np.errstate(all="ignore"):
        return smooth._replace(null=_null_intercept(smooth))


def values(loss: str, eta: np.ndarray, y: np.ndarray, delta: float = 1.0) -> np.ndarray:
    """Return the loss of each row, zero for a perfect fit."""
    if loss == "squared":
        return np.square(eta - y) / 2
    if loss == "huber":
        size = np.abs(eta - y)
        part = np.minimum(size, LONG(delta))
        return part * (size - part / 2)
    if loss == "logistic":
        return np.maximum(eta, 0) - y * eta + np.log1p(np.exp(-np.abs(eta)))
    counted = y > 0
    excess = np.where(counted, eta - np.log(np.where(counted, y, 1)), 0)
    return np.where(counted, y * (np.expm1(excess) - excess), np.exp(np.where(counted, 0, eta)))


def slopes(loss: str, eta: np.ndarray, y: np.ndarray, delta: float = 1.0) -> np.ndarray:
    """Return the derivative of the loss of each row."""
    if loss == "squared":
        return eta - y
    if loss == "huber":
        return np.clip(eta - y, -LONG(delta), LONG(delta))
    if loss == "logistic":
        small = np.exp(-np.abs(eta))
        return np.where(eta >= 0, 1 - y - small / (1 + small), small / (1 + small) - y)
    counted = y > 0
    log = np.log(np.where(counted, y, 1))
    return np.where(counted, y * np.expm1(np.where(counted, eta - log, 0)), np.exp(np.where(counted, 0, eta)))


def curvatures(loss: str, eta: np.ndarray) -> np.ndarray:
    """Return the second derivative of the loss of each row; not for Huber's."""
    if loss == "squared":
        return np.ones_like(eta)
    small = np.exp(-np.abs(eta))
    return small / np.square(1 + small) if loss == "logistic" else np.exp(eta)


def objective(smooth: Smooth, penalty: Penalty, coef: Any, intercept: Any) -> Value:
    """Return loss + penalty at a point.

    Beside an intercept columns are taken less a rounded mean, and so is y, so that large means cancel exactly.
    """
    w, b = np.asarray(coef, LONG), LONG(intercept)
    allowed = np.all((w >= penalty.lower) & (w <= penalty.upper))
    used = w != 0
    X, w, l1, l2 = smooth.X[:, used], w[used], penalty.l1[used], penalty.l2[used]
    q, y, o = smooth.weights, smooth.y, smooth.offset
    with np.errstate(all="ignore"):
        center = rounded_means(X, q) if smooth.fit_intercept else np.zeros(X.shape[1], LONG)
        terms = (X - center) * w
        middle = center_of(smooth)
        eta = o + ((b - middle) + np.sum(center * w)) + terms.sum(axis=1)
        pen = np.sum(l1 * np.abs(w) + l2 / 2 * np.square(w)) if allowed else LONG(np.inf)
        total = np.sum(q * values(smooth.loss, eta, y - middle, smooth.delta)) + pen
        slope = q * np.abs(slopes(smooth.loss, eta, y - middle, smooth.delta))
        rest = np.abs(b) + np.abs(o) + np.abs(y)
        spread = np.sum(slope * (np.abs(X * w).sum(axis=1) + rest))
        of_columns = np.sum(slope * np.abs(terms).sum(axis=1))
        left = np.abs(b - middle) + np.abs(o) + np.abs(y - middle)
        here = np.sum(slope * (np.abs(terms).sum(axis=1) + np.abs(center * w).sum() + left))
        noise = 4 * np.finfo(LONG).eps * (here + np.abs(total))
    return Value(total, noise, spread, of_columns)


def center_of(smooth: Smooth) -> Any:
    """Return what to take off y and the intercept: about the mean, in 53 bits; 0 where the loss forbids it."""
    if not smooth.fit_intercept or smooth.loss not in ("squared", "huber"):
        return LONG(0)
    return LONG(float(np.sum(smooth.weights * (smooth.y - smooth.offset))))


def rounded_means(X: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return weighted means to ten bits, so that their products with numbers of 53 bits are exact."""
    mantissa, exponent = np.frexp(weights @ X)
    return np.ldexp(np.round(mantissa * 1024) / 1024, exponent)


def _null_intercept(smooth: Smooth) -> Any:
    """The root of a monotone function; 0 without an intercept."""
    q, y, o = smooth.weights, smooth.y, smooth.offset
    if not smooth.fit_intercept:
        return LONG(0)
    if smooth.loss == "squared":
        return np.sum(q * (y - o))
    if smooth.loss == "poisson":
        top, total = o.max(), np.sum(q * y)
        return np.log(total) - np.log(np.sum(q * np.exp(o - top))) - top if total > 0 else LONG(-np.inf)
    if smooth.loss == "logistic":
        if np.all(y == 0) or np.all(y == 1):
            return LONG(np.inf) if y[0] else LONG(-np.inf)
        mean = np.sum(q * y)
        middle = np.log(mean) - np.log1p(-mean)
        low, high = middle - o.max() - 1, middle - o.min() + 1
    else:
        low, high = np.min(y - o), np.max(y - o)
    for _ in range(90):
        middle = (low + high) / 2
        below = np.sum(q * slopes(smooth.loss, o + middle, y, smooth.delta)) < 0
        low, high = (middle, high) if below else (low, middle)
    return (low + high) / 2


def null_loss(smooth: Smooth) -> Any:
    """Return the loss of the intercept-only model, or its infimum."""
    if not np.isfinite(smooth.null):
        return LONG(0)
    with np.errstate(all="ignore"):
        return np.sum(smooth.weights * values(smooth.loss, smooth.offset + smooth.null, smooth.y, smooth.delta))
