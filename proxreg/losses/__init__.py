"""Losses: one family per file; value, derivatives, curvature bound, conjugate and mean."""

from collections.abc import Callable
from typing import Any, cast

from proxreg._pytree import Array
from proxreg.losses.base import Loss as Loss
from proxreg.losses.custom import Custom as Custom
from proxreg.losses.huber import Huber as Huber
from proxreg.losses.logistic import Logistic as Logistic
from proxreg.losses.poisson import Poisson as Poisson
from proxreg.losses.squared import Squared as Squared

_BY_NAME: dict[str, type[Loss]] = {loss.name: loss for loss in (Squared, Logistic, Huber, Poisson)}


def as_loss(loss: Any) -> Loss:
    """The loss that a name, a loss object or a function ``(eta, y) -> loss`` stands for."""
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str):
        if loss not in _BY_NAME:
            raise ValueError(f"loss must be one of {', '.join(_BY_NAME)}, a loss object or a function, got {loss!r}")
        return _BY_NAME[loss]()
    if isinstance(loss, type) and issubclass(loss, Loss):
        return loss()
    if callable(loss):
        return Custom(cast(Callable[[Array, Array], Array], loss))
    raise ValueError(f"loss must be a name, a loss object or a function (eta, y) -> loss, got {loss!r}")
