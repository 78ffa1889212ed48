"""The judge of the random search: what a fit says of itself against the exact optimum of the same problem."""

import re
import time
import traceback
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import proxreg as pr
from bench.exact import Optimum, solve
from bench.exact_objective import LONG, Penalty, Smooth, Value, curvatures, null_loss, objective, values
from bench.search_problems import Problem

ROUNDING = 64  # units of rounding of the type, of the null loss, by which a gap may be off
PACKAGE = str(Path(pr.__file__).parent)

#: what can be wrong
KINDS = {
    "wrong": "says converged, and the objective is further above the optimum than tol",
    "gap": "the distance to the optimum is larger than the reported gap",
    "objective": "the reported objective of a converged fit is not that of the returned coefficients",
    "objective, open": "the same of a fit that is not converged",
    "infinity": "says converged, and no finite point is optimal",
    "not finite": "says converged, and a coefficient is not finite",
    "limits": "a coefficient is outside its limits, or of a column that is left out",
    "silent": "a fit is not converged, and no warning says so",
    "raised": "an exception that is none of the library's own",
    "warned": "a warning that is none of the library's own",
    "fold loss": "the held-out loss is not that of the optimum on the other rows",
    "fold at infinity": "a held-out loss is a number, without a warning, where the other rows have no finite optimum",
    "hang": "no answer within the limit of time",
    "crash": "the process died",
}


class Failure(NamedTuple):
    """Something wrong with one fit."""

    kind: str
    alpha: float  # NaN where it concerns all fits
    text: str


class Record(NamedTuple):
    """What came out of one problem."""

    seed: int
    loss: str
    dtype: str
    wild: tuple[str, ...]
    refused: str = ""  # the library's own message, without its numbers
    fits: int = 0
    converged: int = 0
    infinite: int = 0  # fits without a finite optimum
    unsure: int = 0  # fits whose optimum is not known well enough to find fault with converged ones
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0  # of the library's call


class Answer(NamedTuple):
    """What a call of the library gave."""

    path: Any = None
    cv: Any = None
    error: Exception | None = None
    said: tuple[warnings.WarningMessage, ...] = ()
    seconds: float = 0.0


def ask(problem: Problem) -> Answer:
    """Call the library."""
    loss = pr.Huber(problem.delta) if problem.loss == "huber" else problem.loss
    X = problem.X.astype(np.float32) if problem.dtype == "float32" and problem.seed % 2 else problem.X
    common = {"loss": loss, "dtype": problem.dtype, **problem.options()}
    start, path, cv, error = time.perf_counter(), None, None, None
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            if problem.folds is None:
                path = pr.fit_path(X, problem.y, **common)
            else:
                cv = pr.cv_path(X, problem.y, folds=problem.folds, **common)
                path = cv.path
        except Exception as caught:
            error = caught
    return Answer(path, cv, error, tuple(said), time.perf_counter() - start)


def judge(problem: Problem, answer: Answer) -> Record:
    """Compare an answer with the exact optimum of every fit."""
    record = Record(problem.seed, problem.loss, problem.dtype, problem.wild, seconds=answer.seconds)
    failures = [
        Failure("warned", np.nan, f"{w.category.__name__}: {w.message}") for w in answer.said if not _own(w.category)
    ]
    if answer.error is not None:
        if type(answer.error) is ValueError and _raised_inside(answer.error):
            return record._replace(refused=_pattern(str(answer.error)), failures=tuple(failures))
        failures.append(Failure("raised", np.nan, f"{type(answer.error).__name__}: {answer.error}"[:300]))
        return record._replace(failures=tuple(failures))
    path, smooth = answer.path, problem.smooth()
    if not path.converged.all() and not any(issubclass(w.category, pr.ConvergenceWarning) for w in answer.said):
        failures.append(Failure("silent", np.nan, f"{np.sum(~path.converged)} fits"))
    unsure = infinite = 0
    state = None
    for k in np.argsort(-path.alphas, kind="stable"):
        penalty = penalty_of(problem, smooth, path.alphas[k])
        best = solve(smooth, penalty, state)
        state = best.state
        found, sure = judge_fit(problem, smooth, penalty, best, {name: getattr(path, name)[k] for name in _FIELDS})
        failures += [failure._replace(alpha=float(path.alphas[k])) for failure in found]
        unsure, infinite = unsure + (not sure), infinite + (not best.finite)
    if answer.cv is not None:
        failures += _judge_folds(problem, answer)
    counts = {"fits": path.alphas.size, "converged": int(path.converged.sum()), "unsure": unsure, "infinite": infinite}
    return record._replace(failures=tuple(failures), **counts)


