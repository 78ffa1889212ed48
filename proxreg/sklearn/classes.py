"""Classes: the rows of each, what they weigh, and fits on lots of rows that may lack some of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import entr as entropy
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from proxreg._core import use_compilation_cache
from proxreg._warnings import warn
from proxreg.engine import classes_recede
from proxreg.sklearn.base import FLOATS, SEPARATED, Start, checked_weights, fitted, steps, total_weight, warm_start
from proxreg.sklearn.closeness import Fits, fit_closely, shortest
from proxreg.sklearn.multinomial import fit_multinomial
from proxreg.sklearn.parameters import check_parameters
from proxreg.sklearn.scoring import rows


def classification_data(
    estimator: Any, X: Any, y: Any, sample_weight: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """X, the number of each row's class, and weights as NumPy arrays; stores ``classes_``."""
    check_parameters(estimator)
    use_compilation_cache()
    X, y = validate_data(estimator, X, y, dtype=FLOATS)
    check_classification_targets(y)
    weights = checked_weights(sample_weight, X)
    estimator.classes_, codes = np.unique(y, return_inverse=True)
    if len(estimator.classes_) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs two classes or more, y has one class: {estimator.classes_.tolist()[0]!r}"
        )
    return X, codes, weights


def weigh_classes(
    class_weight: Any, classes: np.ndarray, codes: np.ndarray, weights: np.ndarray | None
) -> np.ndarray | None:
    """The weights of rows with those of their classes in them; "balanced" makes classes weigh the same.

    A dict may name classes that y lacks if it names all that y has: y may be a part of what it was written for.
    """
    if class_weight is None:
        return weights
    if isinstance(class_weight, str):
        totals = np.bincount(codes, weights, len(classes))
        factors = totals.sum() / (np.count_nonzero(totals) * np.where(totals > 0, totals, np.inf))
    else:
        unnamed = [label for label in classes.tolist() if label not in class_weight]
        absent = [label for label in class_weight if label not in classes.tolist()]
        if unnamed and absent:
            raise ValueError(
                f"The classes, {unnamed}, are not in class_weight, which names {', '.join(map(repr, absent))}, "
                "classes that y lacks"
            )
        factors = np.array([class_weight.get(label, 1.0) for label in classes.tolist()], float)
        if not np.all((factors >= 0) & np.isfinite(factors)):
            raise ValueError(f"class_weight must hold finite numbers >= 0, got {class_weight!r}")
        if not np.any(factors[codes] * (1.0 if weights is None else weights)):
            raise ValueError("class_weight leaves no row of positive weight")
    return factors[codes] * (1.0 if weights is None else weights)


def class_fits(
    estimator: Any,
    X: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray | None,
    parts: Sequence[np.ndarray],
    C: np.ndarray,
    l1_ratios: Any,
    alphas: Any = None,
    tol: float | None = None,
    start: Start | None = None,
) -> list[Fits]:
    """Fits on parts of the rows, given by their numbers; ``alphas`` are those of a mean, and stand in for C; all begin
    at ``start``, if there is one.

    A class without a row of positive weight in a part has intercept -inf there, where there are intercepts: that is
    the minimum.
    """
    with np.errstate(divide="ignore", over="ignore"):
        small = C[~np.isfinite(1 / C)] if alphas is None else C[:0]
    if small.size:
        name = "Cs" if hasattr(estimator, "Cs") else "C"
        raise ValueError(f"{name} must be > 0, got {small[0]:g}, whose reciprocal is infinite")
    # C weighs a sum: what it means for the mean over some rows depends on how many they are
    strengths = [1 / (C * total_weight(rows(weights, part), X[part])) if alphas is None else alphas for part in parts]
    whole, results = [], {}
    for number, (part, strength) in enumerate(zip(parts, strengths)):
        if estimator.fit_intercept and lost_classes(codes[part], rows(weights, part), len(estimator.classes_)).size:
            results[number] = _without_some(estimator, X, codes, weights, part, strength, l1_ratios, tol)
        elif len(estimator.classes_) > 2:
            whole.append(number)
        else:
            results[number] = _two_classes(estimator, X, codes, weights, part, strength, l1_ratios, tol, start)
    if whole:
        chosen = [parts[number] for number in whole], np.array([strengths[number] for number in whole], float)
        several = fit_multinomial(estimator, X, codes, len(estimator.classes_), weights, *chosen, l1_ratios, tol, start)
        results |= zip(whole, several)
    return [results[number] for number in range(len(parts))]


def lost_classes(codes: np.ndarray, weights: np.ndarray | None, count: int) -> np.ndarray:
    """The numbers of the classes without a row of positive weight."""
    return np.flatnonzero(np.bincount(codes, weights, count) == 0)


