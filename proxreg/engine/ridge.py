"""Least squares with a ridge penalty, or with none, in closed form: one factorisation for every strength.

``minimise ||A w - b||^2 / 2 + alpha ||w||^2 / 2`` for rows A that are centred and weighted already. Everything is
computed in float64, whatever the data are in: it is done once, and a ridge solution on wide data needs the digits.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from proxreg.engine.host import gram, matmul

EPS = float(np.finfo(np.float64).eps)
#: condition number up to which products of the rows serve: they keep half of the digits that the rows have.
CLEAR = EPS**-0.5


#: the reciprocals of smaller powers of two are infinite.
MIN_EXPONENT = -1020


class Factors(NamedTuple):
    """``A = U diag(d) V`` without the directions that are nothing but rounding."""

    U: np.ndarray  # (n, r)
    d: np.ndarray  # (r,)
    V: np.ndarray  # (r, p)


def factorised(A: np.ndarray) -> Factors:
    """Return the singular value decomposition of the rows, cut off where ``numpy.linalg.lstsq`` cuts it off."""
    U, d, V = np.linalg.svd(A, full_matrices=False)
    kept = d > _smallest(A, d, EPS)
    return Factors(U[:, kept], d[kept], V[kept])


def _smallest(A: np.ndarray, d: np.ndarray, eps: float) -> float:
    """The singular value up to which there is only rounding of a type with that ``eps``."""
    return max(A.shape) * eps * d.max(initial=0.0)


def shrinkage(d: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Return ``d / (d^2 + alpha)``, of shape ``(L, r)``: what each strength makes of ``1 / d``."""
    with np.errstate(over="ignore"):
        return 1 / (d + np.reshape(alphas, (-1, 1)) / d)


def condensed(blocks: Iterable[np.ndarray], columns: int) -> np.ndarray:
    """Return rows with the same products as those of all the blocks together, at most twice as many as columns.

    By orthogonal transformations, which lose no digits, where the products themselves would lose half of them.
    """
    rows: Any = np.zeros((0, columns))
    for block in blocks:
        rows = np.concatenate([rows, block])
        if len(rows) > 2 * columns:
            rows = np.linalg.qr(rows, mode="r")
    return rows


def ridge_by_products(G: np.ndarray, C: np.ndarray, alphas: np.ndarray, response: np.ndarray) -> np.ndarray | None:
    """Return the coefficients ``(L, p)`` from ``G = A' A`` and ``C = B' A (T, p)``; None where products do not serve.

    Lanes have strengths ``alphas (L,)`` and explain the column of B with the number ``response (L,)``.
    """
    values, Q = np.linalg.eigh(G)
    if not _clear(values, alphas.min()):
        return None
    return ((C @ Q)[response] / (values + alphas[:, None])) @ Q.T


def ridge_by_rows(A: np.ndarray, B: np.ndarray, alphas: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return the coefficients ``(L, p)`` from rows ``A (n, p)`` and ``B (n, T)``, for strengths > 0.

    On fewer rows than columns from the products of the rows with each other, where these serve.
    """
    if len(A) < A.shape[1]:
        values, Q = np.linalg.eigh(gram(A.T))
        if _clear(values, alphas.min()):
            return matmul(((B.T @ Q)[response] / (values + alphas[:, None])) @ Q.T, A)
    U, d, V = factorised(A)
    return matmul((B.T @ U)[response] * shrinkage(d, alphas), V)


def _clear(values: np.ndarray, alpha: float) -> bool:
    """Whether eigenvalues of products tell the smallest one, with the penalty's, from rounding."""
    largest, smallest = max(values.max(initial=0.0), 0.0), max(values.min(initial=np.inf), 0.0)
    return bool(np.isfinite(largest) and smallest + alpha > largest / CLEAR)


class Shortest(NamedTuple):
    """The solutions of least norm of least-squares problems, and what tells how far off other points are."""

    coef: np.ndarray  # (T, p)
    image: Any  # how a residual, or where U is not known a gradient, becomes that of the columns' span
    by_residual: bool

    def excess(self, vectors: np.ndarray) -> np.ndarray:
        """Return how far losses ``(L,)`` are above the smallest, from residuals ``(L, n)`` or gradients ``(L, p)``.

        ``||U' r||^2 / 2`` for the residual r: ``r - U U' r`` is orthogonal to the columns, a point of the dual.
        """
        return np.square(vectors @ self.image).sum(axis=1) / 2


def shortest(A: np.ndarray, B: np.ndarray, eps: float = EPS) -> Shortest:
    """Return the w of least norm among those that minimise ``||A w - b||``, for each column b of ``B (n, T)``.

    The rank is that of columns of about the same size, so that the units of a column decide nothing. Directions that
    are rounding in a type of this ``eps`` are left out of the solution; what it misses by that is in its excess.
    """
    unit = _unit(_size(A))
    U, d, V = factorised(A * unit)
    kept = d > _smallest(A, d, eps)
    projected, V = (B.T @ U[:, kept]) / d[kept], V[kept]
    if len(V) == A.shape[1]:
        return Shortest(projected @ V * unit, U, True)
    Q, R = np.linalg.qr((V / unit).T)  # the solutions are those w with V (w / unit) = projected
    return Shortest((Q @ solve_triangular(R, projected.T, trans=1)).T, U, True)


def shortest_by_products(G: np.ndarray, C: np.ndarray) -> Shortest | None:
    """Return the same from ``G = A' A`` and ``C = B' A (T, p)``; None where the products do not tell the rank."""
    unit = _unit(np.sqrt(np.diagonal(G)))
    values, Q = np.linalg.eigh(G * unit * unit[:, None])
    if not _clear(values, 0.0):
        return None
    return Shortest(((C * unit) @ Q / values) @ Q.T * unit, unit[:, None] * Q / np.sqrt(values), False)


def row_space(A: np.ndarray, eps: float = EPS) -> np.ndarray | None:
    """Return an orthonormal basis ``(r, p)`` of what the rows span; None where that is everything."""
    unit = _unit(_size(A))
    _, d, V = factorised(A * unit)
    V = V[d > _smallest(A, d, eps)]
    return None if len(V) == A.shape[1] else np.linalg.qr((V / unit).T)[0].T


def _size(A: np.ndarray) -> np.ndarray:
    """The largest entry of each column."""
    return np.maximum(A.max(axis=0, initial=0.0), -A.min(axis=0, initial=0.0))


def _unit(size: np.ndarray) -> np.ndarray:
    """Powers of two that bring columns to about the same size without rounding them; 1 for a column of zeros."""
    exponent = np.frexp(np.where(size > 0, size, 1))[1]
    return np.ldexp(1.0, -np.maximum(exponent, MIN_EXPONENT))
