"""How good fits are on rows that they have not seen, by any of scikit-learn's scorers."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


def scores(
    model: Any,
    scorer: Callable[..., Any],
    fits: Iterable[tuple[np.ndarray, Any]],
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
) -> np.ndarray:
    """A number for each pair ``(coef_, intercept_)``, as those of ``model``; with weights, where there are any."""
    given = {} if sample_weight is None else {"sample_weight": sample_weight}
    found = []
    for coef, intercept in fits:
        model.coef_, model.intercept_ = coef, intercept
        found.append(scorer(model, X, y, **given))
    return np.array(found)


def rows(values: np.ndarray | None, chosen: np.ndarray) -> Any:
    """Some of the weights, if there are any."""
    return None if values is None else values[chosen]
