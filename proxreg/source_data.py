"""The data behind a path, for what needs them after the fit."""

from typing import Any, NamedTuple

import numpy as np

from proxreg._core import require_unforked
from proxreg.feature_names import select_columns
from proxreg.results import Path, require_columns
from proxreg.validation import Data, check_responses


class Rows(NamedTuple):
    """What one response of a path was fitted on."""

    X: np.ndarray  # (n, p)
    y: np.ndarray  # (n,)
    weights: np.ndarray  # (n,) that sum to one
    total: float  # the sum of the weights that were given; the number of rows where none were
    offset: np.ndarray | None
    scale: np.ndarray  # (p,) what columns were divided by
    factor: np.ndarray | None  # (p,)
    fit_intercept: bool


def path_of(path: Any) -> Path:
    """The path itself, or that of a cross-validation."""
    path = getattr(path, "path", path)
    if not isinstance(path, Path):
        raise ValueError(f"path must be what fit_path or cv_path returned, got {type(path).__name__}")
    return path


def data_of(path: Path, X: Any, y: Any, sample_weight: Any, offset: Any) -> list[Rows]:
    """The data of each response: those given, or those that the path was fitted on."""
    require_unforked()
    origin = path.origin
    for name, own, given in (("sample_weight", origin.weighted, sample_weight), ("offset", path.has_offset, offset)):
        if X is not None and own and given is None:
            raise ValueError(f"the path was fitted with {name}: pass it beside X and y")
    if (X is None) != (y is None):
        raise ValueError("pass both X and y, or neither")
    if X is None:
        if not origin.data:
            raise ValueError("a path that was pickled or saved does not carry its data: pass X and y")
        if sample_weight is not None or offset is not None:
            raise ValueError("sample_weight and offset go with X and y; without these, the path's own are taken")
        given: tuple[Data, ...] = origin.data
    else:
        X = select_columns(X, path.feature_names)
        given = tuple(check_responses(X, y, path.loss, sample_weight, offset))
        require_columns(given[0].X.shape[1], path)
    wanted = path.alphas.shape[0] if path.several else 1
    if len(given) != wanted:
        raise ValueError(f"the path has {wanted} responses, y has {len(given)}")
    return [_rows(path, data) for data in given]


def _rows(path: Path, data: Data) -> Rows:
    if data.sample_weight is not None and np.any(data.sample_weight == 0):
        data = data.rows(np.flatnonzero(data.sample_weight))  # which do not count, and may be anywhere
    weights = np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight.astype(np.float64)
    origin, total = path.origin, float(weights.sum())
    own = origin.scale, origin.factor, origin.fit_intercept
    return Rows(np.asarray(data.X), data.y, weights / total, total, data.offset, *own)
