"""Centres, scales and weighs the data for a solver, and takes coefficients back to the input's scale."""

import warnings
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._warnings import DataWarning
from proxreg.validation import Data

SCALE_RATIO = 1e3


class Design(NamedTuple):
    """Data as a solver likes them, and the way back."""

    X: jax.Array  # (n, p), centred if there is an intercept, divided by scale
    y: jax.Array  # (n,); for the squared loss less the offset, and centred if there is an intercept
    weights: jax.Array | None  # (n,)
    offset: jax.Array | None  # (n,); None for the squared loss, where it is part of y
    center: np.ndarray  # (p,) subtracted from the columns, on the input's scale
    scale: np.ndarray  # (p,) the columns are divided by
    y_center: float  # subtracted from y

    def restore(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients ``(..., p)`` and intercepts ``(...)`` for the input as it was."""
        coef = coef / self.scale.astype(coef.dtype)
        shift = self.y_center - coef.astype(np.float64) @ self.center
        return coef, (intercept + shift).astype(coef.dtype)


def prepare(data: Data, dtype: np.dtype, *, fit_intercept: bool, standardize: bool, least_squares: bool) -> Design:
    """The design in ``dtype``; warns about constant columns, a constant response and columns of very unequal scale.

    Means are taken in the precision of the input: a column of 1e4 +- 1 keeps its digits in float32.
    """
    X, y = data.X, data.y.astype(np.float64)
    xp = jnp if isinstance(X, jax.Array) else np
    X = X.astype(np.promote_types(X.dtype, dtype) if np.issubdtype(X.dtype, np.floating) else np.float64)
    weights = np.ones(y.size) if data.sample_weight is None else data.sample_weight
    weights = weights / weights.sum()
    mean = np.asarray(xp.asarray(weights, X.dtype) @ X, np.float64)
    centred = X - xp.asarray(mean, X.dtype)
    deviation = np.sqrt(np.asarray(xp.asarray(weights, X.dtype) @ xp.square(centred), np.float64))
    deviation[deviation <= 16 * np.finfo(X.dtype).eps * np.abs(mean)] = 0
    _warn_about_columns(data, mean, deviation, fit_intercept, standardize)

    scale = np.where(deviation > 0, deviation, 1) if standardize else np.ones_like(deviation)
    factor = np.where(deviation > 0, 1 / scale, 0) if fit_intercept else 1 / scale
    X = centred if fit_intercept else X
    if np.any(factor != 1):
        X = X * xp.asarray(factor, X.dtype)

    offset, y_center = data.offset, 0.0
    if least_squares:
        y = y if offset is None else y - offset
        offset = None
        y_center = float(weights @ y) if fit_intercept else 0.0
        constant = fit_intercept and np.ptp(y) == 0
        y = np.zeros_like(y) if constant else y - y_center
    if np.ptp(data.y) == 0 and data.offset is None:
        warnings.warn(f"y is constant ({data.y[0]:g}): nothing to explain", DataWarning, stacklevel=4)

    def put(values):
        return None if values is None else jnp.asarray(values, dtype)

    center = mean if fit_intercept else np.zeros_like(mean)
    return Design(
        jnp.asarray(X, dtype), jnp.asarray(y, dtype), put(data.sample_weight), put(offset), center, scale, y_center
    )


def _warn_about_columns(
    data: Data, mean: np.ndarray, deviation: np.ndarray, fit_intercept: bool, standardize: bool
) -> None:
    constant = np.flatnonzero((deviation == 0) if fit_intercept else (deviation == 0) & (mean == 0))
    if constant.size:
        names = _listed([data.label(int(j)) for j in constant])
        warnings.warn(f"constant: {names}; the coefficient is exactly 0", DataWarning, stacklevel=5)
    varying = np.flatnonzero(deviation > 0)
    if standardize or varying.size < 2:
        return
    order = varying[np.argsort(deviation[varying])]
    low, high = order[0], order[-1]
    if deviation[high] > SCALE_RATIO * deviation[low]:
        warnings.warn(
            f"columns differ in scale by {deviation[high] / deviation[low]:.0e}: {data.label(int(high))} has standard "
            f"deviation {deviation[high]:.2g}, {data.label(int(low))} {deviation[low]:.2g}; the penalty falls on the "
            "small ones. Pass standardize=True, or scale them",
            DataWarning,
            stacklevel=5,
        )


def _listed(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
