"""Newton's method on the coefficients that are not zero: from nearly right to right in a step, however ill-conditioned.

On its active set and with its signs fixed, a penalised least-squares problem is a linear system (the semismooth Newton
step of Li, Sun and Toh 2018, SIAM J. Optim. 28). Solved per lane on the host; a step counts only if it lowers the
objective, and the rounds certify what comes of it.
"""

import numpy as np

from proxreg.engine.source import Source

DAMPING = 1e-14  # relative; keeps a singular system solvable


def newton_candidates(
    source: Source, w: np.ndarray, subgradient: np.ndarray, curvature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For lanes ``(L, p)`` the full step, coefficients that would change sign set to zero, and the step up to the first
    of them.
    """
    full, short = w.copy(), w.copy()
    for lane in range(len(w)):
        at = np.flatnonzero((w[lane] != 0) | (subgradient[lane] != 0))
        if not 0 < at.size <= source.widest:
            continue
        b, old = -subgradient[lane, at], w[lane, at]
        H = source.gram(at) + np.diag(np.where(old != 0, curvature[lane, at], 0))
        H[np.diag_indices_from(H)] *= 1 + DAMPING
        try:
            move = np.linalg.solve(H, b)
        except np.linalg.LinAlgError:
            continue
        sign = np.where(old != 0, np.sign(old), np.sign(b))
        crosses = (old + move) * sign <= 0
        full[lane, at] = np.where(crosses, 0, old + move)
        reach = np.where(crosses & (move != 0), -old / np.where(move != 0, move, 1), np.inf)
        t = min(1.0, reach.min(initial=np.inf))
        short[lane, at] = np.where(crosses & (reach <= t), 0, old + t * move)
    return full, short
