"""Poisson regression: counts and rates, on the log scale."""

from typing import Any

import numpy as np
from scipy.special import xlogy
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_consistent_length, column_or_1d

from proxreg._warnings import warn
from proxreg.sklearn.base import Start, checked_weights, fitted, keep, linear_predictor, regression_data, warm_start
from proxreg.sklearn.closeness import Fits, fit_closely, shortest
from proxreg.sklearn.parameters import POISSON, Constraints


class PoissonRegressor(RegressorMixin, BaseEstimator):
    """Poisson regression with L2 and L1 penalties; ``sklearn.linear_model.PoissonRegressor``'s objective.

        1/(2 S) sum_i s_i d(y_i, exp(b + x_i . w)) + alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2)
        d(y, m) = 2 (y log(y / m) - y + m),    S = sum_i s_i

    Parameters: ``alpha >= 0``; ``l1_ratio`` in [0, 1], 0 for scikit-learn's; ``fit_intercept``; ``max_iter``; ``tol``,
    the duality gap relative to the loss of the intercept-only model, or to the objective where that is smaller (in
    float32 never below 1e-5).

    Attributes: ``coef_ (p,)``, ``intercept_``, ``n_iter_``, ``n_features_in_``, ``feature_names_in_``. Where y is
    zero in every row the intercept is -inf and every prediction 0, with a warning.

    Differs from scikit-learn's: ``l1_ratio``; X is dense; ``solver`` and ``verbose`` are taken and change nothing.

    >>> from proxreg.sklearn import PoissonRegressor
    >>> model = PoissonRegressor(alpha=0.0, tol=1e-8).fit([[0.0], [0.0], [1.0], [1.0]], [1, 3, 4, 4])
    >>> print(model.predict([[0.0], [1.0]]).round(3))
    [2. 4.]
    """

    _parameter_constraints: Constraints = POISSON
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
        """Fits ``X (n, p)`` and ``y (n,)``, y >= 0."""
        X, y, weights = regression_data(self, X, y, sample_weight, several=False)
        if np.any(y < 0):
            row = int(np.argmax(y < 0))
            raise ValueError(
                "Some value(s) of y are out of the valid range of the loss, "
                f"which needs y >= 0, got {y[row]:g} in row {row}"
            )
        counted = y if weights is None else y * (weights > 0)
        if self.fit_intercept and np.all(counted == 0):
            self.coef_, self.intercept_, self.n_iter_ = np.zeros(X.shape[1], X.dtype), -np.inf, 1
            warn("y is zero in every row: the intercept is -inf, and so every prediction 0", ConvergenceWarning)
            return self
        options: dict[str, Any] = {"alphas": [self.alpha], "l1_ratio": [self.l1_ratio], "loss": "poisson"}

        def fit(tol: float, start: Start | None) -> Fits:
            return Fits.of(fitted(self, X, y, weights, **options, tol=tol, start=start))

        null = _deviance(y, np.average(y, weights=weights) if self.fit_intercept else 1.0, weights) / 2
        start = warm_start(self, X.shape[1])
        fits = fit_closely(fit, start, self.tol, null, X.dtype)
        coef, intercept = fits.coef[0, 0], fits.intercept[0, 0]
        if self.alpha == 0:
            coef, intercept = shortest(X, weights, coef, intercept, self.fit_intercept)
        return keep(self, y, coef[0], intercept, fits.num_steps[0, 0], int(start is None))

    def predict(self, X: Any) -> np.ndarray:
        """The expected counts ``exp(b + x . w)``."""
        return np.exp(linear_predictor(self, X))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of the deviance explained, ``D^2``: 1 at best, 0 for the mean of y."""
        prediction = self.predict(X)
        y, weights = column_or_1d(y, warn=True), checked_weights(sample_weight, X)
        check_consistent_length(y, prediction)
        if np.any(y < 0):
            raise ValueError("Some value(s) of y are out of the valid range of the loss, which needs y >= 0")
        with np.errstate(divide="ignore", invalid="ignore"):
            null = _deviance(y, np.average(y, weights=weights), weights)
            return float(1 - _deviance(y, prediction, weights) / null)

    def __sklearn_tags__(self) -> Any:
        """Says that y must not be negative."""
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


def _deviance(y: np.ndarray, mean: Any, weights: np.ndarray | None) -> float:
    """The mean Poisson deviance; infinite where a count has expectation zero."""
    with np.errstate(divide="ignore", over="ignore"):
        ratio = np.where(y > 0, y / mean, 1.0)
    return 2 * float(np.average(xlogy(y, ratio) - y + mean, weights=weights))
