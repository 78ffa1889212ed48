"""Poisson regression: counts and rates, on the log scale."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import d2_tweedie_score

from proxreg.sklearn.base import fitted, keep_only, linear_predictor, regression_data


class PoissonRegressor(RegressorMixin, BaseEstimator):
    """Poisson regression with L2 and L1 penalties; ``sklearn.linear_model.PoissonRegressor``'s objective.

        1/(2 S) sum_i s_i d(y_i, exp(b + x_i . w)) + alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2)
        d(y, m) = 2 (y log(y / m) - y + m),    S = sum_i s_i

    Parameters: ``alpha >= 0``; ``l1_ratio`` in [0, 1], 0 for scikit-learn's; ``fit_intercept``; ``max_iter``; ``tol``,
    the duality gap relative to the loss of the intercept-only model (in float32 never below 1e-5).

    Attributes: ``coef_ (p,)``, ``intercept_``, ``n_iter_``, ``n_features_in_``, ``feature_names_in_``.

    Differs from scikit-learn's: ``l1_ratio``; X is dense; ``solver``, ``warm_start`` and ``verbose`` are taken and
    change nothing.

    >>> from proxreg.sklearn import PoissonRegressor
    >>> model = PoissonRegressor(alpha=0.0, tol=1e-8).fit([[0.0], [0.0], [1.0], [1.0]], [1, 3, 4, 4])
    >>> print(model.predict([[0.0], [1.0]]).round(3))
    [2. 4.]
    """

    coef_: np.ndarray
    intercept_: Any
    n_iter_: int

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        max_iter: int = 20_000,
        tol: float = 1e-6,
        solver: str = "lbfgs",
        warm_start: bool = False,
        verbose: int = 0,
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.warm_start = warm_start
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "PoissonRegressor":
        """Fits ``X (n, p)`` and ``y (n,)``, y >= 0 and not zero everywhere."""
        X, y, weights = regression_data(self, X, y, sample_weight, several=False)
        if not np.any(y if weights is None else y * weights):
            raise ValueError("y is zero in every row: the rate that fits best is zero, whose logarithm is no number")
        path = fitted(self, X, y, weights, alphas=[self.alpha], l1_ratio=self.l1_ratio, loss="poisson")
        return keep_only(self, y, path)

    def predict(self, X: Any) -> np.ndarray:
        """The expected counts ``exp(b + x . w)``."""
        return np.exp(linear_predictor(self, X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of the deviance explained, ``D^2``: 1 at best, 0 for the mean of y."""
        return float(d2_tweedie_score(y, self.predict(X), sample_weight=sample_weight, power=1))

    def __sklearn_tags__(self) -> Any:
        """Says that y must not be negative."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags
