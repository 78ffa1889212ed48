"""Fitting: one problem, or a whole grid of strengths as lanes of one compiled program."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from proxreg import _precision
from proxreg._pytree import replace
from proxreg._warnings import ConvergenceWarning, warn
from proxreg.alpha_grid import critical_alphas, default_grid, unpenalised_fit
from proxreg.batch import solve_batch
from proxreg.engine import solve_one, strength
from proxreg.penalties import ElasticNet, Penalty
from proxreg.results import Fit, Path
from proxreg.solvers import Result, Status
from proxreg.task import Task, make_options, make_task, require_alpha, require_factor, require_fit
from proxreg.validation import check_alphas, check_positive, check_vector


def fit(
    X: Any,
    y: Any,
    *,
    penalty: Penalty,
    loss: Any = "squared",
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    tol: float = 1e-4,
    max_steps: int | None = None,
    solver: str = "auto",
    dtype: Any = None,
    feature_names: Any = None,
) -> Fit:
    """Fits one penalised linear model: ``(1/S) sum_i s_i loss(y_i, o_i + b + x_i . w) + penalty(w)``.

    The arguments are those of ``fit_path``; ``penalty`` is any penalty, strength included.

    >>> import numpy as np, proxreg as pr
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2.0, 4.0, 6.0, 8.0])
    >>> model = pr.fit(X, y, penalty=pr.L1(0.5), tol=1e-8, dtype="float64")
    >>> print(model.coef.round(2), model.intercept.round(2))
    [1.6] 1.0
    """
    if not isinstance(penalty, Penalty):
        raise ValueError(f"penalty must be a penalty such as pr.L1(0.1), got {penalty!r}")
    task = make_task(
        X,
        y,
        loss=loss,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
        offset=offset,
        penalty_factor=penalty_factor,
        dtype=dtype,
        feature_names=feature_names,
    )
    options = make_options(tol, max_steps, solver, penalty, task.dtype)
    require_fit(penalty, task)
    with _precision.scope(task.dtype):
        if task.factor is not None:
            require_factor(penalty)
            alpha = jnp.asarray(penalty.alpha, task.dtype)  # pyright: ignore[reportAttributeAccessIssue]
            penalty = replace(penalty, alpha=strength(alpha, task.factor))
        solver = "fista" if options.solver == "auto" else options.solver
        result = solve_one(task.smooth, penalty, options.tol, options.max_steps, solver)
        arrays = _arrays(task, result)
    _warn_unless_converged(arrays, options.tol, [""], _remedy(standardize, task.dtype))
    return Fit(**arrays, penalty=penalty, loss=task.loss, feature_names=task.data.names, classes=task.data.classes)


def fit_path(
    X: Any,
    y: Any,
    *,
    alphas: Any = None,
    n_alphas: int = 100,
    min_ratio: float | None = None,
    l1_ratio: Any = 1.0,
    loss: Any = "squared",
    penalty: Penalty | None = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    tol: float = 1e-4,
    max_steps: int | None = None,
    solver: str = "auto",
    dtype: Any = None,
    feature_names: Any = None,
) -> Path:
    """Fits a whole grid of strengths at once, each with its duality gap.

    Minimises ``(1/S) sum_i s_i loss(y_i, o_i + b + x_i . w) + alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2)``
    for every alpha (and every l1_ratio, if that is a vector) as lanes of one compiled program on shared statistics. For
    the squared loss this is scikit-learn's objective, number for number.

    Args:
      X: ``(n, p)``, an array or a data frame. y: ``(n,)``; any two classes for the logistic loss.
      alphas: ``(K,)`` in any order. By default ``n_alphas`` from ``alpha_max``, the smallest with all coefficients
        zero, down to ``min_ratio`` times that (1e-3, or 1e-2 if n < p), evenly on the log scale. For ridge, which has
        no ``alpha_max``, the grid is that of l1_ratio = 1e-3.
      l1_ratio: a number in [0, 1], or a vector ``(R,)``: then every array gains a leading axis R.
      loss: "squared", "logistic", "huber", "poisson", a loss object, or a function ``(eta, y) -> loss of each sample``.
      penalty: any penalty with an ``alpha``, whose place the grid takes; by default the elastic net.
      standardize: penalise coefficients of columns scaled to unit standard deviation. Coefficients always come back on
        the scale of the input.
      sample_weight, offset: ``(n,)``. penalty_factor: ``(p,)`` multiplies alpha per column; 0 leaves it unpenalised,
        inf leaves it out.
      tol: bounds each fit's duality gap relative to the loss of the intercept-only model, and its relative KKT
        violation; the latter alone where no dual is known (unpenalised columns, alpha = 0, custom losses). A gap of tol
        bounds the objective's error, not the coefficients': ask for 1e-8 or less where those matter.
      solver: "fista", "coordinate_descent" or "auto".
      dtype: float32 or float64, whatever JAX is set to; by default that of X, as JAX holds it.

    Raises:
      ValueError: where an argument is no good, saying what to pass instead.

    >>> import proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> path = pr.fit_path(X, y, standardize=True, n_alphas=20)
    >>> print(path.coef.shape, path.nnz[0], bool(path.converged.all()))
    (20, 10) 0 True
    """
    template = ElasticNet(1.0, 1.0) if penalty is None else penalty
    ratios = _check_ratios(l1_ratio, penalty)
    require_alpha(template, "a grid of alphas")
    given = check_alphas(alphas, ratios.size if ratios.ndim else None)
    n_alphas = int(check_positive(n_alphas, "n_alphas", integer=True))
    min_ratio = None if min_ratio is None else check_positive(min_ratio, "min_ratio", below=1)
    task = make_task(
        X,
        y,
        loss=loss,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
        offset=offset,
        penalty_factor=penalty_factor,
        dtype=dtype,
        feature_names=feature_names,
    )
    if task.factor is not None:
        require_factor(template)
    require_fit(template, task)
    options = make_options(tol, max_steps, solver, template, task.dtype)
    with _precision.scope(task.dtype):
        if given is None:
            given = default_grid(task, template, ratios, n_alphas, min_ratio)
        grid = np.broadcast_to(given, (*ratios.shape, given.shape[-1])).astype(task.dtype)
        each = np.broadcast_to(ratios[..., None], grid.shape).astype(task.dtype)
        lanes = None if penalty is not None else each.ravel()
        start = unpenalised_fit(task, template)
        result = solve_batch(task, template, grid.ravel(), lanes, start, options)
        arrays = {name: a.reshape(*grid.shape, *a.shape[1:]) for name, a in _arrays(task, result).items()}
    labels = [
        f"alpha={a:.3g}" + (f", l1_ratio={r:g}" if ratios.ndim else "") for a, r in zip(grid.ravel(), each.ravel())
    ]
    _warn_unless_converged(arrays, options.tol, labels, _remedy(standardize, task.dtype))
    return Path(
        **arrays,
        penalty=template,
        loss=task.loss,
        feature_names=task.data.names,
        classes=task.data.classes,
        alphas=grid,
        l1_ratio=None if penalty is not None else (ratios if ratios.ndim else float(ratios)),
    )


def alpha_max(
    X: Any,
    y: Any,
    *,
    l1_ratio: Any = 1.0,
    loss: Any = "squared",
    penalty: Penalty | None = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    dtype: Any = None,
) -> float | np.ndarray:
    """The smallest alpha at which all penalised coefficients are exactly zero; infinite for ridge.

    ``max_j |x_j' S loss'(null)| / (l1_ratio penalty_factor_j)`` with the loss at the intercept-only model (or the
    model of the unpenalised columns). The arguments are those of ``fit_path``; a vector l1_ratio gives a vector.

    >>> import numpy as np, proxreg as pr
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2.0, 4.0, 6.0, 8.0])
    >>> print(round(pr.alpha_max(X, y), 4))
    2.5
    """
    template = ElasticNet(1.0, 1.0) if penalty is None else penalty
    ratios = _check_ratios(l1_ratio, penalty)
    require_alpha(template, "alpha_max")
    task = make_task(
        X,
        y,
        loss=loss,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
        offset=offset,
        penalty_factor=penalty_factor,
        dtype=dtype,
    )
    require_fit(template, task)
    with _precision.scope(task.dtype):
        found = critical_alphas(task, template, np.atleast_1d(ratios) if penalty is None else None)
    return found if ratios.ndim else float(found[0])


def _check_ratios(l1_ratio: Any, penalty: Any) -> np.ndarray:
    ratios = check_vector(l1_ratio, "l1_ratio", high=1.0)
    if ratios.ndim > 1:
        raise ValueError(f"l1_ratio must be a number or a vector, got shape {ratios.shape}")
    if penalty is not None and (ratios.ndim or ratios != 1.0):
        raise ValueError("l1_ratio belongs to the default penalty; set it on the penalty that you pass")
    return ratios


def _arrays(task: Task, result: Result) -> dict[str, np.ndarray]:
    """A result as NumPy arrays on the scale of the input."""
    w = result.w
    coef, intercept = w if isinstance(w, tuple) else (w, jnp.zeros(result.gap.shape, w.dtype))
    coef, intercept = task.design.restore(np.asarray(coef), np.asarray(intercept))
    return {
        "coef": coef,
        "intercept": intercept,
        "objective": np.asarray(result.objective),
        "gap": np.asarray(result.gap),
        "violation": np.asarray(result.violation),
        "converged": np.asarray(result.status == Status.CONVERGED),
        "num_steps": np.asarray(result.num_steps),
    }


def _warn_unless_converged(arrays: dict[str, np.ndarray], tol: float, labels: list[str], remedy: str) -> None:
    bad = ~arrays["converged"].ravel()
    if not bad.any():
        return
    gap, violation = arrays["gap"].ravel(), arrays["violation"].ravel()
    overflowed = bad & ~np.isfinite(arrays["objective"].ravel())
    if overflowed.any():
        first = labels[int(np.argmax(overflowed))]
        warn(
            f"{overflowed.sum()}/{bad.size} problems left the range of numbers"
            f"{f' (the first at {first})' if first else ''}; scale X, y and the penalty to about 1",
            ConvergenceWarning,
        )
        return
    what, error = ("gap", gap) if np.any(gap[bad] > tol) else ("violation", violation)
    worst = int(np.nanargmax(np.where(bad, np.nan_to_num(error, nan=-1.0), -np.inf)))
    at = f" ({labels[worst]})" if labels[worst] else ""
    warn(
        f"{bad.sum()}/{bad.size} problems above tol: worst {what} {error[worst]:.2g} > {tol:.2g}{at}; {remedy}",
        ConvergenceWarning,
    )


def _remedy(standardize: bool, dtype: np.dtype) -> str:
    precise = "; or pass dtype='float64'" if dtype == np.float32 else ""
    return "raise max_steps" + ("" if standardize else " or standardize") + precise
