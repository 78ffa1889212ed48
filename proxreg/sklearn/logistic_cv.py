"""Logistic regression with strength, and mixture, chosen by cross-validation."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import check_scoring, log_loss

from proxreg.sklearn.base import steps
from proxreg.sklearn.logistic import (
    LogisticPredictor,
    LogisticRegression,
    class_fits,
    classification_data,
    keep_classes,
    named_penalty,
    weigh_classes,
)
from proxreg.sklearn.scoring import rows, scores
from proxreg.sklearn.splitting import SplitsRows, splits


class LogisticRegressionCV(SplitsRows, LogisticPredictor, ClassifierMixin, BaseEstimator):
    """``LogisticRegression`` with the C and the l1_ratio that score best on rows that were held out.

        (C_, l1_ratio_) = argmax  mean over folds of the score on the fold's rows

    Parameters: ``Cs``, the grid, or how many of it from 1e-4 to 1e4; ``l1_ratios``, a list; ``scoring``, a scorer of
    scikit-learn, by default minus the log loss, None for the accuracy; ``cv``, stratified where it is a number;
    ``refit``, False for the means over folds of what is best in each, strengths and coefficients; the others are
    ``LogisticRegression``'s.

    Attributes: ``C_``, ``l1_ratio_``, ``Cs_ (K,)``, ``l1_ratios_ (R,)``, ``scores_ (folds, R, K)``, ``coefs_paths_
    (folds, R, K, classes, p + 1)``, the intercept last if there is one, ``n_iter_ (folds, R, K)``, and those of
    ``LogisticRegression``, of the fit on all rows. These are the shapes of ``use_legacy_attributes=False``.

    Differs from ``sklearn.linear_model.LogisticRegressionCV``: the default of ``scoring`` is what its will be; every
    class must be among the rows outside each fold; the rest as for ``LogisticRegression``.

    >>> import numpy as np
    >>> from proxreg.sklearn import LogisticRegressionCV
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> model = LogisticRegressionCV(Cs=[0.01, 1.0], cv=3).fit(X, X[:, 0] > 0)
    >>> print(model.C_, model.scores_.shape)
    1.0 (3, 1, 2)
    """

    def __init__(
        self,
        *,
        Cs: Any = 10,
        l1_ratios: Any = (0.0,),
        fit_intercept: bool = True,
        cv: Any = None,
        scoring: Any = "neg_log_loss",
        class_weight: Any = None,
        max_iter: int = 20_000,
        tol: float = 1e-6,
        refit: bool = True,
        use_legacy_attributes: bool = False,
        penalty: Any = "deprecated",
        dual: bool = False,
        intercept_scaling: float = 1.0,
        random_state: Any = None,
        solver: str = "lbfgs",
        verbose: int = 0,
        n_jobs: int | None = None,
    ):
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.scoring = scoring
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.refit = refit
        self.use_legacy_attributes = use_legacy_attributes
        self.penalty = penalty
        self.dual = dual
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.solver = solver
        self.verbose = verbose
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> "LogisticRegressionCV":
        """Chooses on ``X (n, p)`` and ``y (n,)``, and fits all rows; ``params`` are for the splitter."""
        if self.use_legacy_attributes is True:
            raise ValueError("use_legacy_attributes=True is not offered; pass False, as scikit-learn's default will be")
        X, codes, weights = classification_data(self, X, y, sample_weight)
        of_rows = weigh_classes(self.class_weight, self.classes_, codes, weights)
        self.Cs_ = np.logspace(-4, 4, self.Cs) if np.ndim(self.Cs) == 0 else np.array(self.Cs, float)
        self.l1_ratios_ = np.atleast_1d(np.array(named_penalty(self.penalty, self.l1_ratios, None)[0], float))
        model = LogisticRegression(fit_intercept=self.fit_intercept)
        model.classes_ = self.classes_
        labels, scorer = self.classes_[codes], self._scorer(model)
        folds = splits(self, X, labels, params, classifier=True)
        parts = [np.arange(len(X))[train] for train, _ in folds]
        found, paths, counts = [], [], []
        every = class_fits(self, X, codes, of_rows, parts, self.Cs_, self.l1_ratios_)
        for (_, test), (coef, intercept, num_steps) in zip(folds, every):
            fits = zip(coef.reshape(-1, *coef.shape[2:]), intercept.reshape(-1, intercept.shape[2]))
            quality = scores(model, scorer, fits, X[test], labels[test], rows(weights, test))
            found.append(quality.reshape(coef.shape[:2]))
            paths.append(np.concatenate([coef, intercept[..., None]], axis=-1) if self.fit_intercept else coef)
            counts.append(steps(num_steps))
        self.scores_, self.coefs_paths_ = np.stack(found), np.stack(paths)
        best = _best(self.scores_.mean(axis=0, keepdims=True) if self.refit else self.scores_)
        self.l1_ratio_, self.C_ = (float(grid[at].mean()) for grid, at in zip((self.l1_ratios_, self.Cs_), best.T))
        if self.refit:
            chosen = np.array([self.C_]), [self.l1_ratio_]
            keep_classes(self, class_fits(self, X, codes, of_rows, [np.arange(len(X))], *chosen)[0])
        else:
            mean = np.mean([path[tuple(at)] for path, at in zip(self.coefs_paths_, best)], axis=0)
            self.coef_ = mean[:, : X.shape[1]]
            self.intercept_ = mean[:, -1] if self.fit_intercept else np.zeros(len(mean))
        self.n_iter_ = np.stack(counts)
        return self

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """The score on these rows, by ``scoring``."""
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._scorer(LogisticRegression())(self, X, y, **given)

    def _scorer(self, model: Any) -> Any:
        # asked by name, the log loss takes every class from y, and a fold's y may lack one
        return _minus_log_loss if self.scoring == "neg_log_loss" else check_scoring(model, scoring=self.scoring)


def _best(scores: np.ndarray) -> np.ndarray:
    """For each of ``scores (F, R, K)`` where it is largest, ``(F, 2)``; of equals scikit-learn's first."""
    order = np.swapaxes(scores, 1, 2)
    places = np.unravel_index(np.argmax(order.reshape(len(order), -1), axis=1), order.shape[1:])
    return np.stack(places[::-1], axis=1)


def _minus_log_loss(model: Any, X: Any, y: Any, **given: Any) -> float:
    return -log_loss(y, model.predict_proba(X), labels=model.classes_, **given)
