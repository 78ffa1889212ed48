"""Logistic regression with strength, and mixture, chosen by cross-validation."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import get_scorer
from sklearn.utils.metadata_routing import MetadataRouter

from proxreg._warnings import warn
from proxreg.sklearn.base import steps
from proxreg.sklearn.classes import best_fit, class_fits, classification_data, lost_classes, weigh_classes
from proxreg.sklearn.logistic import LogisticPredictor, LogisticRegression, named_penalty
from proxreg.sklearn.parameters import LOGISTIC_CV, Constraints, check_entries
from proxreg.sklearn.scoring import knowing_classes, params_of_rows, rows, scores
from proxreg.sklearn.splitting import route, router, splits


class LogisticRegressionCV(LogisticPredictor, ClassifierMixin, BaseEstimator):
    """``LogisticRegression`` with the C and the l1_ratio that score best on rows that were held out.

        (C_, l1_ratio_) = argmax  mean over folds of the score on the fold's rows

    Parameters: ``Cs``, the grid, or how many of it from 1e-4 to 1e4; ``l1_ratios``, a list; ``scoring``, a scorer of
    scikit-learn, by default minus the log loss, None for the accuracy; ``cv``, stratified where it is a number;
    ``refit``, False for the means over folds of what is best in each, strengths and coefficients; the others are
    ``LogisticRegression``'s.

    Attributes: ``C_``, ``l1_ratio_``, ``Cs_ (K,)``, ``l1_ratios_ (R,)``, ``scores_ (folds, R, K)``, ``coefs_paths_
    (folds, R, K, classes, p + 1)``, the intercept last if there is one, ``n_iter_ (folds, R, K)``, and those of
    ``LogisticRegression``, of the fit on all rows. These are the shapes of ``use_legacy_attributes=False``.

    Differs from ``sklearn.linear_model.LogisticRegressionCV``: the default of ``scoring`` is what its will be; a class
    that is not among the rows outside a fold has probability zero there, and a fold whose scores are infinite for it is
    left out of the choice, with a warning; the rest as for ``LogisticRegression``.

    >>> import numpy as np
    >>> from proxreg.sklearn import LogisticRegressionCV
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> model = LogisticRegressionCV(Cs=[0.01, 1.0], cv=3).fit(X, X[:, 0] > 0)
    >>> print(model.C_, model.scores_.shape)
    1.0 (3, 1, 2)
    """

    _parameter_constraints: Constraints = LOGISTIC_CV

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
        """Chooses on ``X (n, p)`` and ``y (n,)``, and fits all rows; ``params`` are for splitter and scorer."""
        X, codes, weights = classification_data(self, X, y, sample_weight)
        if self.use_legacy_attributes:
            raise ValueError("use_legacy_attributes=True is not offered; pass False, as scikit-learn's default will be")
        of_rows = weigh_classes(self.class_weight, self.classes_, codes, weights)
        ratios = named_penalty(self.penalty, self.l1_ratios, None, "l1_ratios")[0]
        self.l1_ratios_ = check_entries(ratios, "l1_ratios", maximum=1.0).ravel()
        self.Cs_ = np.logspace(-4, 4, self.Cs) if np.ndim(self.Cs) == 0 else check_entries(self.Cs, "Cs", zero=False)
        model = LogisticRegression(fit_intercept=self.fit_intercept)
        model.classes_ = self.classes_
        labels, routed = self.classes_[codes], route(self, "fit", params, weights)
        scorer = knowing_classes(get_scorer(self.scoring or "accuracy"), self.classes_)
        folds = splits(self, X, labels, routed, classifier=True)
        parts = [np.arange(len(X))[train] for train, _ in folds]
        found, paths, counts = [], [], []
        every = class_fits(self, X, codes, of_rows, parts, self.Cs_, self.l1_ratios_)
        for (_, test), fits in zip(folds, every):
            coef, intercept = fits.coef, fits.intercept
            pairs = zip(coef.reshape(-1, *coef.shape[2:]), intercept.reshape(-1, intercept.shape[2]))
            asked = params_of_rows(routed.scorer.score, len(X), test)
            quality = scores(model, scorer, pairs, X[test], labels[test], asked)
            found.append(quality.reshape(coef.shape[:2]))
            paths.append(np.concatenate([coef, intercept[..., None]], axis=-1) if self.fit_intercept else coef)
            counts.append(steps(fits.num_steps))
        self.scores_, self.coefs_paths_ = np.stack(found), np.stack(paths)
        counting = self._folds_to_judge_by(codes, of_rows, parts)
        best = _best(self.scores_[counting].mean(axis=0, keepdims=True) if self.refit else self.scores_[counting])
        self.l1_ratio_, self.C_ = (float(grid[at].mean()) for grid, at in zip((self.l1_ratios_, self.Cs_), best.T))
        if self.refit:
            best_fit(self, X, codes, of_rows, self.C_, self.l1_ratio_, None)
        else:
            mean = np.mean([path[tuple(at)] for path, at in zip(self.coefs_paths_[counting], best)], axis=0)
            self.coef_ = mean[:, : X.shape[1]]
            self.intercept_ = mean[:, -1] if self.fit_intercept else np.zeros(len(mean))
        self.n_iter_ = np.stack(counts)
        return self

    def score(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Any:
        """The score on these rows, by ``scoring``; ``params`` are for the scorer."""
        routed = route(self, "score", params, sample_weight)
        return knowing_classes(get_scorer(self.scoring or "accuracy"), self.classes_)(self, X, y, **routed.scorer.score)

    def get_metadata_routing(self) -> MetadataRouter:
        """Return what ``fit`` and ``score`` take besides X and y, and who asks for it; see scikit-learn's guide."""
        return router(self, get_scorer(self.scoring or "accuracy"), ("score", "fit"))

    def _folds_to_judge_by(self, codes: np.ndarray, weights: np.ndarray | None, parts: list[np.ndarray]) -> np.ndarray:
        """The numbers of folds with a finite score; says which lack a class outside."""
        finite = np.any(np.isfinite(self.scores_), axis=(1, 2))
        absent, said = lost_classes(codes, weights, len(self.classes_)), []  # from all rows, which the fit tells
        for fold, part in enumerate(parts):
            lost = np.setdiff1d(lost_classes(codes[part], rows(weights, part), len(self.classes_)), absent)
            left = "" if finite[fold] else ", whose scores are infinite and do not count"
            said += [f"no row of class {name!r} is outside fold {fold}{left}" for name in self.classes_[lost].tolist()]
        remedy = "use fewer folds, or StratifiedKFold"
        if not finite.any():
            why = [f"class {name!r} has no weight, and so probability 0" for name in self.classes_[absent].tolist()]
            raise ValueError(f"{'; '.join(why + said) or 'no score is finite'}; {remedy}, or scoring='accuracy'")
        if said:
            warn(f"{'; '.join(said)}; {remedy}", UserWarning)
        return np.flatnonzero(finite)


def _best(scores: np.ndarray) -> np.ndarray:
    """For each of ``scores (F, R, K)`` where it is largest, ``(F, 2)``; of equals scikit-learn's first."""
    order = np.swapaxes(scores, 1, 2)
    places = np.unravel_index(np.argmax(order.reshape(len(order), -1), axis=1), order.shape[1:])
    return np.stack(places[::-1], axis=1)
