"""Ridge regression's leave-one-out errors for every strength, from one singular value decomposition."""

from typing import NamedTuple

import numpy as np

from proxreg.engine import factorised, shrinkage


class LeaveOneOut(NamedTuple):
    """Fits on all rows, and what each of their rows is missed by when it is left out."""

    coef: np.ndarray  # (K, T, p)
    intercept: np.ndarray  # (K, T)
    errors: np.ndarray  # (K, n, T), y less its prediction; infinite where a row alone determines its prediction
    leverage: np.ndarray  # (K, n)


def leave_one_out(
    X: np.ndarray,
    y: np.ndarray,
    alphas: np.ndarray,
    *,
    sample_weight: np.ndarray | None = None,
    fit_intercept: bool = True,
) -> LeaveOneOut:
    """Minimises ``sum_i s_i (y_i - b - x_i . w)^2 + alpha ||w||^2`` for ``y (n, T)``, with and without each row.

    Without row i the fit misses it by ``r_i / (1 - h_i)``, its residual and leverage with it (Allen 1974, Technometrics
    16). With ``U diag(d) V'`` the decomposition of the weighted and centred X,
    ``h_i = sum_k U_ik^2 d_k^2 / (d_k^2 + alpha) + s_i / sum s``, the last for the intercept.
    """
    weights = np.ones(len(X)) if sample_weight is None else sample_weight
    root, share = np.sqrt(weights)[:, None], weights / weights.sum()
    X, y = X.astype(np.float64), y.astype(np.float64)
    center, y_center = (share @ X, share @ y) if fit_intercept else (np.zeros(X.shape[1]), np.zeros(y.shape[1]))
    # a constant column less its mean is rounding, which is not to be fitted to
    constant = fit_intercept & (np.ptp(X[weights > 0], axis=0) == 0)
    X, y = np.where(constant, 0, X - center), y - y_center
    U, d, V = factorised(root * X)
    shrunk = shrinkage(d, alphas)
    coef = (shrunk[:, None, :] * (U.T @ (root * y)).T) @ V
    leverage = (shrunk * d) @ np.square(U).T + (share if fit_intercept else 0.0)
    room = 1 - leverage[:, :, None]
    errors = np.full((len(coef), *y.shape), np.inf)
    np.divide(y - X @ np.swapaxes(coef, 1, 2), room, out=errors, where=room > len(X) * np.finfo(d.dtype).eps)
    return LeaveOneOut(coef, y_center - coef @ center, errors, leverage)
