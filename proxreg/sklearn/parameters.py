"""Which values the estimators' parameters may have: scikit-learn's own, and refused in its words."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names
from sklearn.utils import check_scalar
from sklearn.utils._param_validation import Hidden, Interval, StrOptions

Constraints = dict[str, list[Any]]

AT_LEAST_ZERO = Interval(Real, 0, None, closed="left")
ABOVE_ZERO = Interval(Real, 0, None, closed="neither")
SHARE = Interval(Real, 0, 1, closed="both")
COUNT = Interval(Integral, 1, None, closed="left")
SELECTION = StrOptions({"cyclic", "random"})

STOPPING: Constraints = {"fit_intercept": ["boolean"], "max_iter": [COUNT, None], "tol": [AT_LEAST_ZERO]}

LASSO: Constraints = {
    **STOPPING,
    "alpha": [AT_LEAST_ZERO],
    "positive": ["boolean"],
    "precompute": ["boolean", "array-like"],
    "copy_X": ["boolean"],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "selection": [SELECTION],
}
ELASTIC_NET: Constraints = {**LASSO, "l1_ratio": [SHARE]}
LASSO_CV: Constraints = {
    **STOPPING,
    "eps": [ABOVE_ZERO],
    "n_alphas": [COUNT],
    "alphas": [COUNT, "array-like", None],
    "cv": ["cv_object"],
    "positive": ["boolean"],
    "precompute": [StrOptions({"auto"}), "boolean", "array-like"],
    "copy_X": ["boolean"],
    "verbose": ["verbose"],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
    "selection": [SELECTION],
}
ELASTIC_NET_CV: Constraints = {**LASSO_CV, "l1_ratio": [SHARE, "array-like"]}
RIDGE: Constraints = {
    **STOPPING,
    "alpha": [AT_LEAST_ZERO, "array-like"],
    "positive": ["boolean"],
    "copy_X": ["boolean"],
    "solver": [StrOptions({"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"})],
    "random_state": ["random_state"],
}
SCORING = [StrOptions(set(get_scorer_names())), callable, None]
RIDGE_CV: Constraints = {
    "alphas": ["array-like", AT_LEAST_ZERO],
    "fit_intercept": ["boolean"],
    "scoring": SCORING,
    "cv": ["cv_object"],
    "store_cv_results": ["boolean"],
    "alpha_per_target": ["boolean"],
    "gcv_mode": [StrOptions({"auto", "svd", "eigen"}), None],
}
POISSON: Constraints = {
    **STOPPING,
    "alpha": [AT_LEAST_ZERO],
    "l1_ratio": [SHARE],
    "solver": [StrOptions({"lbfgs", "newton-cholesky"})],
    "warm_start": ["boolean"],
    "verbose": ["verbose"],
}
CLASSES: Constraints = {
    **STOPPING,
    "class_weight": [dict, StrOptions({"balanced"}), None],
    "penalty": [StrOptions({"l1", "l2", "elasticnet"}), None, Hidden(StrOptions({"deprecated"}))],
    "dual": ["boolean"],
    "intercept_scaling": [ABOVE_ZERO],
    "random_state": ["random_state"],
    "solver": [StrOptions({"lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"})],
    "verbose": ["verbose"],
    "n_jobs": [Integral, None],
}
LOGISTIC: Constraints = {
    **CLASSES,
    "C": [Interval(Real, 0, None, closed="right")],
    "alpha": [AT_LEAST_ZERO, None],
    "l1_ratio": [SHARE, None],
    "warm_start": ["boolean"],
}
LOGISTIC_CV: Constraints = {
    **CLASSES,
    "Cs": [COUNT, "array-like"],
    "l1_ratios": ["array-like", None],
    "cv": ["cv_object"],
    "scoring": SCORING,
    "refit": ["boolean"],
    "use_legacy_attributes": ["boolean"],
}


def check_parameters(estimator: Any) -> None:
    """Raise scikit-learn's ``InvalidParameterError``, a ValueError, for the first parameter that it would not take."""
    estimator._validate_params()  # of ``sklearn.base.BaseEstimator``


def check_entries(values: Any, name: str, *, zero: bool = True, maximum: float | None = None) -> np.ndarray:
    """Return the entries as float64; raise, as scikit-learn does, for one that is < 0, or 0, or above ``maximum``."""
    values = np.atleast_1d(np.asarray(values, dtype=object))
    sides = {(True, False): "left", (True, True): "both", (False, False): "neither", (False, True): "right"}
    ends: Any = sides[zero, maximum is not None]
    for index, value in enumerate(values.ravel()):
        check_scalar(value, f"{name}[{index}]", Real, min_val=0.0, max_val=maximum, include_boundaries=ends)
    if not values.size:
        raise ValueError(f"{name} is empty")
    return values.astype(np.float64)
