"""Drive a batch from the host: lanes in any order become grids of fixed sizes, and working sets grow as they must."""

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from proxreg._core import platform
from proxreg._progress import report
from proxreg._pytree import Array, replace, strong, tree_put, tree_take
from proxreg.batch.buckets import filled, fine_bucket, padded, row_bucket, wide_bucket
from proxreg.batch.penalty_batch import PenaltyBatch
from proxreg.batch.solve_path import GridOptions, GridProblem, solve_grid
from proxreg.models import Coefficients, LinearModel
from proxreg.solvers import Result, Status, stopping

FIRST = 256, 512  # columns of a first working set: of so few rows as well, and of more
WIDER = 2  # times as many for lanes whose supports outgrow it
LARGE = 1 << 23  # numbers in X from which on a copy of it costs more than a program
FEW_LANES = (1, 4, 8, 16, 32, 64, 104, 128)  # lanes of a path, up to which programs are for one of these numbers
SAMPLES = 8  # of rows, that are worked on together


class Lanes(NamedTuple):
    """Lanes that are to be solved on the same rows."""

    penalties: PenaltyBatch  # (L,)
    start: Any = None  # parameters, zero where None
    own_starts: bool = False  # each lane has its own entry along the first axis of ``start``
    sample: np.ndarray | None = None  # (L,) the numbers of the weights that lanes have; None where all have the same

    def take(self, chosen: np.ndarray) -> "Lanes":
        """Return the lanes with these numbers, in that order."""
        start = tree_take(self.start, chosen) if self.own_starts else self.start
        sample = None if self.sample is None else self.sample[chosen]
        return Lanes(self.penalties.lanes(chosen), start, self.own_starts, sample)

    def on_columns(self, p: int, size: int) -> "Lanes":
        """Return the lanes of p columns with idle ones, so that there are ``size``."""
        if size == p:
            return self

        def wider(leaf: Any) -> Any:
            return padded(leaf, *np.shape(leaf)[:-1], size) if np.shape(leaf)[-1:] == (p,) else leaf

        penalties = self.penalties.columns(np.arange(p), p, size)
        return self._replace(penalties=penalties, start=jax.tree.map(wider, self.start))


def solve_on_rows(
    model: LinearModel, lanes: Lanes, *, tol: float, max_steps: int, weights: np.ndarray | None = None
) -> Result:
    """Return the solutions of a linear model's lanes, every field a NumPy array with their axis in front.

    ``weights (samples, n)`` stand in for those of the model's rows. Unless X is large, columns are padded to a bucket,
    and rows of least squares are (those of other losses should be, with weights of zero): other data of about the same
    size compile nothing.
    """
    n, p = np.shape(model.X)
    count = len(lanes.penalties.alpha)
    report(0, count)
    if lanes.penalties.template.separable and not isinstance(model.X, jax.Array):
        model = with_idle_entries(model)
    size = np.shape(model.X)[1]
    lanes = lanes.on_columns(p, size)
    width = _first_width(n, size, lanes.penalties)
    found = _solve(model, lanes, weights, width, tol, max_steps)
    left = np.flatnonzero(found.status == Status.WORKING_SET)
    while left.size:
        assert width is not None
        report(count - left.size, count)
        width = min(WIDER * width, size)
        wider = lanes._replace(start=found.w, own_starts=True).take(left)
        spent = found.num_steps[left]
        again = _solve(model, wider, weights, width, tol, max_steps - int(spent.max()))
        tree_put(found, left, again._replace(num_steps=again.num_steps + spent))
        left = left[again.status == Status.WORKING_SET]
    report(count, count)
    return first_columns(found, p)


def _first_width(n: int, p: int, penalties: PenaltyBatch) -> int | None:
    """Return how many columns a working set has to begin with; None where the program is to decide.

    A lasso has no more coefficients than there are rows, so that on few of them fewer columns are enough; with a ridge
    part there are more. Where the penalty leaves idle coefficients anywhere but at zero, no column is idle.
    """
    if not penalties.template.separable:
        return None
    if p <= 2 * FIRST[1] or not penalties.is_sparse:
        return p
    lasso = np.all(penalties.l1 == np.asarray(penalties.alpha))
    return (FIRST[0] if n <= FIRST[0] else FIRST[1]) * (1 if lasso else 2)


