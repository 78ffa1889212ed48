"""Decompose columns of the data from the rows themselves: a Gram matrix takes nearly equal columns for one."""

from typing import NamedTuple

import numpy as np

from proxreg.engine import Factors, factorised, has_digits, inverse_by_products
from proxreg.task import Task


def span_of(task: Task, columns: np.ndarray, fit_intercept: bool) -> tuple[Factors, np.ndarray]:
    """Return the singular value decomposition of some columns ``(n, k)`` under the weights, and their lengths ``(k,)``,
    which they are divided by; with ``fit_intercept`` a column of ones is the last of them.

    In float64, of the data as they are: columns that depend on each other do no longer once they are rounded, centred,
    to the type of the solver.
    """
    data = task.data if task.rows is None else task.data.rows(task.rows)
    weights = np.ones(len(data.y)) if data.sample_weight is None else data.sample_weight.astype(np.float64)
    weights = weights / weights.max()
    weights = weights / weights.sum()
    X = np.asarray(data.X)[:, columns].astype(np.float64)
    X = centred(centred(X, weights), weights) if task.fit_intercept else X
    X = np.column_stack([X, np.ones((len(X), int(fit_intercept)))])
    rows = np.sqrt(weights)[:, None] * np.where(weights[:, None] > 0, X, 0)
    peak = np.max(np.abs(rows), axis=0, initial=0.0)  # squares may overflow
    rows = rows / np.where(peak > 0, peak, 1)
    norms = np.linalg.norm(rows, axis=0)
    norms = np.where(norms > 0, norms, 1)
    return factorised(rows / norms), norms * np.where(peak > 0, peak, 1)


def centred(X: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return rows less their mean under ``weights (n,)``, which sum to one.

    A mean is rounded: what is left of it, where it is large beside the columns, goes the second time.
    """
    return X - weights @ X


class PseudoInverse(NamedTuple):
    """Hold the pseudo-inverse of the Gram matrix of some columns as solvers see them, the least in units of these."""

    matrix: np.ndarray  # (k, k)
    from_rows: bool  # as the Gram matrix has lost some of its digits
    sums_suffice: bool  # in the type of the task, to tell what the columns explain


def inverse_of(task: Task, columns: np.ndarray) -> PseudoInverse:
    """Return the pseudo-inverse of some columns' Gram matrix, an empty one where these are none, or all."""
    assert task.products is not None  # the loss is squared
    if not 0 < columns.size < len(task.products.G):
        return PseudoInverse(np.zeros((0, 0)), False, True)
    matrix, has_rank = inverse_by_products(task.products, columns)
    if has_rank:
        return PseudoInverse(matrix, False, True)
    (_, d, V), norms = span_of(task, columns, False)
    basis = (V / d[:, None]) * (task.design.scale[columns] / norms)
    return PseudoInverse(basis.T @ basis, True, bool(np.all(has_digits(np.square(d), task.dtype))))
