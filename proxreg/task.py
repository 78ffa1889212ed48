"""A fitting task: the arguments of the fitting functions, checked, and the data made ready for a solver."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from proxreg import _precision
from proxreg._core import bound_programs, is_at_hand, require_unforked
from proxreg._pytree import replace
from proxreg._warnings import DataWarning, warn
from proxreg.array_checks import require_range
from proxreg.batch import padded, row_bucket
from proxreg.engine import (
    SOLVERS,
    Moments,
    NullModel,
    Products,
    infinite_intercept,
    null_model,
    why_infinite,
)
from proxreg.losses import Loss, Squared, as_loss
from proxreg.models import LinearModel, Quadratic
from proxreg.penalties import Penalty, Zero, require_declared
from proxreg.preprocessing import Design, designs_of, prepare
from proxreg.validation import Data, check_data, check_excluded, check_penalty_factor, check_positive, check_responses

FEW = 1024  # columns whose whole Gram matrix always pays
MOST_IN_GRAM = 4096  # columns whose whole Gram matrix pays where there are no fewer rows
_MAX_STEPS = {"auto": 20_000, "fista": 20_000, "coordinate_descent": 5_000}


@dataclasses.dataclass(frozen=True)
class Options:
    """When and how to stop."""

    tol: float
    max_steps: int
    solver: str


@dataclasses.dataclass(frozen=True)
class Task:
    """What to fit, apart from the penalty: one response."""

    response: int  # its number

    data: Data
    design: Design
    smooth: LinearModel | Quadratic
    products: Products | None  # the same for all responses, where statistics serve
    loss: Loss
    dtype: np.dtype
    factor: np.ndarray | None  # strength per column (p,), on top of alpha
    fit_intercept: bool
    standardize: bool
    rows: np.ndarray | None = None  # the rows of data that statistics are of, where these are not all

    @functools.cached_property
    def null_loss(self) -> float:
        """The loss of the intercept-only model."""
        if isinstance(self.smooth, Quadratic):
            return float(np.asarray(self.smooth.constant))
        if isinstance(self.loss, Squared):
            y, weights = np.asarray(self.smooth.y, float), self.smooth.sample_weight
            weights = np.ones(len(y)) if weights is None else np.asarray(weights, float)
            y = y - (weights @ y / weights.sum() if self.smooth.fit_intercept else 0)
            return float(weights @ np.square(y) / weights.sum() / 2)
        return float(self.null_model.loss)

    @functools.cached_property
    def null_model(self) -> NullModel:
        """The intercept-only model of a loss that is not squared, which no column is asked for."""
        model: Any = self.smooth
        with _precision.scope(self.dtype):
            return null_model(replace(model, X=np.zeros((len(model.y), 1), self.dtype)), Zero())


def make_tasks(
    X: Any,
    y: Any,
    *,
    loss: Any = "squared",
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    exclude: Any = None,
    dtype: Any = None,
    feature_names: Any = None,
    parts: Any = None,
    several: bool = True,
) -> list[Task]:
    """Checks the data and brings them into the form in which a solver's step is cheapest: a task for each response.

    ``parts(y, classes)`` tells rows whose statistics are wanted too, where statistics serve. ``several=False`` refuses
    more than one response.
    """
    require_unforked()
    bound_programs()
    loss = as_loss(loss)
    given = X, y, loss, sample_weight, offset, feature_names
    responses = check_responses(*given) if several else [check_data(*given)]
    first = responses[0]
    factor = check_penalty_factor(penalty_factor, first.X.shape[1])
    if exclude is not None:
        out = check_excluded(exclude, first.X.shape[1], first.names)
        factor = np.where(out, np.inf, 1.0 if factor is None else factor)
    chosen = _precision.resolve(dtype, first.X)
    for values, what in ((factor, "penalty_factor"), (first.offset, "offset")):
        if values is not None:
            require_range(values, what, chosen)
    classes = first.classes if len(responses) == 1 else None
    wanted = () if parts is None else parts(first.y, classes)
    factors = None if factor is None else factor.astype(chosen)
    if fit_intercept:
        for response, data in enumerate(responses):
            require_finite_intercept(loss, data, f"y {response}" if len(responses) > 1 else "y")
    tasks = _posed(responses, loss, chosen, factors, fit_intercept, standardize, wanted)
    for task in tasks:
        if not np.isfinite(task.null_loss):
            what = "intercept-only" if fit_intercept else "empty"
            why = "losses overflow" + (", or their derivatives do not cancel" if fit_intercept else "")
            raise ValueError(
                f"the {what} model, which all errors are relative to, was not found: there {why}; look for outliers in "
                "y and offset (for counts, the offset is the logarithm of the exposure)"
            )
    return tasks


def require_finite_intercept(loss: Loss, data: Data, what: str) -> None:
    """Raise where no finite intercept is the best one: rows of a single class, or without any event."""
    intercept = infinite_intercept(loss, data.y, data.sample_weight)
    if intercept:
        weighted = "" if data.sample_weight is None else " among the rows of positive weight"
        raise ValueError(
            f"{what} {why_infinite(loss)}{weighted}: the best intercept is {'-' if intercept < 0 else ''}infinity, and "
            "no coefficient matters; pass rows of both kinds, or fit_intercept=False"
        )


def make_task(X: Any, y: Any, **options: Any) -> Task:
    """The task of a single response."""
    return make_tasks(X, y, several=False, **options)[0]


def tasks_of(rows: np.ndarray, tasks: Sequence[Task]) -> list[Task]:
    """The same tasks on some of the rows."""
    like = tasks[0]
    first = like.data.rows(rows)
    responses = [first._replace(y=task.data.y[rows], classes=task.data.classes) for task in tasks]
    return _posed(responses, like.loss, like.dtype, like.factor, like.fit_intercept, like.standardize, ())


def tasks_from(sums: Moments, tasks: Sequence[Task], rows: np.ndarray) -> list[Task]:
    """The same tasks on the rows that sums are of; these are of y less what the tasks' own designs subtract."""
    like, y_centers = tasks[0], [(task.design.y_center, task.design.y_low) for task in tasks]
    with _precision.scope(like.dtype):
        centre = {"fit_intercept": like.fit_intercept, "standardize": like.standardize}
        designs = designs_of(sums, like.dtype, y_centers, **centre)  # pyright: ignore[reportArgumentType]
        products = _products(designs)
        return [
            dataclasses.replace(task, design=design, smooth=design.quadratic, products=products, rows=rows)
            for task, design in zip(tasks, designs)
        ]


