"""Rounds: certify all columns, solve on the columns that matter, and again, until every lane has its certificate.

After Massias, Gramfort and Salmon 2018 (Celer) and Johnson and Guestrin 2015 (Blitz), for all lanes at once: a
working set is the union of the supports of similar lanes and the columns nearest to entering, never what earlier rounds
held.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from proxreg.batch import PenaltyBatch, padded, set_bucket
from proxreg.engine.certify import Certified, Scales, certify, slopes
from proxreg.engine.descent import descend
from proxreg.engine.host import in_parallel
from proxreg.engine.plan import FEW, plan, plan_begin, working_set
from proxreg.engine.polish import newton_candidates
from proxreg.engine.source import Matrix, Source

INNER = 0.01  # error that a round leaves, relative to the one that it begins with
PATIENCE = 200  # steps of a round
POLISH = 1e-7  # from this error on lanes try Newton's method first, and so do slow ones that have paid its price
POLISHED = 512  # coefficients up to which that is the cheaper way
NEWTON_STEPS = 20  # at a time
NEWTON_COST = 1  # Newton's step on k of p columns costs so many times k^3 / p^2 steps on all of them
DOUBT = 0.5  # a part of the tolerance that rounding may hide
SLOWEST = 1e-3  # factor on the steps of a lane that they keep leading uphill


class Solution(NamedTuple):
    """Lanes and what is known about them, as NumPy arrays."""

    w: np.ndarray  # (L, p)
    objective: np.ndarray  # (L,)
    gap: np.ndarray  # (L,) relative; NaN where no dual point is known
    violation: np.ndarray  # (L,) relative
    error: np.ndarray  # (L,) what the tolerance bounds
    num_steps: np.ndarray  # (L,)

    @classmethod
    def begin(cls, w: np.ndarray) -> "Solution":
        """Nothing known yet."""
        unknown = [np.full(len(w), np.nan, w.dtype) for _ in range(4)]
        return cls(w, unknown[0], unknown[1], unknown[2], unknown[3], np.zeros(len(w), np.int32))

    def put(self, at: np.ndarray, w: np.ndarray, known: Certified) -> None:
        """Sets the lanes ``at``."""
        self.w[at] = w
        for name in ("objective", "gap", "violation", "error"):
            getattr(self, name)[at] = getattr(known, name)

    def set(self, lanes: np.ndarray, values: "Solution") -> None:
        """Sets these lanes to all that is known of others."""
        for field, value in zip(self, values):
            field[lanes] = value


class Job(NamedTuple):
    """What some lanes do in a round."""

    lanes: np.ndarray
    columns: np.ndarray
    matrix: Matrix | None  # None: each lane's own, made where the work is done
    tol: np.ndarray
    pace: np.ndarray
    max_steps: int
    leave: int


def solve(
    source: Source,
    family: PenaltyBatch,
    scales: Scales,
    w: np.ndarray,
    num_steps: np.ndarray,
    *,
    tol: float,
    max_steps: int,
    leave: int = 0,
) -> Solution:
    """Every lane from its start ``w (L, p)`` to a certified error of ``tol``; up to ``leave`` lanes may be left above.

    ``num_steps (L,)`` are those that it has made already. What is returned is certified from the source itself, not
    from what the rounds worked on. Lanes whose working set outgrows ``source.widest`` are left as they are.
    """
    answer, live, slow = Solution.begin(w.copy()), np.arange(len(w)), np.zeros(len(w), bool)
    answer.num_steps[:], pace = num_steps, np.ones(len(w), w.dtype)
    looked = source.size > FEW  # the first step tells as much about few columns
    if source.alike:
        _begin(source, family, scales, answer, tol, max_steps)
        looked = True
    while True:
        mine, own, start = family.lanes(live), scales.lanes(live), answer.w[live]
        loss, g = source.evaluate(start, own.response)
        error = np.full(live.size, np.inf)
        if looked:
            known = certify(mine, own, source.norms, start, g, loss)
            lost = _lost(start, known, answer.objective[live], own)
            lost &= pace[live] > SLOWEST
            if lost.any():
                answer.w[live[lost]] = 0
                pace[live[lost]] /= 4
                continue
            used, spent = np.sum(start != 0, axis=1), answer.num_steps[live]
            price = NEWTON_COST * used**3 / min(source.size, source.widest) ** 2
            worth = slow[live] & (spent > np.minimum(price, max_steps - PATIENCE))
            polished = (known.error > tol) & (worth | (known.error <= POLISH) & (used <= POLISHED))
            polished &= spent < max_steps
            answer.num_steps[live] += polished
            if polished.any():
                _polish(source, mine, own, tol, polished, start, loss, g, known)
            answer.put(live, start, known)
            error = known.error
        stay = (error > tol) & (answer.num_steps[live] < max_steps)
        at = np.flatnonzero(stay)
        stay[at] = ~doubtful(source, start[at], own.lanes(at), tol)  # no step can help what the sums do not tell
        if np.sum(stay) <= leave:
            return answer
        if not stay.all():  # copies of large arrays
            live, mine, own = live[stay], mine.lanes(stay), own.lanes(stay)
            start, loss, g, error = start[stay], loss[stay], g[stay], error[stay]
        # half of it: what float32 adds to the gradient leaves it within Newton's reach
        goal = np.where(slow[live] | (error <= POLISH), 0.9 * tol, max(0.9 * tol, POLISH / 2))
        planned = plan(source, mine, own, start, g)
        spent = answer.num_steps[live]
        jobs = (
            Job(
                group,
                columns,
                source.matrix(columns) if columns.ndim == 1 else None,
                np.maximum(INNER * np.minimum(error[group], 1), goal[group])
                if columns.shape[-1] < source.size and looked
                else goal[group],
                pace[live[group]],
                min(PATIENCE, max_steps - int(spent[group].max())),
                group.size // 3 if live.size > group.size else min(leave, group.size - 1),
            )
            for group, columns in planned
        )
        for job, part, steps in in_parallel(partial(_descend, source, mine, own, start, g, loss), jobs):
            at = live[job.lanes]
            answer.w[at[:, None], job.columns] = part
            answer.num_steps[at] += np.maximum(steps, looked)  # a round costs at least that, and must end
            slow[at] = steps >= job.max_steps
        live = live[np.sort(np.concatenate([np.zeros(0, int), *(group for group, _ in planned)]))]
        if not live.size:
            return answer
        looked = True


def doubtful(source: Source, w: np.ndarray, scales: Scales, tol: float) -> np.ndarray:
    """Return the lanes ``(L,)`` of which rounding in the source's sums may hide a good part of the tolerance."""
    return source.rounding(w, scales.response) > DOUBT * tol * scales.null_loss


