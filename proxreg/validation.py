"""Checks of what a user passes, once and eagerly; every message says what to pass instead."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg.losses import Loss


class Data(NamedTuple):
    """Checked input; X stays where it is, on the host or on a device."""

    X: Any  # (n, p), finite
    y: np.ndarray  # (n,), finite numbers, as the loss takes them
    classes: tuple | None  # the two labels of a classification, in the order 0, 1
    sample_weight: np.ndarray | None  # (n,), >= 0
    offset: np.ndarray | None  # (n,)
    names: tuple[str, ...] | None  # of the columns

    def label(self, column: int) -> str:
        """How a message names a column."""
        return f"column {column}" if self.names is None else f"column {self.names[column]!r}"


def check_data(X: Any, y: Any, loss: Loss, sample_weight: Any = None, offset: Any = None, names: Any = None) -> Data:
    """Checks shapes and values of the data; raises ValueError with both shapes, or the first bad entry."""
    if names is None and hasattr(X, "columns"):
        names = [str(name) for name in X.columns]
    X = check_design(X)
    n, p = X.shape
    y = np.asarray(y)
    if y.ndim != 1:
        hint = "; pass y.ravel()" if y.shape == (n, 1) else "; fit one response at a time"
        raise ValueError(f"y must have shape ({n},), got {y.shape}{hint}")
    if y.size != n:
        raise ValueError(f"X and y differ in length: X has shape {X.shape}, y {y.shape}")
    if np.issubdtype(y.dtype, np.floating):
        _require_finite(y, "y")
    y, classes = loss.encode(y)
    y = _numeric(y, "y")
    loss.check(y)
    weight = _per_sample(sample_weight, "sample_weight", n)
    if weight is not None and (np.any(weight < 0) or not np.any(weight > 0)):
        raise ValueError(f"sample_weight must be >= 0 with a positive sum, got a minimum of {weight.min():g}")
    if names is not None:
        names = tuple(str(name) for name in names)
        if len(names) != p:
            raise ValueError(f"feature_names has {len(names)} names for {p} columns of X")
    return Data(X, y, classes, weight, _per_sample(offset, "offset", n), names)


def check_design(X: Any) -> Any:
    """X as a finite ``(n, p)`` array of numbers; a JAX array stays one."""
    if hasattr(X, "toarray"):
        raise ValueError("X is sparse; pass X.toarray() (dense arrays only)")
    X = X if isinstance(X, jax.Array) else _numeric(X, "X")
    if jnp.issubdtype(X.dtype, jnp.complexfloating):
        raise ValueError("X must be real, got complex numbers")
    if X.ndim != 2:
        hint = "; pass X.reshape(-1, 1) for a single feature" if X.ndim == 1 else ""
        raise ValueError(f"X must have shape (n, p), got {X.shape}{hint}")
    if 0 in X.shape:
        raise ValueError(f"X must have at least one row and one column, got shape {X.shape}")
    _require_finite(X, "X")
    return X


def _numeric(values: Any, what: str) -> np.ndarray:
    values = np.asarray(values)
    if values.dtype == object or not (np.issubdtype(values.dtype, np.number) or values.dtype == bool):
        try:
            values = values.astype(float)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{what} must hold numbers: {error}") from None
    return values.astype(float) if values.dtype == bool else values


def _per_sample(values: Any, what: str, n: int) -> np.ndarray | None:
    if values is None:
        return None
    values = _numeric(values, what)
    if values.shape != (n,):
        raise ValueError(f"{what} must have shape ({n},), one entry per row of X, got {values.shape}")
    _require_finite(values, what)
    return values


def _require_finite(values: Any, what: str) -> None:
    # the sum is finite unless an entry is not, or it overflows: a pass without a temporary array
    xp = jnp if isinstance(values, jax.Array) else np
    if not jnp.issubdtype(values.dtype, jnp.floating):
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(float(xp.sum(values))):
            return
    bad = np.argwhere(~np.isfinite(np.asarray(values)))
    if bad.size:
        where = f"row {bad[0][0]}" + (f", column {bad[0][1]}" if values.ndim == 2 else "")
        raise ValueError(f"{what} has {len(bad)} NaN or infinite entries, the first in {where}; remove or impute them")


def check_vector(values: Any, what: str, low: float = 0.0, high: float = np.inf, infinite: bool = False) -> np.ndarray:
    """A float64 array, all entries within [low, high]."""
    values = np.asarray(_numeric(values, what), dtype=np.float64)
    if values.size == 0:
        raise ValueError(f"{what} is empty")
    good = (values >= low) & (values <= high) & (infinite | np.isfinite(values))
    if not good.all():
        limits = (
            f"lie in [{low:g}, {high:g}]"
            if np.isfinite(high)
            else f"be >= {low:g}" + ("" if infinite else " and finite")
        )
        raise ValueError(f"{what} must {limits}, got {values[~good].ravel()[0]:g}")
    return values


def check_penalty_factor(factor: Any, p: int) -> np.ndarray | None:
    """``(p,)`` factors >= 0, infinite ones allowed."""
    if factor is None:
        return None
    factor = check_vector(factor, "penalty_factor", infinite=True)
    if factor.shape != (p,):
        raise ValueError(f"penalty_factor must have shape ({p},), one entry per column of X, got {factor.shape}")
    return factor


def check_alphas(alphas: Any, ratios: int | None) -> np.ndarray | None:
    """A grid ``(K,)``, or ``(R, K)`` where there are R l1_ratios."""
    if alphas is None:
        return None
    alphas = check_vector(alphas, "alphas")
    if alphas.ndim == 0:
        alphas = alphas[None]
    if alphas.ndim == 2 and ratios == alphas.shape[0]:
        return alphas
    if alphas.ndim != 1:
        raise ValueError(f"alphas must have shape (K,), or (R, K) with R l1_ratios, got {alphas.shape}")
    return alphas


def check_positive(value: Any, what: str, integer: bool = False, below: float = np.inf) -> float:
    """A number in (0, below), whole if asked for."""
    kind = "a whole number" if integer else "a number"
    number = np.asarray(value)
    if number.ndim or not np.issubdtype(number.dtype, np.number) or (integer and number != np.floor(number)):
        raise ValueError(f"{what} must be {kind} > 0, got {value!r}")
    if not 0 < number < below:
        raise ValueError(
            f"{what} must be > 0" + (f" and < {below:g}" if np.isfinite(below) else "") + f", got {value!r}"
        )
    return number.item()
