"""Checks of what a user passes, once and eagerly; every message says what to pass instead."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import is_at_hand
from proxreg.array_checks import as_host_array, as_numbers, missing, require_finite
from proxreg.feature_names import column_names
from proxreg.losses import Loss

SAFE_EXPONENT = 500  # products of weights up to 2^500 with data as large stay within float64, whose limit is 2^1024


class Data(NamedTuple):
    """Checked input; X stays where it is, on the host or on a device."""

    X: Any  # (n, p), finite
    y: np.ndarray  # (n,), finite numbers, as the loss takes them
    classes: tuple | None  # the two labels of a classification, in the order 0, 1
    sample_weight: np.ndarray | None  # (n,), >= 0
    offset: np.ndarray | None  # (n,)
    names: tuple[str, ...] | None  # of the columns

    def rows(self, chosen: np.ndarray) -> "Data":
        """Some of the rows."""
        given = (None if values is None else values[chosen] for values in (self.sample_weight, self.offset))
        return self._replace(X=self.X[chosen], y=self.y[chosen], **dict(zip(("sample_weight", "offset"), given)))

    def label(self, column: int) -> str:
        """How a message names a column."""
        return f"column {column}" if self.names is None else f"column {self.names[column]!r}"


def check_responses(
    X: Any, y: Any, loss: Loss, sample_weight: Any = None, offset: Any = None, names: Any = None
) -> list[Data]:
    """The data for each column of ``y (n, t)``, or for ``y (n,)``; X and what belongs to it are checked once."""
    columns = as_host_array(y, "y")
    if columns.ndim != 2 or columns.shape[1] < 2 or _length(X) != len(columns):
        return [check_data(X, y, loss, sample_weight, offset, names)]
    first = check_data(X, columns[:, 0], loss, sample_weight, offset, names)
    rest = (_check_response(column, len(first.y), first.X.shape, loss) for column in columns.T[1:])
    return [first, *(first._replace(y=y, classes=classes) for y, classes in rest)]


def _length(X: Any) -> int | None:
    shape = X.shape if hasattr(X, "shape") else (len(X),) if hasattr(X, "__len__") else ()
    return shape[0] if shape else None


def check_data(X: Any, y: Any, loss: Loss, sample_weight: Any = None, offset: Any = None, names: Any = None) -> Data:
    """Checks shapes and values of the data; raises ValueError with both shapes, or the first bad entry."""
    names = column_names(X, names)
    X = check_design(X, names)
    n, p = X.shape
    if names is not None and len(names) != p:
        raise ValueError(f"feature_names has {len(names)} names for {p} columns of X")
    y, classes = _check_response(as_host_array(y, "y"), n, X.shape, loss, _as_a_vector(y))
    weight = check_weights(sample_weight, n)
    return Data(X, y, classes, weight, check_per_sample(offset, "offset", n), names)


def _as_a_vector(y: Any) -> str:
    """Return how a user gets a vector from a y with a single column."""
    labels = list(getattr(y, "columns", ()))
    if labels:
        return f"pass y[{labels[0]!r}]"
    return "pass y.ravel()" if hasattr(y, "ravel") else "pass np.ravel(y)"


def _check_response(
    y: np.ndarray, n: int, shape: tuple[int, ...], loss: Loss, hint: str = ""
) -> tuple[np.ndarray, tuple | None]:
    """Numbers ``(n,)``, and the two classes that they stand for if they do."""
    if y.ndim in (1, 2) and n not in (len(y), y.size):
        raise ValueError(f"X and y differ in length: X has shape {shape}, y {y.shape}")
    if y.ndim != 1:
        hint = f"; {hint}" if y.size == n > 1 else "; fit one response at a time" if y.ndim == 2 else ""
        raise ValueError(f"y must have shape ({n},), got {y.shape}{hint}")
    require_finite(np.where(missing(y), np.nan, 0.0) if y.dtype == object else y, "y")
    y, classes = loss.encode(y)
    y = as_numbers(y, "y")
    require_finite(y, "y")
    loss.check(y)
    return y, classes


def check_design(X: Any, names: tuple[str, ...] | None = None) -> Any:
    """X as a finite ``(n, p)`` array of numbers; a JAX array on an accelerator stays one."""
    X = as_numbers(_on_host(X), "X", names)
    if X.ndim != 2:
        hint = "; pass X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one row" if X.ndim == 1 else ""
        raise ValueError(f"X must have shape (n, p), got {X.shape}{hint}")
    if 0 in X.shape:
        raise ValueError(f"X must have at least one row and one column, got shape {X.shape}")
    require_finite(X, "X", names)
    return X


def _on_host(X: Any) -> Any:
    """A JAX array on the CPU as NumPy's: a view, not a copy."""
    return np.asarray(X) if isinstance(X, jax.Array) and X.dtype != jnp.bfloat16 and is_at_hand(X) else X


