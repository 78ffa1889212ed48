"""Fits with a closed form, least squares with a ridge penalty or with none, and their certificates."""

import abc
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from proxreg.batch import PenaltyBatch
from proxreg.engine import (
    Products,
    Scales,
    Shortest,
    as_result,
    certify,
    condensed,
    factorised,
    gram,
    moments,
    ridge_by_products,
    ridge_by_rows,
    shortest,
    shortest_by_products,
)
from proxreg.losses import Squared
from proxreg.models import Coefficients
from proxreg.penalties import L1, L2, ElasticNet, Penalty
from proxreg.solvers import Result
from proxreg.task import Task

MAX_SIZE = 4096  # rows or columns, whichever are fewer, of a factorisation: it takes ten seconds
BLOCK = 4096  # rows that are centred and weighted at a time


def has_closed_form(task: Task, template: Penalty, alpha: np.ndarray, ratio: np.ndarray | None) -> np.ndarray:
    """Return whether each lane ``(L,)`` is least squares with a penalty of squares alone, or with none, no limits."""
    n, p = len(task.rows if task.rows is not None else task.data.y), task.data.X.shape[1]
    plain = type(template) in (L1, L2, ElasticNet) and not getattr(template, "positive", False)
    if not (plain and isinstance(task.loss, Squared) and min(n, p) <= MAX_SIZE):
        return np.zeros(alpha.shape, bool)
    l1_ratio: Any = getattr(template, "l1_ratio", 1.0) if ratio is None else ratio[:, None]
    squares = isinstance(template, L2) | np.all(np.asarray(l1_ratio) == 0, axis=-1)
    return squares | (alpha == 0)


