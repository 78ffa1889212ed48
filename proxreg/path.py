"""Fitting: one problem, or a whole grid of strengths as lanes of one compiled program."""

import warnings
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg import _precision
from proxreg._pytree import Array, replace
from proxreg._warnings import ConvergenceWarning, DataWarning
from proxreg.losses import Loss, Squared, as_loss
from proxreg.models import LinearModel, Quadratic
from proxreg.models.quadratic import from_data
from proxreg.penalties import ElasticNet, Penalty
from proxreg.preprocessing import Design, prepare
from proxreg.results import Fit, Path
from proxreg.solvers import Result, Status, coordinate_descent, fista
from proxreg.validation import (
    Data,
    check_alphas,
    check_data,
    check_penalty_factor,
    check_positive,
    check_vector,
)

_SOLVERS = {"fista": fista, "coordinate_descent": coordinate_descent}
_MAX_STEPS = {"fista": 20_000, "coordinate_descent": 5_000}
_NULL_TOL = 1e-10


class _Task(NamedTuple):
    """Everything that the public functions share once their arguments are checked."""

    data: Data
    design: Design
    smooth: LinearModel | Quadratic
    loss: Loss
    dtype: np.dtype
    factor: np.ndarray | None


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
    >>> model = pr.fit(X, y, penalty=pr.L1(0.5), tol=1e-6)
    >>> print(model.coef.round(2), model.intercept.round(2))
    [1.6] 1.0
    """
    if not isinstance(penalty, Penalty):
        raise ValueError(f"penalty must be a penalty such as pr.L1(0.1), got {penalty!r}")
    task = _check(X, y, loss, fit_intercept, standardize, sample_weight, offset, penalty_factor, dtype, feature_names)
    tol, max_steps, solver = _options(tol, max_steps, solver, penalty, task.dtype)
    with _precision.scope(task.dtype):
        if task.factor is not None:
            _require_alpha(penalty, "penalty_factor")
            penalty = replace(penalty, alpha=_strength(jnp.asarray(penalty.alpha), jnp.asarray(task.factor)))  # pyright: ignore
        result = _fit_one(task.smooth, penalty, tol, max_steps, solver)
        arrays = _arrays(task, result)
    _warn_unless_converged(arrays, tol, [""])
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

    Minimises ``(1/S) sum_i s_i loss(y_i, o_i + b + x_i . w) + alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2)`` for
    every alpha (and every l1_ratio, if that is a vector) as lanes of one compiled program on shared statistics. For the
    squared loss this is scikit-learn's objective, number for number.

    Args:
      X: ``(n, p)``, an array or a data frame. y: ``(n,)``; any two classes for the logistic loss.
      alphas: ``(K,)`` in any order. By default ``n_alphas`` from ``alpha_max``, the smallest with all coefficients zero,
        down to ``min_ratio`` times that (1e-3, or 1e-2 if n < p), evenly on the log scale. For ridge, which has no
        ``alpha_max``, the grid is that of l1_ratio = 1e-3.
      l1_ratio: a number in [0, 1], or a vector ``(R,)``: then every array gains a leading axis R.
      loss: "squared", "logistic", "huber", "poisson", a loss object, or a function ``(eta, y) -> loss of each sample``.
      penalty: any penalty with an ``alpha``, whose place the grid takes; by default the elastic net.
      standardize: penalise coefficients of columns scaled to unit standard deviation. Coefficients always come back on
        the scale of the input.
      sample_weight, offset: ``(n,)``. penalty_factor: ``(p,)`` multiplies alpha per column; 0 leaves it unpenalised,
        inf leaves it out.
      tol: bounds each fit's duality gap relative to the loss of the intercept-only model, or where no dual is known
        (unpenalised columns, alpha = 0, custom losses) its relative KKT violation. A gap of tol bounds the objective's
        error, not the coefficients': ask for 1e-8 or less where those matter.
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
    ratios = check_vector(l1_ratio, "l1_ratio", high=1.0)
    if ratios.ndim > 1:
        raise ValueError(f"l1_ratio must be a number or a vector, got shape {ratios.shape}")
    if penalty is not None:
        _require_alpha(penalty, "a grid of alphas")
        if ratios.ndim or ratios != 1.0:
            raise ValueError("l1_ratio belongs to the default penalty; set it on the penalty that you pass")
    task = _check(X, y, loss, fit_intercept, standardize, sample_weight, offset, penalty_factor, dtype, feature_names)
    if task.factor is not None and not template.separable:
        raise ValueError(f"penalty_factor does not apply to {type(template).__name__}; use its weights")
    tol, max_steps, solver = _options(tol, max_steps, solver, template, task.dtype)
    given = check_alphas(alphas, ratios.size if ratios.ndim else None)
    with _precision.scope(task.dtype):
        if given is None:
            n_alphas = int(check_positive(n_alphas, "n_alphas", integer=True))
            if min_ratio is None:
                min_ratio = 1e-2 if task.design.X.shape[0] < task.design.X.shape[1] else 1e-3
            min_ratio = check_positive(min_ratio, "min_ratio", below=1)
            given = _grid(task, template, ratios, n_alphas, min_ratio)
        grid = np.broadcast_to(given, (*ratios.shape, given.shape[-1])).astype(task.dtype)
        each = np.broadcast_to(ratios[..., None], grid.shape).astype(task.dtype)
        result = _fit_lanes(
            task.smooth,
            template,
            jnp.asarray(grid.ravel()),
            jnp.asarray(each.ravel()) if penalty is None else None,
            None if task.factor is None else jnp.asarray(task.factor, task.dtype),
            tol,
            max_steps,
            solver,
        )
        arrays = {name: a.reshape(*grid.shape, *a.shape[1:]) for name, a in _arrays(task, result).items()}
    labels = [f"alpha={a:.3g}" + (f", l1_ratio={r:g}" if ratios.ndim else "") for a, r in zip(grid.ravel(), each.ravel())]
    _warn_unless_converged(arrays, tol, labels)
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

    ``max_j |x_j' S loss'(null)| / (l1_ratio penalty_factor_j)`` with the loss at the intercept-only model (or the model of
    the unpenalised columns). The arguments are those of ``fit_path``; a vector l1_ratio gives a vector.

    >>> import numpy as np, proxreg as pr
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2.0, 4.0, 6.0, 8.0])
    >>> print(round(pr.alpha_max(X, y), 4))
    2.5
    """
    ratios = check_vector(l1_ratio, "l1_ratio", high=1.0)
    template = ElasticNet(1.0, 1.0) if penalty is None else penalty
    _require_alpha(template, "alpha_max")
    task = _check(X, y, loss, fit_intercept, standardize, sample_weight, offset, penalty_factor, dtype, None)
    with _precision.scope(task.dtype):
        found = _critical(task, template, np.atleast_1d(ratios) if penalty is None else None)
    return found if ratios.ndim else float(found[0])


