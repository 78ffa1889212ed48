"""Ridge regression with its strength chosen by leaving out one row at a time, or by cross-validation."""

from typing import Any

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.metrics import check_scoring
from sklearn.utils.metadata_routing import MetadataRouter

from proxreg.leave_one_out import leave_one_out
from proxreg.sklearn.base import (
    LinearPredictor,
    fitted,
    keep_only,
    regression_data,
    shaped_intercept,
    total_weight,
)
from proxreg.sklearn.linear import Ridge, columns
from proxreg.sklearn.parameters import RIDGE_CV, Constraints, check_entries
from proxreg.sklearn.scoring import params_of_rows, rows, scores
from proxreg.sklearn.splitting import route, router, splits


class RidgeCV(LinearPredictor, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """``Ridge`` with the best of some alphas: by leaving out each row (one decomposition serves all), or by folds.

        alpha_ = argmin_alpha  sum_i s_i (y_i - prediction_i without row i)^2,    where cv is None
        alpha_ = argmax_alpha  mean over folds of the score on the fold's rows,   otherwise

    Parameters: ``alphas (K,)``, positive, on ``Ridge``'s scale; ``fit_intercept``; ``scoring``, a scorer of
    scikit-learn, None for the above and R^2; ``cv``; ``store_cv_results`` and ``alpha_per_target``, where cv is None.

    Attributes: ``alpha_``, ``best_score_``, ``coef_``, ``intercept_``, ``n_features_in_``, ``feature_names_in_``;
    ``cv_results_ (n, K)`` or ``(n, T, K)``, of squared errors times weights, or of predictions where a scorer is given.

    Differs from ``sklearn.linear_model.RidgeCV``: with ``cv``, weights count in the scores as well; without, an alpha
    of 0 is taken; ``gcv_mode`` changes nothing; X is dense.

    >>> import proxreg as pr
    >>> from proxreg.sklearn import RidgeCV
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> model = RidgeCV(alphas=[0.01, 0.1, 1.0]).fit(X, y)
    >>> print(model.alpha_, round(-model.best_score_))
    0.1 3002
    """

    _parameter_constraints: Constraints = RIDGE_CV

    def __init__(
        self,
        alphas: Any = (0.1, 1.0, 10.0),
        *,
        fit_intercept: bool = True,
        scoring: Any = None,
        cv: Any = None,
        store_cv_results: bool = False,
        alpha_per_target: bool = False,
        gcv_mode: str | None = None,
    ):
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.scoring = scoring
        self.cv = cv
        self.store_cv_results = store_cv_results
        self.alpha_per_target = alpha_per_target
        self.gcv_mode = gcv_mode

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> "RidgeCV":
        """Chooses on ``X (n, p)`` and ``y (n,)`` or ``(n, T)``, and fits all rows; ``params`` are for splitter and
        scorer.
        """
        X, y, weights = regression_data(self, X, y, sample_weight, several=True)
        alphas = check_entries(self.alphas, "alphas").ravel()
        routed = route(self, "fit", params, weights)
        if self.cv is None:
            self._leave_one_out(X, y, weights, alphas, routed.scorer.score)
            return self
        for name in ("store_cv_results", "alpha_per_target"):
            if getattr(self, name):
                raise ValueError(f"cv!=None and {name}=True are incompatible: pass cv=None, or {name}=False")
        return self._by_folds(X, y, weights, alphas, routed)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what ``fit`` takes besides X and y, and who asks for it; see scikit-learn's guide to routing."""
        scorer: Any = check_scoring(self, scoring=self.scoring or "r2")
        if self.scoring is None and sklearn.get_config()["enable_metadata_routing"]:
            scorer = scorer.set_score_request(sample_weight=True)  # as in scikit-learn: its own choice, weighted
        return router(self, scorer)

    def _leave_one_out(
        self,
        X: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray | None,
        alphas: np.ndarray,
        for_scorer: dict[str, Any],
    ) -> None:
        if len(X) < 2:
            raise ValueError("leaving out a row needs at least 2 of them, got n_samples=1")
        targets = y.reshape(len(y), -1)
        found = leave_one_out(X, targets, alphas, sample_weight=weights, fit_intercept=self.fit_intercept)
        if self.scoring is None:
            stored = np.square(found.errors) * (1.0 if weights is None else weights[:, None])
            quality = -stored.mean(axis=1)
            quality = quality if self.alpha_per_target else quality.mean(axis=1, keepdims=True)
        else:
            stored = targets - found.errors
            quality = self._scored(stored, targets, for_scorer)
        best = np.argmax(quality, axis=0)  # of each target, or of all
        each = np.arange(targets.shape[1])
        coef, intercept = found.coef[best, each], found.intercept[best, each]
        separate = quality.shape[1] > 1
        self.alpha_ = alphas[best] if separate else float(alphas[best[0]])
        self.best_score_ = quality[best, each] if separate else float(quality[best[0], 0])
        self.coef_ = coef[0 if len(each) == 1 else slice(None)].astype(X.dtype)
        self.intercept_ = shaped_intercept(self, intercept.astype(X.dtype), y)
        if self.store_cv_results:
            self.cv_results_ = np.moveaxis(stored, 0, -1).reshape(*y.shape, len(alphas)).astype(X.dtype)

    def _scored(self, predictions: np.ndarray, y: np.ndarray, params: dict[str, Any]) -> np.ndarray:
        """The scores ``(K, T)`` or ``(K, 1)`` of predictions ``(K, n, T)``."""
        scorer: Any = check_scoring(self, scoring=self.scoring)
        parts = range(y.shape[1]) if self.alpha_per_target else [slice(None)]
        return np.array([[scorer(_Known(), each[:, k], y[:, k], **params) for k in parts] for each in predictions])

    def _by_folds(
        self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, alphas: np.ndarray, routed: Any
    ) -> "RidgeCV":
        ridge, response, found = Ridge(fit_intercept=self.fit_intercept), columns(y), []
        scorer: Any = check_scoring(ridge, scoring=self.scoring)
        for train, test in splits(self, X, y, routed):
            own = rows(weights, train)
            strengths = alphas / total_weight(own, X[train])
            path = fitted(ridge, X[train], response[train], own, alphas=strengths, l1_ratio=0.0)
            asked = params_of_rows(routed.scorer.score, len(X), test)
            fits = zip(np.moveaxis(path.coef, -2, 0), path.intercept.T)
            found.append(scores(ridge, scorer, fits, X[test], response[test], asked))
        quality = np.mean(found, axis=0)
        best = int(np.argmax(quality))
        self.alpha_, self.best_score_ = float(alphas[best]), float(quality[best])
        alpha = self.alpha_ / total_weight(weights, X)
        return keep_only(self, y, fitted(ridge, X, response, weights, alphas=[alpha], l1_ratio=0.0))


class _Known(RegressorMixin, BaseEstimator):
    """An estimator whose predictions are its input: what a scorer needs to judge predictions."""

    def predict(self, X: Any) -> Any:
        return X
