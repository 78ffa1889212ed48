"""Whether a likelihood has its optimum at infinity: a linear program, for the judge of the random search."""

from typing import Any

import numpy as np
from scipy.optimize import linprog


def recedes(form: Any) -> bool:
    """Return whether the loss falls for ever along a direction that nothing penalises, so that no point attains it.

    Of the logistic loss: whether such a direction separates the classes, if only in part (Albert and Anderson 1984).
    Of counts: whether it leaves the rows with events alone and lowers some of the others. ``form`` is a ``exact.Form``.
    """
    free = (form.l1 == 0) & (form.l2 == 0) & ~form.fixed & ~(np.isfinite(form.low) & np.isfinite(form.high))
    Z, y = form.Z[:, free].astype(float), form.y
    if form.loss == "logistic":
        pure = (y == 0) | (y == 1)
        falls, level = np.where(y[pure] > 0, 1.0, -1.0)[:, None] * Z[pure], Z[~pure]
    else:
        falls, level = -Z[y == 0], Z[y > 0]
    if not falls.size:
        return False
    found = linprog(
        -falls.sum(axis=0),
        A_ub=np.concatenate([-falls, falls]),
        b_ub=np.concatenate([np.zeros(len(falls)), np.ones(len(falls))]),
        A_eq=level if len(level) else None,
        b_eq=np.zeros(len(level)) if len(level) else None,
        bounds=[(None if np.isinf(a) else 0, None if np.isinf(b) else 0) for a, b in _limits(form, free)],
    )
    if found.x is None or -found.fun < 0.5:
        return False
    # the program's tolerances are absolute: a direction has to keep its signs relative to its own size too
    size = np.max(np.abs(Z) * np.abs(found.x))
    fall, change = falls @ found.x, np.max(np.abs(level @ found.x), initial=0.0)
    return bool(fall.min() >= -1e-7 * size and change <= 1e-7 * size and fall.max() > 1e-5 * size)


def _limits(form: Any, free: np.ndarray) -> Any:
    return zip(form.low[free].astype(float), form.high[free].astype(float))
