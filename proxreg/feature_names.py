"""Names of columns: read from data frames, checked, and matched with those that a model was fitted on."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

LISTED = 5  # names that a message lists before it counts the rest


def column_names(X: Any, given: Any = None) -> tuple[str, ...] | None:
    """Return the names given, or those that X has, or None; raise ValueError where one appears twice."""
    if hasattr(X, "collect") and not hasattr(X, "shape"):
        raise ValueError("X is a lazy frame; pass X.collect()")
    names = getattr(X, "columns", None) if given is None else given
    if names is None:
        return None
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise ValueError(f"feature_names must be a list of names, got {names!r}")
    names = tuple(map(str, names))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        where = "X has" if given is None else "feature_names has"
        raise ValueError(f"{where} {listed(twice)} more than once; give each column a name of its own")
    return names


def select_columns(X: Any, feature_names: tuple[str, ...] | None) -> Any:
    """Return the columns of X that a model was fitted on, in the model's order, where both have names.

    Columns that the model does not know are left out. Raises ValueError where some of the model's are missing.
    """
    names = column_names(X)
    if names is None or feature_names is None or names == feature_names:
        return X
    place = {name: j for j, name in enumerate(names)}
    missing = [name for name in feature_names if name not in place]
    if missing:
        raise ValueError(
            f"X has no {listed(missing)}, which the model was fitted on; pass a frame with the model's columns in any "
            "order, or an array of them in the order of feature_names"
        )
    order = [place[name] for name in feature_names]
    if hasattr(X, "__getitem__"):
        labels = list(X.columns)
        return X[[labels[j] for j in order]]
    return np.asarray(X)[:, order]


def names_of(features: tuple[str, ...] | None, p: int) -> tuple[str, ...]:
    """Return what to call each of p features in tables and pictures."""
    return features or tuple(f"x{j}" for j in range(p))


def listed(names: Sequence[str], limit: int = LISTED) -> str:
    """Return ``column 'a'``, or ``columns 'a', 'b' and 3 more``."""
    shown = ", ".join(map(repr, names[:limit]))
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"column{'s' if len(names) > 1 else ''} {shown}{more}"
