"""The response as solvers take it: less what keeps its digits from them, or refused where they have no use for it."""

from typing import Any, NamedTuple

import numpy as np

from proxreg._warnings import DataWarning, warn
from proxreg.losses import Huber, Loss, Squared
from proxreg.validation import Data

#: squares of smaller numbers keep no digits, or none at all
FEWEST = {np.dtype(kind): 1e3 * float(np.sqrt(np.finfo(kind).tiny)) for kind in (np.float32, np.float64)}


class Response(NamedTuple):
    """The response as a solver sees it, and the way back."""

    y: np.ndarray  # (n,)
    offset: Any
    y_center: float  # subtracted from y
    y_low: float  # the same, of what rounding that had left
    flat: bool  # there is nothing left to explain


def response_of(data: Data, fit_intercept: bool, loss: Loss, dtype: np.dtype) -> Response:
    """The response as solvers take it: a squared loss has the offset in it, and no mean beside an intercept.

    A loss of differences has no middle of y there either: they keep their digits however far from zero y is.
    """
    y, offset, least_squares = data.y.astype(np.float64), data.offset, isinstance(loss, Squared)
    y_center, y_low, lost = 0.0, 0.0, np.zeros(y.size)
    if least_squares and offset is not None:
        y, lost = difference(y, offset.astype(np.float64))
        offset = None
    counted = np.full(y.size, True) if data.sample_weight is None else data.sample_weight > 0
    same = offset is None and np.ptp(y[counted]) <= 4 * np.finfo(np.float64).eps * np.max(np.abs(data.y))
    flat = bool(same and (fit_intercept or (least_squares and y[counted][0] == 0)))
    less, beside = "" if data.offset is None else " less offset", " less its mean" if fit_intercept else ""
    if flat:
        y, lost = np.full_like(y, y[counted][0]), np.zeros(y.size)
        warn(f"y{less if least_squares else ''} is constant ({y[0]:g}): nothing to explain", DataWarning)
    if least_squares:
        if fit_intercept:
            weights = np.ones(y.size) if data.sample_weight is None else data.sample_weight.astype(np.float64)
            y_center = float(y[0] if flat else weights @ y / weights.sum())
            y = y - y_center + lost
            y_low = float(weights @ y / weights.sum())
            y = y - y_low
        size = float(np.max(np.abs(y)))
        require_squares(f"y{less}", size, dtype)
        if 0 < size < FEWEST[dtype]:
            raise ValueError(f"the squares of y{beside} underflow in {dtype}; multiply it by a constant first")
    elif isinstance(loss, Huber):
        rest = y if offset is None else y - offset
        y_center = float(np.median(rest[counted])) if fit_intercept else 0.0
        size, y, delta = float(np.max(np.abs(rest[counted] - y_center))), y - y_center, np.asarray(loss.delta, float)
        smallest, largest = (
            np.sqrt(size) * np.sqrt(min(size, float(bound))) for bound in (np.min(delta), np.max(delta))
        )
        if 0 < smallest < FEWEST[dtype]:
            raise ValueError(f"losses of y{beside} underflow in {dtype}; multiply y and delta by a constant first")
        if not largest < 1e-3 * np.sqrt(np.finfo(dtype).max):
            raise ValueError(f"losses of y{beside} overflow in {dtype}; divide y and delta by a constant first")
    return Response(y, offset, y_center, y_low, flat)


def difference(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ``a - b`` and what rounding it has lost, exactly (Knuth, The Art of Computer Programming 2, 4.2.2)."""
    rounded = a - b
    part = rounded - a
    return rounded, (a - (rounded - part)) - (b + part)


def require_squares(what: str, size: float, dtype: np.dtype) -> None:
    """Raises where squares of numbers of such a size would overflow."""
    if not size < 1e-3 * float(np.finfo(dtype).max) ** 0.5:
        raise ValueError(f"the squares of {what} overflow in {dtype}; divide it by a constant first")