_FIELDS = ("coef", "intercept", "objective", "gap", "converged")


def penalty_of(problem: Problem, smooth: Smooth, alpha: Any) -> Penalty:
    """Return the penalty on the coefficients of the columns as they are."""
    p = smooth.X.shape[1]
    factor = np.ones(p, LONG) if problem.penalty_factor is None else problem.penalty_factor.astype(LONG)
    out = ~np.isfinite(factor)
    out[problem.exclude or []] = True
    size = np.where(out, 0, factor) * LONG(alpha)
    scale = np.ones(p, LONG)
    if problem.standardize:
        center = smooth.weights @ smooth.X
        scale = np.sqrt(smooth.weights @ np.square(smooth.X - center))
        scale = np.where(np.ptp(smooth.X, axis=0) == 0, 1, scale)
    lower = np.broadcast_to(LONG(-np.inf) if problem.lower is None else problem.lower.astype(LONG), p)
    upper = np.broadcast_to(LONG(np.inf) if problem.upper is None else problem.upper.astype(LONG), p)
    lower = np.maximum(lower, 0) if problem.positive else lower
    ratio = LONG(problem.l1_ratio)
    limits = np.where(out, 0, lower), np.where(out, 0, upper)
    return Penalty(size * ratio * scale, size * (1 - ratio) * np.square(scale), *limits)


def judge_fit(
    problem: Problem, smooth: Smooth, penalty: Penalty, best: Optimum, fit: dict[str, Any]
) -> tuple[list[Failure], bool]:
    """Return what is wrong with one fit, and whether the optimum is known well enough to tell."""
    unit, converged = ROUNDING * float(np.finfo(problem.dtype).eps), bool(fit["converged"])
    rounded = np.square(LONG(unit) / 8) * np.max(_sizes(smooth))  # what rounding the predictors alone adds
    scale = max(null_loss(smooth), rounded) or LONG(1)
    sure, undecided = not best.finite, LONG(0)
    if best.finite:
        # an optimum of coefficients so large that the last digits of X decide about it is none of the data's
        undecided = 4 * np.finfo(problem.dtype).eps * objective(smooth, penalty, best.coef, best.intercept).of_columns
        sure = bool(best.doubt <= 1e-3 * problem.tol * scale and undecided <= problem.tol * scale)

    def failure(kind: str, text: str) -> Failure:
        return Failure(kind, np.nan, text)

    if not np.all(np.isfinite(fit["coef"])) or not np.isfinite(fit["intercept"]):
        return [failure("not finite", f"{fit['coef']}, {fit['intercept']}")] if converged else [], sure
    here = objective(smooth, penalty, fit["coef"], fit["intercept"])
    w = fit["coef"].astype(LONG)
    if not np.all((w >= penalty.lower) & (w <= penalty.upper)):
        return [failure("limits", f"{fit['coef']}")], sure
    if not best.finite:
        return [failure("infinity", f"objective {_short(fit['objective'])}")] if converged else [], True
    failures = []
    excess = (here.total - best.objective) / scale
    slack = unit * (1 + np.abs(excess)) + 2 * here.noise / scale + undecided / scale + (scale == rounded)
    if converged and not excess <= problem.tol + slack:
        text = f"objective {_short(here.total, 6)}, at best {_short(best.objective, 6)}"
        failures.append(failure("wrong", f"{text}: {_short(excess)} of the null loss more, tol {problem.tol:.1e}"))
    if not converged:  # there the objective has a slope, along which its coefficients are rounded
        slack += np.finfo(problem.dtype).eps * here.of_columns / scale
    if np.isfinite(fit["gap"]) and excess > fit["gap"] + slack:
        failures.append(
            failure(
                "gap", f"{_short(excess)} above the optimum, gap {_short(fit['gap'])}{'' if converged else ', open'}"
            )
        )
    reported = np.isfinite(fit["objective"]) or converged  # no number is what fits beyond the range of numbers have
    # where a fit is not at its optimum, its objective changes with the last digits of its coefficients
    allowance = problem.tol if converged else problem.tol + 1e3 * np.sqrt(np.finfo(problem.dtype).eps)
    if (
        here.total < np.finfo(problem.dtype).max
        and reported
        and _differs(fit["objective"], here, scale, unit, allowance)
    ):
        kind = "objective" if converged else "objective, open"
        off = _short(abs(fit["objective"] - here.total) / scale)
        failures.append(
            failure(kind, f"{fit['objective']:.10g}, truly {_short(here.total, 10)}: {off} of the null loss")
        )
    return failures, sure and bool(excess >= -1e-3 * problem.tol)


