"""Newton's method for several classes with an l1 and an l2 part: where gradients are slow, it takes a few steps.

A step minimises the loss's second-order model plus the penalty, exactly, and goes there as far as the objective falls
(Lee, Sun and Saunders 2014, Proximal Newton-type methods, SIAM J. Optim. 24). The model's minimum is found on the host,
for each lane on the columns that matter to it, by adding and dropping one at a time (Efron et al. 2004, section 3.1;
Osborne, Presnell and Turlach 2000).
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.batch import PenaltyBatch
from proxreg.engine.host import in_parallel
from proxreg.engine.linear_system import solution
from proxreg.penalties import Penalty

STEPS = 25
QUARTERS = 5  # of a step that is too long
ROUNDS = 4  # times the number of columns: additions and drops
WORK = 1e12  # multiplications of them all, times three
ROUNDING = 4  # units of it by which objectives do not differ
SLACK = 1e-12  # of a gradient beyond its l1, by rounding
WIDEST = 4096  # coefficients that a step may move: it solves for them at once


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


def newton(
    rows: Any, family: PenaltyBatch, w: np.ndarray, b: np.ndarray, goal: np.ndarray, most: np.ndarray | int = STEPS
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
    rows: Any, family: PenaltyBatch, at: np.ndarray, w: np.ndarray, b: np.ndarray, known: Look, moves: list
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
