"""Lanes of a linear model on its rows: on a working set of the columns they share a Hessian, and so a Gram matrix.

The loss of a lane is bounded, or nearly so, by a quadratic with the curvature of all lanes' mean: a proximal Newton
step (Lee, Sun and Saunders 2014, SIAM J. Optim. 24) that costs p^2 and not n p, accepted where the loss agrees. The
working set holds the columns in use and those nearest to entering (Massias, Gramfort and Salmon 2018, Celer).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from proxreg._core import apply_where
from proxreg._pytree import Array, pytree_dataclass, replace, static, tree_where
from proxreg.batch.local_model import Hessian, Lanes, LocalModel, at_rest, minimise
from proxreg.batch.newton import STEPS, polish
from proxreg.batch.working_set import best_columns, entry_factors, of_columns
from proxreg.models import Certificate, Coefficients, Image, LinearProblem, Point, majoriser, relative, weighted_gram
from proxreg.penalties import Penalty

PATIENCE = 200  # steps on a model
INNER = 0.03  # error that a round leaves of least squares, relative to the one that it begins with, or to
ROUGH = 0.01  # this, if that is less
NEWTON = 0.1  # violation that a round leaves of another loss, relative to the one that it begins with
FULL = 0.95  # a part of the width that columns in use may fill
WIDER = 4  # times the width, where those of one lane fill more
SETTLED = 10  # rounds after which a support is about what it will be
OLD = 60  # rounds after which a lane has a Hessian of its own
TRUSTED = 1 + 1e-3  # a divergence so many times the model's is agreement
SHORTER, LONGER, LONGEST = 0.8, 1.2, 4.0  # factors on the curvature of a lane whose steps are cautious, or too long
EXACT = 0.85  # a divergence so many times that of a model that has more curvature than the lanes share
CAUTIOUS = 0.7  # a divergence so many times the model's


class RowState(NamedTuple):
    """A lane of a linear model."""

    point: Point  # the intercept at its best
    gradient: Coefficients  # there
    scale: Array  # factor on the curvature that lanes share
    rounds: Array  # that it has made


@pytree_dataclass
class RowForm:
    """Solve lanes as ``Form`` says, on the rows of X."""

    problem: LinearProblem
    peak: Array  # (p,) the largest entry of each column
    width: int = static()  # columns of a working set; as many as X has: all of them, always
    fixed: bool = static()  # a support that outgrows it ends its lane

    @classmethod
    def of(cls, problem: LinearProblem, width: int, fixed: bool) -> "RowForm":
        """For a problem with any penalty of its lanes', on working sets of so many columns."""
        peak = jnp.max(jnp.abs(problem.X), axis=0, initial=0.0)
        return cls(problem, jnp.where(peak > 0, peak, 1), width, fixed)

    def kept(self, state: RowState) -> Any:
        """The parameters, and with few rows the predictor, which saves a product."""
        return self.kept_of(state.point)

    def kept_of(self, point: Point) -> Any:
        """Return what is kept of a point."""
        n, p = self.problem.X.shape
        return point.params, point.image.eta if n <= p else None

    def begin(self, kept: Any) -> RowState:
        """The state at parameters; a product with X, and another where the predictor is not kept."""

        def lane(kept: Any) -> RowState:
            params, eta = kept
            return self._state(params, self.problem.predictor(params) if eta is None else eta)

        return jax.vmap(lane)(kept)

    def _state(self, params: Coefficients, eta: Array) -> RowState:
        problem = self.problem
        polished = problem.polished(Point(params, Image(eta, None)))
        gradient = problem.pull(problem.slope(polished.image.eta))
        if problem.loss.affine:
            polished = Point(polished.params, Image(polished.image.eta, gradient))
        return RowState(polished, gradient, jnp.ones((), eta.dtype), jnp.zeros((), jnp.int32))

    def certify(self, penalty: Penalty, state: RowState) -> tuple[Certificate, Array]:
        """The certificate over all columns."""
        certificate = replace(self.problem, penalty=penalty).certify_polished(state.point, forward=True)
        return certificate, jnp.zeros_like(certificate.objective)

    def left_over(self, state: RowState) -> Array:
        """Return the lanes that use a working set up, where its width is fixed."""
        used = jnp.sum(state.point.params.coef != 0, axis=1)
        fixed = jnp.full(used.shape, self.fixed and self.width < self.problem.center.size)
        return fixed & (used >= self.width) & (state.rounds >= SETTLED)

    def advance(
        self, penalties: Penalty, state: RowState, live: Array, budget: Array, tol: Array, waiting: Array
    ) -> tuple[RowState, Array]:
        """A proximal Newton step of every lane on a working set, a wider one where supports need it."""
        p = self.problem.center.size
        wider = self.width if self.fixed or self.width >= p else min(p, WIDER * self.width)

        def by(width: int) -> Callable[[tuple[RowState, Array]], tuple[RowState, Array]]:
            return lambda carry: self._step(penalties, carry[0], live, budget, tol, width)

        begin = state, jnp.zeros_like(budget)
        if wider == self.width:
            return by(self.width)(begin)
        used = jnp.sum((state.point.params.coef != 0) & live[:, None], axis=1)
        # one lane is enough: several share what room there is. Far from a solution supports are larger than there.
        crowded = jnp.any((used > FULL * self.width) & (state.rounds >= SETTLED))
        return apply_where(crowded, by(wider), apply_where(~crowded, by(self.width), begin))

    def _step(
        self, penalties: Penalty, state: RowState, live: Array, budget: Array, tol: Array, width: int
    ) -> tuple[RowState, Array]:
        problem, dtype = self.problem, self.problem.X.dtype
        live = self._with_priority(state, live)
        (coef, intercept), eta = state.point.params, state.point.image.eta
        at = self._working_set(penalties, state, live, width)
        X = problem.X if at is None else problem.X[:, at]
        curvature = self._shared_curvature(eta, live)
        total = jnp.sum(curvature)
        center = jnp.zeros(X.shape[1], dtype)
        if problem.fit_intercept:
            center = relative(curvature @ X, total)
        hessian = self._hessian(X, curvature, center, _take(self.peak, at), jnp.float32)
        own = of_columns(penalties, at, problem.center.size)
        metric = jax.tree.map(lambda leaf: leaf[0], own).metric(hessian.diagonal())
        steps = 1 / majoriser(hessian.product, metric, X.shape[1])

        start, there = _take(coef, at), _take(state.gradient.coef, at) - center * state.gradient.intercept[:, None]
        loss = jax.vmap(problem.loss_of)(eta)
        norms = _take(problem.norms, at)
        affine = problem.loss.affine
        models = LocalModel(
            hessian, start, there, loss, state.scale, problem.null_loss, norms, problem.null_residual, own,
            least_squares=affine,
        )  # fmt: skip
        eps = jnp.finfo(dtype).eps

        def aim_of(errors: Array) -> Array:
            return (
                jnp.maximum(0.9 * tol, INNER * jnp.minimum(errors, ROUGH)) if affine else NEWTON * errors + 1e-3 * eps
            )

        leave = jnp.minimum(live.size // 4, jnp.sum(live) - 1)
        lanes = Lanes(live, aim_of, jnp.minimum(budget, PATIENCE), leave)
        inner, taken, aim, slow = minimise(models, at_rest(Point(start, there)), steps, lanes)
        point, slow = inner.point, slow & (budget - taken >= STEPS)
        if problem.penalty.separable:
            # Newton's method needs all digits, accelerated steps do not
            full = apply_where(
                jnp.any(slow),
                lambda _: self._hessian(X, curvature, center, _take(self.peak, at), dtype),
                replace(hessian, G=hessian.G.astype(dtype)),
            )
            point, more = polish(replace(models, hessian=full), point, slow, aim)
            taken += more
        move = point.params - start
        shift = jnp.zeros_like(intercept)
        if problem.fit_intercept:
            shift = -relative(state.gradient.intercept, state.scale * total)
        predicted = jnp.sum(move * (point.image - there), axis=1) + state.scale * total * jnp.square(shift)
        change = move @ X.T + (shift - move @ center)[:, None]
        shift = shift - move @ (center - _take(problem.center, at))
        new_coef = coef + move if at is None else coef.at[:, at].add(move)
        new = jax.vmap(self._state)(Coefficients(new_coef, intercept + shift), eta + change)
        return self._accepted(state, new, predicted / 2, live), taken

    def _with_priority(self, state: RowState, live: Array) -> Array:
        """Return the lanes whose turn it is: one alone, the oldest, where it has made many rounds.

        The mean curvature serves lanes that are alike. For one that is not, the Hessian has to be its own.
        """
        if self.problem.loss.affine:
            return live
        rounds = jnp.where(live, state.rounds, -1)
        oldest = jnp.arange(live.size) == jnp.argmax(rounds)
        return jnp.where(jnp.max(rounds) >= OLD, oldest, live)

    def _hessian(self, X: Array, curvature: Array, center: Array, peak: Array, dtype: Any) -> Hessian:
        """Return ``sum_i curvature_i (x_i - center) (x_i - center)'`` of the columns of X, in that type."""
        total = jnp.sum(curvature)
        total = jnp.where(total > 0, total, 1)
        shares = (curvature / total).astype(dtype)
        G = weighted_gram((X / peak).astype(dtype), shares, (center / peak).astype(dtype))
        size = jnp.where(self.problem.null_residual > 0, self.problem.null_residual, 1) / jnp.sqrt(total)
        return Hessian(jax.lax.stop_gradient(G), peak * jnp.sqrt(total), size)

    def _accepted(self, old: RowState, new: RowState, predicted: Array, live: Array) -> RowState:
        """Return the new states where the loss is what the model said or less, elsewhere the old with shorter steps."""
        zero = Coefficients(jnp.zeros_like(self.problem.center), jnp.zeros((), predicted.dtype))

        def lane(new: RowState, old: RowState) -> tuple[Array, Array]:
            return self.problem.divergence(new.point, old.point, zero, old.gradient)

        divergence, noise = jax.vmap(lane)(new, old)
        agreed = divergence <= TRUSTED * predicted + noise
        ratio = relative(divergence, predicted)
        ratio = jnp.where(jnp.isfinite(ratio), ratio, LONGEST)
        above = old.scale > 1
        cautious = (ratio < jnp.where(above, EXACT, CAUTIOUS)) & (predicted > noise)
        smaller = jnp.maximum(old.scale * SHORTER, above.astype(ratio.dtype))
        kept = jnp.where(cautious, smaller, old.scale)
        scale = jnp.where(agreed, kept, old.scale * jnp.clip(1.1 * ratio, LONGER, LONGEST))
        # a lane whose numbers are no numbers has to show it
        taken = live & (agreed | jnp.isnan(divergence))
        return jax.vmap(tree_where)(taken, new, old)._replace(
            scale=jnp.where(live, scale, old.scale), rounds=old.rounds + live
        )

    def _working_set(self, penalties: Penalty, state: RowState, live: Array, width: int) -> Array | None:
        """Return the columns that lanes share: those in use and those nearest to entering; None for all columns.

        Where those in use nearly fill the width, the columns whose conditions are violated most: others rest.
        """
        coef, p = state.point.params.coef, self.problem.center.size
        if width >= p:
            return None
        unit = jnp.where(self.problem.norms > 0, self.problem.norms, 1)

        def lane(penalty: Penalty, w: Array, gradient: Array) -> tuple[Array, Array]:
            worst = jnp.abs(penalty.residual(w, gradient)) / unit
            return entry_factors(penalty, w, gradient), relative(worst, jnp.max(worst))

        factors, worst = jax.vmap(lane)(penalties, coef, state.gradient.coef)
        score = jnp.where(_in_use(state, live) > FULL * width, worst, factors)
        score = jnp.max(jnp.where(live[:, None] & ~jnp.isnan(score), score, -1), axis=0)
        return best_columns(score, width)

    def _shared_curvature(self, eta: Array, live: Array) -> Array:
        """Return second derivatives per sample times the weights ``(n,)``, the mean over lanes."""
        problem = self.problem
        if problem.loss.affine:
            return problem.weights
        own = jax.vmap(problem.local_curvature)(eta)
        good = live & jnp.all(jnp.isfinite(own), axis=1)
        return jnp.sum(jnp.where(good[:, None], own, 0), axis=0) / jnp.maximum(jnp.sum(good), 1)


def _in_use(state: RowState, live: Array) -> Array:
    """Return how many columns some lane uses."""
    return jnp.sum(jnp.any((state.point.params.coef != 0) & live[:, None], axis=0))


def _take(array: Array, at: Array | None) -> Array:
    return array if at is None else array[..., at]
