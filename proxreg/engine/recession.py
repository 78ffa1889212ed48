"""Directions of recession: along them a loss falls for ever, and no coefficients are the best ones.

Of the losses here, the logistic one has them where a combination of unpenalised columns separates the classes (Albert
and Anderson 1984, Biometrika 71), and Poisson's where one is negative on rows without events alone and zero on all
others (Correia, Guimaraes and Zylkin 2021, arXiv:1903.01633).
"""

import numpy as np
from scipy.linalg import null_space

from proxreg.losses import Logistic, Loss, Poisson

SMALL_LOSS = 0.05  # rows that fit worse than this at a nearly optimal point are not among those that fall for ever
SAME = 1e-9  # relative size below which a combination of columns is zero on a row, by rounding
GROWTH = 1e-6  # of the sum of normalised rows, by which a direction is one of recession


def signs(loss: Loss, y: np.ndarray) -> np.ndarray | None:
    """Return for each row the sign of the predictor that its loss falls for ever with; 0 for none, None if never so."""
    if isinstance(loss, Logistic):
        return np.where(y == 1, 1.0, np.where(y == 0, -1.0, 0.0))
    if isinstance(loss, Poisson):
        return np.where(y == 0, -1.0, 0.0)
    return None


def infinite_intercept(loss: Loss, y: np.ndarray, weights: np.ndarray | None) -> float:
    """Return the intercept of the intercept-only model where it is infinite, with its sign; else 0."""
    ends = signs(loss, y if weights is None else y[weights > 0])
    if ends is None or not np.all(ends == ends[0]):
        return 0.0
    return float(ends[0]) * np.inf if ends[0] else 0.0


def why_infinite(loss: Loss) -> str:
    """Return what is the matter with rows whose intercept is infinite."""
    return "has no event" if isinstance(loss, Poisson) else "has a single class"


def recedes(
    columns: np.ndarray,
    ends: np.ndarray,
    losses: np.ndarray,
    negligible: np.ndarray,
    down: np.ndarray | bool = True,
    up: np.ndarray | bool = True,
) -> bool:
    """Return whether a combination of ``columns (n, k)`` is a direction of recession, given a nearly optimal fit.

    ``ends (n,)`` are the rows' ``signs``, ``losses (n,)`` their losses at that fit, and ``negligible (n,)`` rows whose
    losses are within the tolerance of the fit; ``down (k,)`` and ``up (k,)`` say which coefficients may go to minus
    infinity and to infinity. Rows that fit badly do not move along such a direction: it lies in the null space of
    theirs, mostly nothing at all; what is left is a linear program.
    """
    from scipy.optimize import linprog  # slow to import, and rarely needed

    size = np.linalg.norm(columns, axis=0)
    down, up = (np.broadcast_to(way, size.shape)[size > 0] for way in (down, up))
    columns = columns[:, size > 0] / size[size > 0]
    if not columns.size:
        return False
    moving = (ends != 0) & ((losses <= SMALL_LOSS) | negligible)
    fixed = columns[~moving]
    basis = null_space(fixed, rcond=SAME) if len(fixed) else np.eye(columns.shape[1])
    if not basis.shape[1] or not moving.any():
        return False
    rows = ends[moving, None] * (columns[moving] @ basis)
    rows[np.abs(rows) <= SAME * np.abs(columns).max()] = 0  # of columns that depend on each other, rounding
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(length > 0, length, 1)
    within = np.concatenate([-rows, -basis[~down], basis[~up]])
    found = linprog(-rows.sum(axis=0), A_ub=within, b_ub=np.zeros(len(within)), bounds=(-1, 1), method="highs")
    return bool(found.status == 0 and -found.fun > GROWTH)


def classes_recede(columns: np.ndarray, codes: np.ndarray, eta: np.ndarray, negligible: np.ndarray) -> bool:
    """Return whether several classes have a direction of recession in ``columns (n, k)``, given a nearly optimal fit.

    ``codes (n,)`` are the rows' classes, ``eta (n, K)`` their predictors at that fit, and ``negligible (n,)`` rows
    whose losses are within its tolerance. Along such a direction no other class gains on a row's own: for each other
    class the row becomes one row, the difference of the two, in the coefficients of all classes but the last (what is
    added to all of them changes no probability).
    """
    rows, lead = np.arange(len(codes)), columns.shape[1]
    contrasts, margins = [], []
    for shift in range(1, eta.shape[1]):
        other = (codes + shift) % eta.shape[1]
        wide = np.zeros((len(codes), eta.shape[1], lead))
        wide[rows, codes], wide[rows, other] = columns, -columns
        contrasts.append(wide[:, :-1].reshape(len(codes), -1))
        margins.append(eta[rows, codes] - eta[rows, other])
    margin = np.concatenate(margins)
    if np.all(margin > 0):
        return True  # the fit itself is such a direction
    losses = np.logaddexp(0, -margin)
    return recedes(np.concatenate(contrasts), np.ones_like(margin), losses, np.tile(negligible, len(margins)))
