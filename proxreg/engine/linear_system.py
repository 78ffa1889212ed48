"""Symmetric linear systems of Newton's steps, from a Gram matrix or from the rows themselves."""

from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve, qr, solve_triangular

DAMPING = 1e-14  # relative; keeps a singular system solvable


def solution(H: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of ``H x = b`` for a symmetric H: by Cholesky's method, or where it is not definite in full."""
    try:
        return cho_solve(cho_factor(H.T, check_finite=False), b, check_finite=False)
    except np.linalg.LinAlgError:
        return np.linalg.solve(H, b)


def newton_step_of_gram(gram: np.ndarray, slope: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Return the d that minimises ``slope . d + d' (gram + diag(bend)) d / 2``."""
    H = gram.astype(np.float64)
    H[np.diag_indices_from(H)] += bend
    H[np.diag_indices_from(H)] *= 1 + DAMPING
    return solution(H, -slope)


def newton_step_of_rows(rows: np.ndarray, residual: np.ndarray, slope: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Return the d that minimises ``slope . d + |rows d|^2 / 2 + d' diag(bend) d / 2``, by QR.

    ``slope`` is ``rows' residual`` and what the penalty adds. The first part becomes a least-squares problem, so that
    columns of condition c cost ``log10 c`` digits where the Gram matrix costs twice as many (Bjoerck 1996, Numerical
    Methods for Least Squares Problems, section 2.4). Directions that rounding alone spans are left alone.
    """
    stacked = np.concatenate([rows, np.diag(np.sqrt(bend))]) if bend.any() else rows
    norms = np.linalg.norm(stacked, axis=0)
    norms = np.where(norms > 0, norms, 1)
    factors: Any = qr(stacked / norms, mode="economic", pivoting=True)
    Q, R, order = factors
    diagonal = np.abs(np.diagonal(R))
    rank = int(np.sum(diagonal > len(stacked) * np.finfo(float).eps * diagonal[0]))
    R, penalty = R[:rank, :rank], ((slope - residual @ rows) / norms)[order[:rank]]
    target = Q[: len(rows), :rank].T @ residual + solve_triangular(R, penalty, trans=1)
    step = np.zeros(len(slope))
    step[order[:rank]] = -solve_triangular(R, target)
    return step / norms