def _check(
    X: Any,
    y: Any,
    loss: Any,
    fit_intercept: bool,
    standardize: bool,
    sample_weight: Any,
    offset: Any,
    penalty_factor: Any,
    dtype: Any,
    names: Any,
) -> _Task:
    loss = as_loss(loss)
    data = check_data(X, y, loss, sample_weight, offset, names)
    factor = check_penalty_factor(penalty_factor, data.X.shape[1])
    chosen = _precision.resolve(dtype, data.X)
    squares = isinstance(loss, Squared)
    with _precision.scope(chosen):
        design = prepare(data, chosen, fit_intercept=fit_intercept, standardize=standardize, least_squares=squares)
        n, p = design.X.shape
        if squares and p <= 2 * n:  # a step costs p^2 on the Gram matrix, 2 n p on the data
            weights = jnp.ones(n, chosen) if design.weights is None else design.weights
            smooth = _statistics(design.X, design.y, weights / jnp.sum(weights))
        else:
            smooth = LinearModel(
                design.X, design.y, loss, design.weights, design.offset, fit_intercept and not squares
            )
    return _Task(data, design, smooth, loss, chosen, factor)


def _options(tol: Any, max_steps: Any, solver: str, penalty: Penalty, dtype: np.dtype) -> tuple[float, int, str]:
    if solver not in ("auto", *_SOLVERS):
        raise ValueError(f"solver must be 'auto', {' or '.join(map(repr, _SOLVERS))}, got {solver!r}")
    if solver == "coordinate_descent" and not penalty.separable:
        raise ValueError(f"coordinate descent needs a separable penalty, {type(penalty).__name__} is not: solver='fista'")
    solver = "fista" if solver == "auto" else solver
    max_steps = _MAX_STEPS[solver] if max_steps is None else int(check_positive(max_steps, "max_steps", integer=True))
    tol = check_positive(tol, "tol")
    smallest = _precision.SMALLEST_TOL[dtype]
    if tol < smallest:
        hint = "; pass dtype='float64', or jax.config.update('jax_enable_x64', True)" if dtype == np.float32 else ""
        warnings.warn(f"tol={tol:g} is below what {dtype} can certify; using {smallest:g}{hint}", DataWarning, stacklevel=3)
        tol = smallest
    return tol, max_steps, solver


def _require_alpha(penalty: Penalty, purpose: str) -> None:
    if not isinstance(penalty, Penalty) or not hasattr(penalty, "alpha"):
        raise ValueError(f"{purpose} needs a penalty with an alpha, got {penalty!r}")
    if np.ndim(penalty.alpha):  # pyright: ignore[reportAttributeAccessIssue]
        raise ValueError(f"{purpose} takes a scalar alpha; pass penalty_factor= for one strength per column")


