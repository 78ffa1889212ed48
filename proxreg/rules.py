"""Which model of a grid to take, given how well each predicts."""

import numpy as np

RULES = ("min", "1se")


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
