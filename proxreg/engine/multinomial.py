"""Several classes at once: the lanes of a multinomial model, by accelerated steps and Newton's in turns.

A Newton step knows how the classes' coefficients depend on each other, which gradients learn slowly.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._core import bound_programs, require_unforked
from proxreg._pytree import Array, replace, tree_take
from proxreg.batch import PenaltyBatch, filled, fine_bucket, padded, row_bucket, wide_bucket
from proxreg.engine.lanes import null_model, solve_lanes
from proxreg.engine.multinomial_newton import WIDEST, Look, looked, minimum, newton
from proxreg.models import Coefficients, MultinomialModel
from proxreg.models.multinomial import excess, log_softmax, softmax
from proxreg.penalties import Penalty
from proxreg.solvers import Result, Status

ROOM = 1 << 24  # numbers in the linear predictors of the lanes that are solved at a time
DAMPING = 1e-12  # relative; what is added to all classes alike changes no probability
CHUNK = 8  # lanes at a time: one program for any number
PATIENCE = 150  # accelerated steps before Newton's are tried
LONGER = 4  # times as many before they are tried again
SCARCE = 600  # steps in all, of which accelerated ones must not take more than a quarter: Newton's need fewer
FINE = 1e-3  # a gradient so many times below the tolerance leaves a gap below it


@np.errstate(over="ignore", invalid="ignore")  # what leaves the range of numbers has a status
def solve_multinomial(
    model: MultinomialModel, family: PenaltyBatch, weights: np.ndarray, *, tol: float, max_steps: int, start: Any = None
) -> Result:
    """Lanes with ``weights (L, n)`` of their rows, to their certificates: ``w`` is ``(L, K, p)``, an intercept
    ``(L, K)``. All begin at ``start``, coefficients ``(K, p)`` and intercepts ``(K,)``, or at their null models.

    X and y are NumPy arrays, X about centred if there is an intercept. Rows, columns, classes and lanes are padded to
    buckets: other data of about the same size compile nothing.
    """
    require_unforked()
    bound_programs()
    (n, p), classes = np.shape(model.X), np.shape(model.y)[1]
    model, weights = _padded(model), padded(weights, len(weights), row_bucket(n))
    family = family.columns(np.arange(p), p, np.shape(model.X)[1])
    size, rows = max(1, ROOM // np.size(model.y)), MultinomialRows.of(model, weights)
    parts = []
    for first in range(0, len(weights), size):
        lanes = np.arange(first, min(first + size, len(weights)))
        full = filled(lanes, fine_bucket(lanes.size))
        problem = model, rows.lanes(full), family.lanes(full), _start(model, weights[full], start)
        found = _in_turns(*problem, tol=tol, max_steps=max_steps, weights=weights[full])
        parts.append(tree_take(found, slice(lanes.size)))
    found = jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)
    if model.fit_intercept:
        coef, intercept = found.w
        return found._replace(w=Coefficients(coef[:, :classes, :p], intercept[:, :classes]))
    return found._replace(w=found.w[:, :classes, :p])


def _padded(model: MultinomialModel) -> MultinomialModel:
    """With rows of weight zero, columns of zeros and classes that no row can have."""
    (n, p), classes = np.shape(model.X), np.shape(model.y)[1]
    rows, columns, size = row_bucket(n), wide_bucket(p), class_bucket(classes)
    X, y = padded(model.X, rows, columns), padded(model.y, rows, size)
    weights = np.ones(n, X.dtype) if model.sample_weight is None else np.asarray(model.sample_weight)
    present = np.arange(size) < classes
    return replace(model, X=X, y=y, sample_weight=padded(weights, rows), present=present)


def class_bucket(classes: int) -> int:
    """The smallest of 4, 8, 12, 16 and the fine buckets beyond that holds so many classes."""
    return 4 * -(-classes // 4) if classes <= 16 else fine_bucket(classes)


def _start(model: MultinomialModel, weights: np.ndarray, start: Any) -> Any:
    """What was asked for, or each lane's intercept-only model: rows that are there twice, and rows of weight 2, start
    alike.
    """
    if start is not None:
        size, columns = np.shape(model.y)[1], np.shape(model.X)[1]
        coef, intercept = padded(start[0], size, columns), padded(start[1], size)
        coef, intercept = (
            np.broadcast_to(x, (len(weights), *x.shape)).astype(weights.dtype) for x in (coef, intercept)
        )
        return Coefficients(coef, intercept) if model.fit_intercept else coef
    zero = np.zeros((len(weights), np.shape(model.y)[1], np.shape(model.X)[1]), weights.dtype)
    if not model.fit_intercept:
        return zero
    null = np.log(np.maximum(weights @ np.asarray(model.y), np.finfo(weights.dtype).tiny))
    present = np.ones(null.shape[1], bool) if model.present is None else np.asarray(model.present)
    null -= null.mean(axis=1, keepdims=True, where=present)
    return Coefficients(zero, np.where(present, null, 0).astype(weights.dtype))


def _in_turns(
    model: MultinomialModel,
    rows: "MultinomialRows",
    family: PenaltyBatch,
    start: Any,
    *,
    tol: float,
    max_steps: int,
    weights: np.ndarray,
) -> Result:
    """Accelerated steps, Newton's where these are slow, and again, until every lane has its certificate.

    ``rows`` are the model's, ready for Newton's steps.
    """
    given = family.template, family.alpha, family.l1_ratio, family.factor
    lanes, known = family.alpha.size, null_model(model, family.template, weights)
    # rows' weights decide how large gradients are, and with them when one is next to nothing
    null, slope = (np.broadcast_to(x, (lanes, *np.shape(x)[1:])) for x in map(np.asarray, known[:2]))
    goal = FINE * tol * np.max(np.abs(slope), axis=tuple(range(1, slope.ndim)), initial=0.0)
    steps = np.zeros(lanes, np.int32)
    patience = PATIENCE if max_steps >= SCARCE else max(1, max_steps // LONGER)
    while True:
        budget = np.minimum(patience, max_steps - steps).astype(np.int32)
        found = solve_lanes(model, *given, start, tol, budget, "fista", own_starts=True, weights=weights)
        found = jax.tree.map(np.array, found)
        steps += found.num_steps
        left = np.flatnonzero((found.status == Status.MAX_STEPS) & (steps < max_steps))
        if not left.size:
            return found._replace(num_steps=steps)
        w, b = found.w if model.fit_intercept else (found.w, np.zeros(null.shape, found.w.dtype))
        own_w, own_b = w[left], b[left]
        mine = rows.lanes(left), family.lanes(left), own_w, own_b
        steps[left] += newton(*mine, goal[left], max_steps - steps[left])
        w[left], b[left] = own_w, own_b
        start, patience = Coefficients(w, b) if model.fit_intercept else w, LONGER * patience


class MultinomialRows(NamedTuple):
    """Hold the data, ready for many steps of many lanes, with coefficients ``(K, p)`` and intercepts ``(K,)`` each."""

    X: np.ndarray
    on_device: tuple  # X, y and which classes are present
    weights: np.ndarray  # (L, n) that sum to one
    fit_intercept: bool

    @classmethod
    def of(cls, model: MultinomialModel, weights: np.ndarray) -> "MultinomialRows":
        """Of a model with weights ``(L, n)`` of its rows."""
        X, y = np.asarray(model.X), np.asarray(model.y)
        present = np.ones(y.shape[1], bool) if model.present is None else np.asarray(model.present)
        on_device = tuple(map(jnp.asarray, (X, y, present)))
        return cls(X, on_device, (weights / weights.sum(axis=1, keepdims=True)).astype(X.dtype), model.fit_intercept)

    def lanes(self, chosen: np.ndarray) -> "MultinomialRows":
        """Return those of the lanes with these numbers, in that order."""
        return self._replace(weights=self.weights[chosen])

    def look(self, family: PenaltyBatch, at: np.ndarray, w: np.ndarray, b: np.ndarray) -> Look:
        """Return what is known at ``w (l, K, p)`` and ``b (l, K)`` of the lanes ``at (l,)``.

        The curvature is that of the probabilities ``(l, n, K)`` times the weights.
        """
        parts = []
        for first in range(0, at.size, CHUNK):
            rows = filled(np.arange(first, min(first + CHUNK, at.size)), CHUNK)
            seen = _look(family.lanes(at[rows]), *self.on_device, self.weights[at[rows]], w[rows], b[rows])
            parts.append([np.asarray(x)[: at.size - first] for x in seen])
        found = Look(*(np.concatenate(each) for each in zip(*parts)))
        return found if self.fit_intercept else found._replace(intercept=np.zeros_like(found.intercept))

    def move(self, known: Look, w: np.ndarray, positive: bool, lane: int) -> tuple[np.ndarray, Any]:
        """Return the way ``(K, p)`` that the lane with that number in ``known`` and ``w`` would go, and ``(K,)`` of its
        intercepts.

        Nowhere if that asks for too much.
        """
        w, mass = w[lane].astype(np.float64), known.curvature[lane].astype(np.float64)
        move, shift = np.zeros_like(w), np.zeros(len(w))
        at = np.nonzero((w != 0) | (known.subgradient[lane] != 0))
        g, l1, l2 = (x[lane][at].astype(np.float64) for x in (known.gradient, known.l1, known.l2))
        if at[0].size > WIDEST or not (np.isfinite(g).all() and np.isfinite(mass).all()):
            return move, shift
        H, cross, own = _hessian(self.X.astype(np.float64), mass, *at)
        # intercepts are profiled out; what is added to all of them is of no effect
        slope = known.intercept[lane].astype(np.float64)
        inverse = np.linalg.pinv(own, rcond=DAMPING, hermitian=True) if self.fit_intercept else np.zeros_like(own)
        H, g = H - cross @ inverse @ cross.T, g - cross @ inverse @ slope
        H[np.diag_indices_from(H)] *= 1 + DAMPING
        try:
            move[at] = minimum(H, g, w[at], l1, l2, positive) - w[at]
        except np.linalg.LinAlgError:
            return move, shift
        return move, -inverse @ (slope + cross.T @ move[at])


def _hessian(
    X: np.ndarray, mass: np.ndarray, classes: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the loss by coefficients ``(m,)`` of these classes and columns, by them and the intercepts, and by those.

    ``mass (n, K)`` are the probabilities times the weights; of a row the classes' own is ``diag(mass) - mass mass' /
    weight``.
    """
    total = mass.sum(axis=1, keepdims=True)
    rest = mass / np.sqrt(np.where(total > 0, total, 1))
    spread = X[:, columns] * rest[:, classes]
    H, cross, own = -(spread.T @ spread), -(spread.T @ rest), -(rest.T @ rest)
    # a class that has nearly all of a row: p (1 - p) from the others' p, which have the digits
    large = mass > total / 2
    others = np.where(large, np.where(large, 0, mass).sum(axis=1, keepdims=True), total - mass)
    variance = mass * others / np.where(total > 0, total, 1)
    for k in np.unique(classes):
        at = np.flatnonzero(classes == k)
        mine = X[:, columns[at]]
        weighted = mine * variance[:, k, None]
        H[np.ix_(at, at)] = mine.T @ weighted
        cross[at, k] = weighted.sum(axis=0)
    own[np.diag_indices_from(own)] = variance.sum(axis=0)
    return H, cross, own


@jax.jit
def _look(family: PenaltyBatch, X: Array, y: Array, present: Array, weights: Array, w: Array, b: Array) -> Look:
    def lane(penalty: Penalty, weights, w, b):
        eta = X @ w.T + b
        log_p, p = log_softmax(eta, present), softmax(eta, present)
        slope = weights[:, None] * excess(p, y)
        loss = -jnp.sum(jnp.where(y > 0, weights[:, None] * y * log_p, 0))
        return looked(penalty, w, loss, slope.T @ X, jnp.sum(slope, axis=0), weights[:, None] * p)

    return jax.vmap(lane)(family.penalties(), weights, w, b)
