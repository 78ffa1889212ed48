"""One number for the same strength in the conventions of other tools."""

from collections.abc import Callable
from typing import Any

import numpy as np

from proxreg.losses import Squared, as_loss
from proxreg.validation import check_positive, check_vector

#: what one unit of a strength is in ours, as (n, loss is squared, part is l2, deviation of y); for C, of its inverse
_UNITS: dict[str, Callable[[float, bool, bool, float], float]] = {
    "proxreg": lambda n, squared, l2, y_std: 1.0,
    "sklearn": lambda n, squared, l2, y_std: 1.0,  # Lasso, ElasticNet; PoissonRegressor
    "sklearn_ridge": lambda n, squared, l2, y_std: 1 / n,  # a sum of squares, not halved, and alpha ||w||^2
    "glmnet": lambda n, squared, l2, y_std: 1 / y_std if squared and l2 else 1.0,
    "statsmodels": lambda n, squared, l2, y_std: 1.0,  # fit_regularized of OLS and GLM
    "statsmodels_discrete": lambda n, squared, l2, y_std: 1 / n,  # of Logit, Poisson: a sum, l1 alone
    "keras": lambda n, squared, l2, y_std: (
        (0.5 if squared else 1.0) * (2.0 if l2 else 1.0)
    ),  # mean squared error, not halved
    "pytorch": lambda n, squared, l2, y_std: (
        0.5 if squared else 1.0
    ),  # weight_decay adds w times itself to the gradient
    "C": lambda n, squared, l2, y_std: 1 / n,  # a sum of losses times C
}
_OF_ROWS = ("sklearn_ridge", "statsmodels_discrete", "C")


def convert(
    alpha: Any,
    *,
    frm: str,
    to: str,
    n: float | None = None,
    loss: Any = "squared",
    part: str = "l1",
    y_std: float | None = None,
) -> Any:
    """The strength in one tool's convention that means the same as ``alpha`` in another's.

    | tool | objective |
    |---|---|
    | "proxreg", "sklearn" (Lasso, ElasticNet), "glmnet" (its lambda), "statsmodels" (OLS, GLM) | mean loss + penalty |
    | "sklearn_ridge" | sum of squared residuals + alpha ||w||^2 |
    | "statsmodels_discrete" (Logit, Poisson) | sum of losses + alpha ||w||_1 |
    | "C" (scikit-learn's LogisticRegression) | C times the sum of losses + penalty |
    | "keras" | mean squared residual, or mean cross-entropy, + l1 ||w||_1 or l2 ||w||^2 |
    | "pytorch" (weight_decay of SGD) | mean squared residual, or mean cross-entropy; + weight_decay/2 ||w||^2 |

    Args:
      alpha: >= 0; C > 0. A number, or an array of them.
      frm, to: names of the table.
      n: the number of rows, or the sum of their weights, where the table has a sum.
      loss: as in ``fit_path``; only whether it is the squared one matters.
      part: "l1" or "l2", which of the two the number multiplies; it matters for Keras and glmnet.
      y_std: the standard deviation of y, ``y.std()``, for glmnet's ridge part of the squared loss.

    glmnet's gaussian family divides y by its standard deviation and multiplies lambda by it afterwards. That is right
    for the l1 part, but leaves ``lambda / y_std`` of the other: its objective is ``mean(residual^2) / 2 + lambda a
    ||w||_1 + lambda / y_std (1 - a) / 2 ||w||^2`` with ``a`` its alpha (Friedman, Hastie and Tibshirani 2010, section
    2.1; Hastie, Qian and Tay, An introduction to glmnet), for ``pr.ElasticNet.from_strengths(l1, l2)``. glmnet and
    others standardise columns by default, which no number makes up for: ``standardize=True``.

    >>> import proxreg as pr
    >>> pr.convert(2.0, frm="C", to="proxreg", n=100, loss="logistic")
    0.005
    """
    for name, tool in (("frm", frm), ("to", to)):
        if tool not in _UNITS:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, _UNITS))}, got {tool!r}")
    if part not in ("l1", "l2"):
        raise ValueError(f"part must be 'l1' or 'l2', got {part!r}")
    needing = [tool for tool in (frm, to) if tool in _OF_ROWS]
    if needing and n is None:
        raise ValueError(f"{needing[0]!r} is about a sum over rows: pass n=, the number of rows")
    rows = 1.0 if n is None else check_positive(n, "n")
    alpha = check_vector(alpha, "C" if frm == "C" else "alpha")
    if frm == "C" and np.any(alpha == 0):
        raise ValueError("C must be > 0")
    if to == "C" and np.any(alpha == 0):
        raise ValueError("alpha = 0 is an infinite C")
    squared, l2 = isinstance(as_loss(loss), Squared), part == "l2"
    known = rows, squared, l2, _of_y(y_std) if squared and l2 and frm != to and "glmnet" in (frm, to) else 1.0
    ours = _UNITS[frm](*known) / alpha if frm == "C" else _UNITS[frm](*known) * alpha
    found = _UNITS[to](*known) / ours if to == "C" else ours / _UNITS[to](*known)
    return found if found.ndim else float(found)


def _of_y(y_std: Any) -> float:
    if y_std is None:
        raise ValueError("glmnet's ridge part of the squared loss is about y over its deviation: pass y_std=y.std()")
    return check_positive(y_std, "y_std")
