"""Newton's method for any loss with an l1 and an l2 part: where gradients are slow, it takes a few steps.

A step minimises the loss's second-order model plus the penalty, exactly, and goes there as far as the objective falls
(Lee, Sun and Saunders 2014, Proximal Newton-type methods, SIAM J. Optim. 24). The model's minimum is found on the host,
for each lane on the columns that matter to it, by adding and dropping one at a time (Efron et al. 2004, section 3.1;
Osborne, Presnell and Turlach 2000).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, Self

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.batch import PenaltyBatch, filled
from proxreg.engine.host import in_parallel
from proxreg.engine.linear_system import solution
from proxreg.losses import Loss
from proxreg.models import LinearModel, weighed
from proxreg.penalties import Penalty

STEPS = 25
QUARTERS = 5  # of a step that is too long
ROUNDS = 4  # times the number of columns: additions and drops
WORK = 1e12  # multiplications of them all, times three
ROUNDING = 4  # units of it by which objectives do not differ
SLACK = 1e-12  # of a gradient beyond its l1, by rounding
WIDEST = 4096  # coefficients that a step may move: it solves for them at once
CHUNK = 32  # lanes at a time: one program for any number


class Look(NamedTuple):
    """What a Newton step needs to know of lanes ``(L, ...)``."""

    objective: Any  # (L,)
    subgradient: Any  # (L, p) the smallest, of loss and penalty
    intercept: Any  # (L,) derivative by the intercept
    gradient: Any  # (L, p) of the loss
    curvature: Any  # (L, n) second derivatives of the loss times the weights, or what else the model is made of
    l1: Any  # (L, p) the penalty's kink at zero
    l2: Any  # (L, p) and its curvature elsewhere

    def take(self, chosen: np.ndarray) -> "Look":
        """Of these lanes."""
        return Look(*(x[chosen] for x in self))

    @property
    def worst(self) -> np.ndarray:
        """The largest entry of each lane's subgradient."""
        parts = self.subgradient, self.intercept
        return np.maximum(*(np.max(np.abs(x), axis=tuple(range(1, x.ndim)), initial=0.0) for x in parts))


@jax.jit
def _look(
    loss: Loss, family: PenaltyBatch, X: Array, y: Array, offset: Array, weights: Array, w: Array, b: Array
) -> Look:
    def lane(penalty, weights, w, b):
        eta = X @ w + b + offset
        slope = weighed(weights, loss.derivative(eta, y))
        value = jnp.sum(weighed(weights, loss.value(eta, y)))
        curvature = weighed(weights, jnp.maximum(loss.second_derivative(eta, y), 0))
        return looked(penalty, w, value, slope @ X, jnp.sum(slope), curvature)

    return jax.vmap(lane)(family.penalties(), weights, w, b)


def looked(penalty: Penalty, w: Array, loss: Array, gradient: Array, intercept: Array, curvature: Array) -> Look:
    """Of one lane, from what its loss says."""
    one = jnp.ones_like(w)
    return Look(
        loss + penalty.value(w),
        penalty.subgradient(w, gradient),
        intercept,
        gradient,
        curvature,
        jnp.broadcast_to(penalty.pull(0 * w), w.shape),
        jax.jvp(lambda w: penalty.subgradient(w, 0.0), (one,), (one,))[1],
    )


class Rows(Protocol):
    """Data, ready for many steps of many lanes."""

    def lanes(self, chosen: np.ndarray) -> Self:
        """For the lanes with these numbers, in that order."""
        ...

    def look(self, family: PenaltyBatch, at: np.ndarray, w: np.ndarray, b: np.ndarray) -> Look:
        """At ``w (l, ...)`` and ``b (l, ...)`` of the lanes ``at (l,)``."""
        ...

    def move(self, known: Look, w: np.ndarray, positive: bool, lane: int) -> tuple[np.ndarray, Any]:
        """Where the lane of that number in ``known`` and ``w`` would go, and its intercept.

        Nowhere if that asks for too much.
        """
        ...


