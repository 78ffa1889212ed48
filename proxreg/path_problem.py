"""A path as a problem: what the fitting functions were asked, checked, and its answer for any task on such data."""

import dataclasses
import difflib
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, TypedDict

import jax
import numpy as np

from proxreg import _precision
from proxreg.alpha_grid import default_grid, unpenalised_fit
from proxreg.array_checks import require_range
from proxreg.dispatch import solve_batch
from proxreg.engine import OneBlasThread
from proxreg.fitting import at_limits, on_input_scale, with_limits_for
from proxreg.models import Coefficients, LinearModel
from proxreg.penalties import BoundedElasticNet, ElasticNet, Penalty
from proxreg.results import Origin, Path
from proxreg.task import (
    Options,
    Task,
    make_options,
    make_tasks,
    require_alpha,
    require_factor,
    require_fit,
    require_type,
)
from proxreg.validation import check_alphas, check_limit, check_positive, check_vector

PORTION = 16  # alphas of a path that may end early


class PathOptions(TypedDict, total=False):
    """The options of ``fit_path``, for the functions that hand them on."""

    alphas: Any
    n_alphas: int
    min_ratio: float | None
    l1_ratio: Any
    loss: Any
    penalty: Penalty | None
    fit_intercept: bool
    standardize: bool
    sample_weight: Any
    offset: Any
    penalty_factor: Any
    exclude: Any
    positive: bool
    lower: Any
    upper: Any
    max_features: int | None
    tol: float
    max_steps: int | None
    solver: str
    dtype: Any
    feature_names: Any


