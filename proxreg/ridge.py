"""Leave-one-out and generalised cross-validation of ridge regression, all alphas from one factorisation."""

import dataclasses
from typing import Any

import numpy as np

from proxreg.cv_result import CVPath
from proxreg.path_problem import answer, as_path, labels, pose, remedy, warn_unless_converged
from proxreg.resampling import centred_rows
from proxreg.rules import places, warn_at_the_edge

CRITERIA = ("loo", "gcv")
TOP = 10.0  # the largest alpha over the largest eigenvalue of the covariance: next to nothing is left of the fit
MIN_RATIO = 1e-7


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
    ``alpha S / (S - s_i)``, S the sum of weights. Means and scales of columns are those of all rows.

    Args:
      criterion: "loo" or "gcv".
      alphas, min_ratio: the default grid goes from ten times the largest eigenvalue of the columns' covariance down to
        1e-7 times that.
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
    rows, target = centred_rows(problem)
    n = len(target)
    if n < 2:
        raise ValueError("leaving one row out needs two rows or more")
    share = np.full(n, 1 / n) if weights is None else weights / weights.sum()
    root = np.sqrt(share)
    left, size, right = np.linalg.svd(rows.astype(np.float64) * root[:, None], full_matrices=False)
    if alphas is None and size[0] > 0:
        top = TOP * np.square(size[0])
        fine = np.geomspace(top, (MIN_RATIO if min_ratio is None else min_ratio) * top, problem.grid.size)
        problem = dataclasses.replace(problem, grid=fine.astype(task.dtype))
    along = left.T @ (root * target)
    kept = size > np.finfo(float).eps * max(rows.shape) * size.max(initial=0.0)
    shrunk = np.where(kept, size, 0) ** 2 + problem.grid.astype(float)[:, None]  # (K, k)
    factor = np.where(kept, np.square(size) / np.where(shrunk > 0, shrunk, 1), 0)
    residual = target - (factor * along) @ left.T / np.where(root > 0, root, 1)  # (K, n)
    leverage = factor @ np.square(left).T + (share if fit_intercept else 0.0)
    if criterion == "gcv":
        leverage = np.broadcast_to(leverage.sum(axis=1, keepdims=True) / n, residual.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        losses = np.square(residual / (1 - leverage)).T / 2  # (n, K)
    coef = (np.where(kept, size, 0) / np.where(shrunk > 0, shrunk, 1) * along) @ right / task.design.scale
    found = answer(problem, coef)
    warn_unless_converged(found, problem.options.tol, labels(problem), remedy(standardize, task.dtype))
    mean = share @ losses
    error = np.sqrt(share @ np.square(losses - mean) / (n - 1))
    path, place = as_path(problem, found), places(mean, error, problem.grid, 1)
    warn_at_the_edge(problem.grid, path.nnz, place["min"], "mean loss")
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
