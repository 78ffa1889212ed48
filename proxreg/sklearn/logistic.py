"""Logistic regression: two classes, or several by a multinomial model."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from proxreg._warnings import warn
from proxreg.sklearn.base import FLOATS, checked_weights, fitted, linear_predictor, steps, total_weight
from proxreg.sklearn.multinomial import fit_multinomial
from proxreg.sklearn.scoring import rows


class LogisticPredictor:
    """Classes and probabilities from a linear predictor for one class, or for each."""

    classes_: np.ndarray
    coef_: np.ndarray
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


class LogisticRegression(LogisticPredictor, ClassifierMixin, BaseEstimator):
    """Logistic regression with L1 and L2 penalties; ``sklearn.linear_model.LogisticRegression``'s objective.

        C sum_i s_i log(1 + exp(-y_i (b + x_i . w))) + l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2,    y_i = -1 or 1

    and for K > 2 classes, with ``eta_ik = b_k + x_i . w_k``, that of the multinomial model,

        C sum_i s_i (log sum_k exp(eta_ik) - eta_i,y_i) + sum_k l1_ratio ||w_k||_1 + (1 - l1_ratio)/2 ||w_k||^2

    Parameters: ``C > 0``, or infinite; or, instead of it, ``alpha = 1 / (C sum_i s_i) >= 0``, the strength beside a
    mean of losses, as everywhere in proxreg; ``l1_ratio`` in [0, 1]; ``fit_intercept``; ``class_weight``, None,
    "balanced" or a dict: times the weights ``s_i`` of a class's rows; ``max_iter``; ``tol``, the duality gap relative
    to the loss of the intercept-only model (in float32 never below 1e-5).

    Attributes: ``classes_ (K,)``, ``coef_ (1, p)`` or ``(K, p)``, ``intercept_ (1,)`` or ``(K,)``, the latter of sum
    zero, ``n_iter_ (1,)``, ``n_features_in_``, ``feature_names_in_``.

    Differs from scikit-learn's: the intercept is never penalised; "balanced" counts weights; ``tol`` is of another
    kind; X is dense; ``penalty`` is its deprecated way to give ``l1_ratio``, or C; ``solver`` and what belongs to one
    are taken and change nothing.

    >>> from proxreg.sklearn import LogisticRegression
    >>> model = LogisticRegression(C=1.0).fit([[-2.0], [-1.0], [1.0], [2.0]], ["no", "no", "yes", "yes"])
    >>> print(model.predict([[-1.5], [1.5]]), model.predict_proba([[0.0]]).round(2))
    ['no' 'yes'] [[0.5 0.5]]
    """

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
        alphas = None if self.alpha is None else [self.alpha]
        (found,) = class_fits(self, X, codes, of_rows, [np.arange(len(X))], np.array([C], float), [ratio], alphas)
        return keep_classes(self, found)


def named_penalty(penalty: Any, l1_ratio: Any, C: Any) -> tuple[Any, Any]:
    """The l1_ratio and the C that scikit-learn's deprecated ``penalty`` stands for; says so in its category."""
    if penalty == "deprecated":
        return l1_ratio, C
    meant = {"l1": (1.0, C), "l2": (0.0, C), "elasticnet": (l1_ratio, C), None: (l1_ratio, np.inf)}
    instead = {"l1": "l1_ratio=1 instead", "l2": "l1_ratio=0 instead", "elasticnet": "l1_ratio alone", None: "C=np.inf"}
    if penalty not in meant:
        raise ValueError(f"penalty must be 'l1', 'l2', 'elasticnet' or None, got {penalty!r}; better, pass l1_ratio")
    warn(f"penalty={penalty!r} is deprecated in scikit-learn; pass {instead[penalty]}", FutureWarning)
    return meant[penalty]


def classification_data(
    estimator: Any, X: Any, y: Any, sample_weight: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """X, the number of each row's class, and weights as NumPy arrays; stores ``classes_``."""
    X, y = validate_data(estimator, X, y, dtype=FLOATS)
    check_classification_targets(y)
    weights = checked_weights(sample_weight, X)
    estimator.classes_, codes = np.unique(y, return_inverse=True)
    if len(estimator.classes_) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs two classes or more, y has one class: {estimator.classes_.tolist()[0]!r}"
        )
    for number in np.flatnonzero(np.bincount(codes, weights) == 0):
        name = estimator.classes_.tolist()[number]
        raise ValueError(f"class {name!r} has no row of positive weight; leave its rows out")
    return X, codes, weights


def weigh_classes(
    class_weight: Any, classes: np.ndarray, codes: np.ndarray, weights: np.ndarray | None
) -> np.ndarray | None:
    """The weights of rows with those of their classes in them; "balanced" makes classes weigh the same."""
    if class_weight is None:
        return weights
    if isinstance(class_weight, str) and class_weight == "balanced":
        totals = np.bincount(codes, weights)
        factors = totals.sum() / (len(classes) * totals)
    elif isinstance(class_weight, dict):
        unknown = set(class_weight) - set(classes.tolist())
        if unknown:
            raise ValueError(f"class_weight names classes that y lacks: {', '.join(map(repr, unknown))}")
        factors = np.array([class_weight.get(label, 1.0) for label in classes.tolist()], float)
        if not np.all((factors > 0) & np.isfinite(factors)):
            raise ValueError(f"class_weight must hold numbers > 0, got {class_weight!r}; leave out rows instead of 0")
    else:
        raise ValueError(f"class_weight must be None, 'balanced' or a dict, got {class_weight!r}")
    return factors[codes] * (1.0 if weights is None else weights)


class Fits(NamedTuple):
    """For each l1_ratio and strength; one predictor for two classes, and one for each of more."""

    coef: np.ndarray  # (R, strengths, 1 or K, p)
    intercept: np.ndarray  # (R, strengths, 1 or K)
    num_steps: np.ndarray  # (R, strengths)


def class_fits(
    estimator: Any,
    X: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray | None,
    parts: Sequence[np.ndarray],
    C: np.ndarray,
    l1_ratios: Any,
    alphas: Any = None,
) -> list[Fits]:
    """Fits on parts of the rows, given by their numbers; ``alphas`` are those of a mean, and stand in for C."""
    with np.errstate(divide="ignore", over="ignore"):
        if alphas is None and not np.all((C > 0) & np.isfinite(1 / C)):
            raise ValueError(f"C must be > 0, got {C.min():g}")
    # C weighs a sum: what it means for the mean over some rows depends on how many they are
    strengths = [1 / (C * total_weight(rows(weights, part), X[part])) if alphas is None else alphas for part in parts]
    if len(estimator.classes_) > 2:
        found = fit_multinomial(estimator, X, codes, weights, parts, np.array(strengths, float), l1_ratios)
        return [Fits(*each) for each in zip(*found)]
    return [
        _two_classes(estimator, X[part], codes[part], rows(weights, part), own, l1_ratios)
        for part, own in zip(parts, strengths)
    ]


def _two_classes(
    estimator: Any, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, alphas: Any, l1_ratios: Any
) -> Fits:
    path = fitted(estimator, X, y, weights, alphas=alphas, l1_ratio=l1_ratios, loss="logistic")
    return Fits(path.coef[:, :, None], path.intercept[:, :, None], path.num_steps)


def keep_classes(estimator: Any, fits: Fits) -> Any:
    """Stores the fit of one l1_ratio and strength; returns the estimator."""
    estimator.coef_, estimator.intercept_, num_steps = (each[0, 0] for each in fits)
    estimator.n_iter_ = steps(np.atleast_1d(num_steps))
    return estimator