def _begin(source: Source, family: PenaltyBatch, scales: Scales, answer: Solution, tol: float, max_steps: int) -> None:
    """A round of lanes with matrices of their own, before the first look at all columns: for most it is the last."""
    most = min(PATIENCE, max_steps - int(answer.num_steps.max(initial=0)))
    goal = np.full(len(answer.w), max(0.9 * tol, POLISH / 2))
    planned, pace = plan_begin(source, family, scales, answer.w), np.ones_like(answer.gap)
    jobs = (Job(group, columns, None, goal[group], pace[group], most, 0) for group, columns in planned)
    for job, part, steps in in_parallel(partial(_descend, source, family, scales, answer.w, None, None), jobs):
        answer.w[job.lanes[:, None], job.columns] = part
        answer.num_steps[job.lanes] += steps


def _lost(w: np.ndarray, known: Certified, before: np.ndarray, scales: Scales) -> np.ndarray:
    """Lanes that a round led uphill, above where it began, as far as that is known, and above zero's objective.

    Their steps were too long.
    """
    ceiling = np.where(np.isnan(before), 10 * scales.null_loss, np.maximum(before, scales.null_loss))
    ceiling *= 1 + 1e-6 + 64 * np.finfo(w.dtype).eps
    return np.any(w != 0, axis=1) & ~(np.isfinite(known.objective) & (known.objective <= ceiling))


