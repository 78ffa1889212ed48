"""The same rows with weights of their own for each lane: half-samples, bootstraps.

Every sample has a Gram matrix of its own, on a working set of its own: a hundred columns or two, whose matrix stays in
a cache for all the steps of its lanes.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.batch import lane_bucket
from proxreg.engine.host import matmul
from proxreg.engine.source import Source, product_type
from proxreg.models.spectrum import MARGIN

SMALL = 1e-6  # an eigenvalue of nothing
POWER_STEPS = 8  # of a batch of matrices; lanes that steps too long lead uphill slow down alone


class Stack(NamedTuple):
    """What ``Matrix`` is for lanes with Gram matrices of their own."""

    gram: jax.Array  # (m, k, k) with ones on the diagonals
    steps: jax.Array  # (m, k)
    root: jax.Array  # (m, k)
    norms: jax.Array  # (m, k) of the columns in all rows, as certificates take them
    place: jax.Array  # (samples,) where in the stack each is

    def of(self, response: Array) -> "Stack":
        """Of each lane that of its sample."""
        at = self.place[response]
        return Stack(self.gram[at], self.steps[at], self.root[at], self.norms[at], self.place)

    def product(self, v: Array) -> Array:
        """``v G`` for each lane."""
        return jnp.einsum("lk,lkj->lj", v.astype(self.gram.dtype), self.gram, precision="highest")


class ResampleSource(Source):
    """Least squares on ``X (n, p)`` and ``y (n,)`` under weights ``(samples, n)``, of each sample to sum one.

    A lane's response is the number of its sample. With ``centred`` every sample has its own intercept, profiled out.
    """

    alike = True

    def __init__(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray, centred: bool):
        super().__init__(X.shape[1], X.shape[1], len(X))
        self._X, self._y, self._weights, self._centred = X, y, weights.astype(X.dtype, copy=False), centred
        self._rows = np.ascontiguousarray(X.T, product_type(X.dtype))  # a column of X is a row: together in memory

    def _norms(self) -> np.ndarray:
        # of all rows, weighted as the samples weigh them on average: a sample's own are of about that size
        return np.sqrt(np.einsum("i,ij,ij->j", self._weights.mean(axis=0), self._X, self._X))

    def evaluate(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A product with the columns in use, and one with all."""
        residual, weights = self._residual(w, response), self._weights[response]
        if self._centred:
            residual -= np.einsum("li,li->l", residual, weights)[:, None]
        slope = residual * weights
        return np.einsum("li,li->l", residual, slope) / 2, matmul(slope, self._X)

    def intercept(self, w: np.ndarray, response: np.ndarray) -> np.ndarray:
        """The best one of each lane ``(L,)``; zero where there is none."""
        if not self._centred:
            return np.zeros(len(w), w.dtype)
        return -np.einsum("li,li->l", self._residual(w, response), self._weights[response])

    def _residual(self, w: np.ndarray, response: np.ndarray) -> np.ndarray:
        used = np.flatnonzero(np.any(w != 0, axis=0))
        return matmul(w[:, used], self._X[:, used].T) - self._y

    def gram(self, columns: np.ndarray, response: int = 0) -> np.ndarray:
        """Of one sample, from its rows of positive weight."""
        weights = self._weights[response]
        rows = np.flatnonzero(weights)
        X, weights = self._X[np.ix_(rows, columns)], weights[rows]
        if self._centred:
            X = X - weights @ X
        return (X * weights[:, None]).T @ X

    def part(self, columns: np.ndarray) -> Source:
        """On a copy of these columns."""
        return ResampleSource(self._X[:, columns], self._y, self._weights, self._centred)

    def stack(
        self, columns: np.ndarray, response: np.ndarray, w: np.ndarray | None = None
    ) -> tuple[Stack, np.ndarray, np.ndarray]:
        """Of lanes on ``columns (L, k)``, the same for those of one sample; losses and gradients to the precision of
        products.
        """
        kind, k = product_type(self._X.dtype), columns.shape[1]
        samples, first = np.unique(response, return_index=True)
        size = lane_bucket(samples.size)  # idle ones, so that other numbers compile nothing
        gram, means = np.zeros((size, k, k), kind), np.zeros((size, k), kind)
        loss, g = np.zeros(len(columns), kind), np.zeros(columns.shape, kind)
        w = None if w is None else w.astype(kind)
        for number, (sample, at) in enumerate(zip(samples, columns[first])):
            used = np.flatnonzero(self._weights[sample])
            root = np.sqrt(self._weights[sample][used].astype(kind))
            rows = self._rows.take(at, axis=0).take(used, axis=1)  # unlike an index, leaves other threads alone
            rows *= root
            np.matmul(rows, rows.T, out=gram[number])
            means[number] = rows @ root
            if w is not None:
                mine = response == sample
                residual = w[mine] @ rows - (self._y[used] * root).astype(kind)
                if self._centred:
                    residual -= np.outer(residual @ root, root)
                loss[mine], g[mine] = np.einsum("li,li->l", residual, residual) / 2, residual @ rows.T
        if self._centred:
            gram -= means[:, :, None] * means[:, None, :]
        diagonal = np.maximum(np.diagonal(gram, axis1=1, axis2=2), 0)
        root = np.sqrt(np.where(diagonal > 0, diagonal, 1))
        gram /= root[:, :, None]
        gram /= root[:, None, :]
        steps = 1 / (_largest(gram)[:, None] * np.square(root))
        place = np.zeros(len(self._weights), np.int32)
        place[samples] = np.arange(samples.size)
        own, norms = self._X.dtype, np.ones((size, k))
        norms[: samples.size] = self.norms[columns[first]]
        steps, root, norms = (jnp.asarray(each, own) for each in (steps, root, norms))
        matrices = Stack(jnp.asarray(gram), steps, root, norms, jnp.asarray(place))
        return matrices, loss.astype(own), g.astype(own)


def _largest(gram: np.ndarray) -> np.ndarray:
    """Of each of a stack of matrices the largest eigenvalue, by the power method of ``models/spectrum.py``."""
    v = np.tile(np.cos(np.arange(1.0, gram.shape[1] + 1) ** 2).astype(gram.dtype), (len(gram), 1))[:, :, None]
    size = np.ones((len(gram), 1, 1), gram.dtype)
    for _ in range(POWER_STEPS):
        v = gram @ (v / size)
        size = np.maximum(np.linalg.norm(v, axis=1, keepdims=True), np.finfo(gram.dtype).tiny)
    return MARGIN * np.where(np.isfinite(size) & (size > SMALL), size, 1)[:, 0, 0].astype(float)
