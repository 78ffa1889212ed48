"""Drive a batch from the host: lanes in any order become grids of fixed sizes, and what a program leaves goes on in the
next.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import platform
from proxreg._progress import report
from proxreg._pytree import Array, replace, strong, tree_put, tree_take
from proxreg.batch.buckets import column_bucket, filled, fine_bucket, padded, row_bucket, wide_bucket
from proxreg.batch.continuation import WarmStart
from proxreg.batch.penalty_batch import PenaltyBatch, is_plain
from proxreg.batch.solve_path import GridOptions, GridProblem, solve_grid
from proxreg.models import Coefficients, LinearModel, Quadratic
from proxreg.solvers import Result, Status, stopping

FIRST = 256, 512  # columns of a first working set: of so few rows as well, and of more
WIDER = 2  # times as many for lanes whose supports outgrow it
LARGE = 1 << 23  # numbers in X from which on a copy of it costs more than a program
FEW_LANES = (1, 4, 8, 16, 32, 64, 104, 128)  # lanes of a path, up to which programs are for one of these numbers
TOGETHER = 8  # variants of the data that are worked on together


class Lanes(NamedTuple):
    """Lanes that are to be solved on the same data, or on variants of these."""

    penalties: PenaltyBatch  # (L,)
    start: Any = None  # parameters, zero where None; with the lanes' axis in front unless they share it
    warm_start: WarmStart = WarmStart.SHARED
    variant: np.ndarray | None = None  # (L,) the number of each lane's; None where all have the same

    def take(self, chosen: np.ndarray) -> "Lanes":
        """Return the lanes with these numbers, in that order."""
        start = self.start if self.warm_start is WarmStart.SHARED else tree_take(self.start, chosen)
        variant = None if self.variant is None else self.variant[chosen]
        return Lanes(self.penalties.lanes(chosen), start, self.warm_start, variant)

    def on_columns(self, p: int, size: int) -> "Lanes":
        """Return the lanes of p columns with idle ones, so that there are ``size``."""
        if size == p:
            return self

        def wider(leaf: Any) -> Any:
            return padded(leaf, *np.shape(leaf)[:-1], size) if np.shape(leaf)[-1:] == (p,) else leaf

        penalties = self.penalties.columns(np.arange(p), p, size)
        return self._replace(penalties=penalties, start=jax.tree.map(wider, self.start))

    def within_limits(self) -> "Lanes":
        """Return the lanes with starts of their own where their penalties are finite.

        What lies between solutions, and solutions for other data, may be beyond limits.
        """
        if self.warm_start is WarmStart.SHARED or is_plain(self.penalties.template):
            return self
        pair = isinstance(self.start, Coefficients)
        coef = _within_limits(*strong((self.penalties, self.start.coef if pair else self.start)))
        start = Coefficients(coef, self.start.intercept) if pair else coef
        return self._replace(start=start, warm_start=WarmStart.OWN)


@jax.jit
def _within_limits(penalties: PenaltyBatch, w: Array) -> Array:
    tiny = jnp.asarray(jnp.finfo(w.dtype).tiny, w.dtype)  # prox of next to no step is the way into the limits
    return jax.vmap(lambda penalty, w: penalty.prox(w, tiny))(penalties.penalties(), w)


def solve_on_rows(
    model: LinearModel, lanes: Lanes, *, tol: float, max_steps: int, weights: np.ndarray | None = None
) -> Result:
    """Return the solutions of a linear model's lanes, every field a NumPy array with their axis in front.

    ``weights (samples, n)`` stand in for those of the model's rows. Unless X is large, columns are padded to a bucket,
    and rows of least squares are (those of other losses should be, with weights of zero): other data of about the same
    size compile nothing. Where a support outgrows the working set, its lane goes on with a wider one.
    """
    n, p = np.shape(model.X)
    if lanes.penalties.template.separable and not isinstance(model.X, jax.Array):
        model = with_idle_entries(model)
    rows, size = np.shape(model.X)
    lanes = lanes.on_columns(p, size)

    def programs() -> Iterator[GridOptions]:
        width = _first_width(n, size, lanes.penalties)
        while True:
            yield GridOptions(width, platform(), lanes.warm_start)
            assert width is not None
            width = min(WIDER * width, size)

    variants = None if weights is None else {"sample_weight": padded(weights, len(weights), rows).astype(model.X.dtype)}
    return first_columns(_solve_in_turn(model, lanes, variants, programs(), tol, max_steps), p)


def solve_on_gram(G: Any, c: Any, constant: Any, null_loss: Any, lanes: Lanes, *, tol: float, max_steps: int) -> Result:
    """Return the solutions of lanes of least squares from statistics, as ``solve_on_rows`` does from rows.

    ``G (p, p)``, and for each variant ``c (T, p)``, ``constant (T,)`` and ``null_loss (T,)``, see ``Quadratic``.
    Columns are padded to a bucket.
    """
    p, count = len(G), len(lanes.penalties.alpha)
    size = column_bucket(p) if lanes.penalties.template.separable else p
    G, c, lanes = padded(G, size, size), padded(c, len(c), size), lanes.on_columns(p, size)
    if lanes.start is None:  # another program otherwise
        lanes = lanes._replace(start=np.zeros(size, G.dtype))
    if lanes.warm_start is WarmStart.SHARED and is_plain(lanes.penalties.template):  # as well
        lanes = lanes._replace(start=np.broadcast_to(lanes.start, (count, size)), warm_start=WarmStart.SIMILAR)
    variants = {"c": c, "constant": constant, "null_loss": null_loss}
    # few lanes are slow, and Newton's steps take a second to compile
    programs = (GridOptions(None, platform(), lanes.warm_start, newton) for newton in (False, True))
    result = _solve_in_turn(Quadratic(G, c[0]), lanes, variants, programs, tol, max_steps)
    return first_columns(result, p)


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


def _solve_in_turn(
    model: LinearModel | Quadratic,
    lanes: Lanes,
    variants: dict[str, Any] | None,
    programs: Iterator[GridOptions],
    tol: float,
    max_steps: int,
) -> Result:
    """Return the solutions by the first program, those of the lanes that it leaves by the next, and so on."""
    count, model, lanes = len(lanes.penalties.alpha), jax.device_put(model), lanes.within_limits()
    report(0, count)
    options = next(programs)._replace(warm_start=lanes.warm_start)
    result = _solve(model, lanes, variants, options, tol, max_steps)
    left = np.flatnonzero(result.status == Status.WORKING_SET)
    while left.size:
        report(count - left.size, count)
        rest = lanes._replace(start=result.w, warm_start=WarmStart.OWN).take(left)
        options = next(programs)._replace(warm_start=WarmStart.OWN)
        spent = result.num_steps[left]
        again = _solve(model, rest, variants, options, tol, max_steps - int(spent.max()))
        tree_put(result, left, again._replace(num_steps=again.num_steps + spent))
        left = left[again.status == Status.WORKING_SET]
    report(count, count)
    return result


def _solve(
    model: LinearModel | Quadratic,
    lanes: Lanes,
    variants: dict[str, Any] | None,
    options: GridOptions,
    tol: float,
    max_steps: int,
) -> Result:
    """Return the solutions by one program, called as often as there are variants, or groups of them."""
    penalties = lanes.penalties
    numbers, ratios, grid = _on_grids(lanes)
    # whatever alpha the template had, it must not be a reason to compile again
    template, factor = strong((replace(penalties.template, alpha=0.0), penalties.factor))
    stop = stopping(tol, max_steps)
    # steps on a Gram matrix fill a CPU without company
    together = TOGETHER if variants and not (isinstance(model, Quadratic) and options.backend == "cpu") else 1
    result: Any = None
    for first in range(0, len(numbers), together):
        group = filled(np.arange(first, min(first + together, len(numbers))), together)
        place = np.where(grid[group] < 0, ~grid[group], grid[group])
        start = lanes.start if options.is_shared else tree_take(lanes.start, place.reshape(together, -1))
        fields = {name: values[numbers[group]] for name, values in (variants or {}).items()}
        alphas = np.asarray(penalties.alpha)[place]
        if together == 1:
            fields, alphas = jax.tree.map(lambda leaf: leaf[0], (fields, alphas))
            start = start if options.is_shared else jax.tree.map(lambda leaf: leaf[0], start)
        smooth = strong(replace(model, **fields) if together == 1 else model)
        grids = GridProblem(smooth, template, factor, alphas, ratios, start, *stop)
        if together == 1:
            part = solve_grid(grids, options)
        else:
            part = _solve_variants(grids, fields, options)
            part = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), part)
        if result is None:
            result = jax.tree.map(lambda leaf: np.empty((len(penalties.alpha), *leaf.shape[1:]), leaf.dtype), part)
        real = np.flatnonzero(grid[group] >= 0)
        tree_put(result, place.ravel()[real], tree_take(part, real))
    return result


@partial(jax.jit, static_argnums=2)
def _solve_variants(grids: GridProblem, fields: dict[str, Any], options: GridOptions) -> Result:
    """Return the solutions ``(V, R K, ...)`` of grids on V variants of the data, which differ in these ``fields``.

    ``alphas (V, R, K)`` have an axis of variants, and so have starts that are the lanes' own.
    """

    def one(fields: dict[str, Any], alphas: Array, w0: Any) -> Result:
        smooth = replace(grids.smooth, **fields)
        return solve_grid(grids._replace(smooth=smooth, alphas=alphas, w0=w0), options)

    return jax.vmap(one, in_axes=(0, 0, None if options.is_shared else 0))(fields, grids.alphas, grids.w0)


def _on_grids(lanes: Lanes) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return the numbers of variants, l1_ratios ``(R,)``, None where lanes have none, and the lanes on a grid
    ``(R, K)`` for each variant.

    Alphas fall along each row. Where a row has fewer lanes than there are places, its last one comes again, as
    ``~lane``: it begins at its own solution, and costs next to nothing.
    """
    alpha = np.asarray(lanes.penalties.alpha)
    ratio = np.zeros_like(alpha) if lanes.penalties.l1_ratio is None else np.asarray(lanes.penalties.l1_ratio)
    variant = np.zeros(alpha.size) if lanes.variant is None else lanes.variant
    numbers, variant = np.unique(variant, return_inverse=True)
    ratios, path = np.unique(ratio, return_inverse=True)
    order = np.lexsort((-alpha, path, variant))
    row = (variant * ratios.size + path)[order]
    length = np.bincount(row, minlength=numbers.size * ratios.size)
    place = np.arange(alpha.size) - np.repeat(np.cumsum(length) - length, length)
    longest = int(length.max())
    size = next((few for few in FEW_LANES if longest <= few), fine_bucket(longest))
    last = np.zeros(length.size, int)
    last[row] = order
    grid = np.repeat(~last[:, None], size, axis=1)
    grid[row, place] = order
    grid = grid.reshape(numbers.size, ratios.size, size)
    return numbers.astype(int), None if lanes.penalties.l1_ratio is None else ratios, grid