def with_idle_entries(model: LinearModel) -> LinearModel:
    """Return the same problem with columns of zeros, and of least squares with rows of weight zero, if X is not large.

    Other losses do not take any response: who has such rows pads them.
    """
    n, p = np.shape(model.X)
    if n * p > LARGE:
        return model
    size = wide_bucket(p)
    if not model.loss.affine:
        return replace(model, X=padded(model.X, n, size))
    rows = row_bucket(n)
    weights = np.ones(n, np.asarray(model.X).dtype) if model.sample_weight is None else model.sample_weight
    offset = None if model.offset is None else padded(model.offset, rows)
    X, y, weights = padded(model.X, rows, size), padded(model.y, rows), padded(weights, rows)
    return replace(model, X=X, y=y, sample_weight=weights, offset=offset)


def first_columns(found: Result, p: int) -> Result:
    """Return solutions without what they have of idle columns."""
    w = found.w
    return found._replace(w=Coefficients(w.coef[:, :p], w.intercept) if isinstance(w, Coefficients) else w[:, :p])


def _solve(
    model: LinearModel, lanes: Lanes, weights: np.ndarray | None, width: int | None, tol: float, max_steps: int
) -> Result:
    penalties, own = lanes.penalties, lanes.own_starts
    samples, ratios, grid = _on_grids(lanes)
    template = replace(penalties.template, alpha=0.0)  # whatever it was, it must not be a reason to compile again
    model, template, factor = strong((model, template, penalties.factor))
    stop = stopping(tol, max_steps)
    options = GridOptions(width, platform(), own)
    together = 1 if weights is None else SAMPLES
    found: Any = None
    for first in range(0, len(samples), together):
        some = filled(np.arange(first, min(first + together, len(samples))), together)
        place = np.where(grid[some] < 0, ~grid[some], grid[some])
        start = tree_take(lanes.start, place.reshape(together, -1)) if own else lanes.start
        problem = GridProblem(model, template, factor, np.asarray(penalties.alpha)[place], ratios, start, *stop)
        if weights is None:
            start = jax.tree.map(lambda leaf: leaf[0], start) if own else start
            part = solve_grid(problem._replace(alphas=problem.alphas[0], w0=start), options)
        else:
            part = _solve_samples(problem, weights[samples[some]], options)
            part = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), part)
        if found is None:
            found = jax.tree.map(lambda leaf: np.empty((len(penalties.alpha), *leaf.shape[1:]), leaf.dtype), part)
        real = np.flatnonzero(grid[some] >= 0)
        tree_put(found, place.ravel()[real], tree_take(part, real))
    return found


@partial(jax.jit, static_argnums=2)
def _solve_samples(grids: GridProblem, weights: Array, options: GridOptions) -> Result:
    """Return the solutions ``(samples, R K, ...)`` of grids under ``weights (samples, n)``.

    ``alphas (samples, R, K)`` have an axis of samples, and so have starts that are the lanes' own.
    """

    def one(weights: Array, alphas: Array, w0: Any) -> Result:
        smooth = replace(grids.smooth, sample_weight=weights)
        return solve_grid(grids._replace(smooth=smooth, alphas=alphas, w0=w0), options)

    return jax.vmap(one, in_axes=(0, 0, 0 if options.own_starts else None))(weights, grids.alphas, grids.w0)


def _on_grids(lanes: Lanes) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return the numbers of samples, l1_ratios ``(R,)``, None where lanes have none, and the lanes on a grid ``(R, K)``
    for each sample.

    Alphas fall along each row. Where a row has fewer lanes than there are places, its last one comes again, as
    ``~lane``: it begins at its own solution, and costs next to nothing.
    """
    alpha = np.asarray(lanes.penalties.alpha)
    ratio = np.zeros_like(alpha) if lanes.penalties.l1_ratio is None else np.asarray(lanes.penalties.l1_ratio)
    samples, sample = np.unique(lanes.sample if lanes.sample is not None else np.zeros(alpha.size), return_inverse=True)
    ratios, path = np.unique(ratio, return_inverse=True)
    order = np.lexsort((-alpha, path, sample))
    row = (sample * ratios.size + path)[order]
    length = np.bincount(row, minlength=samples.size * ratios.size)
    place = np.arange(alpha.size) - np.repeat(np.cumsum(length) - length, length)
    longest = int(length.max())
    size = next((few for few in FEW_LANES if longest <= few), fine_bucket(longest))
    last = np.zeros(length.size, int)
    last[row] = order
    grid = np.repeat(~last[:, None], size, axis=1)
    grid[row, place] = order
    grid = grid.reshape(samples.size, ratios.size, size)
    return samples.astype(int), None if lanes.penalties.l1_ratio is None else ratios, grid
