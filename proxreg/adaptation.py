"""Weights of the adaptive lasso: what a pilot fit finds large is penalised little."""

from typing import Any, Unpack

import numpy as np

from proxreg.cv_result import CVPath
from proxreg.losses import Squared, as_loss
from proxreg.path_problem import PathOptions, check_options
from proxreg.results import Fit
from proxreg.ridge import ridge_cv
from proxreg.selection import cv_path
from proxreg.task import make_task
from proxreg.validation import check_data, check_positive, check_vector

DATA = ("fit_intercept", "standardize", "sample_weight", "offset", "feature_names")  # options that are about these


def adaptive(X: Any, y: Any, *, pilot: Any = None, gamma: float = 1.0, **options: Unpack[PathOptions]) -> np.ndarray:
    """``penalty_factor (p,)`` for a second fit: ``1 / |w_j|^gamma`` for coefficients w of a pilot; infinite where zero.

    Zou (2006), The adaptive lasso and its oracle properties. With ``standardize=True`` coefficients are taken per
    standard deviation of their column.

    Args:
      X, y: as in ``fit_path``, one response.
      pilot: coefficients ``(p,)``, a fit, or None: ridge with the alpha of generalised cross-validation (five folds for
        other losses than the squared one).
      gamma: > 0.
      options: of ``fit_path``, for the pilot, which has neither factors nor limits with the squared loss; those about X
        and y should be the ones of the second fit.

    The weights have seen all rows: what ``cv_path`` then says of the loss is a little too good.

    >>> import proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> factor = pr.adaptive(X, y, standardize=True)
    >>> path = pr.fit_path(X, y, standardize=True, penalty_factor=factor, dtype="float64")
    >>> print([name for name, w in zip(names, path.coef[30]) if w])
    ['bmi', 'bp', 's5']
    """
    check_options(options, "adaptive")
    gamma = check_positive(gamma, "gamma")
    if pilot is None:
        coef, scale = _ridge(X, y, options)
    else:
        pilot = pilot.model("min") if isinstance(pilot, CVPath) else pilot
        coef = np.asarray(pilot.coef if isinstance(pilot, Fit) else check_vector(pilot, "pilot", low=-np.inf), float)
        data: dict[str, Any] = {name: value for name, value in options.items() if name in DATA}
        scale = make_task(X, y, **data).design.scale
        if coef.shape != scale.shape:
            raise ValueError(f"pilot must have a coefficient per column, shape {scale.shape}, got {coef.shape}")
    with np.errstate(divide="ignore"):
        return 1 / np.abs(coef * scale) ** gamma


def _ridge(X: Any, y: Any, options: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(as_loss(options.get("loss", "squared")), Squared):
        cv = ridge_cv(
            X, y, **{name: options[name] for name in (*DATA, "alphas", "n_alphas") if name in options}, criterion="gcv"
        )
    else:
        check_data(X, y, as_loss(options["loss"]), *(options.get(name) for name in DATA[2:]))  # one response
        cv = cv_path(X, y, **{"n_alphas": 30, "dtype": "float64", **options, "l1_ratio": 0.0})
    return cv.coef("min"), cv.path.origin.scale
