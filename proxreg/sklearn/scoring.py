"""How good fits are on rows that they have not seen, by any of scikit-learn's scorers."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from sklearn.metrics import log_loss, make_scorer


def scores(
    model: Any,
    scorer: Callable[..., Any],
    fits: Iterable[tuple[np.ndarray, Any]],
    X: np.ndarray,
    y: np.ndarray,
    params: dict[str, Any],
) -> np.ndarray:
    """A number for each pair ``(coef_, intercept_)``, as those of ``model``; ``params`` are for the scorer."""
    found = []
    for coef, intercept in fits:
        model.coef_, model.intercept_ = coef, intercept
        found.append(scorer(model, X, y, **params))
    return np.array(found)


def rows(values: Any, chosen: np.ndarray) -> Any:
    """Some of the weights, if there are any."""
    return None if values is None else np.asarray(values)[chosen]


def params_of_rows(params: dict[str, Any], count: int, chosen: np.ndarray) -> dict[str, Any]:
    """For some of ``count`` rows: of ``params`` those with an entry for each, cut; the others as they are."""
    return {name: rows(value, chosen) if np.shape(value)[:1] == (count,) else value for name, value in params.items()}


def knowing_classes(scorer: Any, classes: np.ndarray) -> Callable[..., Any]:
    """The scorer, told of all classes where its metric asks for ``labels``: a fold's y may lack one.

    The log loss is that of the logarithms of probabilities: infinite where one is zero, which scikit-learn's rounds up.
    """
    metric = getattr(scorer, "_score_func", None)
    if metric is log_loss and scorer._sign == -1 and not scorer._kwargs:
        return _mean_log_likelihood
    taken = inspect.signature(metric).parameters if metric is not None else {}
    if "labels" not in taken:
        return scorer
    options = {"labels": classes} | ({"pos_label": classes[-1]} if "pos_label" in taken and len(classes) == 2 else {})
    options |= scorer._kwargs
    return make_scorer(metric, greater_is_better=scorer._sign == 1, response_method=scorer._response_method, **options)


def _mean_log_likelihood(model: Any, X: Any, y: Any, sample_weight: Any = None) -> float:
    log_p = model.predict_log_proba(X)
    likelihood = log_p[np.arange(len(log_p)), np.searchsorted(model.classes_, np.asarray(y))]
    if sample_weight is None:
        return float(np.mean(likelihood))
    weights = np.asarray(sample_weight, float)
    return float(np.average(likelihood[weights > 0], weights=weights[weights > 0]))  # 0 times infinity counts nothing
