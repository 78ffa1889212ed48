"""Stability selection: the features that a sparse fit keeps on most halves of the rows, and a bound on false ones."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple, Unpack

import numpy as np

from proxreg._warnings import DataWarning, warn
from proxreg.convergence import how_many, remedy, warn_about_many
from proxreg.feature_names import names_of
from proxreg.folds import check_key
from proxreg.path_problem import PathOptions, PathProblem, answer, check_options, pose, solved
from proxreg.resampling import fits, half_samples
from proxreg.results import worst
from proxreg.tables import stability_table
from proxreg.validation import check_positive

N_ALPHAS = 10
PILOT = 10  # half-samples that tell where the grid may end
PILOT_ALPHAS = 40
PILOT_PORTION = 8  # alphas at a time
SHOWN = 10  # features in the table


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Stability:
    """How often each feature is selected, along a grid of alphas that ends where the bound on errors says."""

    alphas: np.ndarray  # (K,) falling
    probability: np.ndarray  # (K, p) share of half-samples in which a feature has a coefficient at that alpha
    threshold: float
    num_subsamples: int
    mean_selected: float  # features of a half-sample with a coefficient at any of the alphas
    expected_false: float  # bound on the expected number of false selections
    worst_gap: float  # of all fits; NaN where no dual is known
    feature_names: tuple[str, ...] | None = None

    @property
    def max_probability(self) -> np.ndarray:
        """``(p,)`` the largest over the alphas."""
        return self.probability.max(axis=0)

    @property
    def selected(self) -> np.ndarray:
        """``(p,)`` whether that reaches the threshold."""
        return self.max_probability >= self.threshold

    def table(self) -> Any:
        """Return the features by falling probability, the largest of each; a DataFrame where pandas is installed."""
        return stability_table(self)

    def plot(self, **options: Any) -> Any:
        """Draws the probabilities against -log10(alpha); see ``proxreg.plotting.plot_stability``."""
        from proxreg.plotting import plot_stability

        return plot_stability(self, **options)

    def __repr__(self) -> str:
        p, most = self.probability.shape[1], self.max_probability
        order = [
            int(j) for j in np.argsort(-most, kind="stable")[: max(SHOWN, int(self.selected.sum()))] if most[j] > 0
        ]
        names = names_of(self.feature_names, p)
        width = max([len(names[j]) for j in order], default=0)
        lines = [
            f"Stability: {self.selected.sum()} of {p} features selected in {self.threshold:g} or more of "
            f"{self.num_subsamples} half-samples, at most {self.expected_false:.2g} of them expected to be false",
            f"  {len(self.alphas)} alphas from {self.alphas[0]:.4g} to {self.alphas[-1]:.4g}, "
            f"{self.mean_selected:.1f} features to a half-sample, worst gap {worst(self.worst_gap)}",
        ]
        lines += [f"  {names[j]:<{width}}  {most[j]:.3f}{'  selected' if self.selected[j] else ''}" for j in order]
        return "\n".join(lines)


def stability_selection(
    X: Any,
    y: Any,
    *,
    key: Any,
    num_subsamples: int = 100,
    threshold: float = 0.75,
    max_false: float | None = 1.0,
    unimodal: bool = True,
    **options: Unpack[PathOptions],
) -> Stability:
    """Fits a grid of alphas on complementary halves of the rows, and keeps what most of them select.

    A feature is selected if, at one of the alphas, it has a coefficient in a share ``threshold`` of the half-samples.
    With q features to a half-sample on average, at any of the alphas, the expected number of selected features whose
    chance is at most q/p is at most ``q^2 / ((2 threshold - 1) p)`` (Meinshausen and Buehlmann 2010, theorem 1; Shah
    and Samworth 2013, theorem 1). With the latter's C it is ``C q^2 / p`` if the share of pairs of which both halves
    select a feature has a unimodal distribution (theorem 2; q <= p / sqrt(3)). The grid ends where that exceeds
    ``max_false``.

    Args:
      X, y: as in ``fit_path``, one response.
      key: of ``jax.random``; the same key gives the same answer.
      num_subsamples: half-samples, an even number, since they come in pairs.
      threshold: in (0.5, 1].
      max_false: bound on the expected number of false selections; None takes the whole grid.
      unimodal: whether to assume that.
      options: of ``fit_path``. The default grid has ``n_alphas=10`` and goes down to about where the bound ends it.
        Columns keep the scale that they have in all rows.

    The bound is about features selected no more often than by chance. Of correlated features that stand for one another
    each may be selected too rarely.

    >>> import jax, numpy as np, proxreg as pr
    >>> X = np.random.default_rng(0).standard_normal((80, 30))
    >>> y = X[:, 3] - X[:, 7] + 0.5 * np.random.default_rng(1).standard_normal(80)
    >>> found = pr.stability_selection(X, y, key=jax.random.key(0), num_subsamples=20, dtype="float64")
    >>> print(np.flatnonzero(found.selected), found.expected_false <= 1)
    [3 7] True
    """
    check_options(options, "stability_selection")
    count = int(check_positive(num_subsamples, "num_subsamples", integer=True))
    if count % 2:
        raise ValueError(f"num_subsamples must be even, as half-samples come in pairs, got {count}")
    if not 0.5 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0.5, 1], got {threshold:g}")
    most = np.inf if max_false is None else check_positive(max_false, "max_false")
    ratio = options.get("l1_ratio", 1.0)
    if np.ndim(ratio) or ratio == 0:
        raise ValueError(f"stability_selection takes one l1_ratio > 0, got {ratio!r}")
    given: dict[str, Any] = {"n_alphas": N_ALPHAS, **options}
    problem = pose(X, y, several=False, **given)
    order = np.argsort(-problem.grid, kind="stable")
    problem = dataclasses.replace(problem, grid=problem.grid[order])
    task, candidates = problem.task, _candidates(problem)
    weights = half_samples(check_key(key), task.data.y, task.data.classes, count // 2)

    def allowed(q: np.ndarray) -> int:
        return max(int(np.sum(false_selections(q, int(candidates.sum()), threshold, count // 2, unimodal) <= most)), 1)

    if options.get("alphas") is None and max_false is not None:
        problem = _narrowed(problem, weights[:PILOT], candidates, allowed)
    problem, whole = solved(problem)
    seen = _count(problem, whole, weights, candidates)
    end = allowed(seen.mean_union)
    warn_about_many(*seen.fits, problem.options.tol, remedy(task.standardize, task.dtype))
    q = seen.mean_union[end - 1]
    false = float(false_selections(q, int(candidates.sum()), threshold, count // 2, unimodal))
    if false > most:
        remedy_is = "pass larger alphas, a higher threshold or a larger max_false"
        warn(f"the largest alpha allows {false:.2g} false selections, more than {most:g}; {remedy_is}", DataWarning)
    return Stability(
        alphas=problem.grid[:end],
        probability=seen.probability[:end],
        threshold=float(threshold),
        num_subsamples=count,
        mean_selected=float(q),
        expected_false=false,
        worst_gap=seen.worst_gap,
        feature_names=task.data.names,
    )


def false_selections(q: Any, p: int, threshold: float, pairs: int, unimodal: bool) -> np.ndarray:
    """The bound on the expected number of selected features, of p, that q to a half-sample would hit by chance.

    Shah and Samworth (2013), theorems 1 and 2, with ``theta = q / p``.
    """
    q = np.asarray(q, float)
    theta, worst = q / p, q**2 / ((2 * threshold - 1) * p)
    if not unimodal:
        return worst
    if threshold > 0.75:
        factor, holds = 4 * (1 - threshold + 1 / (2 * pairs)) / (1 + 1 / pairs), np.ones_like(q, bool)
    else:
        room = 2 * threshold - 1 - 1 / (2 * pairs)
        if room <= 0:  # as few pairs as this say no more than the general bound
            return worst
        factor = 1 / (2 * room)
        holds = threshold > np.minimum(0.5 + theta**2, 0.5 + 1 / (2 * pairs) + 0.75 * theta**2)
    return np.where(holds & (theta <= 1 / np.sqrt(3)), np.minimum(factor * q * theta, worst), worst)


class _Seen(NamedTuple):
    probability: np.ndarray  # (K, p)
    mean_union: np.ndarray  # (K,) candidates with a coefficient at that alpha or a larger one
    worst_gap: float
    fits: tuple[int, int, int, float]  # as in ``how_many``


def _count(problem: PathProblem, whole: dict[str, np.ndarray], weights: np.ndarray, candidates: np.ndarray) -> _Seen:
    """Fits all samples, and keeps how often each feature has a coefficient."""
    hits, union, gap, parts = 0.0, 0.0, [], []
    for found in fits(problem, whole, weights):
        used = found["coef"] != 0
        hits = hits + used.sum(axis=0)
        union = union + (np.logical_or.accumulate(used, axis=1) & candidates).sum(axis=(0, 2))
        gap.append(found["gap"].max())
        parts.append(how_many(found))
    count, (*numbers, worst) = len(weights), zip(*parts)
    fitted, above, lost = map(sum, numbers)
    told = fitted, above, lost, max(worst)
    return _Seen(np.asarray(hits) / count, np.asarray(union) / count, float(np.max(gap)), told)


def _candidates(problem: PathProblem) -> np.ndarray:
    """The features ``(p,)`` that selection is about: penalised, and not left out."""
    factor = problem.task.factor
    p = problem.task.data.X.shape[1]
    return np.ones(p, bool) if factor is None else (np.asarray(factor) > 0) & np.isfinite(factor)


def _narrowed(
    problem: PathProblem, weights: np.ndarray, candidates: np.ndarray, allowed: Callable[[np.ndarray], int]
) -> PathProblem:
    """With a grid of as many alphas, that ends about where the bound allows no more, as some samples tell."""
    top, bottom = problem.grid[0], problem.grid[-1]
    fine = np.geomspace(top, bottom, max(PILOT_ALPHAS, problem.grid.size)).astype(problem.grid.dtype)
    end, union = 0, np.zeros(0)
    for start in range(0, fine.size, PILOT_PORTION):
        part = dataclasses.replace(problem, grid=fine[start : start + PILOT_PORTION])
        union = np.append(union, _count(part, answer(part), weights, candidates).mean_union)
        end = allowed(union)
        if end < union.size:
            break
    return dataclasses.replace(problem, grid=np.geomspace(top, fine[end - 1], problem.grid.size).astype(fine.dtype))
