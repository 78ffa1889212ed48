"""Which model of a grid to take, given how well each predicts."""

import numpy as np

from proxreg._warnings import DataWarning, warn

RULES = ("min", "1se")
LEVEL = 1e-9  # of a mean, that no alpha changes it by
SMALLER = "pass smaller alphas, or a smaller min_ratio"


def check_rule(rule: str) -> str:
    """One of the rules."""
    if not isinstance(rule, str) or rule not in RULES:
        raise ValueError(f"rule must be {' or '.join(map(repr, RULES))}, got {rule!r}")
    return rule


def best(mean: np.ndarray, alphas: np.ndarray) -> int:
    """Where the mean is smallest; of equal ones the largest alpha. Arrays of any one shape; the index is flat."""
    finite = np.where(np.isfinite(mean), mean, np.inf)
    return int(np.argmax(np.where(finite == finite.min(), alphas, -np.inf)))


def within_one_error(mean: np.ndarray, error: np.ndarray, alphas: np.ndarray, at: int) -> int:
    """The largest alpha ``(K,)`` whose mean is at most a standard error above that of the best one, ``at``.

    Breiman, Friedman, Olshen and Stone (1984), section 3.4.3. It is never smaller than the best one's alpha.
    """
    near = mean <= mean[at] + error[at]
    near[at] = True  # whatever its standard error is, NaN for instance
    return int(np.argmax(np.where(near, alphas, -np.inf)))


def places(mean: np.ndarray, error: np.ndarray, alphas: np.ndarray, responses: int) -> dict[str, np.ndarray]:
    """The flat number of the alpha that each rule takes, of each response; of means the smaller are better."""
    found, count = [], alphas.shape[-1]
    for means, errors, grid in zip(*(a.reshape(responses, -1) for a in (mean, error, alphas))):
        at = best(means, grid)
        row = slice(at // count * count, (at // count + 1) * count)  # of the same l1_ratio
        found.append((at, row.start + within_one_error(means[row], errors[row], grid[row], at - row.start)))
    return dict(zip(RULES, np.array(found).T))


def warn_at_the_edge(
    alphas: np.ndarray, mean: np.ndarray, nnz: np.ndarray, place: np.ndarray, what: str, remedy: str = SMALLER
) -> None:
    """Says where a curve ends before its best point, as far as the grid tells; ``place (T,)`` as in ``places``.

    A curve that is level, as of a constant response, has no best point to miss. ``remedy`` is what to do where the best
    alpha is the smallest.
    """
    count = alphas.shape[-1]
    if count < 2:
        return
    grid, mean = (each.reshape(len(place), -1, count) for each in (alphas, mean))
    nnz = nnz.reshape(len(place), -1)
    ends: dict[str, list[tuple[int, float]]] = {}  # by what is to be said, the responses and their alphas
    for number, at in enumerate(place):
        row, alpha = grid[number, at // count], grid[number, at // count, at % count]
        curve = mean[number, at // count]
        if not np.isfinite(curve).all() or np.ptp(curve) <= LEVEL * np.max(np.abs(curve)):
            continue
        if alpha == row.min() > 0:
            said = f"smallest alpha of the grid, {{:.3g}}; {remedy}"
        elif alpha == row.max() and nnz[number, at]:
            said = "largest alpha of the grid, {:.3g}; pass larger alphas"
        elif alpha == row.max():
            said = "largest alpha of the grid, {:.3g}, where all coefficients are zero: no feature helps"
        else:
            continue
        ends.setdefault(said, []).append((number, alpha))
    for said, (first, *more) in ends.items():
        name = f"y {first[0]}{f' and {len(more)} more' if more else ''}: " if len(place) > 1 else ""
        warn(f"{name}the best {what} is at the {said.format(first[1])}", DataWarning)