@jax.jit
def _statistics(X: Array, y: Array, weights: Array) -> Quadratic:
    return from_data(X, y, weights)


def _strength(alpha: Array, factor: Array | None) -> Array:
    """alpha times the factors; an infinite factor stays infinite where alpha is 0."""
    return alpha if factor is None else jnp.where(jnp.isinf(factor), jnp.inf, alpha * factor.astype(alpha.dtype))


@partial(jax.jit, static_argnames="solver")
def _fit_one(smooth: Any, penalty: Penalty, tol: Any, max_steps: Any, solver: str) -> Result:
    return _SOLVERS[solver](smooth, penalty, tol=tol, max_steps=max_steps)


@partial(jax.jit, static_argnames="solver")
def _fit_lanes(
    smooth: Any, template: Penalty, alphas: Array, ratios: Array | None, factor: Any, tol: Any, max_steps: Any, solver: str
) -> Result:
    """All alphas at once: the penalty varies by lane, the data do not."""

    def lane(alpha, ratio):
        own = {} if ratio is None else {"l1_ratio": ratio}
        penalty = replace(template, alpha=_strength(alpha, factor), **own)
        return _SOLVERS[solver](smooth, penalty, tol=tol, max_steps=max_steps)

    return jax.vmap(lane, in_axes=(0, None if ratios is None else 0))(alphas, ratios)


def _arrays(task: _Task, result: Result) -> dict[str, np.ndarray]:
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


def _null_gradient(task: _Task, template: Penalty) -> Array:
    """The gradient of the loss where every penalised coefficient is zero and the others are fitted."""
    smooth = task.smooth
    factor = None if task.factor is None else jnp.asarray(task.factor, task.dtype)
    weights = getattr(template, "weights", None)
    free = (factor is not None and np.any(task.factor == 0)) or (weights is not None and np.any(np.asarray(weights) == 0))
    if not free:
        problem = smooth.with_penalty(template)
        return -problem.c if isinstance(smooth, Quadratic) else problem.null_gradient  # pyright: ignore
    infinite = jnp.asarray(jnp.inf, task.dtype)
    forbid = infinite if factor is None else jnp.where(factor == 0, 0, infinite)
    penalty = replace(template, alpha=forbid)
    tol = max(_NULL_TOL, _precision.SMALLEST_TOL[task.dtype])
    result = _fit_one(smooth, penalty, tol, _MAX_STEPS["fista"], "fista")
    problem = smooth.with_penalty(penalty)
    gradient = problem.gradient(problem.start(result.w))
    gradient = gradient[0] if isinstance(gradient, tuple) else gradient
    return gradient if factor is None else jnp.where(factor == 0, 0, gradient)


def _critical(task: _Task, template: Penalty, ratios: np.ndarray | None) -> np.ndarray:
    """``alpha_max`` per l1_ratio, rounded up so that it gives zeros itself."""
    gradient = _null_gradient(task, template)
    one = jnp.ones((), task.dtype)
    unit = one if task.factor is None else jnp.where(jnp.isinf(task.factor), jnp.inf, jnp.asarray(task.factor, task.dtype))
    own = [{}] if ratios is None else [{"l1_ratio": jnp.asarray(r, task.dtype)} for r in ratios]
    found = [float(replace(template, alpha=unit, **each).alpha_max(gradient)) for each in own]
    return np.asarray(found) * (1 + 4 * np.finfo(task.dtype).eps)


def _grid(task: _Task, template: Penalty, ratios: np.ndarray, n_alphas: int, min_ratio: float) -> np.ndarray:
    split = None if not isinstance(template, ElasticNet) else np.maximum(np.atleast_1d(ratios), 1e-3)
    top = _critical(task, template, split)
    if not np.all(np.isfinite(top)):
        raise ValueError(f"{type(template).__name__} keeps no coefficient at zero, so there is no alpha_max: pass alphas=")
    top = np.where(top > 0, top, 1.0)
    grid = top[:, None] * np.geomspace(1, min_ratio, n_alphas)
    return grid if ratios.ndim else grid[0]


def _warn_unless_converged(arrays: dict[str, np.ndarray], tol: float, labels: list[str]) -> None:
    bad = ~arrays["converged"].ravel()
    if not bad.any():
        return
    gap, rest = arrays["gap"].ravel(), arrays["violation"].ravel()
    error = np.where(np.isnan(gap), rest, gap)
    worst = int(np.argmax(np.where(bad, np.nan_to_num(error, nan=np.inf), -np.inf)))
    what = "violation" if np.isnan(gap[worst]) else "gap"
    at = f" ({labels[worst]})" if labels[worst] else ""
    warnings.warn(
        f"{bad.sum()}/{bad.size} problems above tol: worst {what} {error[worst]:.1g} > {tol:.1g}{at}; "
        "raise max_steps or standardize",
        ConvergenceWarning,
        stacklevel=3,
    )
