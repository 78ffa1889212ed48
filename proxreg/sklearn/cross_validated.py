"""Lasso and elastic net with strength, and mixture, chosen by cross-validation: all folds in one call."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from proxreg.selection import cv_path
from proxreg.sklearn.base import (
    LinearPredictor,
    ScikitLearnsWarnings,
    dual_gap,
    keep,
    options,
    regression_data,
)
from proxreg.sklearn.parameters import ELASTIC_NET_CV, LASSO_CV, Constraints, check_entries
from proxreg.sklearn.paths import enet_path, geometric_grid, lasso_path
from proxreg.sklearn.splitting import SplitsRows, route, splits


class LassoCV(SplitsRows, LinearPredictor, RegressorMixin, BaseEstimator):
    """``Lasso`` with the alpha whose squared error on rows that were held out is smallest.

        alpha_ = argmin_alpha  mean over folds of  sum_i s_i (y_i - prediction_i)^2 / sum_i s_i  over the fold's rows

    Parameters: ``alphas``, the grid, or how many of it, or None for ``n_alphas``, from the smallest with all
    coefficients zero down to ``eps`` times that; ``cv`` as everywhere in scikit-learn; the others are ``Lasso``'s.

    Attributes: ``alpha_``, ``alphas_ (K,)`` falling, ``mse_path_ (K, folds)``, and those of ``Lasso``, of the fit on
    all rows.

    Differs from ``sklearn.linear_model.LassoCV``: at least two folds; ``n_jobs``, ``verbose`` and the like
    are taken and change nothing, as all folds and alphas are one computation; the rest as for ``Lasso``.

    >>> import proxreg as pr
    >>> from proxreg.sklearn import LassoCV
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> model = LassoCV(n_alphas=20).fit(X, y)
    >>> print(model.mse_path_.shape, round(model.alpha_, 2))
    (20, 5) 0.56
    """

    _parameter_constraints: Constraints = LASSO_CV
    path = staticmethod(lasso_path)
    alpha_: float
    alphas_: np.ndarray
    mse_path_: np.ndarray
    dual_gap_: float

    def __init__(
        self,
        *,
        eps: float = 1e-3,
        n_alphas: int = 100,
        alphas: Any = None,
        fit_intercept: bool = True,
        max_iter: int = 20_000,
        tol: float = 1e-6,
        cv: Any = None,
        positive: bool = False,
        precompute: Any = "auto",
        copy_X: bool = True,
        verbose: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
        selection: str = "cyclic",
    ):
        self.eps = eps
        self.n_alphas = n_alphas
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.positive = positive
        self.precompute = precompute
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> "LassoCV":
        """Chooses on ``X (n, p)`` and ``y (n,)``, and fits all rows; ``params`` are for the splitter."""
        _select(self, X, y, sample_weight, 1.0, params)
        return self


class ElasticNetCV(SplitsRows, LinearPredictor, RegressorMixin, BaseEstimator):
    """``ElasticNet`` with the alpha and the l1_ratio whose squared error on rows that were held out is smallest.

        (alpha_, l1_ratio_) = argmin  mean over folds of  sum_i s_i (y_i - prediction_i)^2 / sum_i s_i  over its rows

    Parameters: ``l1_ratio``, a number or a list to choose from; the others are ``LassoCV``'s.

    Attributes: ``l1_ratio_``; those of ``LassoCV``, ``alphas_ (R, K)`` and ``mse_path_ (R, K, folds)`` for R l1_ratios.

    Differs from ``sklearn.linear_model.ElasticNetCV`` as ``LassoCV`` does; and l1_ratio = 0 needs no ``alphas``: its
    grid is then that of 1e-3.

    >>> import proxreg as pr
    >>> from proxreg.sklearn import ElasticNetCV
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> model = ElasticNetCV(l1_ratio=[0.5, 1.0], n_alphas=20).fit(X, y)
    >>> print(model.mse_path_.shape, round(model.alpha_, 2), model.l1_ratio_)
    (2, 20, 5) 0.56 1.0
    """

    _parameter_constraints: Constraints = ELASTIC_NET_CV
    path = staticmethod(enet_path)
    alpha_: float
    alphas_: np.ndarray
    mse_path_: np.ndarray
    dual_gap_: float

    def __init__(
        self,
        *,
        l1_ratio: Any = 0.5,
        eps: float = 1e-3,
        n_alphas: int = 100,
        alphas: Any = None,
        fit_intercept: bool = True,
        max_iter: int = 20_000,
        tol: float = 1e-6,
        cv: Any = None,
        positive: bool = False,
        precompute: Any = "auto",
        copy_X: bool = True,
        verbose: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
        selection: str = "cyclic",
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.n_alphas = n_alphas
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.positive = positive
        self.precompute = precompute
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.selection = selection

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> "ElasticNetCV":
        """Chooses on ``X (n, p)`` and ``y (n,)``, and fits all rows; ``params`` are for the splitter."""
        best = _select(self, X, y, sample_weight, self.l1_ratio, params)
        self.l1_ratio_ = float(np.atleast_1d(self.l1_ratio)[best])
        return self


def _select(model: Any, X: Any, y: Any, sample_weight: Any, l1_ratio: Any, params: dict[str, Any]) -> int:
    """Stores the best fit of the grid and what is known of the others; returns the number of its l1_ratio."""
    X, y, weights = regression_data(model, X, y, sample_weight, several=False)
    ratios = check_entries(l1_ratio, "l1_ratio", maximum=1.0)
    routed = route(model, "fit", params, sample_weight)
    with ScikitLearnsWarnings():
        found = _grid(model, X, y, weights, ratios, splits(model, X, y, routed))  # a splitter may look at X
    # folds count alike, whatever their weights, and the first of equals is chosen: scikit-learn's rules
    mean = found["squares"].mean(axis=-1)
    best = np.unravel_index(np.argmin(mean), mean.shape)
    if np.ndim(model.alphas) == 0 and _explained(y, weights, model.fit_intercept):
        found["alphas"] = np.full_like(found["alphas"], np.finfo(np.float64).resolution)  # scikit-learn's words for any
    same = len(ratios) == 1 or np.ndim(model.alphas) == 1
    model.alphas_ = found["alphas"][0] if same else found["alphas"]
    model.alpha_ = float(found["alphas"][best])
    model.mse_path_ = np.squeeze(found["squares"])
    model.dual_gap_ = dual_gap(found["gap"][best], y, weights, model.fit_intercept)
    keep(model, y, *(found[name][best] for name in ("coef", "intercept", "num_steps")))
    return int(best[0])


def _explained(y: np.ndarray, weights: np.ndarray | None, fit_intercept: bool) -> bool:
    """Whether the model without columns leaves nothing of the response: every alpha has all coefficients zero."""
    counted = y if weights is None else y[weights > 0]
    return bool(np.all(counted == (counted[0] if fit_intercept else 0)))


def _grid(
    model: Any, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, ratios: np.ndarray, folds: Any
) -> dict[str, np.ndarray]:
    """Of the fits on all rows, ``(R, K, ...)``; and mean squared errors on rows held out, ``squares (R, K, folds)``."""
    alphas = model.n_alphas if model.alphas is None else model.alphas
    if np.ndim(alphas):
        grid = {"alphas": np.sort(check_entries(alphas, "alphas"))[..., ::-1]}
    elif model.eps < 1:
        grid = {"n_alphas": alphas, "min_ratio": model.eps}
    else:  # scikit-learn's grid stays, or rises
        likewise = {"fit_intercept": model.fit_intercept, "sample_weight": weights, "positive": model.positive}
        grid = {"alphas": geometric_grid(X, y, alphas, model.eps, ratios, **likewise)}
    cv = cv_path(X, y, folds=folds, **grid, **options(model, X, weights, ratios))
    fits = {name: getattr(cv.path, name) for name in ("alphas", "coef", "intercept", "gap", "num_steps")}
    return fits | {"squares": 2 * np.moveaxis(cv.fold_loss, 0, -1)}
