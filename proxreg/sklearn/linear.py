"""Least squares with a penalty of known strength: lasso, elastic net, ridge."""

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin

from proxreg.sklearn.base import LinearPredictor, dual_gap, fitted, keep_only, regression_data, total_weight, warm_start
from proxreg.sklearn.parameters import ELASTIC_NET, LASSO, RIDGE, Constraints, check_entries
from proxreg.sklearn.paths import enet_path


class SparsePredictor(LinearPredictor):
    """With coefficients most of which are zero."""

    @property
    def sparse_coef_(self) -> csr_array:
        """``coef_`` without its zeros, ``(1, p)`` or ``(T, p)``."""
        return csr_array(np.atleast_2d(self.coef_))


class Lasso(SparsePredictor, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Least squares with an L1 penalty; ``sklearn.linear_model.Lasso``'s objective, number for number.

        1/(2 S) sum_i s_i (y_i - b - x_i . w)^2 + alpha ||w||_1,    S = sum_i s_i

    Parameters: ``alpha >= 0``; ``fit_intercept``; ``max_iter``; ``tol``, the duality gap relative to the loss of the
    intercept-only model (in float32 never below 1e-5); ``positive``, whether w >= 0.

    Attributes: ``coef_ (p,)`` or ``(T, p)``, ``sparse_coef_``, ``intercept_``, ``n_iter_``, ``dual_gap_`` (in the
    objective's units; NaN for alpha = 0, where no dual is known), ``n_features_in_``, ``feature_names_in_``.

    Differs from scikit-learn's: steps of ``max_iter`` are cheaper than passes over the columns, and there may be more
    of them; ``tol`` is 1e-6, not 1e-4, so that a row of weight 2 and two rows give the same; alpha = 0 is solved like
    any other; X is dense. ``precompute``, ``copy_X``, ``random_state`` and ``selection`` are taken and change
    nothing: there is one solver, which leaves X as it is and draws no numbers.

    >>> from proxreg.sklearn import Lasso
    >>> model = Lasso(alpha=0.1).fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [0.0, 1.0, 2.0])
    >>> print(model.coef_.sum().round(2), model.intercept_.round(2))
    0.85 0.15
    """

    _parameter_constraints: Constraints = LASSO
    path = staticmethod(enet_path)
    dual_gap_: Any

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        max_iter: int = 20_000,
        tol: float = 1e-6,
        positive: bool = False,
        precompute: Any = False,
        copy_X: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.positive = positive
        self.precompute = precompute
        self.copy_X = copy_X
        self.warm_start = warm_start
        self.random_state = random_state
        self.selection = selection

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> "Lasso":
        """Fits ``X (n, p)`` and ``y (n,)``, or ``(n, T)``: each column for itself; the input is always checked."""
        return _fit(self, X, y, sample_weight, l1_ratio=1.0)


class ElasticNet(SparsePredictor, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Least squares with L1 and L2 penalties; ``sklearn.linear_model.ElasticNet``'s objective, number for number.

        1/(2 S) sum_i s_i (y_i - b - x_i . w)^2 + alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2),    S = sum_i s_i

    Parameters: ``l1_ratio`` in [0, 1]; the others, the attributes and what differs from scikit-learn's are those of
    ``Lasso``.

    >>> from proxreg.sklearn import ElasticNet
    >>> model = ElasticNet(alpha=0.1, tol=1e-8).fit([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [0.0, 1.0, 2.0])
    >>> print(model.coef_.round(3))
    [0.446 0.446]
    """

    _parameter_constraints: Constraints = ELASTIC_NET
    path = staticmethod(enet_path)
    dual_gap_: Any

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 0.5,
        fit_intercept: bool = True,
        max_iter: int = 20_000,
        tol: float = 1e-6,
        positive: bool = False,
        precompute: Any = False,
        copy_X: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        selection: str = "cyclic",
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.positive = positive
        self.precompute = precompute
        self.copy_X = copy_X
        self.warm_start = warm_start
        self.random_state = random_state
        self.selection = selection

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> "ElasticNet":
        """Fits ``X (n, p)`` and ``y (n,)``, or ``(n, T)``: each column for itself; the input is always checked."""
        return _fit(self, X, y, sample_weight, l1_ratio=self.l1_ratio)


class Ridge(LinearPredictor, MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Least squares with an L2 penalty; ``sklearn.linear_model.Ridge``'s objective, number for number.

        sum_i s_i (y_i - b - x_i . w)^2 + alpha ||w||^2

    A sum of losses, not a mean: more rows weaken the same alpha, and so do larger weights. It is ``ElasticNet`` with
    ``l1_ratio=0`` and ``alpha / sum_i s_i``.

    Parameters: ``alpha >= 0``, one for all targets or ``(T,)``; ``fit_intercept``; ``max_iter``; ``tol``, the duality
    gap relative to the loss of the intercept-only model (in float32 never below 1e-5); ``positive``, whether w >= 0.

    Attributes: ``coef_ (p,)`` or ``(T, p)``, ``intercept_``, ``n_iter_``, ``solver_``, ``n_features_in_``,
    ``feature_names_in_``.

    Differs from scikit-learn's: ``tol`` has one meaning, as there is one solver; ``solver``, ``copy_X`` and
    ``random_state`` are taken and change nothing (``solver_`` is what scikit-learn would have used); ``n_iter_`` is
    never None; X is dense.

    >>> from proxreg.sklearn import Ridge
    >>> model = Ridge(alpha=2.0).fit([[-1.0], [0.0], [1.0]], [0.0, 1.0, 2.0])
    >>> print(model.coef_.round(3), model.intercept_.round(3))
    [0.5] 1.0
    """

    _parameter_constraints: Constraints = RIDGE
    solver_: str

    def __init__(
        self,
        alpha: Any = 1.0,
        *,
        fit_intercept: bool = True,
        max_iter: int | None = 20_000,
        tol: float = 1e-10,
        positive: bool = False,
        copy_X: bool = True,
        solver: str = "auto",
        random_state: Any = None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.positive = positive
        self.copy_X = copy_X
        self.solver = solver
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Ridge":
        """Fits ``X (n, p)`` and ``y (n,)``, or ``(n, T)``: each column for itself."""
        X, y, weights = regression_data(self, X, y, sample_weight, several=True)
        alphas = _of_targets(self.alpha, y) / total_weight(weights, X)
        self.solver_ = self.solver if self.solver != "auto" else "lbfgs" if self.positive else "cholesky"
        return keep_only(self, y, fitted(self, X, columns(y), weights, alphas=alphas, l1_ratio=0.0))


def _of_targets(alpha: Any, y: np.ndarray) -> np.ndarray:
    """A grid of one alpha, ``(1,)`` for all targets or ``(T, 1)``."""
    alphas = check_entries(alpha, "alpha").ravel()
    targets = 1 if y.ndim == 1 else y.shape[1]
    if alphas.size == 1:
        return alphas
    if alphas.size != targets:
        raise ValueError(f"Number of targets and number of penalties do not correspond: {alphas.size} != {targets}")
    return alphas[:, None]


def _fit(model: Any, X: Any, y: Any, sample_weight: Any, *, l1_ratio: float) -> Any:
    X, y, weights = regression_data(model, X, y, sample_weight, several=True)
    response = columns(y)
    start = warm_start(model, *response.shape[1:], X.shape[1])
    path = fitted(model, X, response, weights, alphas=[model.alpha], l1_ratio=l1_ratio, start=start)
    model.dual_gap_ = dual_gap(path.gap[..., 0], y, weights, model.fit_intercept)
    return keep_only(model, y, path, least=int(start is None))


def columns(y: Any) -> Any:
    """A single column as a vector: so it is to scikit-learn, whose ``coef_`` is ``(p,)`` then."""
    return y.ravel() if y.ndim == 2 and y.shape[1] == 1 else y
