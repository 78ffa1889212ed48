"""The smallest problem with a fault that the random search has met, as a few lines of Python."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.search_judge import Failure, ask, judge
from bench.search_problems import Problem

PER_ROW, PER_COLUMN = ("y", "sample_weight", "offset", "folds"), ("penalty_factor", "lower", "upper")


def shrink(problem: Problem, kind: str) -> Problem:
    """Return a problem that still has this kind of fault, with as few options, columns and rows as can be."""
    problem = dataclasses.replace(problem, alphas=_grid(problem))
    again = True
    while again:
        again = False
        for smaller in _smaller(problem):
            if _faults(smaller, kind):
                problem, again = smaller, True
                break
    return problem


def _grid(problem: Problem) -> Any:
    path = ask(problem).path
    return problem.alphas if path is None else np.asarray(path.alphas, float)


def _faults(problem: Problem, kind: str) -> list[Failure]:
    try:
        return [failure for failure in judge(problem, ask(problem)).failures if failure.kind == kind]
    except Exception:  # a problem that is none, of no columns perhaps
        return []


def _smaller(problem: Problem) -> Iterator[Problem]:
    change = dataclasses.replace
    plain: dict[str, Any] = {
        "folds": None,
        "sample_weight": None,
        "offset": None,
        "penalty_factor": None,
        "exclude": None,
        "positive": False,
        "lower": None,
        "upper": None,
        "standardize": False,
        "solver": "auto",
        "max_steps": None,
        "l1_ratio": 1.0,
        "fit_intercept": False,
        "dtype": "float64",
    }
    for name, value in plain.items():
        here = getattr(problem, name)
        if here is not value and (isinstance(here, np.ndarray) or here != value):
            yield change(problem, **{name: value})
    if problem.alphas is not None and problem.alphas.size > 1:
        for k in range(problem.alphas.size):
            yield change(problem, alphas=problem.alphas[[k]])
    n, p = problem.X.shape
    for columns in _parts(p):
        others = {name: getattr(problem, name)[columns] for name in PER_COLUMN if getattr(problem, name) is not None}
        if problem.exclude is None and columns.size:
            yield change(problem, X=problem.X[:, columns], **others)
    for rows in _parts(n):
        others = {name: getattr(problem, name)[rows] for name in PER_ROW if getattr(problem, name) is not None}
        if rows.size > 1:
            yield change(problem, X=problem.X[rows], **others)
    for digits in (1, 3):
        rounded = np.array([[float(f"{x:.{digits - 1}e}") for x in row] for row in problem.X])
        if not np.array_equal(rounded, problem.X):
            yield change(problem, X=rounded)


def _parts(count: int) -> Iterator[np.ndarray]:
    """Halves, then all but one."""
    every = np.arange(count)
    if count > 3:
        yield every[: count // 2]
        yield every[count // 2 :]
    if count > 1:
        for k in range(count):
            yield np.delete(every, k)


def snippet(problem: Problem, kind: str) -> str:
    """Return Python that shows a fault, with what is wrong as comments."""
    loss = f"pr.Huber({problem.delta!r})" if problem.loss == "huber" else repr(problem.loss)
    given = {**problem.options(), "dtype": problem.dtype}
    given |= {} if problem.folds is None else {"folds": problem.folds}
    options = ", ".join(f"{name}={_shown(value)}" for name, value in given.items())
    function = "fit_path" if problem.folds is None else "cv_path"
    lines = [f"# seed {problem.seed}: {kind}"]
    lines += [f"#   alpha {failure.alpha:.6g}: {failure.text}" for failure in _faults(problem, kind)]
    lines += ["import numpy as np, proxreg as pr", f"X = {_shown(problem.X)}", f"y = {_shown(problem.y)}"]
    cast = ".astype(np.float32)" if problem.dtype == "float32" and problem.seed % 2 else ""
    return "\n".join([*lines, f"print(pr.{function}(X{cast}, y, loss={loss}, {options}))"])


def _shown(value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    return "np.array(" + repr(value.tolist()).replace("inf", "np.inf") + ")"
