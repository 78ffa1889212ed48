"""Exact penalised fits of small problems by an active-set Newton method: what the random search compares with.

Coordinates either rest at zero or at a limit, or move on one side of zero, where the objective is smooth. Directions
come from a singular value decomposition in float64; predictors, gradients and objectives are ``numpy.longdouble``, so
that a second step corrects the rounding of the first. Columns are centred beside an intercept and scaled by powers of
two. Huber's loss is least squares with a column of its own for every row, penalised by ``delta |coefficient|``.

A point that is better than a solver's proves the solver wrong whatever this method is worth; that there is none better
than this one is told by the Newton decrement and by what resting coordinates could gain, together ``doubt``.
"""

from typing import Any, NamedTuple

import numpy as np

from bench.exact_objective import (
    LONG,
    Penalty,
    Smooth,
    center_of,
    curvatures,
    null_loss,
    rounded_means,
    slopes,
    values,
)
from bench.recession import recedes

RANK = 1e-13  # singular values below it, relative to the largest, of columns of norm one count as zero
ENOUGH = 1e-21  # of the scale of the objective: what a step has to promise
STEPS = 500
FAR = 20.0  # a predictor that has moved further may be on its way to infinity


class Form(NamedTuple):
    """A problem in centred, scaled columns, the intercept first; for Huber's loss with a column per row at the end."""

    Z: np.ndarray  # (n, m)
    y: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    loss: str
    l1: np.ndarray  # (m,)
    l2: np.ndarray
    low: np.ndarray
    high: np.ndarray
    fixed: np.ndarray  # (m,) coordinates that stay at zero
    center: np.ndarray  # (p,)
    power: np.ndarray  # (p,) columns were divided by two to this power
    scale: Any  # of the objective


class State(NamedTuple):
    """A point, and which coordinates move."""

    v: np.ndarray  # (m,)
    side: np.ndarray  # (m,) of zero on which a coordinate with an L1 term moves
    moving: np.ndarray  # (m,)


class Optimum(NamedTuple):
    """The best point that was found."""

    coef: np.ndarray  # (p,)
    intercept: Any
    objective: Any
    doubt: float  # how much better there may be
    finite: bool  # whether a finite point attains the optimum
    state: State  # where to start a similar problem


def solve(smooth: Smooth, penalty: Penalty, state: State | None = None) -> Optimum:
    """Return the optimum; ``state`` is that of the same problem with another strength of its penalty."""
    form = form_of(smooth, penalty)
    first = int(smooth.fit_intercept)
    with np.errstate(all="ignore"):
        state, doubt = _minimise(form, _begin(form, first, smooth.null - center_of(smooth)) if state is None else state)
        v = state.v[: first + form.power.size]  # without the shifts of rows
        w = np.ldexp(v[first:], -form.power)
        b = center_of(smooth) + (v[0] - np.sum(form.center * w)) if first else LONG(0)
        loss = values(smooth.loss, form.Z[:, : v.size] @ v + form.offset, form.y, smooth.delta)
        l1, l2 = form.l1[: v.size], form.l2[: v.size]
        total = np.sum(form.weights * loss) + np.sum(l1 * np.abs(v) + l2 / 2 * np.square(v))
        finite = True
        if smooth.loss in ("logistic", "poisson"):
            moved = np.max(np.abs(form.Z @ state.v), initial=0)
            finite = bool(doubt <= 1e-12 * form.scale and moved < FAR) or not recedes(form)
    return Optimum(w, b, total, doubt, finite, state)


