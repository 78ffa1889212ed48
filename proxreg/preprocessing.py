"""Centres, scales and weighs the data for a solver, and takes coefficients back to the input's scale."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._warnings import DataWarning, warn
from proxreg.centring import centre_on_device, centre_on_host
from proxreg.engine import Moments, gram_statistics, moments
from proxreg.losses import Loss
from proxreg.models import Quadratic
from proxreg.response import FEWEST, difference, require_squares, response_of
from proxreg.validation import Data

SCALE_RATIO = 1e3
#: deviations below this times the root of the rounding, relative to the mean, are looked at again in the rows
SUSPECT = 1e-1


class Design(NamedTuple):
    """Data as a solver likes them, and the way back."""

    X: Any  # (n, p), centred if there is an intercept, divided by scale; None where statistics serve
    quadratic: Quadratic | None  # the statistics
    y: Any  # (n,); for the squared loss less the offset, and centred if there is an intercept
    weights: Any  # (n,)
    offset: Any  # (n,); None for the squared loss, where it is part of y
    center: np.ndarray  # (p,) subtracted from the columns, on the input's scale
    scale: np.ndarray  # (p,) the columns are divided by
    y_center: float  # subtracted from y
    y_low: float  # the same, of what rounding that had left
    flat: bool  # y is constant: the intercept explains it
    sums: Moments | None = None  # over all rows, of y less y_center
    parts: Sequence[Moments] = ()  # over the parts asked for

    def restore(self, coef: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return coefficients ``(..., p)`` and intercepts ``(...)`` for the input as it was, how much of each of these
        was rounded off, and what else they may have lost.
        """
        coef = coef / self.scale.astype(coef.dtype)
        wide = coef.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # of fits that have left the range of numbers
            rest, lost = difference(np.asarray(self.y_center, float), wide @ self.center)
            exact, again = difference(rest, -(np.asarray(intercept, float) + self.y_low))
            intercept = exact.astype(coef.dtype)
            change = (intercept - exact) - (lost + again)
            # what the sum of products, and the means in it, may be off by
            units = (2 + np.count_nonzero(wide, axis=-1)) * np.finfo(float).eps / 2
            return coef, intercept, change, units * (np.abs(wide) @ np.abs(self.center))


def prepare(
    responses: Sequence[Data],
    dtype: np.dtype,
    *,
    fit_intercept: bool,
    standardize: bool,
    loss: Loss,
    gram: bool,
    parts: Any = (),
) -> list[Design]:
    """A design in ``dtype`` for each response to the same X; warns about constant columns, a constant response and
    columns of very unequal scale.

    Means are taken in the precision of the input: a column of 1e4 +- 1 keeps its digits in float32. With ``gram``
    statistics stand for the data, on the host from one pass that makes no copy of them.
    """
    data, X = responses[0], responses[0].X
    answers = [response_of(each, fit_intercept, loss, dtype) for each in responses]
    options = {"fit_intercept": fit_intercept, "standardize": standardize}
    if gram and not isinstance(X, jax.Array):
        y = np.stack([response.y for response in answers], axis=1)
        sums, found = moments(np.asarray(X), y, _tame(data.sample_weight), dtype, parts)
        deviation = _spread(*_columns(sums), data)
        largest = int(np.argmax(np.nan_to_num(deviation, nan=np.inf)))  # squared before it is divided by anything
        require_squares(data.label(largest), deviation[largest], sums.kind)
        _check_columns(data, sums.means[0], deviation, dtype, **options, squared=True)
        centers = [(response.y_center, response.y_low) for response in answers]
        designs = designs_of(sums, dtype, centers, **options, deviation=deviation)
        flat = [response.flat for response in answers]
        return [design._replace(flat=f, parts=found) for design, f in zip(designs, flat)]

    xp = jnp if isinstance(X, jax.Array) else np
    wide = np.dtype(
        xp.promote_types(X.dtype, dtype) if jnp.issubdtype(X.dtype, jnp.floating) else xp.result_type(float)
    )
    X = X.astype(wide) if X.dtype != wide else X
    weights = np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight.astype(np.float64)
    centre = centre_on_device if xp is jnp else centre_on_host
    centred, mean, deviation = centre(X, weights / weights.sum())  # pyright: ignore[reportArgumentType]
    deviation = _spread(mean, deviation, wide, data)
    scale, factor = _scales(deviation, **options)
    _check_columns(data, mean, deviation, dtype, **options, squared=gram)

    def put(values):
        return None if values is None else (jnp if isinstance(values, jax.Array) else np).asarray(values, dtype)

    X = centred if fit_intercept else X
    X = put(X * xp.asarray(factor, X.dtype) if np.any(factor != 1) else X)
    weights = put(_tame(data.sample_weight))
    center = mean if fit_intercept else np.zeros_like(mean)
    statistics: list[Quadratic | None] = [None] * len(answers)
    if gram:
        y = put(np.stack([response.y for response in answers], axis=1))
        G, c, constant = map(np.asarray, gram_statistics(X, y, weights))
        statistics = [Quadratic(G, *each) for each in zip(c, constant)]
    designs = []
    for response, known in zip(answers, statistics):
        given = None if gram else X, known, put(response.y), weights, put(response.offset), center, scale
        designs.append(Design(*given, response.y_center, response.y_low, response.flat))
    return designs


def _tame(weights: np.ndarray | None) -> np.ndarray | None:
    """The weights times a power of two, exactly, with which they are at most 1: float32 may not hold theirs."""
    return None if weights is None else np.ldexp(weights.astype(np.float64), -int(np.frexp(weights.max())[1]))


