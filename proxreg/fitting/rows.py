"""The rows of a least-squares task as solvers see them, where sums over rows have stood for them so far."""

from collections.abc import Sequence

import numpy as np

from proxreg.engine import CarefulSource
from proxreg.response import difference
from proxreg.task import Task


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


def row_source(tasks: Sequence[Task]) -> CarefulSource:
    """Return the least-squares problems of tasks that share X, on their rows: losses and gradients to the last digits.

    Sums over rows lose those of columns that nearly cancel each other, or whose means are large beside what they
    explain; a residual loses none.
    """
    rows = [centred_rows(task) for task in tasks]
    weights = (tasks[0].data if tasks[0].rows is None else tasks[0].data.rows(tasks[0].rows)).sample_weight
    weights = None if weights is None else (weights / weights.max()).astype(tasks[0].dtype)
    return CarefulSource(rows[0][0], np.stack([y for _, y in rows], axis=1), weights)