def _posed(
    responses: Sequence[Data],
    loss: Loss,
    dtype: np.dtype,
    factor: np.ndarray | None,
    fit_intercept: bool,
    standardize: bool,
    parts: Any,
) -> list[Task]:
    squares, (n, p) = isinstance(loss, Squared), responses[0].X.shape
    gram = squares and (p <= FEW or p <= min(n, MOST_IN_GRAM))
    with _precision.scope(dtype):
        centre = {"fit_intercept": fit_intercept, "standardize": standardize}
        designs = prepare(responses, dtype, **centre, loss=loss, gram=gram, parts=parts)
        products = _products(designs) if gram else None
        smooth = _smooth(designs, loss, fit_intercept and not squares)
        own = dtype, factor, fit_intercept, standardize
        return [
            Task(response, data, design._replace(X=getattr(model, "X", None)), model, products, loss, *own)  # one copy
            for response, (data, design, model) in enumerate(zip(responses, designs, smooth))
        ]


def _smooth(designs: Sequence[Design], loss: Loss, fit_intercept: bool) -> Sequence[LinearModel | Quadratic]:
    """What solvers work on: statistics, or models of the same X.

    On the host, but for least squares, with rows of weight zero: other numbers of rows compile nothing.
    """
    X, y, weights = designs[0].X, designs[0].y, designs[0].weights
    if X is None:
        return [design.quadratic for design in designs if design.quadratic is not None]
    n = size = len(y)
    if not isinstance(X, jax.Array) and not isinstance(loss, Squared):
        jax.eval_shape(loss.value, y, y)  # refuses with the number of rows that users know
        size = row_bucket(n) if _takes(loss, row_bucket(n), y.dtype) else n
        weights = padded(np.ones(n, y.dtype) if weights is None else weights, size)
    counted = np.arange(n) if weights is None else np.flatnonzero(weights[:n])
    at = np.append(np.arange(n), np.resize(counted, size - n))  # rows again: no loss refuses them, means stay
    X = X if size == n else X[at]
    offsets = [None if design.offset is None else design.offset[at] for design in designs]
    return [LinearModel(X, each.y[at], loss, weights, o, fit_intercept) for each, o in zip(designs, offsets)]


def _takes(loss: Loss, rows: int, dtype: np.dtype) -> bool:
    """Whether a loss is one for any number of rows: its parameters may belong to those of the data."""
    eta = jax.ShapeDtypeStruct((rows,), dtype)
    try:
        return jax.eval_shape(loss.value, eta, eta).shape == (rows,)
    except (TypeError, ValueError):
        return False


def _products(designs: Sequence[Design]) -> Products:
    """Return the statistics of all responses; G stays where it is."""
    statistics = [design.quadratic for design in designs if design.quadratic is not None]
    c, constant = ([np.asarray(getattr(each, name)) for each in statistics] for name in ("c", "constant"))
    G: Any = statistics[0].G
    G = np.asarray(G) if not isinstance(G, jax.Array) or is_at_hand(G) else G
    return Products(G, np.stack(c), np.stack(constant))


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
    """Raises unless the penalty's own arrays are known and suit the number of columns."""
    for name, tree in (("penalty", penalty), ("loss", task.loss)):
        if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree)):
            raise ValueError(
                f"{name} has traced parameters: fitting functions check and report on the host and cannot run inside "
                "jit, vmap or grad; there, use pr.fista(pr.LinearModel(X, y, loss), penalty)"
            )
    require_declared(penalty, jax.ShapeDtypeStruct(task.data.X.shape[1:], np.float32))
    if penalty.separable and all(np.ndim(leaf) == 0 for leaf in jax.tree.leaves(penalty)):
        return
    columns = (task.data.X.shape[1],)
    try:
        with _precision.scope(task.dtype):
            shape = jax.eval_shape(lambda w: penalty.prox(w, 1.0), jax.ShapeDtypeStruct(columns, task.dtype)).shape
    except TypeError as error:
        raise ValueError(f"{penalty!r} does not apply to {columns[0]} coefficients: {error}") from None
    if shape != columns:
        raise ValueError(f"{penalty!r} turns coefficients of shape {columns} into {shape}; check its shapes")


def require_type(penalty: Penalty, dtype: np.dtype) -> None:
    """Raise ValueError where a number of a penalty is beyond the type of the fit."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(penalty):
        require_range(leaf, f"{type(penalty).__name__}{jax.tree_util.keystr(path)}", dtype)


def require_factor(penalty: Any) -> None:
    """Raises unless the penalty can take a strength per column."""
    require_alpha(penalty, "penalty_factor")
    if not penalty.separable:
        raise ValueError(f"penalty_factor does not apply to {type(penalty).__name__}; use its weights")
