"""Columns that the penalty leaves free, fitted exactly beside the others: least squares on what they do not explain.

With the free columns F at their best for every choice of the rest, the problem of the others is an ordinary one, on the
columns less their projections on F (Frisch and Waugh 1933, Econometrica 1; Lovell 1963, JASA 58). Its dual points are
orthogonal to F, as those of the whole problem have to be, so that there is a duality gap.
"""

import numpy as np

from proxreg.batch import PenaltyBatch, is_plain
from proxreg.engine.certify import Scales
from proxreg.engine.source import Source
from proxreg.engine.working_set import Solution
from proxreg.penalties import Penalty

#: units of rounding, of what was subtracted, that are all rounding
SINGULAR = 64
#: units of rounding, of the largest, from which on the eigenvalues of the free columns' correlation matrix have digits
CLEAR = 1e4


class ProjectedSource(Source):
    """The columns of a source that are not free; ``w (L, k)`` are their coefficients alone.

    ``inverse`` is the pseudo-inverse of the free columns' Gram matrix.
    """

    def __init__(self, whole: Source, free: np.ndarray, inverse: np.ndarray):
        self._whole_source, self._free = whole, free
        self._kept = np.setdiff1d(np.arange(whole.size), free)
        super().__init__(self._kept.size, max(whole.widest - free.size, 0), whole.rows)
        self.widest = min(self.widest, self._kept.size)
        self._inverse = inverse
        self._cross = whole.cross(free, self._kept).astype(float)
        left = np.square(self.norms) - np.einsum("fk,fk->k", self._cross, self._inverse @ self._cross)
        # what the free columns span has nothing left but rounding
        self._spanned = left <= SINGULAR * np.finfo(whole.norms.dtype).eps * max(free.size, 1) * np.square(self.norms)
        self.hides_columns = bool(np.any(self._spanned & (self.norms > 0)))

    def _norms(self) -> np.ndarray:
        return self._whole_source.norms[self._kept]

    def evaluate(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Losses and gradients with the free coefficients at their best."""
        _, loss, g, step = self._completed(w, response)
        slope = g[:, self._free].astype(float)
        loss = loss + np.einsum("lf,lf->l", slope, step) / 2  # the last step's decrease, exactly
        return np.maximum(loss, 0).astype(w.dtype), (g[:, self._kept] + step @ self._cross).astype(w.dtype)

    def restricted(self, w: np.ndarray) -> np.ndarray:
        """Return the coefficients ``(L, k)`` of those that are all columns' ``(L, p)``."""
        return w[:, self._kept]

    def expanded(self, w: np.ndarray, response: np.ndarray) -> np.ndarray:
        """Return the coefficients of all columns ``(L, p)``."""
        full, _, _, step = self._completed(w, response)
        full[:, self._free] += step.astype(w.dtype)
        return full

    def completed(self, solution: Solution, scales: Scales) -> Solution:
        """Return the solution for all columns, the violation of the free ones in it."""
        w = self.expanded(solution.w, scales.response)
        _, g = self._whole_source.evaluate(w, scales.response)
        norms, size = self._whole_source.norms[self._free], np.sqrt(2 * scales.null_loss)
        rest = np.max(np.abs(g[:, self._free]) / np.where(norms > 0, norms, 1), axis=1, initial=0.0)
        rest = (rest / np.where(size > 0, size, 1)).astype(w.dtype)
        worst = np.maximum(solution.violation, rest)
        return solution._replace(w=w, violation=worst, error=np.maximum(solution.error, rest))

    def _completed(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, ...]:
        """The whole problem at about the best free coefficients, and the step that is left to them.

        Two looks: what rounding leaves of the first step is gone after the second.
        """
        full = np.zeros((len(w), self._whole_source.size), w.dtype)
        full[:, self._kept] = w
        _, g = self._whole_source.evaluate(full, response)
        full[:, self._free] = -g[:, self._free].astype(float) @ self._inverse
        loss, g = self._whole_source.evaluate(full, response)
        return full, loss, g, -g[:, self._free].astype(float) @ self._inverse

    def gram(self, columns: np.ndarray, response: int = 0) -> np.ndarray:
        """``X' S X`` of columns less their projections."""
        whole, cross = self._whole_source.gram(self._kept[columns], response), self._cross[:, columns]
        spanned, left = self._spanned[columns], whole - (cross.T @ self._inverse @ cross).astype(whole.dtype)
        return np.where(spanned | spanned[:, None], 0, left)

    def cross(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """The same between columns."""
        whole = self._whole_source.cross(self._kept[first], self._kept[second])
        return whole - (self._cross[:, first].T @ self._inverse @ self._cross[:, second]).astype(whole.dtype)

    def part(self, columns: np.ndarray) -> Source:
        """On a part of the whole that has the free columns."""
        held = np.sort(np.concatenate([self._kept[columns], self._free]))
        return ProjectedSource(self._whole_source.part(held), np.searchsorted(held, self._free), self._inverse)

    def rounding(self, w: np.ndarray, response: np.ndarray) -> np.ndarray:
        """Return that of the whole source, free coefficients included."""
        return self._whole_source.rounding(self.expanded(w, response), response)

    def expect(self, columns: np.ndarray) -> None:
        """See ``Source``."""
        self._whole_source.expect(self._kept[columns])


def free_columns(template: Penalty, factor: np.ndarray | None) -> np.ndarray:
    """Return the numbers of the columns that are fitted without penalty and without limits, whatever the strength."""
    found = is_plain(template) and factor is not None
    return np.flatnonzero(np.asarray(factor) == 0) if found else np.zeros(0, int)


def beside_free(source: Source, family: PenaltyBatch, inverse: np.ndarray) -> tuple[Source, PenaltyBatch]:
    """Return the problem of the penalised columns, the others at their best; the same if none is free, or all are.

    ``inverse`` is the pseudo-inverse of the free columns' Gram matrix.
    """
    free = free_columns(family.template, family.factor)
    if not 0 < free.size < source.size:
        return source, family
    kept = np.setdiff1d(np.arange(source.size), free)
    small = family.columns(kept, source.size, kept.size)
    factor = None if np.all(np.asarray(small.factor) == 1) else small.factor
    return ProjectedSource(source, free, inverse), small._replace(factor=factor)


def has_digits(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return which eigenvalues of a Gram matrix in this type are more than rounding."""
    return values > CLEAR * np.finfo(dtype).eps * np.max(values, initial=0.0)


def inverse_by_products(source: Source, columns: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return the pseudo-inverse of the Gram matrix of some columns, the least in units of these, and whether all of its
    eigenvalues have digits.
    """
    gram = source.gram(columns).astype(float)
    root = np.sqrt(np.where(np.diagonal(gram) > 0, np.diagonal(gram), 1))
    values, vectors = np.linalg.eigh(gram / np.outer(root, root))
    good = values > SINGULAR * columns.size * np.finfo(source.norms.dtype).eps * max(values[-1], 0.0)
    vectors = vectors[:, good] / root[:, None]
    clear = np.sum(has_digits(values, source.norms.dtype)) == np.count_nonzero(np.diagonal(gram))
    return (vectors / values[good]) @ vectors.T, bool(clear)
