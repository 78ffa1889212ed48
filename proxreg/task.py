"""A fitting task: the arguments of the fitting functions, checked, and the data made ready for a solver."""

import dataclasses
from typing import Any

import jax
import numpy as np

from proxreg import _precision
from proxreg._warnings import DataWarning, warn
from proxreg.engine import FEW, SOLVERS, DataSource, GramSource, Source
from proxreg.losses import Loss, Squared, as_loss
from proxreg.models import LinearModel, Quadratic
from proxreg.penalties import Penalty
from proxreg.preprocessing import Design, prepare
from proxreg.validation import Data, check_data, check_penalty_factor, check_positive

MOST_IN_GRAM = 4096  # columns beyond the engine's few whose whole Gram matrix pays
_MAX_STEPS = {"auto": 20_000, "fista": 20_000, "coordinate_descent": 5_000}


@dataclasses.dataclass(frozen=True)
class Options:
    """When and how to stop."""

    tol: float
    max_steps: int
    solver: str


@dataclasses.dataclass(frozen=True)
class Task:
    """What to fit, apart from the penalty."""

    data: Data
    design: Design
    smooth: LinearModel | Quadratic
    source: Source | None  # the same for the engine, where the loss is squared
    loss: Loss
    dtype: np.dtype
    factor: np.ndarray | None  # strength per column (p,), on top of alpha
    fit_intercept: bool
    standardize: bool


def make_task(
    X: Any,
    y: Any,
    *,
    loss: Any,
    fit_intercept: bool,
    standardize: bool,
    sample_weight: Any,
    offset: Any,
    penalty_factor: Any,
    dtype: Any,
    feature_names: Any = None,
    parts: Any = None,
) -> Task:
    """Checks the data and brings them into the form in which a solver's step is cheapest.

    ``parts(y, classes)`` tells rows whose statistics are wanted too, where statistics serve.
    """
    loss = as_loss(loss)
    data = check_data(X, y, loss, sample_weight, offset, feature_names)
    factor = check_penalty_factor(penalty_factor, data.X.shape[1])
    chosen = _precision.resolve(dtype, data.X)
    wanted = () if parts is None else parts(data.y, data.classes)
    factors = None if factor is None else factor.astype(chosen)
    return _posed(data, loss, chosen, factors, fit_intercept, standardize, wanted)


def task_of(data: Data, like: Task) -> Task:
    """The same task on other data, checked already."""
    return _posed(data, like.loss, like.dtype, like.factor, like.fit_intercept, like.standardize, ())


def _posed(
    data: Data,
    loss: Loss,
    dtype: np.dtype,
    factor: np.ndarray | None,
    fit_intercept: bool,
    standardize: bool,
    parts: Any,
) -> Task:
    squares, (n, p) = isinstance(loss, Squared), data.X.shape
    gram = squares and (p <= FEW or p <= min(n, MOST_IN_GRAM))
    with _precision.scope(dtype):
        centre = {"fit_intercept": fit_intercept, "standardize": standardize}
        design = prepare(data, dtype, **centre, least_squares=squares, gram=gram, parts=parts)
        smooth = design.quadratic
        source = None if smooth is None else gram_source(smooth)
        if smooth is None:
            intercept = fit_intercept and not squares
            smooth = LinearModel(design.X, design.y, loss, design.weights, design.offset, intercept)
            if squares:
                source = DataSource(np.asarray(design.X), np.asarray(design.y)[:, None], design.weights)
    return Task(data, design, smooth, source, loss, dtype, factor, fit_intercept, standardize)


def gram_source(smooth: Quadratic) -> GramSource:
    """The engine's view of statistics."""
    return GramSource(np.asarray(smooth.G), np.atleast_2d(smooth.c), np.atleast_1d(np.asarray(smooth.constant)))


def make_options(tol: Any, max_steps: Any, solver: str, penalty: Penalty, dtype: np.dtype) -> Options:
    """Checks how to stop; warns, and asks for less, where the tolerance is below what the type can certify."""
    if solver not in ("auto", *SOLVERS):
        raise ValueError(f"solver must be 'auto', {' or '.join(map(repr, SOLVERS))}, got {solver!r}")
    if solver == "coordinate_descent" and not penalty.separable:
        raise ValueError(
            f"coordinate descent needs a separable penalty, {type(penalty).__name__} is not: pass solver='fista'"
        )
    steps = _MAX_STEPS[solver] if max_steps is None else check_positive(max_steps, "max_steps", integer=True)
    tol = check_positive(tol, "tol")
    smallest = _precision.SMALLEST_TOL[dtype]
    if tol < smallest:
        hint = "" if dtype == np.float64 else "; pass dtype='float64', or jax.config.update('jax_enable_x64', True)"
        warn(f"tol={tol:g} is below what {dtype} can certify: using tol={smallest:g}{hint}", DataWarning)
    return Options(max(tol, smallest), min(int(steps), np.iinfo(np.int32).max), solver)


def require_alpha(penalty: Any, purpose: str) -> None:
    """Raises unless the penalty has one scalar strength."""
    if not isinstance(penalty, Penalty) or not hasattr(penalty, "alpha"):
        raise ValueError(f"{purpose} needs a penalty with an alpha, such as pr.L1(), got {penalty!r}")
    if np.ndim(penalty.alpha):  # pyright: ignore[reportAttributeAccessIssue]
        raise ValueError(
            f"{purpose} takes a scalar alpha, got shape {np.shape(penalty.alpha)}; "  # pyright: ignore
            "pass penalty_factor= for one strength per column"
        )


def require_fit(penalty: Penalty, task: Task) -> None:
    """Raises unless the penalty's own arrays suit the number of columns."""
    columns = (task.data.X.shape[1],)
    try:
        shape = jax.eval_shape(lambda w: penalty.prox(w, 1.0), jax.ShapeDtypeStruct(columns, np.float32)).shape
    except TypeError as error:
        raise ValueError(f"{penalty!r} does not apply to {columns[0]} coefficients: {error}") from None
    if shape != columns:
        raise ValueError(f"{penalty!r} turns coefficients of shape {columns} into {shape}; check its shapes")


def require_factor(penalty: Any) -> None:
    """Raises unless the penalty can take a strength per column."""
    require_alpha(penalty, "penalty_factor")
    if not penalty.separable:
        raise ValueError(f"penalty_factor does not apply to {type(penalty).__name__}; use its weights")
