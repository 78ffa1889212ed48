"""Fits whose optimum is far below the intercept-only model, or is not the only one: which of them is taken."""

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from proxreg import _precision
from proxreg._warnings import warn
from proxreg.results import Path
from proxreg.sklearn.base import Start

ROUNDS = 6  # the objective falls, and what it is compared with; seldom more than twice
ROUNDING = 100  # times the smallest tolerance: what a fit may end at whose optimum explains nearly all


class Fits(NamedTuple):
    """Fits, and how well they are known: for each l1_ratio and strength; for one predictor, or one for each class."""

    coef: np.ndarray  # (R, strengths, 1 or K, p)
    intercept: np.ndarray  # (R, strengths, 1 or K)
    num_steps: np.ndarray  # (R, strengths), as are the others
    objective: np.ndarray
    error: np.ndarray  # the larger of gap and violation, in units of the intercept-only model's
    converged: np.ndarray

    @classmethod
    def of(cls, path: Path) -> "Fits":
        """Those of a path, of one predictor."""
        error = np.fmax(path.gap, path.violation)
        coef, intercept = path.coef[..., None, :], path.intercept[..., None]
        return cls(coef, intercept, path.num_steps, path.objective, error, path.converged)


def fit_closely(
    fit: Callable[[float, Start | None], Fits], start: Start | None, tol: float, null_loss: float, dtype: np.dtype
) -> Fits:
    """Return ``fit(tol, start)``, or that of a smaller tolerance where its objective is far below ``null_loss``.

    A gap of ``tol`` in units of the intercept-only loss may be more than the whole objective: the error is to be at
    most ``tol min(null_loss, objective)``, as far as the type can tell.
    """
    fits, smallest = fit(tol, start), _precision.SMALLEST_TOL[dtype]
    aim = tol
    for _ in range(ROUNDS):
        share = float(np.min(fits.objective)) / null_loss if null_loss > 0 else 1.0
        aim = max(tol * min(1.0, share), smallest)
        if not np.all(fits.converged) or np.all(fits.error <= aim):
            return fits
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            finer = fit(aim, (fits.coef[0, 0], fits.intercept[0, 0]))
        better, steps = np.all(finer.error < fits.error), finer.num_steps + fits.num_steps
        fits = (finer if better else fits)._replace(num_steps=steps)
        if not np.all(finer.converged):
            break
    if np.any(fits.error > max(aim, ROUNDING * smallest)):
        warn(
            f"the objective is {aim / tol:.2g} of that without columns, and known to {np.max(fits.error):.2g} of it: "
            "raise max_iter or scale the columns of X",
            ConvergenceWarning,
        )
    return fits


def shortest(
    X: np.ndarray, weights: np.ndarray | None, coef: np.ndarray, intercept: np.ndarray, fit_intercept: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return of all coefficients ``(m, p)`` that say the same of the rows the shortest, and the intercepts ``(m,)``.

    Without a penalty nothing else tells them apart, and on new rows they may say anything.
    """
    counted = (X if weights is None else X[weights > 0]).astype(np.float64)
    center = counted.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    counted -= center
    short, _, rank, _ = np.linalg.lstsq(counted, counted @ coef.T, rcond=None)
    if rank == X.shape[1]:
        return coef, intercept
    return short.T.astype(coef.dtype), (intercept + (coef - short.T) @ center).astype(coef.dtype)
