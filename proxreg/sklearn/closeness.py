"""Fits whose optimum is far below the intercept-only model: close in units of their own objective too."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from proxreg import _precision
from proxreg.results import Path
from proxreg.sklearn.base import Start

ROUNDS = 6  # the objective falls, and what it is compared with; seldom more than twice


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
    for _ in range(ROUNDS):
        share = float(np.min(fits.objective)) / null_loss if null_loss > 0 else 1.0
        aim = max(tol * min(1.0, share), smallest)
        if not np.all(fits.converged) or np.all(fits.error <= aim):
            break
        steps = fits.num_steps
        fits = fit(aim, (fits.coef[0, 0], fits.intercept[0, 0]))
        fits = fits._replace(num_steps=fits.num_steps + steps)
    return fits
