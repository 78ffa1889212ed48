"""The bootstrap: the same grid of fits on rows drawn with replacement, all of them lanes of one call."""

import dataclasses
from typing import Any, Unpack

import numpy as np

from proxreg.convergence import remedy, warn_about_samples, warn_unless_converged
from proxreg.folds import check_key
from proxreg.path_problem import PathOptions, as_path, check_options, labels, pose, solved
from proxreg.resampling import bootstrap_samples, fits
from proxreg.results import Path, worst
from proxreg.validation import check_positive

MOST = 1 << 28  # coefficients to keep


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Bootstrap:
    """Fits on samples of the rows, drawn with replacement; arrays begin with the axis of samples ``(B,)``."""

    path: Path  # fitted on all rows
    coef: np.ndarray  # (B, K, p), or (B, R, K, p) for R l1_ratios
    intercept: np.ndarray  # (B, ...)
    gap: np.ndarray  # (B, ...)
    converged: np.ndarray  # (B, ...)

    @property
    def probability(self) -> np.ndarray:
        """``(K, p)``: the share of samples in which a coefficient is not exactly zero."""
        return np.mean(self.coef != 0, axis=0)

    @property
    def standard_error(self) -> np.ndarray:
        """``(K, p)``: the standard deviation of each coefficient over the samples."""
        return np.std(self.coef, axis=0, ddof=1)

    def interval(self, level: float = 0.95) -> np.ndarray:
        """``(2, K, p)``: percentiles that hold the middle ``level`` of the samples.

        They tell how much a coefficient moves with the data, shrinkage included; for a coefficient that is truly zero
        they are no confidence interval (Chatterjee and Lahiri 2010).
        """
        if not 0 < level < 1:
            raise ValueError(f"level must lie in (0, 1), got {level!r}")
        return np.quantile(self.coef, [(1 - level) / 2, (1 + level) / 2], axis=0)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.coef.shape[1:-1]))
        return (
            f"Bootstrap: {len(self.coef)} samples x {shape} alphas, {self.coef.shape[-1]} features, "
            f"{int(self.converged.sum())} of {self.converged.size} fits converged, worst gap {worst(self.gap)}"
        )


def bootstrap(X: Any, y: Any, *, key: Any, num_samples: int = 200, **options: Unpack[PathOptions]) -> Bootstrap:
    """Fits a grid of alphas on all rows and on ``num_samples`` samples of them, drawn with replacement.

    Every sample and every alpha is a lane; a row drawn k times has k times its weight. Where there are classes each is
    sampled for itself.

    Args:
      X, y: as in ``fit_path``, one response.
      key: of ``jax.random``; the same key gives the same answer.
      num_samples: how many.
      options: of ``fit_path``; ``alphas=cv.alpha_1se`` is the usual one. Columns keep the scale that they have in all
        rows.

    >>> import jax, proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> found = pr.bootstrap(X, y, key=jax.random.key(0), alphas=3.0, standardize=True, num_samples=50, dtype="float64")
    >>> print(found.coef.shape, found.probability[0, 2])
    (50, 1, 10) 1.0
    """
    check_options(options, "bootstrap")
    count = int(check_positive(num_samples, "num_samples", integer=True))
    if count < 2:
        raise ValueError("num_samples must be 2 or more")
    problem, whole = solved(pose(X, y, several=False, **options))
    size = count * whole["coef"].size
    if size > MOST:
        raise ValueError(f"{count} samples of this grid would keep {size:.2g} coefficients; pass fewer alphas")
    task = problem.task
    weights = bootstrap_samples(check_key(key), task.data.y, task.data.classes, count)
    parts = list(fits(problem, whole, weights))
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    advice = remedy(task.standardize, task.dtype)
    warn_unless_converged(whole, problem.options, labels(problem), advice)
    warn_about_samples(found, problem.options.tol, advice)
    kept = {name: found[name] for name in ("coef", "intercept", "gap", "converged")}
    return Bootstrap(path=as_path(problem, whole), **kept)