class LinearRows(NamedTuple):
    """Those of a linear model."""

    loss: Loss
    X: np.ndarray
    on_device: tuple  # X, y and offset
    weights: np.ndarray  # (L, n) that sum to one
    fit_intercept: bool

    @classmethod
    def of(cls, model: LinearModel, weights: np.ndarray | None, lanes: int) -> "LinearRows":
        """Of a model; ``weights (L, n)`` stand in for those of its rows."""
        X, y = np.asarray(model.X), np.asarray(model.y)
        offset = np.zeros(y.size, X.dtype) if model.offset is None else np.asarray(model.offset)
        on_device = tuple(map(jnp.asarray, (X, y.astype(X.dtype), offset)))
        return cls(model.loss, X, on_device, shares(model, weights, lanes), model.fit_intercept)

    def lanes(self, chosen: np.ndarray) -> "LinearRows":
        """See ``Rows``."""
        return self._replace(weights=self.weights[chosen])

    def look(self, family: PenaltyBatch, at: np.ndarray, w: np.ndarray, b: np.ndarray) -> Look:
        """See ``Rows``: ``w (l, p)`` and ``b (l,)``."""
        found = looks(partial(_look, self.loss), self.on_device, self.weights, CHUNK, family, at, w, b)
        return found if self.fit_intercept else found._replace(intercept=np.zeros_like(found.intercept))

    def move(self, known: Look, w: np.ndarray, positive: bool, lane: int) -> tuple[np.ndarray, float]:
        """See ``Rows``: ``(p,)`` and a number."""
        w, d = w[lane].astype(np.float64), known.curvature[lane].astype(np.float64)
        move, at = np.zeros(w.size), np.flatnonzero((w != 0) | (known.subgradient[lane] != 0))
        total, slope = d.sum(), float(known.intercept[lane])
        g, l1, l2 = (x[lane, at].astype(np.float64) for x in (known.gradient, known.l1, known.l2))
        if at.size > WIDEST or not (np.isfinite(g).all() and np.isfinite(total) and total > 0):
            return move, 0.0
        X, mean = self.X[:, at].astype(np.float64), np.zeros(at.size)
        if self.fit_intercept:  # profiled out
            mean = d @ X / total
            X -= mean
        H = (X.T * d) @ X
        if not np.isfinite(H).all():
            return move, 0.0
        try:
            move[at] = minimum(H, g - mean * slope, w[at], l1, l2, positive) - w[at]
        except np.linalg.LinAlgError:
            return move, 0.0
        return move, -slope / total - mean @ move[at] if self.fit_intercept else 0.0


def shares(model: Any, weights: np.ndarray | None, lanes: int) -> np.ndarray:
    """The weights ``(L, n)`` of rows that count, over their sums; those given, or else the model's."""
    X = np.asarray(model.X)
    given = model.sample_weight if weights is None else weights
    each = np.broadcast_to(1.0 if given is None else np.asarray(given), (lanes, len(X)))
    return (each / each.sum(axis=1, keepdims=True)).astype(X.dtype)


def looks(
    program: Callable[..., Look],
    data: tuple,
    weights: np.ndarray,
    chunk: int,
    family: PenaltyBatch,
    at: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
) -> Look:
    """What a program says of lanes, so many at a time that it is compiled for one number of lanes."""
    parts = []
    for first in range(0, at.size, chunk):
        rows = filled(np.arange(first, min(first + chunk, at.size)), chunk)
        found = program(family.lanes(at[rows]), *data, weights[at[rows]], w[rows], b[rows])
        parts.append([np.asarray(x)[: at.size - first] for x in found])
    return Look(*(np.concatenate(each) for each in zip(*parts)))


