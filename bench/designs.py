"""Designs that are not drawn: ``design(p) -> X (n, p), y (n,)``."""

from collections.abc import Callable

import numpy as np


def triangular(p: int) -> tuple[np.ndarray, np.ndarray]:
    """Upper triangular, ``X[i, j] = 2^(1 - j)`` above and ``2^-j`` on the diagonal (from 0), and y = 1, not centred.

    Its lasso path has more and ever smaller pieces with every column, in the manner of Mairal and Yu (2012),
    "Complexity analysis of the lasso regularization path".
    """
    scale = 0.5 ** np.arange(p)
    return np.triu(2 * scale * np.ones((p, p)), 1) + np.diag(scale), np.ones(p)


def diabetes(p: int) -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's diabetes with all ``p = 285`` polynomials of degree 1 to 3, standardised; many are collinear."""
    from sklearn.datasets import load_diabetes
    from sklearn.preprocessing import PolynomialFeatures

    raw, y = (np.asarray(part, np.float64) for part in load_diabetes(return_X_y=True, scaled=False))
    raw = (raw - raw.mean(0)) / raw.std(0)
    X = np.asarray(PolynomialFeatures(degree=3, include_bias=False).fit_transform(raw))
    if X.shape[1] != p:
        raise ValueError(f"there are {X.shape[1]} polynomials, not {p}")
    X = (X - X.mean(0)) / X.std(0)
    return X - X.mean(0), y - y.mean()


FIXED: dict[str, Callable[[int], tuple[np.ndarray, np.ndarray]]] = {"triangular": triangular, "diabetes": diabetes}