def check_options(given: Mapping[str, Any], function: str) -> None:
    """Raises for what is no option of ``fit_path``, with near misses."""
    for name in given:
        if name not in PathOptions.__annotations__:
            near = difflib.get_close_matches(name, PathOptions.__annotations__, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise TypeError(f"{function}() has no option {name!r}{hint}")


@dataclasses.dataclass(frozen=True)
class PathProblem:
    """Data, penalties and how to stop."""

    tasks: Sequence[Task]  # one for each response
    several: bool  # y had an axis of responses, and so has the answer, in front
    template: Penalty  # the penalty whose alpha, and l1_ratio if none was given, the grid replaces
    limited: bool  # the template has limits, on the scale of the input
    ratios: np.ndarray  # () or (R,)
    grid: np.ndarray  # (K,) or (R, K), or one of these for each response
    own: bool  # the template was given: ratios are none of its concern
    most: int | None  # non-zeros at which a path ends
    options: Options

    @property
    def task(self) -> Task:
        """The first, for what they share."""
        return self.tasks[0]


@OneBlasThread()
def pose(
    X: Any,
    y: Any,
    *,
    alphas: Any = None,
    n_alphas: Any = 100,
    min_ratio: Any = None,
    l1_ratio: Any = 1.0,
    penalty: Any = None,
    positive: bool = False,
    lower: Any = None,
    upper: Any = None,
    max_features: Any = None,
    tol: Any = 1e-4,
    max_steps: Any = None,
    solver: Any = "auto",
    **data: Any,
) -> PathProblem:
    """Checks the arguments of ``fit_path`` and finds its grid."""
    template = template_of(penalty, positive, lower, upper, X)
    ratios = check_ratios(l1_ratio, penalty)
    require_alpha(template, "a grid of alphas")
    n_alphas = int(check_positive(n_alphas, "n_alphas", integer=True))
    min_ratio = None if min_ratio is None else check_positive(min_ratio, "min_ratio", below=1)
    most = None if max_features is None else int(check_positive(max_features, "max_features", integer=True))
    tasks = make_tasks(X, y, **data)
    task, several = tasks[0], len(tasks) > 1
    if task.factor is not None:
        require_factor(template)
    require_fit(template, task)
    if penalty is not None:
        require_type(penalty, task.dtype)
    given = check_alphas(alphas, ratios.shape, (len(tasks),) if several else ())
    if given is not None:
        require_range(given, "alphas", task.dtype)
    options = make_options(tol, max_steps, solver, template, task.dtype)
    limited = isinstance(template, BoundedElasticNet) and penalty is None
    with _precision.scope(task.dtype):
        wanted = with_limits_for(task, template) if limited else template, ratios, n_alphas, min_ratio
        grid = np.stack([default_grid(each, *wanted) for each in tasks]) if given is None else given
    grid = np.broadcast_to(grid, (len(tasks), *ratios.shape, grid.shape[-1])).astype(task.dtype)
    grid = grid if several else grid[0]
    return PathProblem(tasks, several, template, limited, ratios, grid, penalty is not None, most, options)


def template_of(penalty: Any, positive: Any, lower: Any, upper: Any, X: Any) -> Penalty:
    """The penalty whose alpha a grid takes: the one given, or the elastic net within limits."""
    if np.ndim(positive):
        raise ValueError("positive is True or False for all columns; for some pass lower=, 0 or -inf per column")
    if penalty is not None and (positive or lower is not None or upper is not None):
        raise ValueError("positive, lower and upper belong to the default penalty; set them on yours")
    if penalty is not None:
        return penalty
    if lower is None and upper is None:
        return ElasticNet(1.0, 1.0, positive=bool(positive))
    p = X.shape[1] if len(getattr(X, "shape", ())) == 2 else None
    below = check_limit(-np.inf if lower is None else lower, "lower", -np.inf, 0.0, p)
    above = check_limit(np.inf if upper is None else upper, "upper", 0.0, np.inf, p)
    return BoundedElasticNet(1.0, 1.0, np.maximum(below, 0.0) if positive else below, above)


def solved(problem: PathProblem) -> tuple[PathProblem, dict[str, np.ndarray]]:
    """The fits of the grid; with ``max_features`` of as much of it as is wanted, in portions of falling alpha.

    A path ends before the first alpha with more non-zeros than that; of several, all end with the first.
    """
    if problem.most is None:
        return problem, answer(problem)
    grid, near = problem.grid, None
    order = np.argsort(-grid, axis=-1, kind="stable")
    parts: list[dict[str, np.ndarray]] = []
    many = np.zeros((*grid.shape[:-1], 0), bool)
    for start in range(0, grid.shape[-1], PORTION):
        part = np.take_along_axis(grid, order[..., start : start + PORTION], axis=-1)
        near = None if near is None else np.repeat(near, part.shape[-1], axis=-2)
        parts.append(answer(dataclasses.replace(problem, grid=part), near))
        near = parts[-1]["coef"][..., -1:, :]
        many = np.concatenate([np.count_nonzero(each["coef"], axis=-1) for each in parts], axis=-1) > problem.most
        if many.any():
            break
    end = int(np.min(np.where(many.any(axis=-1), np.argmax(many, axis=-1), many.shape[-1])))
    if end == 0:
        raise ValueError(f"max_features={problem.most}: even the largest alpha has more non-zeros; pass larger alphas")
    back = np.argsort(order[..., :end], axis=-1)  # as the alphas were given
    axis = grid.ndim - 1

    def pick(values: np.ndarray) -> np.ndarray:
        return np.take_along_axis(values, back.reshape(*back.shape, *[1] * (values.ndim - grid.ndim)), axis=axis)

    found = {name: pick(np.concatenate([part[name] for part in parts], axis=axis)) for name in parts[0]}
    return dataclasses.replace(problem, grid=pick(np.take_along_axis(grid, order, axis=axis))), found


@OneBlasThread()
def answer(
    problem: PathProblem, near: np.ndarray | None = None, start: tuple[np.ndarray, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """The fits of the grid as arrays in its shape, on the scale of the input.

    ``near (..., p)`` are coefficients for similar data: where to start, if that helps. ``start``, of coefficients
    ``(T, p)`` and intercepts ``(T,)`` for T responses, is where each response's fits begin whatever the data.
    """
    tasks, grid = problem.tasks, problem.grid
    lanes = grid.size // len(tasks)  # of each response
    with _precision.scope(tasks[0].dtype):
        template = scaled_template(problem)
        if start is None:
            starts = [unpenalised_fit(task, template) for task in tasks]
        else:
            starts = [_start(task, *pair) for task, *pair in zip(tasks, *start)]
        ratios = None if problem.own else _each(problem).ravel()
        scale = tasks[0].design.scale.astype(grid.dtype)
        base = None if near is None else (near * scale).reshape(grid.size, -1)
        response = np.repeat(np.arange(len(tasks)), lanes)
        result = solve_batch(tasks, template, response, grid.ravel(), ratios, starts, problem.options, base)
        tol = problem.options.tol
        parts = [
            on_input_scale(task, jax.tree.map(itemgetter(response == task.response), result), tol) for task in tasks
        ]
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        if problem.limited:
            joined["coef"] = at_limits(joined["coef"], problem.template)
        return {name: a.reshape(*grid.shape, *a.shape[1:]) for name, a in joined.items()}


def _start(task: Task, coef: np.ndarray, intercept: np.ndarray) -> Any:
    """Coefficients and intercept for the input as parameters of a task's model."""
    w = (coef * task.design.scale).astype(task.dtype)
    if not (isinstance(task.smooth, LinearModel) and task.smooth.fit_intercept):
        return w
    return Coefficients(w, (intercept - task.design.y_center + coef @ task.design.center).astype(task.dtype))


def scaled_template(problem: PathProblem) -> Penalty:
    """The template for the columns as solvers see them."""
    return with_limits_for(problem.task, problem.template) if problem.limited else problem.template


def as_path(problem: PathProblem, found: dict[str, np.ndarray]) -> Path:
    """What users see."""
    task, ratios = problem.task, problem.ratios
    found = {name: values for name, values in found.items() if name != "cause"}
    several = problem.several and task.data.classes is not None
    return Path(
        **found,
        penalty=problem.template,
        loss=task.loss,
        feature_names=task.data.names,
        classes=tuple(each.data.classes for each in problem.tasks) if several else task.data.classes,
        has_offset=task.data.offset is not None,
        alphas=problem.grid,
        origin=Origin(
            tuple(each.data for each in problem.tasks),
            task.data.sample_weight is not None,
            task.fit_intercept,
            task.standardize,
            task.design.scale,
            task.factor,
        ),
        refitted=False,
        max_features=problem.most,
        l1_ratio=None if problem.own else (ratios if ratios.ndim else float(ratios)),
    )


def labels(problem: PathProblem) -> list[str]:
    """How a message names each fit of the grid."""
    named, lanes = problem.ratios.ndim, problem.grid.size // len(problem.tasks)
    fits = enumerate(zip(problem.grid.ravel(), _each(problem).ravel()))
    return [
        f"alpha={a:.3g}" + (f", l1_ratio={r:g}" if named else "") + (f", y {k // lanes}" if problem.several else "")
        for k, (a, r) in fits
    ]


def _each(problem: PathProblem) -> np.ndarray:
    return np.broadcast_to(problem.ratios[..., None], problem.grid.shape).astype(problem.task.dtype)


def check_ratios(l1_ratio: Any, penalty: Any) -> np.ndarray:
    ratios = check_vector(l1_ratio, "l1_ratio", high=1.0)
    if ratios.ndim > 1:
        raise ValueError(f"l1_ratio must be a number or a vector, got shape {ratios.shape}")
    if penalty is not None and (ratios.ndim or ratios != 1.0):
        raise ValueError("l1_ratio belongs to the default penalty; set it on the penalty that you pass")
    return ratios
