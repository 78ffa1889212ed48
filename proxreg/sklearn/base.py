"""What the estimators share: data, the call of the fitting functions, warnings, and what is kept of a fit."""

import numbers
import warnings
from typing import Any

import numpy as np
import sklearn.exceptions
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data

from proxreg import _precision
from proxreg._core import use_compilation_cache
from proxreg._warnings import ConvergenceWarning, DataWarning, warn
from proxreg.convergence import NO_OPTIMUM, remedy, warn_unless_converged
from proxreg.path_problem import answer, as_path, labels, pose
from proxreg.results import Path
from proxreg.sklearn.parameters import check_parameters

Start = tuple[np.ndarray, np.ndarray]  # coefficients and intercepts

WORDS = {  # what functions ask for, as estimators can have it
    "raise tol or standardize": "raise tol or scale the columns of X",
    "pass dtype='float64'": "pass X as float64",
}
SEPARATED = "the classes are separated: the coefficients grow without bound; pass a finite C"
FINER_STEPS = 2_000  # at a tolerance that rounding may not let them reach, Newton's among them
FLOATS = [np.float64, np.float32]  # X keeps its type if it is one of these, and is converted to the first if not


class LinearPredictor:
    """Predictions ``X @ coef_ + intercept_``."""

    coef_: np.ndarray
    intercept_: Any
    n_iter_: Any

    def predict(self, X: Any) -> np.ndarray:
        """Predictions for the rows of X: ``(n,)``, or ``(n, T)`` for several targets."""
        return linear_predictor(self, X)


def linear_predictor(estimator: Any, X: Any) -> np.ndarray:
    """``X @ coef_.T + intercept_``, with X checked; ``coef_`` may be sparse."""
    check_is_fitted(estimator)
    X = validate_data(estimator, X, dtype=FLOATS, reset=False)
    return X @ estimator.coef_.T + estimator.intercept_


def regression_data(
    estimator: Any, X: Any, y: Any, sample_weight: Any, *, several: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """X, y and weights as NumPy arrays; ``several`` says whether y may have several columns."""
    check_parameters(estimator)
    use_compilation_cache()
    X, y = validate_data(estimator, X, y, dtype=FLOATS, multi_output=several, y_numeric=True)
    y = y.astype(np.float64) if y.dtype.kind in "SU" else y  # numbers as strings
    return X, y, checked_weights(sample_weight, X)


def checked_weights(sample_weight: Any, X: np.ndarray) -> np.ndarray | None:
    """``(n,)`` weights >= 0, of a number too, or None."""
    if sample_weight is None:
        return None
    if isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(len(X), sample_weight)
    kind: Any = np.float64
    weights = check_array(sample_weight, dtype=kind, ensure_2d=False, input_name="sample_weight")
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar: sample_weight must have shape ({len(X)},), got {weights.shape}"
        )
    check_consistent_length(X, weights)
    if np.any(weights < 0):
        raise ValueError(f"sample_weight must be >= 0, got {weights.min():g}")
    if not np.any(weights > 0):
        raise ValueError("sample_weight is zero in every row")
    return weights


def total_weight(sample_weight: np.ndarray | None, X: np.ndarray) -> float:
    """The sum of the weights: what a penalty on a sum of losses is divided by for one on their mean."""
    return float(len(X) if sample_weight is None else sample_weight.sum())


def options(
    estimator: Any, X: np.ndarray, sample_weight: np.ndarray | None, l1_ratio: Any, tol: float | None = None
) -> dict[str, Any]:
    """An estimator's parameters, with a smaller ``tol`` perhaps, as arguments of ``fit_path`` and ``cv_path``."""
    finer, max_steps = tol is not None and tol < estimator.tol, estimator.max_iter
    return {
        "l1_ratio": l1_ratio,
        "positive": getattr(estimator, "positive", False),
        "fit_intercept": estimator.fit_intercept,
        "sample_weight": sample_weight,
        "tol": max(
            estimator.tol if tol is None else tol, _precision.SMALLEST_TOL[X.dtype]
        ),  # scikit-learn takes 0, and one tol for both types
        # None, scikit-learn's default for ridge, is the library's
        "max_steps": min(max_steps or FINER_STEPS, FINER_STEPS) if finer else max_steps,
        "dtype": X.dtype,
    }


