"""Limits of coefficients, on the scale of the input and on that of the columns as solvers see them."""

from typing import Any

import numpy as np

from proxreg._pytree import replace
from proxreg.penalties import Penalty
from proxreg.task import Task


def with_limits_for(task: Task, template: Any) -> Penalty:
    """Limits of the input's coefficients as those of a task's columns: there they are times the scale."""
    with np.errstate(over="ignore", under="ignore"):
        lower, upper = ((limit * task.design.scale).astype(task.dtype) for limit in (template.lower, template.upper))
    return replace(template, lower=lower, upper=upper)


def limits_in(dtype: np.dtype, template: Any) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper limits as coefficients of that type know them; of none that is too small is -0."""
    with np.errstate(over="ignore", under="ignore"):
        lower, upper = (np.asarray(limit).astype(dtype) + 0 for limit in (template.lower, template.upper))
    return lower, upper


def at_limits(coef: np.ndarray, template: Any) -> np.ndarray:
    """Coefficients ``(L, p)`` that reached a limit, but for the rounding of scales, are there."""
    lower, upper = limits_in(coef.dtype, template)
    nearly = 1 - 4 * np.finfo(coef.dtype).eps  # of limits with zero between them
    coef = np.where(coef >= nearly * upper, upper, coef)
    return np.where(coef <= nearly * lower, lower, coef)
