"""Any loss on data with many columns: the lanes of ``lanes.py`` on working sets, coarse to fine along the path."""

from typing import Any

import jax
import numpy as np

from proxreg._pytree import Array, replace
from proxreg.engine.buckets import filled, padded, set_bucket
from proxreg.engine.family import Family
from proxreg.engine.grid import interpolated, levels
from proxreg.engine.host import matmul
from proxreg.engine.lanes import certify_lanes, null_intercept, solve_lanes
from proxreg.engine.plan import GROUP, by_strength, working_set
from proxreg.engine.working_set import INNER
from proxreg.losses import Loss
from proxreg.models import Coefficients, LinearModel
from proxreg.solvers import Result, Status

MAX_ROUNDS = 30


def solve_glm(model: LinearModel, family: Family, start: Any, *, tol: float, max_steps: int) -> Result:
    """Every lane from ``start`` to a certificate over all columns; fields as NumPy arrays.

    X and what belongs to it are NumPy arrays, X centred if there is an intercept.
    """
    lanes, p, dtype = family.alpha.size, np.shape(model.X)[1], np.asarray(model.X).dtype
    w, b = np.zeros((lanes, p), dtype), np.zeros(lanes, dtype)
    if start is not None:
        coef, intercept = start if model.fit_intercept else (start, 0.0)
        w[:], b[:] = np.asarray(coef), np.asarray(intercept)
    elif model.fit_intercept:
        b[:] = np.asarray(null_intercept(model, family.template))
    ratio = np.zeros(lanes, dtype) if family.l1_ratio is None else family.l1_ratio
    unknown: list[Any] = [np.full(lanes, np.nan, dtype) for _ in range(3)]
    counts: list[Any] = [np.zeros(lanes, np.int32) for _ in range(2)]
    answer = Result(None, unknown[0], unknown[1], unknown[2], counts[0], counts[1])
    known = np.zeros(0, int)
    for fresh in levels(family.alpha, ratio):
        if known.size:
            both = interpolated(family.alpha, ratio, np.column_stack([w, b]), known, fresh)
            w[fresh], b[fresh] = both[:, :p], both[:, p]
        for at in (fresh[group] for group in by_strength(family.lanes(fresh), GROUP)):
            _rounds(model, family.lanes(at), at, w, b, answer, tol, max_steps)
        known = np.union1d(known, fresh[answer.status[fresh] != Status.NON_FINITE])
    return answer._replace(w=Coefficients(w, b) if model.fit_intercept else w)


def _rounds(
    model: LinearModel,
    family: Family,
    at: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    answer: Result,
    tol: float,
    max_steps: int,
) -> None:
    """Solves the lanes ``at``, and writes to their places."""
    p, live = w.shape[1], np.arange(at.size)
    for _ in range(MAX_ROUNDS):
        rows = at[live]
        full = filled(live, GROUP)
        start = _start(model, w[at[full]], b[at[full]])
        known = certify_lanes(model, family.lanes(full), start)
        objective, gap, worst, error = (np.asarray(x)[: live.size] for x in known)
        answer.objective[rows], answer.gap[rows], answer.violation[rows] = objective, gap, worst
        answer.status[rows] = np.where(np.isnan(error), Status.NON_FINITE, np.where(error <= tol, 0, Status.MAX_STEPS))
        live = live[(error > tol) & (answer.num_steps[rows] < max_steps)]
        if not live.size:
            return
        rows, mine = at[live], family.lanes(live)
        columns = working_set(mine, w[rows], _gradient(model, w[rows], b[rows]), len(model.X))
        size, full = set_bucket(columns.size, p), filled(np.arange(live.size), GROUP)
        part = replace(model, X=padded(model.X[:, columns], len(model.X), size))
        own = mine.columns(columns, p, size).lanes(full)
        start = _start(model, padded(w[np.ix_(rows, columns)], live.size, size)[full], b[rows[full]])
        aim = max(0.9 * tol, INNER * float(error[error > tol].min()))
        budget = max_steps - int(answer.num_steps[rows].max())
        lanes = own.template, own.alpha, own.l1_ratio, own.factor, start
        found = solve_lanes(part, *lanes, aim, budget, "fista", own_starts=True)
        coef, intercept = found.w if model.fit_intercept else (found.w, np.zeros(GROUP))
        w[rows[:, None], columns] = np.asarray(coef)[: live.size, : columns.size]
        b[rows] = np.asarray(intercept)[: live.size]
        answer.num_steps[rows] += np.maximum(np.asarray(found.num_steps)[: live.size], 1)


def _start(model: LinearModel, w: np.ndarray, b: np.ndarray) -> Any:
    return Coefficients(w, b) if model.fit_intercept else w


def _gradient(model: LinearModel, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of the loss, ``(L, p)``, up to a factor per lane."""
    X, y = np.asarray(model.X), np.asarray(model.y)
    used = np.flatnonzero(np.any(w != 0, axis=0))
    eta = matmul(w[:, used], X[:, used].T) + b[:, None]
    eta = eta if model.offset is None else eta + np.asarray(model.offset)
    slope = np.asarray(_slope(model.loss, padded(eta, GROUP, y.size), y))[: len(w)]
    return matmul(slope if model.sample_weight is None else slope * np.asarray(model.sample_weight), X)


@jax.jit
def _slope(loss: Loss, eta: Array, y: Array) -> Array:
    return loss.derivative(eta, y)
