"""How well a model predicts rows that it has not seen: weighted means over these rows, for many models at once."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from proxreg import _precision
from proxreg.losses import Logistic, Loss, Poisson, Squared

FAR, VANISHED = 80.0, 1e-20  # a predictor at which a loss that tends to zero is smaller than this, in float32 too


class Metric(NamedTuple):
    """A number for each model; smaller is better, or larger."""

    name: str
    larger: bool  # is better
    of_rows: Callable[[Loss, np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # loss, eta (L, n), y, weights: (L,)
    of_square: float | None = None  # factor on the mean squared error, where the loss is squared
    losses: tuple[type[Loss], ...] = (Loss,)  # that it has a meaning for


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return values.astype(np.float64) @ weights / weights.sum()


def _losses(loss: Loss, eta: np.ndarray, y: np.ndarray) -> np.ndarray:
    endless = np.isinf(eta)  # there a loss has its limit, zero or infinity
    finite = np.where(endless, np.sign(eta) * FAR, eta)
    with _precision.scope(eta.dtype):
        values = np.asarray(loss.value(jnp.asarray(finite), jnp.asarray(y, eta.dtype)))
    return np.where(endless, np.where(values > VANISHED, np.inf, 0), values) if endless.any() else values


def _square(loss: Loss, eta: np.ndarray, y: np.ndarray) -> np.ndarray:
    with _precision.scope(eta.dtype):
        return np.square(y - np.asarray(loss.mean(jnp.asarray(eta))).astype(np.float64))


def _auc(eta: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weight of the pairs of a one and a zero that ``eta`` has in the right order, ties counting half."""
    ones, found = y > 0.5, []
    for row in eta:
        _, rank = np.unique(row, return_inverse=True)
        low, high = (np.bincount(rank, np.where(kind, weights, 0.0)) for kind in (~ones, ones))
        below = np.cumsum(low) - low / 2
        found.append(high @ below / (high.sum() * low.sum()))
    return np.asarray(found)


_FAMILIES = (Squared, Logistic, Poisson)
_ALL = (
    Metric("loss", False, lambda loss, eta, y, s: _mean(_losses(loss, eta, y), s), 0.5),
    # every loss is half the unit deviance
    Metric("deviance", False, lambda loss, eta, y, s: 2 * _mean(_losses(loss, eta, y), s), 1.0, _FAMILIES),
    Metric("mse", False, lambda loss, eta, y, s: _mean(_square(loss, eta, y), s), 1.0),
    Metric("accuracy", True, lambda loss, eta, y, s: _mean((eta > 0) == (y > 0.5), s), None, (Logistic,)),
    Metric("auc", True, lambda loss, eta, y, s: _auc(eta, y, s), None, (Logistic,)),
)
METRICS = {metric.name: metric for metric in _ALL}


def as_metric(name: str, loss: Loss) -> Metric:
    """The metric of that name, if it has a meaning for the loss."""
    if not isinstance(name, str) or name not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(map(repr, METRICS))}, got {name!r}")
    metric = METRICS[name]
    if not isinstance(loss, metric.losses):
        suitable = ", ".join(kind.__name__.lower() for kind in metric.losses)
        raise ValueError(f"metric={name!r} has no meaning for the {loss.name} loss, only for: {suitable}")
    return metric