class LeastSquares(abc.ABC):
    """``||A w - b||^2 / 2``, of rows that are centred and weighted, in float64."""

    varies: np.ndarray  # (p,) whether a column is anything but zero
    rows: Any  # A (n, p) and B (n, T), or fewer rows with the same products
    products: Any  # of them; None where there are fewer rows than columns, or they lose too many digits

    def evaluate(self, w: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return losses ``(L,)`` and gradients ``(L, p)`` at ``w (L, p)``, for these columns of B."""
        if self.products is not None:
            return self.products.evaluate(w, columns)
        residual = self.residual(w, columns)
        return np.einsum("li,li->l", residual, residual) / 2, residual @ self.rows[0]

    def residual(self, w: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return ``A w - b`` for each lane, ``(L, n)``."""
        A, B = self.rows
        return w @ A.T - B.T[columns]

    @property
    def norms(self) -> np.ndarray:
        """The norms of the columns ``(p,)``."""
        if self.products is not None:
            return self.products.norms
        return np.linalg.norm(self.rows[0], axis=0)


class RowsAtHand(LeastSquares):
    """Of ``X (n, p)`` and ``y (n,)`` under weights ``(n,)`` that sum to one; ``centred`` beside an intercept."""

    def __init__(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray, centred: bool):
        counted = np.flatnonzero(weights)
        X, y, weights = (values[counted].astype(np.float64) for values in (X, y, weights))
        self.varies = (np.ptp(X, axis=0) > 0) if centred else np.any(X != 0, axis=0)
        self._means = (weights @ X, weights @ y) if centred else (np.zeros(X.shape[1]), 0.0)
        root = np.sqrt(weights)[:, None]
        self.rows = (X - self._means[0]) * root, (y - self._means[1])[:, None] * root

    def solution(self, family: PenaltyBatch, dtype: np.dtype, tol: float) -> Result:
        """Return the fits, as ``solve_in_closed_form`` does, with their intercepts: zero where there are none."""
        zero = np.zeros(len(family.alpha), int)
        scales = Scales(zero, np.full(zero.size, np.square(self.rows[1]).sum() / 2, dtype))
        found = solve_in_closed_form(self, family, scales, zero, dtype, tol)
        return found._replace(w=Coefficients(found.w, self._means[1] - found.w @ self._means[0]))

    @cached_property
    def products(self) -> Products | None:
        """See ``LeastSquares``."""
        A, B = self.rows
        return Products(gram(A), B.T @ A, np.square(B).sum(axis=0) / 2) if A.shape[0] >= A.shape[1] else None


class RowsOfTasks(LeastSquares):
    """Of the data of tasks, one for each response, with the columns as their solvers see them."""

    def __init__(self, tasks: Sequence[Task]):
        self._tasks, task = tasks, tasks[0]
        quadratic = task.design.quadratic
        here = np.asarray(task.design.X) if quadratic is None else np.diagonal(np.asarray(quadratic.G))[None]
        self.varies = np.any(here != 0, axis=0)
        data = task.data
        weights = np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight.astype(np.float64)
        counted = np.arange(len(data.y)) if task.rows is None else task.rows
        self._counted = counted[weights[counted] > 0]
        weights = weights[self._counted] / weights[self._counted].max()
        self._weights = weights / weights.sum()
        columns = [each.data.y.astype(np.float64) for each in tasks]
        y = np.stack([y if data.offset is None else y - data.offset for y in columns], axis=1)[self._counted]
        if task.fit_intercept:
            y = y - self._weights @ y
        self._y = np.where([each.design.flat for each in tasks], 0, y)

    @cached_property
    def products(self) -> Products | None:
        """See ``LeastSquares``: the statistics, where these were computed in float64."""
        task, design = self._tasks[0], self._tasks[0].design
        if len(self._y) < len(self.varies) or design.quadratic is None:
            return None
        if task.dtype == np.float64 and (design.sums is None or design.sums.kind == np.float64):
            quadratics: list[Any] = [each.design.quadratic for each in self._tasks]
            C, constant = (np.stack([np.asarray(getattr(q, name)) for q in quadratics]) for name in ("c", "constant"))
            return Products(np.asarray(design.quadratic.G), C, constant)
        sums, _ = moments(self._X, self._y, self._weights, np.dtype(np.float64))
        G, C, constant = sums.quadratic(task.fit_intercept)
        everything = np.arange(len(self.varies))
        return Products(*Products(G, C.T, constant).part(everything, self._unit), constant)

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """See ``LeastSquares``."""
        p, width = len(self.varies), len(self.varies) + self._y.shape[1]
        both = condensed(self._blocks(), width) if len(self._y) > 2 * width else np.concatenate(list(self._blocks()))
        return both[:, :p], both[:, p:]

    @cached_property
    def _X(self) -> np.ndarray:
        X = np.asarray(self._tasks[0].data.X)
        return X if len(self._counted) == len(X) else X[self._counted]

    @property
    def _unit(self) -> np.ndarray:
        """What columns are multiplied by: those that are constant but for rounding by 0."""
        return np.where(self.varies, 1 / self._tasks[0].design.scale, 0)

    def _blocks(self) -> Iterator[np.ndarray]:
        parts = [slice(start, start + BLOCK) for start in range(0, len(self._y), BLOCK)]
        center = 0.0
        if self._tasks[0].fit_intercept:
            center = np.sum([self._weights[at] @ self._X[at].astype(np.float64) for at in parts], axis=0)
        for at in parts:
            root = np.sqrt(self._weights[at])[:, None]
            block = (self._X[at].astype(np.float64) - center) * self._unit
            yield np.concatenate([block, self._y[at]], axis=1) * root


def solve_in_closed_form(
    problem: LeastSquares, family: PenaltyBatch, scales: Scales, columns: np.ndarray, dtype: np.dtype, tol: float
) -> Result:
    """Return the solutions, rounded to ``dtype``, with the certificates that they have once they are rounded.

    ``columns (L,)`` are those of B that the lanes explain. Losses and gradients are taken in float64: products in
    float32 would be further off than the solutions are.
    """
    p, alpha = len(problem.varies), np.asarray(family.alpha, np.float64)
    factor = np.ones(p) if family.factor is None else np.asarray(family.factor, np.float64)
    w, free, least = np.zeros((alpha.size, p)), np.flatnonzero(alpha == 0), None
    used = np.flatnonzero(problem.varies & np.isfinite(factor))
    if used.size and free.size:
        least = _without_penalty(problem, used, float(np.finfo(dtype).eps))
        w[free[:, None], used] = least.coef[columns[free]]
    lanes = np.flatnonzero(alpha > 0)
    if used.size and lanes.size:
        w[lanes[:, None], used] = _ridge(problem, used, factor[used], alpha[lanes], columns[lanes])
    with np.errstate(over="ignore", under="ignore"):
        w = w.astype(dtype)
        loss, gradient = problem.evaluate(w.astype(np.float64), columns)
        norms = problem.norms.astype(dtype)
        certificate = certify(family, scales, norms, w, gradient.astype(dtype), loss.astype(dtype))
    gap = certificate.gap
    unknown = free[np.isnan(gap[free])]
    if unknown.size:
        excess = np.zeros(unknown.size)
        if least is not None and least.by_residual:
            excess = least.excess(problem.residual(w[unknown].astype(np.float64), columns[unknown]))
        elif least is not None:
            excess = least.excess(gradient[unknown[:, None], used])
        null = scales.null_loss[unknown]
        gap[unknown] = excess / np.where(null > 0, null, 1)
    return as_result(w, certificate, np.ones(alpha.size, np.int32), tol)


def _without_penalty(problem: LeastSquares, used: np.ndarray, eps: float) -> Shortest:
    if problem.products is not None:
        found = shortest_by_products(*problem.products.part(used))
        if found is not None:
            return found
        problem.products = None
    A, B = problem.rows
    return shortest(A[:, used], B, eps)


def _ridge(
    problem: LeastSquares, used: np.ndarray, factor: np.ndarray, alpha: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Coefficients ``(L, k)`` of the used columns, whose strengths are alpha times ``factor (k,)``."""
    if not np.all(factor > 0):
        problem.products = None
        A, B = problem.rows
        return _ridge_beside_free(A, B, used, factor, alpha, columns)
    unit = 1 / np.sqrt(factor)
    if problem.products is not None:
        G, C = problem.products.part(used, unit)
        found = ridge_by_products(G, C, alpha, columns)
        if found is not None:
            return found * unit
        problem.products = None
    A, B = problem.rows
    return ridge_by_rows(A[:, used] * unit, B, alpha, columns) * unit


def _ridge_beside_free(
    A: np.ndarray, B: np.ndarray, used: np.ndarray, factor: np.ndarray, alpha: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """The same where some columns are not penalised: the others less what these explain of them, then these."""
    held = factor > 0
    free, unit = A[:, used[~held]], 1 / np.sqrt(factor[held])
    U = factorised(free / np.max(np.abs(free), axis=0)).U
    penalised = A[:, used[held]] * unit
    w = np.zeros((alpha.size, used.size))
    if held.any():
        rest = ridge_by_rows(penalised - U @ (U.T @ penalised), B - U @ (U.T @ B), alpha, columns)
        w[:, held] = rest * unit
    left = B[:, columns] - penalised @ (w[:, held] / unit).T
    w[:, ~held] = shortest(free, left).coef
    return w
