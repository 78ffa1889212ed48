"""Leave-one-out and generalised cross-validation of ridge regression, all alphas from one factorisation."""

import dataclasses
from typing import Any

import numpy as np

from proxreg.convergence import remedy, warn_unless_converged
from proxreg.cv_result import CVPath
from proxreg.fitting import centred_rows
from proxreg.leave_one_out import leave_one_out
from proxreg.path_problem import answer, as_path, labels, pose
from proxreg.rules import places, warn_at_the_edge

CRITERIA = ("loo", "gcv")
MIN_RATIO = 1e-7
TINY = np.finfo(np.float32).tiny


def ridge_cv(
    X: Any,
    y: Any,
    *,
    alphas: Any = None,
    n_alphas: int = 100,
    min_ratio: float | None = None,
    criterion: str = "loo",
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    tol: float = 1e-6,
    dtype: Any = "float64",
    feature_names: Any = None,
) -> CVPath:
    """Ridge regression for a grid of alphas, judged by leaving out each row, all from one factorisation.

    ``residual_i / (1 - h_i)`` with ``h_i`` the leverage, the intercept's share included, from singular values.

    Allen (1974), PRESS; with ``criterion="gcv"`` every ``h_i`` is replaced by their mean (Golub, Heath and Wahba 1979).
    The total penalty stays what it is on all rows, as in scikit-learn's ``RidgeCV``: a refit on the other rows has
    ``alpha S / (S - s_i)``, S the sum of weights. A row is left out whole: one of weight 2 is not two rows, where for
    "gcv" it is (weights that sum to less than their number are relative ones). Means and scales of columns are those of
    all rows.

    Args:
      criterion: "loo" or "gcv".
      alphas, min_ratio: the default grid goes from the sum of the columns' variances down to 1e-7 times that.
      The others are those of ``fit_path``, of one response.

    Returns:
      A ``CVPath`` whose folds are the rows. Its path is certified like any other.

    >>> import proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> cv = pr.ridge_cv(X, y, standardize=True)
    >>> print(round(cv.alpha_min, 3), cv.coef("min").shape)
    0.004 (10,)
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion must be 'loo' or 'gcv', got {criterion!r}")
    data = {"fit_intercept": fit_intercept, "standardize": standardize, "sample_weight": sample_weight}
    data |= {"offset": offset, "dtype": dtype, "feature_names": feature_names, "several": False}
    grid = {"alphas": alphas, "n_alphas": n_alphas, "min_ratio": min_ratio, "l1_ratio": 0.0}
    problem = pose(X, y, **grid, tol=tol, **data)
    task, weights = problem.task, problem.task.data.sample_weight
    rows, target = centred_rows(problem.task)
    share = np.full(len(target), 1 / len(target)) if weights is None else weights / weights.sum()
    count = np.count_nonzero(share)
    if count < 2:
        raise ValueError("leaving one row out needs two rows or more of positive weight")
    if alphas is None:
        variance = float(np.sum(share @ np.square(rows)))  # at least the largest eigenvalue: little is left of the fit
        fine = max(variance, TINY) * np.geomspace(1, min_ratio or MIN_RATIO, problem.grid.size)
        problem = dataclasses.replace(problem, grid=fine.astype(task.dtype))
    known = leave_one_out(rows, target[:, None], problem.grid, sample_weight=share, fit_intercept=fit_intercept)
    errors = known.errors[:, :, 0]
    if criterion == "gcv":
        if weights is not None:
            count = max(count, weights.sum())  # a weight is a number of equal rows
        errors = errors * (1 - known.leverage) / (1 - known.leverage.sum(axis=1, keepdims=True) / count)
    losses = np.square(errors).T / 2  # (n, K)
    found = answer(problem)
    warn_unless_converged(found, problem.options, labels(problem), remedy(standardize, task.dtype))
    mean = share @ losses
    error = np.sqrt(share @ np.square(losses - mean) / (count - 1))
    path, place = as_path(problem, found), places(mean, error, problem.grid, 1)
    warn_at_the_edge(problem.grid, mean, path.nnz, place["min"], "mean loss")
    return CVPath(
        path=path,
        alphas=problem.grid,
        mean_loss=mean,
        se_loss=error,
        fold_loss=losses,
        fold_gap=np.broadcast_to(path.gap, losses.shape),
        metric="loss",
        place=place,
    )
