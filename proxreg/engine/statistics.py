"""Sufficient statistics of least squares: with them, a step costs p^2 however many rows there are."""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.engine.host import OneBlasThread, cores, cuts, gram, in_parallel

ROWS = 512  # on a device
BLOCK = 1024  # rows on the host: a block stays in the cache for all its products
SAMPLE = 256  # rows that tell whether columns need a shift
NEAR = {4: 0.1, 8: 8.0}  # by bytes: means of so many standard deviations cost no digits that matter
FAR = 64.0  # of these, the sample told wrong
ENOUGH = 10.0  # rows that say a tenth of what all say decide as well
NOTHING = 1e-9  # relative variance


class Moments(NamedTuple):
    """Sums over rows, with weights s; those of disjoint rows add up, and what is left without some is a difference.

    The columns are taken less a ``shift`` near their means, the same for all that are added: means that are large
    beside the standard deviations leave no digits in sums of squares.
    """

    total: float  # sum s
    x: np.ndarray  # (p,) sum s (x - shift)
    xx: np.ndarray  # (p, p)
    xy: np.ndarray  # (p,) or (p, t)
    y: np.ndarray  # () or (t,)
    yy: np.ndarray
    shift: np.ndarray | None  # (p,)
    kind: np.dtype  # the type that products were taken in

    def without(self, other: "Moments") -> "Moments":
        """Those of the rows that are not in the other."""
        return self._combined(other, np.subtract)

    def plus(self, other: "Moments") -> "Moments":
        """Those of the rows of both."""
        return self._combined(other, np.add)

    def keeps_digits(self, whole: "Moments", centred: bool) -> bool:
        """Whether in these, a difference from the whole, no column and no y lost more than a third of its digits."""
        eps = np.finfo(self.kind).eps
        G, _, loss = self.quadratic(centred)
        with np.errstate(over="ignore", invalid="ignore"):
            constant = np.diagonal(whole.xx) <= whole.total * (8 * eps * whole.means[0]) ** 2
            left = np.diagonal(G) * self.total >= eps ** (1 / 3) * np.diagonal(whole.xx)
            return bool(np.all(left | constant) and np.all(2 * loss * self.total >= eps ** (1 / 3) * whole.yy))

    def _combined(self, other: "Moments", operation: Any) -> "Moments":
        with np.errstate(over="ignore", invalid="ignore"):
            sums = {name: operation(getattr(self, name), getattr(other, name)) for name in self._fields[:6]}
        return self._replace(**sums)

    @property
    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the columns, and of y."""
        mean = self.x / self.total
        return mean if self.shift is None else mean + self.shift, self.y / self.total

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviations of the columns."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.sqrt(np.maximum(np.diagonal(self.xx) / self.total - (self.x / self.total) ** 2, 0))

    def quadratic(self, centred: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``X' S X``, ``X' S y`` and ``y' S y / 2`` for weights S that sum to one, about the means or about zero."""
        if centred:
            x, y = self.x / self.total, self.y / self.total
            G = self.xx / self.total
            G -= np.outer(x, x)
            return G, self.xy / self.total - np.multiply.outer(x, y), (self.yy / self.total - y**2) / 2
        if self.shift is None:
            return self.xx / self.total, self.xy / self.total, self.yy / self.total / 2
        x = np.outer(self.x / self.total, self.shift)
        G = self.xx / self.total + x + x.T + np.outer(self.shift, self.shift)
        return G, self.xy / self.total + np.multiply.outer(self.shift, self.y / self.total), self.yy / self.total / 2


def determines(part: Moments, whole: Moments, centred: bool) -> bool:
    """Whether some rows say about as much on every combination of columns as all rows do.

    ``ENOUGH X_part' S X_part - X' S X`` is positive definite, but for what is nothing in either.
    """
    small, large = (sums.quadratic(centred)[0] for sums in (part, whole))
    root = np.sqrt(np.maximum(np.diagonal(large), np.finfo(float).tiny))
    excess = (ENOUGH * small - large) / np.outer(root, root)
    excess[np.diag_indices_from(excess)] += NOTHING
    try:
        np.linalg.cholesky(excess)
    except np.linalg.LinAlgError:
        return False
    return True


@OneBlasThread()
def moments(
    X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, dtype: np.dtype, parts: Sequence[np.ndarray] = ()
) -> tuple[Moments, list[Moments]]:
    """Of all rows of ``X (n, p)`` and ``y (n,)`` or ``(n, t)``, and of parts of them, about the same shift.

    One pass over X without a copy of it where the first few parts hold every row once. Overflow gives infinities or
    NaN, not a warning.
    """
    cover, kind = _cover(len(X), parts), _product_kind(X, dtype)

    def about(shift):
        shift = None if shift is None else shift.astype(kind).astype(np.float64)  # as it is taken off
        found = [moments_about(X, y, weights, rows, shift, dtype) for rows in parts]
        whole = reduce(Moments.plus, found[:cover]) if cover else moments_about(X, y, weights, None, shift, dtype)
        return whole, found

    whole, found = about(_shift(X, weights, dtype))
    if np.any(np.abs(whole.x / whole.total) > FAR * whole.deviation):
        whole, found = about(whole.means[0])
    return whole, found