def _without_some(
    estimator: Any,
    X: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray | None,
    part: np.ndarray,
    alphas: Any,
    l1_ratios: Any,
    tol: float | None,
) -> Fits:
    """Fits on rows of positive weight that lack classes: those of the classes that are there."""
    count = len(estimator.classes_)
    present = np.setdiff1d(np.arange(count), lost_classes(codes[part], rows(weights, part), count))
    part = part[np.isin(codes[part], present)]
    shape = np.size(l1_ratios), np.size(alphas)
    if count == 2:
        infinite = np.inf if present[0] == 1 else -np.inf
        coef, intercept = np.zeros((*shape, 1, X.shape[1]), X.dtype), np.full((*shape, 1), infinite, X.dtype)
        return Fits(coef, intercept, np.zeros(shape, int), np.zeros(shape), np.zeros(shape), np.ones(shape, bool))
    coef, intercept = np.zeros((*shape, count, X.shape[1]), X.dtype), np.full((*shape, count), -np.inf, X.dtype)
    intercept[..., present] = 0.0
    if present.size == 1:
        return Fits(coef, intercept, np.zeros(shape, int), np.zeros(shape), np.zeros(shape), np.ones(shape, bool))
    among = np.minimum(np.searchsorted(present, codes), present.size - 1)  # that of rows in no part does not matter
    rest = present.size, weights, [part], np.array([alphas], float), l1_ratios, tol
    (fits,) = fit_multinomial(estimator, X, among, *rest)
    coef[:, :, present], intercept[:, :, present] = fits.coef, fits.intercept
    return fits._replace(coef=coef, intercept=intercept)


def _two_classes(
    estimator: Any,
    X: np.ndarray,
    codes: np.ndarray,
    weights: np.ndarray | None,
    part: np.ndarray,
    alphas: Any,
    l1_ratios: Any,
    tol: float | None,
    start: Start | None,
) -> Fits:
    if len(np.unique(codes[part])) < 2:  # no intercept: rows of weight zero say what the other class is
        counts = np.bincount(part, minlength=len(X)).astype(float)
        part, weights = np.arange(len(X)), counts if weights is None else counts * weights
    options = {"alphas": alphas, "l1_ratio": l1_ratios, "loss": "logistic", "tol": tol, "start": start}
    return Fits.of(fitted(estimator, X[part], codes[part], rows(weights, part), **options))


def best_fit(
    estimator: Any, X: np.ndarray, codes: np.ndarray, weights: np.ndarray | None, C: float, l1_ratio: Any, alphas: Any
) -> Any:
    """Fits all rows with one l1_ratio and strength, and stores that; returns the estimator."""
    count, strength = len(estimator.classes_), (np.array([C], float), [l1_ratio], alphas)
    totals = np.bincount(codes, weights, count)

    def fit(tol: float, start: Start | None) -> Fits:
        return class_fits(estimator, X, codes, weights, [np.arange(len(X))], *strength, tol=tol, start=start)[0]

    null = entropy(totals / totals.sum()).sum() if estimator.fit_intercept else np.log(count)
    start = warm_start(estimator, 1 if count == 2 else count, X.shape[1]) if hasattr(estimator, "warm_start") else None
    fits = fit_closely(fit, start, estimator.tol, float(null), X.dtype)
    coef, intercept = fits.coef[0, 0], fits.intercept[0, 0]
    free = np.isinf(C) if alphas is None else alphas[0] == 0
    whole = np.all(totals > 0) or not estimator.fit_intercept
    if free and whole:
        coef, intercept = shortest(X, weights, coef, intercept, estimator.fit_intercept)
    estimator.coef_, estimator.intercept_ = coef, intercept
    estimator.n_iter_ = steps(np.atleast_1d(fits.num_steps[0, 0]), int(start is None))
    if free and whole and count > 2 and _separated(estimator, X, codes, weights):
        warn(SEPARATED, ConvergenceWarning)
    return estimator


def _separated(estimator: Any, X: np.ndarray, codes: np.ndarray, weights: np.ndarray | None) -> bool:
    """Return whether a combination of the columns separates some of several classes, given a fit without a penalty."""
    share = np.ones(len(X)) if weights is None else weights
    X, codes, share = X[share > 0].astype(np.float64), codes[share > 0], share[share > 0] / share.sum()
    eta = X @ estimator.coef_.T + estimator.intercept_
    one = np.ones((len(X), int(estimator.fit_intercept)))
    loss = logsumexp(eta, axis=1) - eta[np.arange(len(X)), codes]
    goal = 10 * estimator.tol * np.log(len(estimator.classes_))
    return classes_recede(np.column_stack([X, one]), codes, eta, share * loss <= goal)
