"""Newton's method on the coefficients that are not zero: from nearly right to right in a step, however ill-conditioned.

On its active set and with its signs fixed, a penalised least-squares problem is a linear system (the semismooth Newton
step of Li, Sun and Toh 2018, SIAM J. Optim. 28). Solved per lane on the host; a step counts only if it lowers the
objective, and the rounds certify what comes of it.
"""

import numpy as np

from proxreg.engine.host import in_parallel
from proxreg.engine.source import Source


def newton_candidates(
    source: Source,
    response: np.ndarray,
    w: np.ndarray,
    subgradient: np.ndarray,
    curvature: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """For lanes ``(L, p)`` the full step, coefficients that would change sign set to zero and those that would pass a
    limit to that, and the step up to the first of them.

    ``limits`` are the lower and the upper ones, ``(p,)``.
    """
    full, short = w.copy(), w.copy()
    active = ((w != 0) & (w > limits[0]) & (w < limits[1])) | (subgradient != 0)
    active &= np.sum(active, axis=1, keepdims=True) <= source.widest
    source.expect(np.flatnonzero(np.any(active, axis=0)))

    def candidates(lane: int) -> None:
        at = np.flatnonzero(active[lane])
        at, move = _newton_step(source, int(response[lane]), at, w[lane], subgradient[lane], curvature[lane])
        if not at.size:
            return
        old, new = w[lane, at], w[lane, at] + move
        end = np.where((old != 0) & (new * old <= 0), 0, np.clip(new, limits[0][at], limits[1][at]))
        ends = end != new
        full[lane, at] = end
        reach = np.where(ends, (end - old) / np.where(ends, move, 1), np.inf)
        t = min(1.0, reach.min(initial=np.inf))
        short[lane, at] = np.where(reach <= t, end, old + t * move)

    in_parallel(candidates, range(len(w)))
    return full, short


def _newton_step(
    source: Source, response: int, at: np.ndarray, w: np.ndarray, subgradient: np.ndarray, curvature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The step on the coordinates ``at`` without those at zero that it would move against their subgradient."""
    while at.size:
        slope, bend = subgradient[at].astype(np.float64), np.where(w[at] != 0, curvature[at], 0).astype(np.float64)
        try:
            move = source.newton_step(at, response, w, slope, bend)
        except np.linalg.LinAlgError:
            break
        wrong = (w[at] == 0) & (move * slope >= 0)
        if not wrong.any():
            return at, move.astype(w.dtype)
        at = at[~wrong]
    return at[:0], np.zeros(0, w.dtype)
