"""What the engine asks of least-squares data: losses and gradients of many lanes, and Gram matrices of some columns.

Products with the data run in NumPy, where the data are: on a CPU they are the fastest at hand and compile nothing.
"""

import abc
import functools
import threading
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import platform
from proxreg._pytree import Array
from proxreg.batch import padded, set_bucket
from proxreg.engine.host import matmul
from proxreg.engine.linear_system import newton_step_of_gram, newton_step_of_rows
from proxreg.models import overlap_of, sum_rounding
from proxreg.models.spectrum import MARGIN, POWER_STEPS

LEAST_WIDEST = 1024
FEWEST_POWER_STEPS = 6
SETTLED = 1e-3  # relative growth of the estimate in a step from which on it is taken


class Matrix(NamedTuple):
    """``X' S X`` of some columns on the device, padded to a bucket, and its step lengths.

    It is ``root G root``: G has ones on its diagonal, so that float32 holds it whatever the units of the columns are.
    """

    gram: jax.Array  # G
    steps: jax.Array
    root: jax.Array

    @property
    def norms(self) -> jax.Array:
        """The norms of the columns, as certificates take them."""
        return self.root

    def of(self, response: Array) -> "Matrix":
        """That of each lane, which explains the column of y with this number: one for all."""
        return self

    def product(self, v: Array) -> Array:
        """``v G`` in the type of G.

        With few lanes XLA on CPU computes ``G v'`` up to twice as fast; the barriers keep it from turning that around.
        """
        barrier = jax.lax.optimization_barrier
        return barrier(jnp.matmul(self.gram, barrier(v.T.astype(self.gram.dtype)), precision="highest")).T


