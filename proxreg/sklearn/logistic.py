"""Logistic regression: two classes, or several by a multinomial model."""

from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array, issparse
from scipy.special import log_expit, log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from proxreg._warnings import warn
from proxreg.sklearn.base import linear_predictor
from proxreg.sklearn.classes import best_fit, classification_data, weigh_classes
from proxreg.sklearn.parameters import LOGISTIC, Constraints


class LogisticPredictor:
    """Classes and probabilities from a linear predictor for one class, or for each."""

    classes_: np.ndarray
    coef_: Any  # an array, or sparse
    intercept_: np.ndarray
    n_iter_: np.ndarray

    def decision_function(self, X: Any) -> np.ndarray:
        """The linear predictor of ``classes_[1]``, ``(n,)``; of each of more than two classes, ``(n, K)``."""
        eta = linear_predictor(self, X)
        return eta[:, 0] if eta.shape[1] == 1 else eta

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each row."""
        eta = self.decision_function(X)
        return self.classes_[(eta > 0).astype(int) if eta.ndim == 1 else np.argmax(eta, axis=1)]

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities ``(n, K)``."""
        eta = self.decision_function(X)
        if eta.ndim == 1:
            return np.stack([log_expit(-eta), log_expit(eta)], axis=1)
        return log_softmax(eta, axis=1)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities ``(n, K)`` of the classes."""
        return np.exp(self.predict_log_proba(X))

    def sparsify(self) -> Self:
        """Store ``coef_`` without its zeros, as a sparse array; predictions stay as they are."""
        check_is_fitted(self)
        self.coef_ = csr_array(self.coef_)
        return self

    def densify(self) -> Self:
        """Store ``coef_`` as NumPy array again."""
        check_is_fitted(self)
        self.coef_ = self.coef_.toarray() if issparse(self.coef_) else self.coef_
        return self


class LogisticRegression(LogisticPredictor, ClassifierMixin, BaseEstimator):
    """Logistic regression with L1 and L2 penalties; ``sklearn.linear_model.LogisticRegression``'s objective.

        C sum_i s_i log(1 + exp(-y_i (b + x_i . w))) + l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2,    y_i = -1 or 1

    and for K > 2 classes, with ``eta_ik = b_k + x_i . w_k``, that of the multinomial model,

        C sum_i s_i (log sum_k exp(eta_ik) - eta_i,y_i) + sum_k l1_ratio ||w_k||_1 + (1 - l1_ratio)/2 ||w_k||^2

    Parameters: ``C > 0``, or infinite; or, instead of it, ``alpha = 1 / (C sum_i s_i) >= 0``, the strength beside a
    mean of losses, as everywhere in proxreg; ``l1_ratio`` in [0, 1]; ``fit_intercept``; ``class_weight``, None,
    "balanced" or a dict: times the weights ``s_i`` of a class's rows; ``max_iter``; ``tol``, the duality gap relative
    to the loss of the intercept-only model, or to the objective where that is smaller (in float32 never below 1e-5).

    Attributes: ``classes_ (K,)``, ``coef_ (1, p)`` or ``(K, p)``, ``intercept_ (1,)`` or ``(K,)``, the latter of sum
    zero (that of a class without weight is -inf, its probability 0), ``n_iter_ (1,)``, ``n_features_in_``,
    ``feature_names_in_``.

    Differs from scikit-learn's: the intercept is never penalised; "balanced" counts weights; ``tol`` is of another
    kind; X is dense; ``penalty`` is its deprecated way to give ``l1_ratio``, or C; ``solver`` and what belongs to one
    are taken and change nothing.

    >>> from proxreg.sklearn import LogisticRegression
    >>> model = LogisticRegression(C=1.0).fit([[-2.0], [-1.0], [1.0], [2.0]], ["no", "no", "yes", "yes"])
    >>> print(model.predict([[-1.5], [1.5]]), model.predict_proba([[0.0]]).round(2))
    ['no' 'yes'] [[0.5 0.5]]
    """

    _parameter_constraints: Constraints = LOGISTIC

    def __init__(
        self,
        *,
        C: float = 1.0,
        alpha: float | None = None,
        l1_ratio: float = 0.0,
        fit_intercept: bool = True,
        class_weight: Any = None,
        max_iter: int = 20_000,
        tol: float = 1e-6,
        penalty: Any = "deprecated",
        dual: bool = False,
        intercept_scaling: float = 1.0,
        random_state: Any = None,
        solver: str = "lbfgs",
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
    ):
        self.C = C
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.penalty = penalty
        self.dual = dual
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.solver = solver
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "LogisticRegression":
        """Fits ``X (n, p)`` and ``y (n,)``, of at least two classes."""
        X, codes, weights = classification_data(self, X, y, sample_weight)
        of_rows = weigh_classes(self.class_weight, self.classes_, codes, weights)
        ratio, C = named_penalty(self.penalty, self.l1_ratio, self.C)
        return best_fit(self, X, codes, of_rows, C, ratio, None if self.alpha is None else [self.alpha])


def named_penalty(penalty: Any, l1_ratio: Any, C: Any, name: str = "l1_ratio") -> tuple[Any, Any]:
    """The l1_ratio and the C that scikit-learn's deprecated ``penalty`` stands for; says so in its category."""
    if l1_ratio is None:
        if penalty == "elasticnet":
            raise ValueError(f"{name} must be specified when penalty is elasticnet")
        warn(f"'{name}=None' was deprecated in scikit-learn; pass 0", FutureWarning)
        l1_ratio = 0.0
    if penalty == "deprecated":
        return l1_ratio, C
    meant = {"l1": (1.0, C), "l2": (0.0, C), "elasticnet": (l1_ratio, C), None: (l1_ratio, np.inf)}
    instead = {"l1": "l1_ratio=1 instead", "l2": "l1_ratio=0 instead", "elasticnet": "l1_ratio alone", None: "C=np.inf"}
    warn(f"penalty={penalty!r} is deprecated in scikit-learn; pass {instead[penalty]}", FutureWarning)
    return meant[penalty]