def newton(
    rows: Rows, family: PenaltyBatch, w: np.ndarray, b: np.ndarray, goal: np.ndarray, most: np.ndarray | int = STEPS
) -> np.ndarray:
    """Moves lanes ``w (L, ...)`` with intercepts ``b (L, ...)``, in place; how many steps each made, at most ``most``.

    Until the largest subgradient is at most ``goal (L,)``, or no step lowers the objective.
    """
    steps, at = np.zeros(len(w), np.int32), np.arange(len(w))
    known, positive = rows.look(family, at, w, b), getattr(family.template, "positive", False)
    most = np.broadcast_to(most, steps.shape)
    for _ in range(STEPS):
        left = (known.worst > goal[at]) & (steps[at] < most[at])
        at, known = at[left], known.take(left)
        if not at.size:
            break
        moves = in_parallel(partial(rows.move, known, w[at], positive), range(at.size))
        moved, known = _accepted(rows, family, at, w, b, known, moves)
        steps[at] += 1
        at, known = at[moved], known.take(moved)
    return steps


def minimum(
    H: np.ndarray, g: np.ndarray, w: np.ndarray, l1: np.ndarray, l2: np.ndarray, positive: bool = False
) -> np.ndarray:
    """The u that minimises ``g' (u - w) + (u - w)' H (u - w) / 2 + sum_j l1_j |u_j| + l2_j/2 u_j^2``, from w.

    With signs fixed it is a linear system. On the way to its solution the first coordinate that reaches zero is
    dropped; at the solution the one whose gradient exceeds its ``l1`` most is added, until there is none.
    """
    u, pull = w.copy(), H @ w - g
    sign = np.where(w != 0, np.sign(w), 1.0 if positive else -np.sign(g))
    free = (l1 == 0) & (not positive)  # of any sign
    active = free | (w != 0) | (-sign * g > l1)
    work = WORK  # where it runs out, what has been reached is lower too
    for _ in range(ROUNDS * w.size):
        at = np.flatnonzero(active)
        work -= at.size**3
        if work < 0:
            break
        if at.size:
            system = H[np.ix_(at, at)]
            system[np.diag_indices_from(system)] += l2[at]
            target = solution(system, pull[at] - l1[at] * sign[at])
            wrong = (target * sign[at] <= 0) & ~free[at]
            reach = np.where(wrong, u[at] / np.where(wrong & (u[at] != target), u[at] - target, 1), np.inf)
            first = int(np.argmin(reach))
            if reach[first] < 1:
                u[at] += max(reach[first], 0.0) * (target - u[at])
                u[at[first]], active[at[first]] = 0.0, False
                continue
            u[at] = target
        rest = H @ u - pull
        excess = np.where(active, -1.0, np.where(positive, -rest, np.abs(rest)) - l1)
        worst = int(np.argmax(excess))
        if excess[worst] <= SLACK * np.max(np.abs(pull)):
            break
        active[worst], sign[worst] = True, -np.sign(rest[worst])
    return u


def _accepted(
    rows: Rows, family: PenaltyBatch, at: np.ndarray, w: np.ndarray, b: np.ndarray, known: Look, moves: list
) -> tuple[np.ndarray, Look]:
    """Moves the lanes ``at`` as far as their objectives fall: which moved, and what is known of them there."""
    with np.errstate(over="ignore"):  # a step beyond the type's range lowers nothing
        move, shift = (np.array([each[k] for each in moves], w.dtype) for k in (0, 1))
    moved, left, length = np.zeros(at.size, bool), np.arange(at.size), 1.0
    known = Look(*(x.copy() for x in known))
    for _ in range(QUARTERS):
        new, new_b = w[at[left]] + length * move[left], b[at[left]] + length * shift[left]
        found, old = rows.look(family, at[left], new, new_b), known.take(left)
        as_low = found.objective <= old.objective + ROUNDING * np.finfo(w.dtype).eps * np.abs(old.objective)
        better = (found.objective < old.objective) | (as_low & (found.worst < old.worst))
        place = left[better]
        w[at[place]], b[at[place]], moved[place] = new[better], new_b[better], True
        for field, value in zip(known, found):
            field[place] = value[better]
        left, length = left[~better], length / 4
        if not left.size:
            break
    return moved, known