class Source(abc.ABC):
    """``sum_i s_i (y_i - x_i . w)^2 / 2`` with weights s that sum to one, X and y centred by the caller.

    y may have several columns, and each lane is about one of them.
    """

    alike: ClassVar[bool] = False  # whatever their response, lanes of the same strength have about the same support
    size: int  # number of columns
    widest: int  # columns that a working set may have
    rows: int | None  # of the data; None where statistics are all that is known
    hides_columns: bool = False  # whether rounding makes some of them zero

    def __init__(self, size: int, widest: int, rows: int | None):
        self.size, self.widest, self.rows = size, widest, rows
        self._fresh = np.cos(np.arange(1.0, size + 1) ** 2)
        self._direction = self._fresh.copy()  # (p,) that of the largest curvature so far
        self._whole: Any = None

    @functools.cached_property
    def norms(self) -> np.ndarray:
        """The norms of the columns ``(p,)`` under the weights."""
        return self._norms()

    @abc.abstractmethod
    def _norms(self) -> np.ndarray:
        """The same, computed."""

    def rounding(self, w: np.ndarray, response: np.ndarray) -> np.ndarray:
        """Return what rounding may hide in the losses of lanes ``w (L, p)``: nothing that counts, from the rows."""
        return np.zeros(len(w))

    def restricted(self, w: np.ndarray) -> np.ndarray:
        """Return, of coefficients of all columns, those that lanes here have."""
        return w

    @abc.abstractmethod
    def evaluate(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Losses ``(L,)`` and gradients ``(L, p)`` at ``w (L, p)``, of the columns of y with these numbers ``(L,)``."""

    @abc.abstractmethod
    def gram(self, columns: np.ndarray, response: int = 0) -> np.ndarray:
        """``X' S X`` of these columns, as the lanes of that response see it."""

    def cross(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return ``X' S X`` between two sets of columns, where all lanes share it."""
        raise NotImplementedError

    def newton_step(
        self, columns: np.ndarray, response: int, w: np.ndarray, slope: np.ndarray, bend: np.ndarray
    ) -> np.ndarray:
        """Return Newton's step of these columns of a lane at ``w (p,)``, where the objective has the smallest
        subgradient ``slope`` and the penalty the second derivative ``bend``.
        """
        return newton_step_of_gram(self.gram(columns, response), slope, bend)

    @abc.abstractmethod
    def part(self, columns: np.ndarray) -> "Source":
        """The same of these columns alone."""

    def stack(self, columns: np.ndarray, response: np.ndarray, w: Any = None) -> Any:
        """What lanes of different responses multiply by, where they are ``alike`` and share no matrix; losses and
        gradients at ``w (L, k)``, if it is given.
        """
        raise NotImplementedError

    def expect(self, columns: np.ndarray) -> None:  # noqa: B027
        """Parts of the Gram matrix of these columns will be asked for, by several threads; nothing needs be done."""

    def matrix(self, columns: np.ndarray) -> Any:
        """The matrix of these columns, ready to work on; that of all columns is kept."""
        if columns.size < self.size:
            return self._prepared(columns)
        if self._whole is None:
            self._whole = self._prepared(columns)
        return self._whole

    def _prepared(self, columns: np.ndarray) -> Any:
        host, size, p = self.gram(columns), set_bucket(columns.size, self.size), columns.size
        diagonal = np.where(np.diagonal(host) > 0, np.diagonal(host), 1)
        root, steps, kind = np.ones(size, host.dtype), np.ones(size, host.dtype), product_type(host.dtype)
        root[:p] = np.sqrt(diagonal)
        correlation = host / root[:p]
        correlation /= root[:p, None]
        steps[:p] = 1 / (self._largest(correlation, columns) * diagonal)
        return Matrix(jnp.asarray(padded(correlation.astype(kind), size, size)), jnp.asarray(steps), jnp.asarray(root))

    def _largest(self, correlation: np.ndarray, columns: np.ndarray) -> float:
        """An eigenvalue as in ``models/spectrum.py``, from the direction that the last matrix left.

        A fresh direction is mixed in: these columns may have nothing to do with those.
        """
        v = (_unit(self._fresh[columns]) + _unit(self._direction[columns])).astype(correlation.dtype)
        largest = before = 0.0
        for step in range(POWER_STEPS + 1):
            v = correlation @ _unit(v)
            before, largest = largest, float(np.linalg.norm(v))
            if step >= FEWEST_POWER_STEPS and not largest > (1 + SETTLED) * before:
                break
        if not (np.isfinite(largest) and largest > 0):
            return 1.0
        self._direction[columns] = v / largest
        return MARGIN * largest


def _unit(v: np.ndarray) -> np.ndarray:
    return v / max(np.linalg.norm(v), np.finfo(v.dtype).tiny)


def product_type(dtype: np.dtype) -> np.dtype:
    """In which steps multiply: what they add is small beside the point, so that half the digits serve."""
    return np.dtype(np.float32) if platform() == "cpu" else dtype


class GramSource(Source):
    """From sufficient statistics: ``G = X' S X``, and per column of y ``X' S y (t, p)`` and ``y' S y / 2 (t,)``."""

    def __init__(self, G: np.ndarray, c: np.ndarray, constant: np.ndarray):
        super().__init__(len(G), len(G), None)
        self._G, self._c, self._constant = G, c, constant

    def _norms(self) -> np.ndarray:
        return np.sqrt(np.maximum(np.diagonal(self._G), 0))

    def rounding(self, w: np.ndarray, response: np.ndarray) -> np.ndarray:
        """Return ``sum_rounding`` of each lane."""
        return sum_rounding(w, self._c[response], self.norms, np.sqrt(2 * self._constant[response]), self._overlap)

    @functools.cached_property
    def _overlap(self) -> np.ndarray:
        return overlap_of(self._G, self.norms)

    def evaluate(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One product with G."""
        c = self._c[response]
        g = matmul(w, self._G) - c
        return np.maximum(self._constant[response] + np.einsum("lp,lp->l", w, g - c) / 2, 0), g

    def gram(self, columns: np.ndarray, response: int = 0) -> np.ndarray:
        """A part of G."""
        return self._G if columns.size == self.size else self._G[np.ix_(columns, columns)]

    def cross(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """A part of G."""
        return self._G[np.ix_(first, second)]

    def part(self, columns: np.ndarray) -> Source:
        """On parts of the statistics."""
        return GramSource(self.gram(columns), self._c[:, columns], self._constant)


class DataSource(Source):
    """From the data themselves, ``X (n, p)`` and ``y (n, t)``; Gram matrices are computed once per pair of columns."""

    def __init__(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None):
        n, p = X.shape
        super().__init__(p, min(max(2 * n, LEAST_WIDEST), p), n)
        self._X, self._y = X, y
        self._weights = np.full(n, 1 / n, X.dtype) if weights is None else (weights / weights.sum()).astype(X.dtype)
        self._lock = threading.Lock()
        self._place = np.full(p, -1)  # of a column in the cache
        self._cached = np.empty((0, n), X.dtype)  # rows: columns of X
        self._gram = np.empty((0, 0), X.dtype)

    def _norms(self) -> np.ndarray:
        return np.sqrt(np.einsum("i,ij,ij->j", self._weights, self._X, self._X))

    def evaluate(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A product with the columns in use, and one with all."""
        used = np.flatnonzero(np.any(w != 0, axis=0))
        residual = matmul(w[:, used], self._X[:, used].T) - self._y.T[response]
        slope = residual * self._weights
        return np.einsum("li,li->l", residual, slope) / 2, matmul(slope, self._X)

    def gram(self, columns: np.ndarray, response: int = 0) -> np.ndarray:
        """From the cache, after adding what it lacks."""
        with self._lock:
            self._add(columns[self._place[columns] < 0])
            at = self._place[columns]
            return self._gram[np.ix_(at, at)]

    def cross(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """A product of the columns."""
        return matmul((self._X[:, first] * self._weights[:, None]).T, self._X[:, second])

    def part(self, columns: np.ndarray) -> Source:
        """On a copy of these columns, and the same cache."""
        return _Part(self, columns)

    def expect(self, columns: np.ndarray) -> None:
        """Adds them: the order in which threads would do it is not always the same, nor is rounding then."""
        with self._lock:
            self._add(columns[self._place[columns] < 0])

    def _add(self, fresh: np.ndarray) -> None:
        if not fresh.size:
            return
        old = len(self._cached)
        rows = np.ascontiguousarray(self._X[:, fresh].T)
        cached = np.concatenate([self._cached, rows])
        block = matmul(rows * self._weights, cached.T)
        larger = np.empty((len(cached),) * 2, block.dtype)
        larger[:old, :old] = self._gram
        larger[old:], larger[:old, old:] = block, block[:, :old].T
        self._cached, self._gram, self._place[fresh] = cached, larger, np.arange(old, len(cached))


class _Part(DataSource):
    def __init__(self, whole: DataSource, columns: np.ndarray):
        super().__init__(whole._X[:, columns], whole._y, whole._weights)
        self._of, self._columns = whole, columns

    def gram(self, columns: np.ndarray, response: int = 0) -> np.ndarray:
        return self._of.gram(self._columns[columns])

    def expect(self, columns: np.ndarray) -> None:
        self._of.expect(self._columns[columns])


class CarefulSource(DataSource):
    """The same, with Newton's steps from the rows: for columns that a Gram matrix cannot tell apart."""

    def newton_step(
        self, columns: np.ndarray, response: int, w: np.ndarray, slope: np.ndarray, bend: np.ndarray
    ) -> np.ndarray:
        """See ``Source``."""
        root = np.sqrt(self._weights)
        residual = root * (self._X @ w - self._y[:, response])
        rows = self._X[:, columns] * root[:, None]
        return newton_step_of_rows(rows.astype(np.float64), residual.astype(np.float64), slope, bend)