def _sizes(smooth: Smooth) -> np.ndarray:
    """Of each row, the loss that a relative change of its predictor by one makes, about."""
    if smooth.loss in ("squared", "huber"):
        return np.square(smooth.y - smooth.offset)
    return np.maximum(smooth.y, 1) * np.square(1 + np.log(np.maximum(smooth.y, 1)) + np.abs(smooth.offset))


def _differs(reported: Any, here: Value, scale: Any, unit: float, tol: float) -> bool:
    allowed = unit * (scale + np.abs(here.total)) + unit / 8 * here.spread + 2 * here.noise + 1e-3 * tol * scale
    return not abs(LONG(reported) - here.total) <= allowed


def _judge_folds(problem: Problem, answer: Answer) -> list[Failure]:
    """Held-out losses, where the optimum on the other rows decides them."""
    failures, cv = [], answer.cv
    assert problem.folds is not None
    warned = any(issubclass(w.category, pr.ConvergenceWarning) for w in answer.said)
    for number, label in enumerate(np.unique(problem.folds)):
        inside = problem.folds == label
        train, test, state = problem.smooth(~inside), problem.smooth(inside), None
        for k in np.argsort(-cv.alphas, kind="stable"):
            best = solve(train, penalty_of(problem, train, cv.alphas[k]), state)
            state, reported = best.state, cv.fold_loss[number, k]
            if not best.finite:
                kind, text = "fold at infinity", "" if warned or not np.isfinite(reported) else f"{reported:.6g}"
            else:
                kind, text = "fold loss", "" if warned else _held_out(problem, train, test, best, reported)
            if text:
                failures.append(Failure(kind, float(cv.alphas[k]), f"fold {number}: {text}"))
    return failures


def _held_out(problem: Problem, train: Smooth, test: Smooth, best: Optimum, reported: Any) -> str:
    """What is wrong with a held-out loss, if more than a fit within tol of the optimum explains.

    Predictions of such a fit lie in an ellipsoid around the best ones, by the curvature of the loss on the other rows.
    """
    unit, one = ROUNDING * float(np.finfo(problem.dtype).eps), int(problem.fit_intercept)
    with np.errstate(all="ignore"):
        eta = train.offset + best.intercept + train.X @ best.coef
        near = np.abs(eta - train.y) < problem.delta
        bend = near if train.loss == "huber" else curvatures(train.loss, eta)
        A, B = (np.concatenate([np.ones((len(X), one), LONG), X], axis=1) for X in (train.X, test.X))
        size = np.max(np.abs(A), axis=0)
        keep = size > 0
        A = (np.sqrt(train.weights * bend)[:, None] * A[:, keep] / size[keep]).astype(float)
        B = (B[:, keep] / size[keep]).astype(float)
        if best.doubt > 1e-3 * problem.tol * null_loss(train) or not np.all(np.isfinite(A)):
            return ""
        S, V = np.linalg.svd(A, full_matrices=False)[1:]
        if len(A) < A.shape[1] or not S.size or S[-1] < 1e-6 * S[0]:
            return ""
        radius = np.sqrt(2 * (problem.tol + unit) * float(null_loss(train)))
        move = radius * np.linalg.norm(B @ V.T / S, axis=1)
        if train.loss != "squared" and not move.max() < 0.05:  # curvature is that of the optimum only nearby
            return ""
        eta = test.offset + best.intercept + test.X @ best.coef
        size = np.abs(test.X * best.coef).sum(axis=1) + abs(best.intercept) + np.abs(test.offset) + np.abs(test.y)
        move = (1 if train.loss == "squared" else 2) * move + unit * size
        exact = values(test.loss, eta, test.y, problem.delta)
        around = [values(test.loss, eta + sign * move, test.y, problem.delta) for sign in (-1, 1)]
        allowed = np.sum(test.weights * np.maximum(np.abs(around[0] - exact), np.abs(around[1] - exact)))
        right = np.sum(test.weights * exact)
    allowed += unit * right
    return "" if abs(reported - right) <= allowed else f"{reported:.8g}, truly {_short(right, 8)} +- {_short(allowed)}"


def _own(category: type) -> bool:
    return category.__module__.startswith("proxreg")


def _raised_inside(error: Exception) -> bool:
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(PACKAGE)


def _pattern(message: str) -> str:
    return re.sub(r"[-+]?\d[\d.]*(e[-+]?\d+)?", "#", message)[:150]


def _short(number: Any, digits: int = 3) -> str:
    return np.format_float_scientific(number, digits - 1, unique=False) if np.isfinite(number) else str(number)
