"""The relaxed lasso: what a path selects, fitted again without shrinkage."""

import dataclasses
from typing import Any

import numpy as np

from proxreg._warnings import ConvergenceWarning, warn
from proxreg.cv_result import CVPath
from proxreg.engine import OneBlasThread
from proxreg.losses import Loss
from proxreg.penalties import BoundedElasticNet
from proxreg.refit import Refit, refit
from proxreg.results import Path
from proxreg.source_data import Rows, data_of, path_of


def relax(
    path: Path | CVPath,
    X: Any = None,
    y: Any = None,
    *,
    gamma: float = 0.0,
    sample_weight: Any = None,
    offset: Any = None,
) -> Path:
    """Fits every model of a path again on its own support without penalty, and blends the two.

    ``gamma w + (1 - gamma) w_refit``: Meinshausen (2007), Relaxed lasso, in the simpler form of Hastie, Tibshirani and
    Tibshirani (2020). ``gamma=1`` is the path itself, ``gamma=0`` the refit. Equal supports are fitted once.

    Args:
      path: what ``fit_path`` returned, or the path of a ``CVPath``.
      X, y, sample_weight, offset: the data of the path; by default those that it was fitted on, which it knows unless
        it has been pickled.
      gamma: in [0, 1].

    Returns:
      A path with the same alphas; ``objective`` is the loss of the refit, ``gap`` NaN, ``violation`` that of the refit.

    Warns where such a fit has no minimum: classes that the support separates. Supports of as many columns as rows fit
    the data exactly.

    >>> import proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> path = pr.fit_path(X, y, standardize=True, n_alphas=20, dtype="float64")
    >>> relaxed = pr.relax(path)
    >>> print(path.nnz[4], relaxed.nnz[4], bool(relaxed.objective[4] < path.objective[4]))
    4 4 True
    """
    path = path_of(path)
    if not 0 <= gamma <= 1:
        raise ValueError(f"gamma must lie in [0, 1], got {gamma!r}")
    if isinstance(path.penalty, BoundedElasticNet) or getattr(path.penalty, "positive", False):
        raise ValueError("relax fits without limits, and this path has some: fit it without lower, upper and positive")
    parts = data_of(path, X, y, sample_weight, offset)
    shape, lead = path.coef.shape, (len(parts), -1)
    coef = path.coef.reshape(*lead, shape[-1]).astype(np.float64)
    intercept = path.intercept.reshape(lead).astype(np.float64)
    with OneBlasThread():
        fits = [fit for own, data in zip(zip(coef, intercept), parts) for fit in _blended(path.loss, data, *own, gamma)]
    _warn(fits)
    grid, kind = path.alphas.shape, path.coef.dtype
    return dataclasses.replace(
        path,
        refitted=gamma < 1,
        coef=coef.reshape(shape).astype(kind),
        intercept=intercept.reshape(grid).astype(kind),
        objective=np.array([found.loss for found in fits]).reshape(grid),
        gap=np.full(grid, np.nan),
        violation=np.array([found.violation for found in fits]).reshape(grid),
        converged=np.array([found.converged for found in fits]).reshape(grid),
        num_steps=np.array([found.num_steps for found in fits]).reshape(grid),
    )


def _blended(loss: Loss, data: Rows, coef: np.ndarray, intercept: np.ndarray, gamma: float) -> list[Refit]:
    """The refits of one response's models ``coef (K, p)``, which are blended with them in place."""
    known: dict[bytes, Refit] = {}
    fits, rows = [], data.X.astype(np.float64)
    for k, w in enumerate(coef):
        used = np.flatnonzero(w)
        key = used.tobytes()
        if key not in known:
            given = data.y, data.weights, data.offset, data.fit_intercept
            known[key] = refit(loss, rows[:, used], *given, np.append(w[used], intercept[k]))
        found = known[key]
        w[used] = gamma * w[used] + (1 - gamma) * found.coef
        intercept[k] = gamma * intercept[k] + (1 - gamma) * found.intercept
        fits.append(found)
    return fits


def _warn(fits: list[Refit]) -> None:
    bad = sum(not found.converged for found in fits)
    if bad:
        warn(
            f"{bad}/{len(fits)} supports have no unpenalised fit (classes that they separate, perhaps); raise gamma",
            ConvergenceWarning,
        )
