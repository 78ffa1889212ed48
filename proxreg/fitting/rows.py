"""The rows of a least-squares task as solvers see them, where sums over rows have stood for them so far."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from proxreg.batch import PenaltyBatch
from proxreg.engine import Scales, certify
from proxreg.response import difference
from proxreg.solvers import Result, Status
from proxreg.task import Task

TRIFLE = 1e-3  # of the tolerance: what rounding in sums over rows may hide without a look at the rows
ROUNDING = 64  # units of rounding of the intercept-only loss, which a certificate is off by in any case


def centred_rows(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return X and y less their centres, X divided by its scale, in the type of the task; offsets are taken off y."""
    design = task.design
    if design.X is not None:
        return np.asarray(design.X), np.asarray(design.y)
    assert design.quadratic is not None
    data = task.data if task.rows is None else task.data.rows(task.rows)
    X = ((np.asarray(data.X) - design.center) / design.scale).astype(task.dtype)
    X[:, np.diagonal(design.quadratic.G) == 0] = 0  # constant but for rounding
    y, lost = difference(data.y.astype(float), np.zeros(1) if data.offset is None else data.offset.astype(float))
    return X, (y - design.y_center + lost - design.y_low).astype(task.dtype)


class TaskRows:
    """Hold the least-squares problems of tasks that share X, on their rows: losses and gradients to the last digits.

    Sums over rows lose those of columns that nearly cancel each other, or whose means are large beside what they
    explain; a residual loses none.
    """

    def __init__(self, X: Any, Y: Any, weights: np.ndarray | None):
        n = len(Y)
        self.X, self.Y = X, Y  # (n, p), (n, T)
        self.weights = np.full(n, 1 / n, X.dtype) if weights is None else (weights / weights.sum()).astype(X.dtype)

    @classmethod
    def of(cls, tasks: Sequence[Task]) -> "TaskRows":
        """Return the rows of these tasks."""
        rows = [centred_rows(task) for task in tasks]
        weights = (tasks[0].data if tasks[0].rows is None else tasks[0].data.rows(tasks[0].rows)).sample_weight
        weights = None if weights is None else (weights / weights.max()).astype(tasks[0].dtype)
        return cls(rows[0][0], np.stack([y for _, y in rows], axis=1), weights)

    @property
    def norms(self) -> np.ndarray:
        """Return the norms of the columns ``(p,)`` under the weights."""
        return np.sqrt(np.einsum("i,ij,ij->j", self.weights, self.X, self.X))

    def evaluate(self, w: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return losses ``(L,)`` and gradients ``(L, p)`` at ``w (L, p)``, for these columns ``(L,)`` of Y."""
        used = np.flatnonzero(np.any(w != 0, axis=0))
        residual = w[:, used] @ self.X[:, used].T - self.Y.T[response]
        slope = residual * self.weights
        return np.einsum("li,li->l", residual, slope) / 2, slope @ self.X

    def rounding(self, w: np.ndarray, response: np.ndarray) -> np.ndarray:
        """Return what rounding may hide in the losses of lanes: nothing that counts."""
        return np.zeros(len(w))

    def cross(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the products of two sets of columns."""
        return (self.X[:, first] * self.weights[:, None]).T @ self.X[:, second]


def certified_by_rows(
    tasks: Sequence[Task], family: PenaltyBatch, response: np.ndarray, found: Result, tol: float
) -> Result:
    """Return least-squares fits, certified by the rows where rounding in sums over these is more than a trifle."""
    products, dtype = tasks[0].products, tasks[0].dtype
    if products is None:
        return found
    w = np.asarray(found.w)
    lost = products.rounding(w, response)
    scales = Scales(response, products.constant[response])
    trifle = max(TRIFLE * tol, ROUNDING * float(np.finfo(dtype).eps)) * scales.null_loss
    at = np.flatnonzero((lost > trifle) & np.all(np.isfinite(w), axis=1))
    if not at.size:
        return found
    rows, own = TaskRows.of(tasks), scales.lanes(at)
    loss, gradient = rows.evaluate(w[at], own.response)
    known = certify(family.lanes(at), own, rows.norms, w[at], gradient, loss)
    found = jax.tree.map(np.array, found)
    found.objective[at], found.violation[at] = known.objective, known.violation
    found.gap[at] = np.where(np.isnan(known.gap), found.gap[at], known.gap)  # beside free columns it has another point
    good = np.fmax(found.gap[at], found.violation[at]) <= tol
    finite = np.isfinite(known.objective) & np.isfinite(known.violation)
    found.status[at] = np.where(finite, np.where(good, Status.CONVERGED, Status.MAX_STEPS), Status.NON_FINITE)
    return found