def _cover(n: int, parts: Sequence[np.ndarray]) -> int:
    """How many of the first parts hold each of n rows once; 0 if that never is so."""
    seen = np.zeros(n, bool)
    for count, rows in enumerate(parts, start=1):
        if seen[rows].any():
            return 0
        seen[rows] = True
        if seen.all():
            return count
    return 0


def moments_about(
    X: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    rows: np.ndarray | None,
    shift: np.ndarray | None,
    dtype: np.dtype,
) -> Moments:
    """Of some rows, about a given shift: products of blocks in the type of X, sums over blocks in float64."""
    if rows is not None and rows.size and np.array_equal(rows, np.arange(rows[0], rows[0] + rows.size)):
        chosen = slice(int(rows[0]), int(rows[0]) + rows.size)  # a view instead of a copy
        X, y, rows = X[chosen], y[chosen], None
        weights = None if weights is None else weights[chosen]
    p, count = X.shape[1], len(X) if rows is None else rows.size
    kind = _product_kind(X, dtype)

    pieces = min(cores(), max(count // max(p, 1), 1))  # a copy of the sums to each: no larger than the data
    size = BLOCK if pieces > 1 else max(BLOCK, 2 * p)  # one piece has its threads within the block

    def sums(within: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, xx, xy = np.zeros(p), np.zeros((p, p)), np.zeros((p, *y.shape[1:]))
        for start in range(within.start, within.stop, size):
            at = slice(start, min(start + size, within.stop))
            at = at if rows is None else rows[at]
            block, own = X[at], y[at].astype(kind)
            if shift is not None:
                block = np.subtract(block, shift, dtype=kind)
            block = block.astype(kind, copy=False)
            root = np.ones(len(block), kind)
            if weights is not None:
                root = np.sqrt(weights[at]).astype(kind)
                block, own = block * root[:, None], (own.T * root).T
            with np.errstate(over="ignore", invalid="ignore"):
                xx += block.T @ block if pieces > 1 else gram(block)
                xy += block.T @ own
                x += root @ block
        return x, xx, xy

    found = in_parallel(sums, cuts(count, pieces))
    with np.errstate(over="ignore", invalid="ignore"):
        x, xx, xy = (reduce(np.add, each) for each in zip(*found))
    at = slice(None) if rows is None else rows
    scale = np.ones(count) if weights is None else weights[at].astype(float)
    own = y[at].astype(float)
    return Moments(float(scale.sum()), x, xx, xy, scale @ own, scale @ own**2, shift, kind)


def _product_kind(X: np.ndarray, dtype: np.dtype) -> np.dtype:
    """In which products of the columns are taken."""
    return np.result_type(X.dtype, dtype) if X.dtype.kind == "f" else np.dtype(float)


def _shift(X: np.ndarray, weights: np.ndarray | None, dtype: np.dtype) -> np.ndarray | None:
    """Columns' means over some rows that count, or None where no column is far from zero.

    Rows of weight zero may be anywhere: a shift to them would leave rounding for the variance of a constant column.
    """
    rows = np.arange(len(X)) if weights is None else np.flatnonzero(weights > 0)
    some = X[rows[:: max(len(rows) // SAMPLE, 1)]].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = some.mean(axis=0), some.std(axis=0)
    kind = min(X.dtype.itemsize, np.dtype(dtype).itemsize) if X.dtype.kind == "f" else 8
    return mean if np.any(np.abs(mean) > NEAR.get(kind, 0.0) * deviation) else None


@jax.jit
def gram_statistics(X: Array, y: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    """On a device: ``X' S X``, ``X' S y`` and ``y' S y / 2`` with weights S ``(n,)`` scaled to sum one.

    One product, 2 n p^2 flops. The columns of ``X (n, p)`` and ``y (n, t)`` are centred by the caller: differences of
    large sums keep no digits. Without weights no weighted copy of X is made. The answer has the axis ``(t,)`` in front
    of all but G.
    """
    if weights is None:
        left, right, total = X, y.T, len(y)
    else:
        left, right, total = X * weights[:, None], y.T * weights, jnp.sum(weights)
    G = jnp.matmul(left.T, X, precision=jax.lax.Precision.HIGHEST) / total
    c = (right @ X if X.dtype == jnp.float64 else _product_by_blocks(right, X)) / total
    return (G + G.T) / 2, c, jnp.sum(right * y.T, axis=1) / total / 2


def _product_by_blocks(v: Array, X: Array) -> Array:
    """``v X`` for ``v (t, n)``: of 2e5 rows of float32 summed in one go the error is 1e-5; by blocks, 1e-7."""
    n, p = X.shape
    whole = n // ROWS * ROWS
    shape = (whole // ROWS, ROWS)
    highest = jax.lax.Precision.HIGHEST
    left, right = v[:, :whole].reshape(len(v), *shape), X[:whole].reshape(*shape, p)
    parts = jnp.einsum("tbi,bij->btj", left, right, precision=highest)
    return jnp.sum(parts, axis=0) + jnp.matmul(v[:, whole:], X[whole:], precision=highest)
