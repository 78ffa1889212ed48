"""Any loss: the lanes of ``lanes.py`` and Newton's method in turns; with many columns on working sets, coarse to fine
along the path.
"""

from typing import Any

import jax
import numpy as np

from proxreg._progress import report
from proxreg._pytree import Array, replace
from proxreg.batch import PenaltyBatch, filled, padded, set_bucket
from proxreg.engine.glm_newton import LinearRows, Rows, newton
from proxreg.engine.grid import interpolated, levels
from proxreg.engine.host import matmul
from proxreg.engine.lanes import certify_lanes, null_model, solve_lanes
from proxreg.engine.plan import GROUP, by_strength, working_set
from proxreg.engine.working_set import INNER
from proxreg.losses import Loss
from proxreg.models import Coefficients, LinearModel, MultinomialModel, weighed
from proxreg.penalties import L1, L2, ElasticNet
from proxreg.solvers import Result, Status

MAX_ROUNDS = 30
PATIENCE = 150  # accelerated steps before Newton's are tried
LONGER = 4  # times as many before they are tried again
SCARCE = 600  # steps in all, of which accelerated ones must not take more than a quarter: Newton's need fewer
FINE = 1e-3  # a gradient so many times below the tolerance leaves a gap below it


def solve_glm(model: LinearModel, family: PenaltyBatch, start: Any, *, tol: float, max_steps: int) -> Result:
    """Every lane from ``start`` to a certificate over all columns; fields as NumPy arrays.

    X and what belongs to it are NumPy arrays, X centred if there is an intercept.
    """
    lanes, p, dtype = family.alpha.size, np.shape(model.X)[1], np.asarray(model.X).dtype
    w, b = np.zeros((lanes, p), dtype), np.zeros(lanes, dtype)
    if start is not None:
        coef, intercept = start if model.fit_intercept else (start, 0.0)
        w[:], b[:] = np.asarray(coef), np.asarray(intercept)
    elif model.fit_intercept:
        b[:] = np.asarray(null_model(model, family.template).intercept)
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
            report(int(np.sum(answer.num_steps > 0)), lanes)
        known = np.union1d(known, fresh[answer.status[fresh] != Status.NON_FINITE])
    report(lanes, lanes)
    return answer._replace(w=Coefficients(w, b) if model.fit_intercept else w)


def _rounds(
    model: LinearModel,
    family: PenaltyBatch,
    at: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    answer: Result,
    tol: float,
    max_steps: int,
) -> None:
    """Solves the lanes ``at``, and writes to their places."""
    p, live = w.shape[1], np.arange(at.size)
    for last in range(MAX_ROUNDS + 1):
        rows = at[live]
        full = filled(live, GROUP)
        start = _start(model, w[at[full]], b[at[full]])
        known, polished = certify_lanes(model, family.lanes(full), start)
        if model.fit_intercept:
            b[rows] = np.asarray(polished.intercept)[: live.size]
        objective, gap, worst, error = (np.asarray(x)[: live.size] for x in known)
        answer.objective[rows], answer.gap[rows], answer.violation[rows] = objective, gap, worst
        answer.status[rows] = np.where(np.isnan(error), Status.NON_FINITE, np.where(error <= tol, 0, Status.MAX_STEPS))
        live = live[(error > tol) & (answer.num_steps[rows] < max_steps)]
        if not live.size or last == MAX_ROUNDS:
            return
        rows, mine = at[live], family.lanes(live)
        columns = working_set(mine, w[rows], _gradient(model, w[rows], b[rows]), len(model.X))
        size, full = set_bucket(columns.size, p), filled(np.arange(live.size), GROUP)
        part = replace(model, X=padded(model.X[:, columns], len(model.X), size))
        own = mine.columns(columns, p, size).lanes(full)
        start = _start(model, padded(w[np.ix_(rows, columns)], live.size, size)[full], b[rows[full]])
        aim = max(0.9 * tol, INNER * float(error[error > tol].min()))
        budget = max_steps - int(answer.num_steps[rows].max())
        found = solve_together(part, own, start, tol=aim, max_steps=budget)
        coef, intercept = found.w if model.fit_intercept else (found.w, np.zeros(GROUP))
        w[rows[:, None], columns] = np.asarray(coef)[: live.size, : columns.size]
        b[rows] = np.asarray(intercept)[: live.size]
        answer.num_steps[rows] += np.maximum(np.asarray(found.num_steps)[: live.size], 1)


