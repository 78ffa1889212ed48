"""Least squares on samples of the same rows: each sample has a Gram matrix, on a working set of its own."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, replace, strong
from proxreg.batch.buckets import fine_bucket, padded, wide_bucket
from proxreg.batch.driver import LARGE, first_columns
from proxreg.batch.local_model import Hessian, Lanes, LocalModel, at_rest, minimise
from proxreg.batch.penalty_batch import PenaltyBatch
from proxreg.batch.working_set import best_columns, entry_factors, of_columns
from proxreg.models import Certificate, Coefficients, Point, least_squares_certificate, majoriser
from proxreg.solvers import Result, Status, stopping

ROUNDS = 8  # working sets, after which a lane is for a solver that chooses them with more care
PATIENCE = 200  # steps of a round
INNER = 0.9  # part of the tolerance that a lane has on its working set
TOGETHER = 64  # lanes in a program: their products with all columns are matrix products
GATHERED = 1 << 22  # numbers in the working sets of all its samples, unless one has more
GROWTH = 1.3  # of a working set over the largest support that lanes begin with
FEWEST = 64  # columns of a working set


class Rows(NamedTuple):
    """Hold the rows that samples are of, with idle rows and columns.

    Other data of about the same size then compile nothing.
    """

    columns: Any  # (p, n): columns of X, about centred, each together in memory
    y: Any  # (n,)
    norms: Any  # (p,) of the columns

    @classmethod
    def of(cls, X: Any, y: Any, weights: np.ndarray) -> "Rows":
        """Return ``X (n, p)`` and ``y (n,)`` for samples with these weights ``(S, n)``."""
        n, p = X.shape
        small = n * p <= LARGE
        columns, y = (padded(X.T, wide_bucket(p), fine_bucket(n)), padded(y, fine_bucket(n))) if small else (X.T, y)
        # in all rows, as samples weigh them on average: those in a sample are about as large
        norms = np.sqrt(np.einsum("i,ij,ij->j", weights.mean(axis=0), X, X))
        norms = padded(norms.astype(X.dtype), len(columns))
        return cls(*jax.device_put((np.ascontiguousarray(columns), y, norms)))


class _Carry(NamedTuple):
    """Hold the lanes ``(S, K)`` of S samples."""

    w: Array  # (S, K, p)
    eta: Array  # (S, K, n)
    certificate: Certificate
    num_steps: Array
    live: Array
    score: Array  # (S, p) how near columns are to entering
    rounds: Array  # ()


def solve_on_samples(
    rows: Rows,
    weights: np.ndarray,
    penalties: PenaltyBatch,
    start: np.ndarray,
    fit_intercept: bool,
    *,
    tol: float,
    max_steps: int,
) -> Result:
    """Return least-squares fits of K lanes on each of S samples, a sample's lanes together: ``(S K, ...)``.

    ``weights (S, n)`` of the rows sum to one in each sample. ``start (K, p)`` is where the lanes of each begin. Those
    that are not done after some working sets have steps left.
    """
    (p, n), (K, real) = rows.columns.shape, start.shape
    penalties, start = penalties.columns(np.arange(real), real, p), padded(start, K, p)
    weights = padded(weights, len(weights), n).astype(start.dtype)
    support = int(GROWTH * np.max(np.sum(start != 0, axis=1), initial=0))
    width = min(1 << (max(support, FEWEST) - 1).bit_length(), p)
    size = max(min(TOGETHER // K, GATHERED // (n * width)), 1)
    template = replace(penalties.template, alpha=0.0)  # whatever it was, it must not be a reason to compile again
    rows, penalties = strong((rows, penalties._replace(template=template)))
    weakest = np.argmin(penalties.l1)
    parts, stop = [], stopping(tol, max_steps)
    for first in range(0, len(weights), size):
        samples = np.minimum(np.arange(first, first + size), len(weights) - 1)
        part = _solve(rows, weights[samples], penalties, start, weakest, *stop, width, fit_intercept)
        parts.append(jax.tree.map(lambda leaf: np.asarray(leaf)[: len(weights) - first], part))  # noqa: B023
    joined = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    return first_columns(jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), joined), real)


@partial(jax.jit, static_argnames=("width", "fit_intercept"))
@jax.default_matmul_precision("highest")  # a certificate needs all digits of float32 on every device
def _solve(
    rows: Rows,
    weights: Array,
    penalties: PenaltyBatch,
    start: Array,
    weakest: Array,
    tol: Array,
    max_steps: Array,
    width: int,
    fit_intercept: bool,
) -> Result:
    """Return the lanes of a few samples, all with the same number of working sets."""
    columns, y, norms = rows
    penalty_of_lanes, dtype = penalties.penalties(), columns.dtype
    tol = tol.astype(dtype)  # JAX's float type may be wider than that of the data
    count, shape = len(weights), (len(weights), *start.shape[:1])

    def residual(eta: Array, weights: Array) -> tuple[Array, Array]:
        """Return the residuals ``(..., n)`` of predictors, and the best intercept ``(...)``."""
        left = eta - y
        intercept = -jnp.sum(left * weights, axis=-1) if fit_intercept else jnp.zeros(left.shape[:-1], dtype)
        return left + intercept[..., None], intercept

    null_loss = jnp.sum(weights * jnp.square(residual(jnp.zeros_like(weights), weights)[0]), axis=1) / 2

    def on_working_set(at, weights, null_loss, w, eta, live, budget):
        """Return the coefficients of one sample's lanes on its working set, their predictors and steps."""
        part = columns[at]
        left, _ = residual(eta, weights)
        slope = left * weights
        means = part @ weights if fit_intercept else jnp.zeros(width, dtype)
        there = slope @ part.T
        unit = jnp.where(norms[at] > 0, norms[at], 1)
        # steps need few digits: what comes of them is evaluated on the rows
        small, shares = (part / unit[:, None]).astype(jnp.float32), weights.astype(jnp.float32)
        mean = (means / unit).astype(jnp.float32)
        G = (small * shares) @ small.T - jnp.outer(mean, mean)
        hessian = Hessian(G, unit, jnp.sqrt(jnp.where(null_loss > 0, null_loss, 1)))
        steps = 1 / majoriser(hessian.product, hessian.diagonal(), width)
        begin, loss = w[:, at], jnp.sum(left * slope, axis=1) / 2
        models = LocalModel(
            hessian, begin, there, loss, jnp.ones_like(loss), null_loss, norms[at], jnp.sqrt(2 * null_loss),
            of_columns(penalty_of_lanes, at, len(columns)), least_squares=True,
        )  # fmt: skip
        aim = Lanes(live, lambda errors: jnp.full_like(errors, INNER * tol), budget, jnp.zeros((), jnp.int32))
        inner = minimise(models, at_rest(Point(begin, there)), steps, aim)
        new = inner.motion.point.params
        return w.at[:, at].set(new), eta + (new - begin) @ part, inner.taken

    def certify(w, gradient, loss, null_loss):
        def lane(penalty, w, gradient, loss):
            return least_squares_certificate(penalty, w, gradient, loss, norms, null_loss)

        return jax.vmap(lane)(penalty_of_lanes, w, gradient, loss)

    def round_(carry: _Carry) -> _Carry:
        at = best_columns(carry.score, width)
        budget = jnp.minimum(max_steps - carry.num_steps, PATIENCE)
        lanes = at, weights, null_loss, carry.w, carry.eta, carry.live, budget
        w, eta, taken = jax.vmap(on_working_set)(*lanes)
        left, _ = residual(eta, weights[:, None])
        slope = left * weights[:, None]
        gradient = (slope.reshape(-1, len(y)) @ columns.T).reshape(w.shape)
        certificate = jax.vmap(certify)(w, gradient, jnp.sum(left * slope, axis=-1) / 2, null_loss)
        num_steps = carry.num_steps + taken
        live = ~(certificate.error <= tol) & (num_steps < max_steps)
        factors = jax.vmap(jax.vmap(entry_factors), in_axes=(None, 0, 0))(penalty_of_lanes, w, gradient)
        score = jnp.max(jnp.where(jnp.isnan(factors), 0, factors), axis=1)
        return _Carry(w, eta, certificate, num_steps, live, score, carry.rounds + 1)

    # before anything else is known, the weakest lane tells which columns matter
    eta = start @ columns
    gradient = (residual(eta[weakest], weights)[0] * weights) @ columns.T
    penalty = jax.tree.map(lambda leaf: leaf[weakest], penalty_of_lanes)
    factors = jax.vmap(entry_factors, in_axes=(None, None, 0))(penalty, start[weakest], gradient)
    score = jnp.where(jnp.any(start != 0, axis=0), jnp.inf, factors)
    unknown = jnp.full(shape, jnp.nan, dtype)
    certificate = Certificate(unknown, unknown, unknown)
    w, eta = (jnp.broadcast_to(leaf, (count, *leaf.shape)) for leaf in (start, eta))
    begin = _Carry(w, eta, certificate, jnp.zeros(shape, jnp.int32), jnp.ones(shape, bool), score, jnp.zeros((), int))
    end = jax.lax.while_loop(lambda carry: jnp.any(carry.live) & (carry.rounds < ROUNDS), round_, begin)
    objective, gap, violation = end.certificate
    finite = jnp.isfinite(objective) & ~jnp.isnan(violation)
    status = jnp.where(end.certificate.error <= tol, Status.CONVERGED, Status.MAX_STEPS)
    status = jnp.where(finite, status, Status.NON_FINITE)
    params = Coefficients(end.w, residual(end.eta, weights[:, None])[1])
    return Result(params, objective, gap, violation, end.num_steps, status)
