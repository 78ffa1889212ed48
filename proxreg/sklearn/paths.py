"""scikit-learn's functions ``lasso_path`` and ``enet_path``: the ``path`` of its estimators, which has no intercept."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length, check_scalar

from proxreg import _precision
from proxreg.alpha_grid import RIDGE_AS
from proxreg.path import alpha_max, fit_path
from proxreg.sklearn.base import FLOATS, ScikitLearnsWarnings, checked_weights, dual_gap, steps
from proxreg.sklearn.parameters import check_entries

DEFAULT = 100  # alphas
IDLE = {"X_offset", "X_scale", "random_state", "selection", "do_screening"}  # of scikit-learn's, without effect here


def lasso_path(X: Any, y: Any, **options: Any) -> tuple[Any, ...]:
    """Compute the lasso's coefficients along a grid of alphas: ``enet_path`` with ``l1_ratio=1``.

    >>> import numpy as np
    >>> from proxreg.sklearn import Lasso, LassoCV
    >>> X, y = np.eye(3), np.array([1.0, 2.0, 3.0])
    >>> alphas, coefs, gaps = LassoCV.path(X, y, alphas=[1 / 3, 2 / 3])
    >>> print(alphas.round(2), coefs.round(2).tolist())
    [0.67 0.33] [[0.0, 0.0], [0.0, 1.0], [1.0, 2.0]]
    """
    if "l1_ratio" in options and options.pop("l1_ratio") != 1.0:
        raise ValueError("lasso_path has l1_ratio=1; use ElasticNet.path")
    return enet_path(X, y, l1_ratio=1.0, **options)


def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    n_alphas: Any = "deprecated",
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: Any = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    **params: Any,
) -> tuple[Any, ...]:
    """Compute elastic-net coefficients along a grid of alphas, without an intercept, as scikit-learn's ``enet_path``.

        1/(2 S) sum_i s_i (y_i - x_i . w)^2 + alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2),    S = sum_i s_i

    Args:
      X: ``(n, p)``, dense. y: ``(n,)``.
      alphas: the grid, or how many of it (100 where none is asked for), from the smallest with all coefficients zero to
        ``eps`` times that; ``n_alphas`` is an older way to say how many.
      params: ``tol``, ``max_iter`` and ``sample_weight``. The other arguments say how to compute and change nothing.

    Returns:
      ``alphas (K,)`` falling, ``coefs (p, K)``, ``dual_gaps (K,)`` in the objective's units; with ``return_n_iter``
      also the numbers of steps.

    Raises:
      ValueError: for y of several columns (scikit-learn's path is of its multi-task models then), for l1_ratio = 0
        without ``alphas``, and for a parameter of another name.

    >>> import numpy as np
    >>> from proxreg.sklearn import ElasticNet
    >>> alphas, coefs, gaps = ElasticNet.path(np.eye(3), np.array([1.0, 2.0, 3.0]), alphas=4)
    >>> print(coefs.shape, gaps.shape, bool((coefs[:, 0] == 0).all()))
    (3, 4) (4,) True
    """
    tol, max_iter, weights = params.pop("tol", 1e-6), params.pop("max_iter", None), params.pop("sample_weight", None)
    if set(params) - IDLE:
        raise ValueError("Unexpected parameters in params", set(params) - IDLE)
    l1_ratio = check_scalar(l1_ratio, "l1_ratio", (int, float), min_val=0.0, max_val=1.0)
    types: Any = FLOATS
    X = check_array(X, dtype=types)
    y = check_array(y, dtype=X.dtype.type, ensure_2d=False)
    if y.ndim > 1:
        raise ValueError(
            f"path takes y (n,), got {y.shape}: with several columns scikit-learn's is that of its multi-task models; "
            "call it for each column, or use sklearn.linear_model.MultiTaskElasticNet.path"
        )
    check_consistent_length(X, y)
    weights = checked_weights(weights, X)
    number = n_alphas if alphas is None or isinstance(alphas, str) else alphas
    number = DEFAULT if isinstance(number, str) else number
    if not isinstance(number, Integral):
        grid = np.sort(check_entries(number, "alphas"))[::-1]
    elif l1_ratio == 0:
        raise ValueError("Automatic alpha grid generation is not supported for l1_ratio=0. Please supply alphas.")
    else:
        grid = geometric_grid(X, y, number, eps, l1_ratio, sample_weight=weights, positive=positive)[0]
    with ScikitLearnsWarnings():
        path = fit_path(
            X,
            y,
            alphas=grid,
            l1_ratio=l1_ratio,
            fit_intercept=False,
            positive=positive,
            sample_weight=weights,
            tol=max(tol, _precision.SMALLEST_TOL[X.dtype]),
            max_steps=max_iter,
            dtype=X.dtype,
        )
    result = grid, path.coef.T, path.gap * dual_gap(np.ones(()), y, weights, False)
    return (*result, list(steps(path.num_steps))) if return_n_iter else result


def geometric_grid(
    X: np.ndarray,
    y: np.ndarray,
    number: Any,
    eps: float,
    l1_ratios: Any,
    *,
    fit_intercept: bool = False,
    **options: Any,
) -> np.ndarray:
    """The alphas ``(R, number)`` from ``alpha_max`` to ``eps`` times it, which may be the same or more."""
    ratios = np.maximum(np.atleast_1d(l1_ratios), RIDGE_AS)
    top = np.asarray(alpha_max(X, y, l1_ratio=ratios, fit_intercept=fit_intercept, dtype=X.dtype, **options))
    top = np.where(top > 0, top, 1.0)  # a response with nothing to explain: any alpha will do
    return top[:, None] * np.geomspace(1, eps, number)
