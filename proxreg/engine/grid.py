"""Coarse to fine along a path: solutions are nearly piecewise linear in alpha, so neighbours tell where to start."""

import numpy as np

from proxreg._progress import report
from proxreg.batch import PenaltyBatch
from proxreg.engine.certify import Scales
from proxreg.engine.source import Source
from proxreg.engine.working_set import Solution, solve

COARSEST = 8
LEAVE = 1 / 3  # lanes of a level that may go on in the next one, where they have company


@np.errstate(over="ignore", invalid="ignore")
def solve_grid(
    source: Source,
    family: PenaltyBatch,
    scales: Scales,
    *,
    start: np.ndarray | None = None,
    base: np.ndarray | None = None,
    tol: float,
    max_steps: int,
) -> Solution:
    """All lanes of a family; those that differ in alpha alone form paths.

    ``start (L, p)`` is where the coarsest lanes begin, zero if None. ``base (L, p)`` are solutions of a similar
    problem: what is interpolated is the difference to them, and the coarsest lanes begin there.
    """
    alpha = np.asarray(family.alpha)
    ratio = np.zeros_like(alpha) if family.l1_ratio is None else np.asarray(family.l1_ratio)
    _, path = np.unique(np.stack([scales.response, ratio]), axis=1, return_inverse=True)
    path = path.ravel()
    lanes, p = alpha.size, source.size
    begin = start if base is None else base
    w = np.zeros((lanes, p), alpha.dtype) if begin is None else begin.astype(alpha.dtype)
    answer = Solution.begin(w)
    todo = levels(alpha, path)
    left, known = np.zeros(0, int), np.zeros(0, int)
    for number, fresh in enumerate(todo):
        if known.size:
            w[fresh] = interpolated(alpha, path, w - base if base is not None else w, known, fresh)
            if base is not None:
                w[fresh] += base[fresh]
        at = np.concatenate([fresh, left])
        leave = int(LEAVE * at.size) if number + 1 < len(todo) else 0
        given = family.lanes(at), scales.lanes(at), w[at], answer.num_steps[at]
        found = solve(source, *given, tol=tol, max_steps=max_steps, leave=leave)
        answer.set(at, found)
        known = np.union1d(known, at[np.isfinite(found.error)])
        left = at[(found.error > tol) & (found.num_steps < max_steps)]
        report(sum(map(len, todo[: number + 1])) - left.size, lanes)
    report(lanes, lanes)
    return answer


def levels(alpha: np.ndarray, path_of: np.ndarray) -> list[np.ndarray]:
    """Lanes in the order in which to solve them: of each path every 8th and the last, then those between, and so on."""
    found: list[list[np.ndarray]] = []
    for path in paths(alpha, path_of):
        count = path.size
        spacing = COARSEST if count > 2 * COARSEST else 1
        chosen = np.unique(np.append(np.arange(0, count, spacing), count - 1))
        seen = np.zeros(count, bool)
        level = 0
        while True:
            if level == len(found):
                found.append([])
            found[level].append(path[chosen])
            seen[chosen] = True
            if seen.all():
                break
            spacing, level = max(spacing // 4, 1), level + 1
            chosen = np.flatnonzero(~seen & (np.arange(count) % spacing == 0))
    return [np.concatenate(level) for level in found]


def paths(alpha: np.ndarray, path_of: np.ndarray) -> list[np.ndarray]:
    """Lanes of the same path, by falling alpha."""
    members = (np.flatnonzero(path_of == each) for each in np.unique(path_of))
    return [at[np.argsort(-alpha[at], kind="stable")] for at in members]


def interpolated(
    alpha: np.ndarray, path_of: np.ndarray, values: np.ndarray, known: np.ndarray, wanted: np.ndarray
) -> np.ndarray:
    """What ``values (L, p)`` are at the lanes ``wanted``, linearly in alpha between the lanes ``known``."""
    out = np.empty((wanted.size, values.shape[1]), values.dtype)
    for each in np.unique(path_of[wanted]):
        mine = np.flatnonzero(path_of[wanted] == each)
        near = known[path_of[known] == each]
        if not near.size:
            out[mine] = 0
            continue
        near = near[np.argsort(alpha[near], kind="stable")]
        place = np.searchsorted(alpha[near], alpha[wanted[mine]])
        low, high = near[np.maximum(place - 1, 0)], near[np.minimum(place, near.size - 1)]
        width = alpha[high] - alpha[low]
        share = np.where(width > 0, (alpha[wanted[mine]] - alpha[low]) / np.where(width > 0, width, 1), 0)
        share = np.clip(share, 0, 1)[:, None].astype(values.dtype)
        out[mine] = values[low] + share * (values[high] - values[low])
    return out
