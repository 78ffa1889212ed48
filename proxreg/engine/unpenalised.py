"""Columns that the penalty leaves free, fitted exactly beside the others: least squares on what they do not explain.

With the free columns F at their best for every choice of the rest, the problem of the others is an ordinary one, on the
columns less their projections on F (Frisch and Waugh 1933, Econometrica 1; Lovell 1963, JASA 58). Its dual points are
orthogonal to F, as those of the whole problem have to be, so that there is a duality gap.
"""

from typing import Any

import numpy as np

from proxreg.batch import PenaltyBatch, is_plain
from proxreg.engine.certify import Scales, certify
from proxreg.engine.products import Products
from proxreg.models import Certificate
from proxreg.penalties import Penalty

#: units of rounding, of what was subtracted, that are all rounding
SINGULAR = 64
#: units of rounding, of the largest, from which on the eigenvalues of the free columns' correlation matrix have digits
CLEAR = 1e4


class BesideFree:
    """Hold least squares on the columns that are not free; ``w (L, k)`` are their coefficients alone.

    ``whole`` has the losses and gradients of all columns, from statistics or from rows, and ``inverse`` is the
    pseudo-inverse of the free columns' Gram matrix.
    """

    def __init__(self, whole: Any, free: np.ndarray, inverse: np.ndarray):
        self._whole, self._free, self._inverse = whole, free, inverse
        norms = whole.norms
        self.size = norms.size
        self.kept = np.setdiff1d(np.arange(norms.size), free)
        self.norms = norms[self.kept]
        self._cross = whole.cross(free, self.kept).astype(float)
        left = np.square(self.norms) - np.einsum("fk,fk->k", self._cross, inverse @ self._cross)
        # what the free columns span has nothing left but rounding
        self.spanned = left <= SINGULAR * np.finfo(norms.dtype).eps * max(free.size, 1) * np.square(self.norms)
        self.hides_columns = bool(np.any(self.spanned & (self.norms > 0)))

    def products(self, responses: int) -> Products:
        """Return the statistics of the columns less their projections, for so many responses."""
        kept, zero = self.kept, np.zeros((responses, self.kept.size), self.norms.dtype)
        left = self._whole.cross(kept, kept)
        left = left - (self._cross.T @ self._inverse @ self._cross).astype(left.dtype)
        constant, g, _ = self.evaluate(zero, np.arange(responses))
        return Products(np.where(self.spanned | self.spanned[:, None], 0, left), -g, constant)

    def project(self, values: np.ndarray) -> np.ndarray:
        """Return columns ``(n, k)`` less their projections on the free ones, where the whole has rows.

        Twice: what rounding leaves of the first time is gone after the second.
        """
        free, left = self._whole.X[:, self._free].astype(float), values.astype(float)
        weighted = self._whole.weights[:, None] * free
        for _ in range(2):
            left -= free @ (self._inverse @ (weighted.T @ left))
        return left.astype(values.dtype)

    def penalised(self) -> np.ndarray:
        """Return the rows of the columns less their projections."""
        return np.where(self.spanned, 0, self.project(self._whole.X[:, self.kept]))

    def evaluate(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return losses ``(L,)``, gradients ``(L, k)`` and the coefficients of all columns ``(L, p)``, with the free
        ones at their best.
        """
        full, loss, g, step = self._completed(w, response)
        slope = g[:, self._free].astype(float)
        loss = loss + np.einsum("lf,lf->l", slope, step) / 2  # the last step's decrease, exactly
        full[:, self._free] += step.astype(w.dtype)
        return np.maximum(loss, 0).astype(w.dtype), (g[:, self.kept] + step @ self._cross).astype(w.dtype), full

    def certified(self, w: np.ndarray, penalised: PenaltyBatch, scales: Scales) -> tuple[np.ndarray, Certificate]:
        """Return the coefficients of all columns, and what is known about them, the violation of the free ones in it.

        What rounding hides in the sums over rows is added to the gap.
        """
        loss, g, full = self.evaluate(w, scales.response)
        certificate = certify(penalised, scales, self.norms, w, g, loss)
        lost = self._whole.rounding(full, scales.response)
        _, g = self._whole.evaluate(full, scales.response)
        norms, size = self._whole.norms[self._free], np.sqrt(2 * scales.null_loss)
        rest = np.max(np.abs(g[:, self._free]) / np.where(norms > 0, norms, 1), axis=1, initial=0.0)
        rest = (rest / np.where(size > 0, size, 1)).astype(w.dtype)
        gap = certificate.gap + (lost / np.where(scales.null_loss > 0, scales.null_loss, 1)).astype(w.dtype)
        return full, certificate._replace(gap=gap, violation=np.maximum(certificate.violation, rest))

    def _completed(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the whole problem at about the best free coefficients, and the step that is left to them.

        Two looks: what rounding leaves of the first step is gone after the second.
        """
        full = np.zeros((len(w), self.size), w.dtype)
        full[:, self.kept] = w
        _, g = self._whole.evaluate(full, response)
        full[:, self._free] = -g[:, self._free].astype(float) @ self._inverse
        loss, g = self._whole.evaluate(full, response)
        return full, loss, g, -g[:, self._free].astype(float) @ self._inverse


def free_columns(template: Penalty, factor: np.ndarray | None) -> np.ndarray:
    """Return the numbers of the columns that are fitted without penalty and without limits, whatever the strength."""
    found = is_plain(template) and factor is not None
    return np.flatnonzero(np.asarray(factor) == 0) if found else np.zeros(0, int)


def of_penalised(family: PenaltyBatch, beside: BesideFree) -> PenaltyBatch:
    """Return the penalties of the columns that are not free."""
    small = family.columns(beside.kept, beside.size, beside.kept.size)
    return small._replace(factor=None if np.all(np.asarray(small.factor) == 1) else small.factor)


def has_digits(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return which eigenvalues of a Gram matrix in this type are more than rounding."""
    return values > CLEAR * np.finfo(dtype).eps * np.max(values, initial=0.0)


def inverse_by_products(products: Products, columns: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return the pseudo-inverse of the Gram matrix of some columns, the least in units of these, and whether all of its
    eigenvalues have digits.
    """
    gram = products.cross(columns, columns).astype(float)
    dtype = np.dtype(products.G.dtype)
    root = np.sqrt(np.where(np.diagonal(gram) > 0, np.diagonal(gram), 1))
    values, vectors = np.linalg.eigh(gram / np.outer(root, root))
    good = values > SINGULAR * columns.size * np.finfo(dtype).eps * max(values[-1], 0.0)
    vectors = vectors[:, good] / root[:, None]
    clear = np.sum(has_digits(values, dtype)) == np.count_nonzero(np.diagonal(gram))
    return (vectors / values[good]) @ vectors.T, bool(clear)