def _polish(
    source: Source, family: PenaltyBatch, scales: Scales, tol: float, chosen: np.ndarray, start, loss, g, known
):
    """Newton's steps for the chosen lanes on the columns that matter to them; changes the arrays in place."""
    at, p = np.flatnonzero(chosen), source.size
    mine, own, w = family.lanes(at), scales.lanes(at), start[at]
    columns = np.arange(p) if p <= FEW else working_set(mine, w, g[at], source.rows)
    part = source if columns.size == p else source.part(columns)
    begin = w[:, columns], loss[at], g[at][:, columns]
    start[at[:, None], columns] = _newton(part, mine.columns(columns, p, columns.size), own, tol, *begin)
    loss[at], g[at] = source.evaluate(start[at], own.response)
    for field, value in zip(known, certify(mine, own, source.norms, start[at], g[at], loss[at])):
        field[at] = value


def _newton(
    source: Source, family: PenaltyBatch, scales: Scales, tol: float, w: np.ndarray, loss: np.ndarray, g: np.ndarray
) -> np.ndarray:
    """Newton's steps for lanes ``w (L, p)`` while they lower the objective; changes the arrays in place."""
    known, at = certify(family, scales, source.norms, w, g, loss), np.arange(len(w))
    limits = family.limits(w.shape[1], w.dtype)
    for _ in range(NEWTON_STEPS):
        at = at[known.error[at] > tol]
        if not at.size:
            break
        mine, own, moved = family.lanes(at), scales.lanes(at), np.zeros(at.size, bool)
        for candidate in newton_candidates(source, own.response, w[at], *slopes(mine, w[at], g[at]), limits):
            own_loss, own_g = source.evaluate(candidate, own.response)
            found = certify(mine, own, source.norms, candidate, own_g, own_loss)
            lower = found.objective < known.objective[at]
            rounding = 4 * np.finfo(w.dtype).eps * own.null_loss  # losses are differences of such numbers
            as_low = found.objective <= known.objective[at] + rounding
            better = lower | (as_low & (found.error < known.error[at]))
            to = at[better]
            w[to], loss[to], g[to] = candidate[better], own_loss[better], own_g[better]
            for field, value in zip(known, found):
                field[to] = value[better]
            moved |= better
        at = at[moved]
    return w


def _descend(
    source: Source, family: PenaltyBatch, scales: Scales, w: np.ndarray, g: Any, loss: Any, job: Job
) -> tuple[Job, np.ndarray, np.ndarray]:
    """The same problems for some lanes on some columns, padded to a bucket: points and numbers of steps."""
    at, columns, p = job.lanes, job.columns, w.shape[1]
    mine, own = family.lanes(at), scales.lanes(at)
    if columns.ndim == 2:
        w, small = w[at[:, None], columns], mine.columns(columns[0], p, columns.shape[1])
        if g is None:
            matrix, loss, g = source.stack(columns, own.response, w)
        else:
            matrix, loss, g = source.stack(columns, own.response)[0], loss[at], g[at[:, None], columns]
        found, steps = descend(matrix, small, own, job.tol.astype(w.dtype), job.pace, (w, g, loss), job.max_steps)
        return job, found, steps
    assert job.matrix is not None
    size = set_bucket(columns.size, p)
    w, g = (x[at] if columns.size == p else x[at[:, None], columns] for x in (w, g))
    begin = padded(w, at.size, size), padded(g, at.size, size), loss[at]
    small, tol = mine.columns(columns, p, size), job.tol.astype(w.dtype)
    found, steps = descend(job.matrix, small, own, tol, job.pace, begin, job.max_steps, job.leave)
    return job, found[:, : columns.size], steps