def designs_of(
    sums: Moments,
    dtype: np.dtype,
    y_centers: Sequence[tuple[float, float]],
    *,
    fit_intercept: bool,
    standardize: bool,
    deviation: np.ndarray | None = None,
) -> list[Design]:
    """The designs that sums over ``y (n, t)`` stand for; both numbers of ``y_centers (t, 2)`` are off y already.

    ``deviation (p,)`` are the columns' standard deviations where the rows have told them better than the sums do.
    """
    mean, y_mean = sums.means
    deviation = _spread(*_columns(sums)) if deviation is None else deviation
    scale, factor = _scales(deviation, fit_intercept=fit_intercept, standardize=standardize)
    G, c, constant = sums.quadratic(fit_intercept)
    if np.any(factor != 1):
        G *= np.multiply.outer(factor, factor)
    G, c = G.astype(dtype, copy=False), (c.T * factor).astype(dtype)
    center = mean if fit_intercept else np.zeros_like(mean)
    designs = []
    for k, (y_center, y_low) in enumerate(y_centers):
        quadratic = Quadratic(G, c[k], np.asarray(max(constant[k], 0), dtype))
        y_low = y_low + float(y_mean[k]) if fit_intercept else y_low
        designs.append(Design(None, quadratic, None, None, None, center, scale, y_center, y_low, False, sums))
    return designs


def _columns(sums: Moments) -> tuple[np.ndarray, np.ndarray, np.dtype]:
    return sums.means[0], sums.deviation, sums.kind


def _spread(mean: np.ndarray, deviation: np.ndarray, kind: np.dtype, data: Data | None = None) -> np.ndarray:
    """Standard deviations, zero where there is nothing but rounding.

    Where that is close, the rows of ``data`` tell: squares underflow, and sums of squares about a point that is far
    from the rows that count leave rounding for the variance of a constant.
    """
    eps = np.finfo(kind).eps
    if data is not None:
        with np.errstate(invalid="ignore"):
            plain = (deviation > SUSPECT * np.sqrt(eps) * np.abs(mean)) & (deviation > FEWEST[kind])
        suspects = np.flatnonzero(~plain)
        deviation = deviation.copy()
        deviation[suspects] = exact_deviations(data, suspects)
    return np.where(deviation <= 4 * eps * np.abs(mean), 0, deviation)


def exact_deviations(data: Data, columns: np.ndarray) -> np.ndarray:
    """Return the standard deviations of some columns over the rows of positive weight, without under- or overflow."""
    weights = np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight
    rows = np.flatnonzero(weights > 0)
    shares = (weights[rows] / weights.max()).astype(float)
    shares /= shares.sum()
    with np.errstate(over="ignore", invalid="ignore"):
        x = np.asarray(data.X[np.ix_(rows, columns)]).astype(float)
        x = x - x[0]  # exactly zero throughout a constant column
        x = x - shares @ x
        peak = np.max(np.abs(x), axis=0, initial=0.0)
        return peak * np.sqrt(shares @ np.square(x / np.where(peak > 0, peak, 1)))


def _scales(deviation: np.ndarray, *, fit_intercept: bool, standardize: bool) -> tuple[np.ndarray, np.ndarray]:
    """What columns are divided by, and what they are multiplied by: 0 for a constant one beside an intercept."""
    scale = np.where(deviation > 0, deviation, 1) if standardize else np.ones_like(deviation)
    return scale, np.where(deviation > 0, 1 / scale, 0) if fit_intercept else 1 / scale


def _check_columns(
    data: Data,
    mean: np.ndarray,
    deviation: np.ndarray,
    dtype: np.dtype,
    *,
    fit_intercept: bool,
    standardize: bool,
    squared: bool,
) -> None:
    """Refuse columns whose squares leave the range of numbers; ``squared`` says that they are taken before scaling."""
    scale, _ = _scales(deviation, fit_intercept=fit_intercept, standardize=standardize)
    raw = deviation if fit_intercept else np.hypot(mean, deviation)
    with np.errstate(invalid="ignore"):
        size = raw / scale
    worst = int(np.argmax(np.nan_to_num(size, nan=np.inf)))
    require_squares(data.label(worst), size[worst], dtype)
    # a column by which nothing can be divided has no coefficient on its own scale
    least = FEWEST[dtype] if squared else 2 / float(np.finfo(dtype).max)
    lost = np.flatnonzero(((size > 0) & (size < FEWEST[dtype])) | ((raw > 0) & (raw < least)))
    if lost.size:
        raise ValueError(
            f"the squares of {data.label(int(lost[0]))} underflow in {dtype}; multiply it by a constant first"
        )
    _warn_about_columns(data, mean, deviation, fit_intercept, standardize)


def _warn_about_columns(
    data: Data, mean: np.ndarray, deviation: np.ndarray, fit_intercept: bool, standardize: bool
) -> None:
    constant = np.flatnonzero((deviation == 0) if fit_intercept else (deviation == 0) & (mean == 0))
    if constant.size:
        names = _listed([data.label(int(j)) for j in constant])
        warn(f"constant: {names}; the coefficient is exactly 0", DataWarning)
    varying = np.flatnonzero(deviation > 0)
    if standardize or varying.size < 2:
        return
    order = varying[np.argsort(deviation[varying])]
    low, high = order[0], order[-1]
    if deviation[high] > SCALE_RATIO * deviation[low]:
        warn(
            f"columns differ in scale by {deviation[high] / deviation[low]:.0e}: {data.label(int(high))} has standard "
            f"deviation {deviation[high]:.2g}, {data.label(int(low))} {deviation[low]:.2g}; the penalty falls on the "
            "small ones. Pass standardize=True, or scale them",
            DataWarning,
        )


def _listed(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