def fitted(
    estimator: Any,
    X: np.ndarray,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    *,
    alphas: Any,
    l1_ratio: Any,
    loss: str = "squared",
    tol: float | None = None,
    start: Start | None = None,
) -> Path:
    """The path that an estimator's parameters ask for; ``alphas`` are those of a mean of losses."""
    with ScikitLearnsWarnings(SEPARATED if loss == "logistic" else ""):
        problem = pose(X, y, alphas=alphas, loss=loss, **options(estimator, X, sample_weight, l1_ratio, tol))
        count, p = len(problem.tasks), X.shape[1]
        begin = None if start is None else (np.reshape(start[0], (count, p)), np.reshape(start[1], count))
        results = answer(problem, start=begin)
        warn_unless_converged(results, problem.options, labels(problem), remedy(False, X.dtype))
        return as_path(problem, results)


def warm_start(estimator: Any, *shape: int) -> Start | None:
    """Where an estimator that says ``warm_start`` begins: at what it has, if that is finite and of that shape."""
    coef, intercept = getattr(estimator, "coef_", None), getattr(estimator, "intercept_", 0.0)
    if not estimator.warm_start or coef is None or np.shape(coef) != shape:
        return None
    if not (np.isfinite(coef).all() and np.isfinite(intercept).all()):
        return None
    return np.asarray(coef), np.broadcast_to(np.asarray(intercept, float), shape[:-1])


def keep_only(estimator: Any, y: np.ndarray, path: Path, least: int = 1) -> Any:
    """Stores the fit of a path with one alpha; returns the estimator."""
    return keep(estimator, y, path.coef[..., 0, :], path.intercept[..., 0], path.num_steps[..., 0], least)


class ScikitLearnsWarnings:
    """Inside it nothing is said where scikit-learn says nothing, and what did not converge is said in its category.

    ``unbounded`` is what to say where there is no finite optimum; by default what the library does.
    """

    def __init__(self, unbounded: str = ""):
        self._unbounded = unbounded

    def __enter__(self) -> None:
        self._silence = warnings.catch_warnings(record=True)
        self._said = self._silence.__enter__()
        # constant columns, a constant y, unequal scales: pipelines and folds meet them, and models there are silent
        warnings.simplefilter("ignore", DataWarning)
        warnings.simplefilter("always", ConvergenceWarning)

    def __exit__(self, *error: Any) -> None:
        self._silence.__exit__(*error)
        for each in self._said or ():
            if issubclass(each.category, ConvergenceWarning):
                found, _, advice = str(each.message).partition("; ")
                advice = "raise max_iter or scale the columns of X" if advice.startswith("raise") else advice
                said = f"{found}; {advice}"
                for argument, parameter in WORDS.items():
                    said = said.replace(argument, parameter)
                said = self._unbounded if self._unbounded and NO_OPTIMUM in said else said
                warn(said, sklearn.exceptions.ConvergenceWarning)
            else:
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def keep(
    estimator: Any, y: np.ndarray, coef: np.ndarray, intercept: np.ndarray, num_steps: np.ndarray, least: int = 1
) -> Any:
    """Stores a fit in scikit-learn's shapes; returns the estimator."""
    estimator.coef_ = coef
    estimator.intercept_ = shaped_intercept(estimator, intercept, y)
    estimator.n_iter_ = steps(num_steps, least)
    return estimator


def shaped_intercept(estimator: Any, intercept: Any, y: np.ndarray) -> Any:
    """A number for ``y (n,)``, an array ``(T,)`` for ``y (n, T)``; 0.0 without an intercept."""
    return np.reshape(intercept, y.shape[1:])[()] if estimator.fit_intercept else 0.0


def steps(num_steps: Any, least: int = 1) -> Any:
    """Steps, counting the look at the start: scikit-learn promises at least 1, but where a start was there already."""
    count = np.maximum(num_steps, least)
    return count if count.ndim else int(count)


def dual_gap(relative: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, fit_intercept: bool) -> Any:
    """The duality gap in the objective's units, from that relative to the loss of the intercept-only model."""
    mean = np.average(y, axis=0, weights=sample_weight) if fit_intercept else 0.0
    loss = np.average(np.square(y - mean), axis=0, weights=sample_weight) / 2
    return relative * np.reshape(loss, np.shape(relative))