def check_per_sample(values: Any, what: str, n: int) -> np.ndarray | None:
    """``(n,)`` finite numbers, or None."""
    if values is None:
        return None
    values = np.asarray(as_numbers(values, what))
    if values.shape != (n,):
        raise ValueError(f"{what} must have shape ({n},), one entry per row of X, got {values.shape}")
    require_finite(values, what)
    return values


def check_weights(sample_weight: Any, n: int) -> np.ndarray | None:
    """Return ``(n,)`` weights >= 0, or None; times a power of two where products with them would leave the range.

    The objective is a weighted mean: a common factor changes nothing in it.
    """
    weight = check_per_sample(sample_weight, "sample_weight", n)
    if weight is None:
        return None
    if np.any(weight < 0) or not np.any(weight > 0):
        raise ValueError(f"sample_weight must be >= 0 with a positive sum, got a minimum of {weight.min():g}")
    exponent = int(np.frexp(np.float64(weight.max()))[1])
    return weight if abs(exponent) <= SAFE_EXPONENT else np.ldexp(weight.astype(np.float64), -exponent)


def check_vector(values: Any, what: str, low: float = 0.0, high: float = np.inf, infinite: bool = False) -> np.ndarray:
    """A float64 array, all entries within [low, high]."""
    values = np.asarray(as_numbers(values, what), dtype=np.float64)
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


def check_excluded(exclude: Any, p: int, names: tuple[str, ...] | None) -> np.ndarray:
    """A mask ``(p,)`` of the columns that are named by number, by name, or by a mask."""
    out = np.zeros(p, bool)
    chosen = [exclude] if isinstance(exclude, str) or not hasattr(exclude, "__iter__") else list(exclude)
    if chosen and all(isinstance(each, (bool, np.bool_)) for each in chosen):
        if len(chosen) != p:
            raise ValueError(f"exclude, as a mask, must have {p} entries, one per column of X, got {len(chosen)}")
        out = np.array(chosen, bool)
    else:
        for each in chosen:
            if isinstance(each, str):
                at = [j for j, name in enumerate(names or ()) if name == each]
            else:
                whole = isinstance(each, (int, np.integer)) and not isinstance(each, bool)
                at = [int(each)] if whole and 0 <= each < p else []
            if not at:
                raise ValueError(f"exclude must hold names of columns or numbers from 0 to {p - 1}, got {each!s}")
            out[at] = True
    if out.all():
        raise ValueError("exclude leaves no column")
    return out


def check_limit(limit: Any, what: str, low: float, high: float, p: int | None) -> np.ndarray:
    """A bound on coefficients, ``()`` or ``(p,)``, that leaves zero possible; of any length where p is not known."""
    limit = np.asarray(as_numbers(limit, what), dtype=np.float64)
    if limit.ndim == 1 and p is not None and limit.shape != (p,):
        raise ValueError(f"{what} must be a number or have shape ({p},), one entry per column of X, got {limit.shape}")
    if limit.ndim > 1 or not np.all((limit >= low) & (limit <= high)):
        sign = "<= 0" if high == 0 else ">= 0"
        raise ValueError(
            f"{what} must be {sign}, a number or one per column, so that coefficients can be 0, got {limit}"
        )
    return limit


def check_alphas(alphas: Any, ratios: tuple[int, ...], responses: tuple[int, ...]) -> np.ndarray | None:
    """A grid ``(K,)``, ``(R, K)`` for R l1_ratios, ``(T, K)`` for T responses, or ``(T, R, K)``: ready to broadcast.

    ``ratios`` is ``(R,)`` or ``()``, ``responses`` ``(T,)`` or ``()``.
    """
    if alphas is None:
        return None
    alphas = np.atleast_1d(check_vector(alphas, "alphas"))
    lead = alphas.shape[:-1]
    if lead in ((), ratios):
        return alphas[None]
    if lead == responses + ratios:
        return alphas
    about = f"{ratios[0] if ratios else 'no'} l1_ratios{f' and {responses[0]} responses' if responses else ''}"
    raise ValueError(f"alphas must have shape (K,), or (R, K) for R l1_ratios, got {alphas.shape} for {about}")


def check_positive(value: Any, what: str, integer: bool = False, below: float = np.inf) -> float:
    """A number in (0, below), whole if asked for."""
    kind = "a whole number" if integer else "a number"
    number = as_host_array(value, what)
    if number.ndim or number.dtype.kind not in "iuf" or (integer and number != np.floor(number)):
        raise ValueError(f"{what} must be {kind} > 0, got {value!r}")
    if not 0 < number < below:
        limit = f"< {below:g}" if np.isfinite(below) else "finite"
        raise ValueError(f"{what} must be > 0 and {limit}, got {value!r}")
    return number.item()