def form_of(smooth: Smooth, penalty: Penalty) -> Form:
    """Return the problem as ``solve`` works on it."""
    X, (n, p) = smooth.X, smooth.X.shape
    still = np.ptp(X, axis=0) == 0 if smooth.fit_intercept else np.all(X == 0, axis=0)
    center = np.where(still, 0, rounded_means(X, smooth.weights)) if smooth.fit_intercept else np.zeros(p, LONG)
    X = np.where(still, 0, X - center)
    power = np.frexp(np.where(still, 1, np.max(np.abs(X), axis=0)))[1].astype(int)
    k = int(smooth.fit_intercept)
    blocks, ends = [np.ones((n, k), LONG), np.ldexp(X, -power)], np.full(k, np.inf, LONG)
    l1 = [np.zeros(k, LONG), np.ldexp(penalty.l1, -power)]
    l2 = [np.zeros(k, LONG), np.ldexp(penalty.l2, -2 * power)]
    low, high = [-ends, np.ldexp(penalty.lower, power)], [ends, np.ldexp(penalty.upper, power)]
    fixed = [np.zeros(k, bool), still | (penalty.lower == penalty.upper)]
    if smooth.loss == "huber":
        blocks.append(-np.eye(n, dtype=LONG))
        l1.append(smooth.weights * LONG(smooth.delta))
        l2.append(np.zeros(n, LONG))
        low.append(np.full(n, -np.inf, LONG))
        high.append(np.full(n, np.inf, LONG))
        fixed.append(np.zeros(n, bool))
    parts = [np.concatenate(part) for part in (l1, l2, low, high, fixed)]
    parts[:2] = (np.where(parts[-1], 0, part) for part in parts[:2])
    size = np.max(np.square(smooth.y - smooth.offset))
    scale = max(null_loss(smooth), LONG(1e-30) * size, LONG("1e-4000"))
    loss = "squared" if smooth.loss == "huber" else smooth.loss
    y, offset = smooth.y - center_of(smooth), smooth.offset
    rows = np.concatenate(blocks, axis=1), y, smooth.weights, offset, loss
    return Form(*rows, *parts, center=center, power=power, scale=scale)


def _begin(form: Form, first: int, intercept: Any) -> State:
    v = np.zeros(form.l1.size, LONG)
    if first:
        v[0] = intercept if np.isfinite(intercept) else 3 * np.sign(intercept)
    return State(v, np.zeros(v.size, int), (form.l1 == 0) & (form.l2 == 0) & ~form.fixed)


def _minimise(form: Form, state: State) -> tuple[State, float]:
    v, side, moving = (part.copy() for part in state)
    barred = np.zeros(v.size, bool)  # coordinates that could not move in the direction that seemed to gain
    factors, known = None, np.zeros(0, int)
    for _ in range(STEPS):
        eta = form.Z @ v + form.offset
        slope = form.weights * slopes(form.loss, eta, form.y)
        gradient = form.Z.T @ slope + form.l2 * v
        curvature = form.weights * curvatures(form.loss, eta)
        F = np.flatnonzero(moving)
        if factors is None or form.loss != "squared" or not np.array_equal(known, F):
            factors, known = _factors(form, curvature, F), F
        d = _direction(factors, (gradient + form.l1 * side)[F])
        promise = -np.sum(d * (gradient + form.l1 * side)[F])
        if promise > ENOUGH * form.scale:
            new, blocked = _step(form, v, eta, side, F, d, promise)
            moved = bool(np.any(new != v))
            moving[blocked] = False
            barred[:] = False if moved else barred
            barred[blocked] |= not moved
            v = new
            if moved or blocked.size:
                continue
        gain, sides = _entering(form, v, gradient, curvature, moving)
        doubt = float(max(promise, 0) / 2 + gain.sum())
        gain = np.where(barred, 0, gain)
        if gain.max(initial=0) <= ENOUGH * form.scale:
            return State(v, side, moving), doubt
        enter = gain >= (1.0 if barred.any() else 0.1) * gain.max()
        moving, side = moving | enter, np.where(enter, sides, side)
    return State(v, side, moving), np.inf