def solve_together(
    model: Any,
    family: PenaltyBatch,
    start: Any,
    *,
    tol: float,
    max_steps: int,
    solver: str = "auto",
    weights: np.ndarray | None = None,
) -> Result:
    """All lanes as one batch on all columns, by the solver of that name; "auto" takes turns where these are known to
    help: on the host, with penalties of an l1 and an l2 part.

    ``start``, None or with the lanes' axis in front. ``weights (L, n)`` stand in for those of the model's rows.
    """
    host = isinstance(model, LinearModel) and not isinstance(model.X, jax.Array) and not model.loss.affine
    if solver == "auto" and host and isinstance(family.template, (L1, L2, ElasticNet)):
        rows = LinearRows.of(model, weights, family.alpha.size)
        return in_turns(model, rows, family, start, tol=tol, max_steps=max_steps, weights=weights)
    given = family.template, family.alpha, family.l1_ratio, family.factor, start, tol, max_steps
    name = "fista" if solver == "auto" else solver
    return solve_lanes(model, *given, name, own_starts=start is not None, weights=weights)


def in_turns(
    model: LinearModel | MultinomialModel,
    rows: Rows,
    family: PenaltyBatch,
    start: Any = None,
    *,
    tol: float,
    max_steps: int,
    weights: np.ndarray | None = None,
) -> Result:
    """Accelerated steps, Newton's where these are slow, and again, until every lane has its certificate.

    ``rows`` are the model's, ready for Newton's steps.
    """
    given = family.template, family.alpha, family.l1_ratio, family.factor
    lanes, known = family.alpha.size, null_model(model, family.template, weights)
    # rows' weights decide how large gradients are, and with them when one is next to nothing
    null, slope = (np.broadcast_to(x, (lanes, *np.shape(x)[weights is not None :])) for x in map(np.asarray, known[:2]))
    goal = FINE * tol * np.max(np.abs(slope), axis=tuple(range(1, slope.ndim)), initial=0.0)
    if start is None:
        start = _start(model, np.zeros_like(slope), null)
    steps = np.zeros(lanes, np.int32)
    patience = PATIENCE if max_steps >= SCARCE else max(1, max_steps // LONGER)
    while True:
        budget = np.minimum(patience, max_steps - steps).astype(np.int32)
        found = solve_lanes(model, *given, start, tol, budget, "fista", own_starts=True, weights=weights)
        found = jax.tree.map(np.array, found)
        steps += found.num_steps
        left = np.flatnonzero((found.status == Status.MAX_STEPS) & (steps < max_steps))
        if not left.size:
            return found._replace(num_steps=steps)
        w, b = found.w if model.fit_intercept else (found.w, np.zeros(null.shape, found.w.dtype))
        own_w, own_b = w[left], b[left]
        mine = rows.lanes(left), family.lanes(left), own_w, own_b
        steps[left] += newton(*mine, goal[left], max_steps - steps[left])
        w[left], b[left] = own_w, own_b
        start, patience = _start(model, w, b), LONGER * patience


def _start(model: LinearModel | MultinomialModel, w: np.ndarray, b: np.ndarray) -> Any:
    return Coefficients(w, b) if model.fit_intercept else w


def _gradient(model: LinearModel, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of the loss, ``(L, p)``, up to a factor per lane."""
    X, y = np.asarray(model.X), np.asarray(model.y)
    used = np.flatnonzero(np.any(w != 0, axis=0))
    eta = matmul(w[:, used], X[:, used].T) + b[:, None]
    eta = eta if model.offset is None else eta + np.asarray(model.offset)
    weights = np.ones(y.size, X.dtype) if model.sample_weight is None else np.asarray(model.sample_weight)
    return matmul(np.asarray(_slope(model.loss, padded(eta, GROUP, y.size), y, weights))[: len(w)], X)


@jax.jit
def _slope(loss: Loss, eta: Array, y: Array, weights: Array) -> Array:
    return weighed(weights, loss.derivative(eta, y))
