"""Least squares from sufficient statistics: losses and gradients of many lanes, and what rounding may hide of them."""

from typing import Any, NamedTuple

import numpy as np

from proxreg.models import overlap_of, sum_rounding


class Products(NamedTuple):
    """Hold what statistics say of rows A and B: ``|A w - b|^2 / 2`` for each column b of B."""

    G: Any  # A' A (p, p)
    C: np.ndarray  # B' A (T, p)
    constant: np.ndarray  # (T,) half the squared norm of each column of B

    @property
    def norms(self) -> np.ndarray:
        """Return the norms of the columns ``(p,)``."""
        return np.sqrt(np.maximum(np.asarray(self.G.diagonal()), 0))

    def evaluate(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return losses ``(L,)`` and gradients ``(L, p)`` at ``w (L, p)``, for these columns ``(L,)`` of B."""
        c = self.C[response]
        g = np.asarray(w @ self.G) - c
        return np.maximum(self.constant[response] + np.einsum("lp,lp->l", w, g - c) / 2, 0), g

    def rounding(self, w: np.ndarray, response: np.ndarray) -> np.ndarray:
        """Return what rounding may hide in the losses ``(L,)``, see ``sum_rounding``."""
        norms = self.norms
        size, overlap = np.sqrt(2 * self.constant[response]), np.asarray(overlap_of(self.G, norms))
        return sum_rounding(w, self.C[response], norms, size, overlap)

    def cross(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the part of G between two sets of columns."""
        return np.asarray(self.G[np.ix_(first, second)])

    def part(self, used: np.ndarray, unit: Any = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Return G and C of the used columns, times their units."""
        unit = np.broadcast_to(unit, used.shape)
        return self.cross(used, used) * unit * unit[:, None], self.C[:, used] * unit