def _factors(form: Form, curvature: np.ndarray, F: np.ndarray) -> tuple[np.ndarray, ...]:
    """The singular values and the right vectors of the square root of the Hessian, of columns of norm one."""
    A = np.sqrt(curvature)[:, None] * form.Z[:, F]
    ridge = np.flatnonzero(form.l2[F] > 0)
    if ridge.size:
        more = np.zeros((ridge.size, F.size), LONG)
        more[np.arange(ridge.size), ridge] = np.sqrt(form.l2[F][ridge])
        A = np.concatenate([A, more])
    norm = np.sqrt(np.sum(np.square(A), axis=0))
    norm = np.where(norm > 0, norm, 1)
    if not F.size or not np.all(np.isfinite(A)):
        return norm, np.zeros(0), np.zeros((0, F.size))
    _, S, V = np.linalg.svd((A / norm).astype(float), full_matrices=len(A) < F.size)
    return norm, np.concatenate([S, np.zeros(len(V) - S.size)]), V


def _direction(factors: tuple[np.ndarray, ...], g: np.ndarray) -> np.ndarray:
    """Newton's; where the gradient has more of a direction without curvature, that, very far."""
    norm, S, V = factors
    if not S.size:
        return np.zeros_like(g)
    c = V.astype(LONG) @ (g / norm)
    flat = RANK * S[0] >= S
    size = np.sqrt(np.sum(np.square(c)))
    if np.sqrt(np.sum(np.square(c[flat]))) > 1e-10 * size:
        return -(V[flat].T @ c[flat]) / norm * LONG(1e30)
    return -(V[~flat].T @ (c[~flat] / np.square(S[~flat].astype(LONG)))) / norm


def _step(
    form: Form, v: np.ndarray, eta: np.ndarray, side: np.ndarray, F: np.ndarray, d: np.ndarray, promise: Any
) -> tuple[np.ndarray, np.ndarray]:
    """The next point, and the coordinates that have reached an end of where they may move."""
    here, l1 = v[F], form.l1[F]
    start = np.where((l1 > 0) & (side[F] > 0), np.maximum(form.low[F], 0), form.low[F])
    end = np.where((l1 > 0) & (side[F] < 0), np.minimum(form.high[F], 0), form.high[F])
    goal = np.where(d > 0, end, start)
    room = np.where(d == 0, np.inf, (goal - here) / np.where(d == 0, 1, d))
    most = max(np.min(room, initial=np.inf), LONG(0))
    change = form.Z[:, F] @ d
    bend = np.sum(form.l2[F] * np.square(d))
    if form.loss == "squared":
        bend += np.sum(form.weights * np.square(change))
        t = min(promise / bend if bend > 0 else LONG(np.inf), most)
        t = t if np.isfinite(t) else LONG(0)
    else:
        t = min(LONG(1), most)
        before = values(form.loss, eta, form.y)
        linear = np.sum((form.l2[F] * here + l1 * side[F]) * d)
        for _ in range(200):
            after = values(form.loss, eta + t * change, form.y)
            rise = np.sum(form.weights * (after - before)) + t * linear + t * t / 2 * bend
            if rise <= -1e-4 * t * promise or (promise < 1e-12 * form.scale and rise <= 1e-17 * form.scale):
                break
            t = t / 2
        else:
            t = LONG(0)
    new = v.copy()
    new[F] = here + t * d
    hit = (room <= most * (1 + 1e-15)) & (t >= most) & (d != 0)
    new[F[hit]] = goal[hit]
    return new, F[hit]


def _entering(
    form: Form, v: np.ndarray, gradient: np.ndarray, curvature: np.ndarray, moving: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What each resting coordinate could gain alone, to second order, and the side of zero that it would move on."""
    up, down = np.where(v >= 0, 1, -1), np.where(v <= 0, -1, 1)
    right = np.where(v < form.high, np.maximum(-(gradient + form.l1 * up), 0), 0)
    left = np.where(v > form.low, np.maximum(gradient + form.l1 * down, 0), 0)
    amount = np.where(moving | form.fixed, 0, np.maximum(right, left))
    bend = curvature @ np.square(form.Z) + form.l2
    return np.square(amount) / (2 * np.where(amount > 0, bend, 1)), np.where(right > left, up, down)
