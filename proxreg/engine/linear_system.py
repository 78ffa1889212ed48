"""Symmetric linear systems of Newton's steps."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve


def solution(H: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of ``H x = b`` for a symmetric H: by Cholesky's method, or where it is not definite in full."""
    try:
        return cho_solve(cho_factor(H.T, check_finite=False), b, check_finite=False)
    except np.linalg.LinAlgError:
        return np.linalg.solve(H, b)
