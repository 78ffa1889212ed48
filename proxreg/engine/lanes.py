"""One compiled program for a whole batch of strengths: the penalty varies by lane, the data do not."""

from functools import partial
from typing import Any, NamedTuple

import jax

from proxreg._pytree import Array, ArrayLike, replace, strong
from proxreg.batch import PenaltyBatch
from proxreg.models import Certificate, LinearModel, MultinomialModel, Quadratic
from proxreg.penalties import Penalty
from proxreg.solvers import Result, coordinate_descent, fista
from proxreg.solvers.loop import stopping

SOLVERS = {"fista": fista, "coordinate_descent": coordinate_descent}


def solve_one(
    smooth: LinearModel | Quadratic, penalty: Penalty, tol: ArrayLike, max_steps: ArrayLike, solver: str
) -> Result:
    """One problem, from zero."""
    return SOLVERS[solver](smooth, penalty, tol=tol, max_steps=max_steps)


def solve_lanes(
    smooth: LinearModel | Quadratic | MultinomialModel,
    template: Penalty,
    alphas: ArrayLike,
    ratios: ArrayLike | None,
    factor: ArrayLike | None,
    start: Any,
    tol: ArrayLike,
    max_steps: ArrayLike,
    solver: str,
    own_starts: bool = False,
    weights: ArrayLike | None = None,
) -> Result:
    """The template with each alpha ``(lanes,)``, and l1_ratio ``(lanes,)`` if given, in its fields' place.

    ``factor (p,)`` multiplies alpha per column. Every lane starts at ``start``, zero where None, or with ``own_starts``
    at its own entry along the first axis. ``weights (lanes, n)`` stand in for those of a linear model's rows.
    ``max_steps`` is a number, or one for each lane. The products of all lanes with the data are matrix products, and
    each lane stops on its own certificate.
    """
    template = replace(template, alpha=0.0)  # whatever it was, it must not be a reason to compile again
    given = *strong((smooth, template)), alphas, ratios, factor, start, weights
    return _lanes(*given, *stopping(tol, max_steps), solver, own_starts)


@partial(jax.jit, static_argnames=("solver", "own_starts"))
def _lanes(
    smooth: Any,
    template: Penalty,
    alphas: ArrayLike,
    ratios: ArrayLike | None,
    factor: ArrayLike | None,
    start: Any,
    weights: ArrayLike | None,
    tol: Array,
    max_steps: Array,
    solver: str,
    own_starts: bool,
) -> Result:
    family = PenaltyBatch(template, factor, alphas, ratios)

    def lane(alpha, ratio, start, weights, max_steps):
        own = smooth if weights is None else replace(smooth, sample_weight=weights)
        return SOLVERS[solver](own, family.penalty(alpha, ratio), start, tol=tol, max_steps=max_steps)

    axes = (0, None if ratios is None else 0, 0 if own_starts else None, None if weights is None else 0)
    return jax.vmap(lane, in_axes=(*axes, 0 if max_steps.ndim else None))(alphas, ratios, start, weights, max_steps)


def certify_lanes(model: LinearModel, family: PenaltyBatch, start: Any) -> tuple[Certificate, Any]:
    """Return what is known about each lane at its entry along the first axis of ``start``, with the best intercept for
    its coefficients; and the parameters with that.
    """
    family = family._replace(template=replace(family.template, alpha=0.0))
    return _certificates(*strong((model, family)), start)


@jax.jit
def _certificates(model: LinearModel, family: PenaltyBatch, start: Any) -> tuple[Certificate, Any]:
    def lane(alpha, ratio, start):
        problem = model.with_penalty(family.penalty(alpha, ratio))
        point = problem.start(start)
        return problem.certify(point), problem.solution(point)

    return jax.vmap(lane, in_axes=(0, None if family.l1_ratio is None else 0, 0))(family.alpha, family.l1_ratio, start)


class NullModel(NamedTuple):
    """The intercept-only model, or those of lanes ``(L, ...)`` whose rows have weights of their own."""

    intercept: Array  # () or (K,) of K classes
    gradient: Array  # of the coefficients there
    loss: Array  # ()
    residual: Array  # (), the norm of the loss's derivatives there


def null_model(model: LinearModel | MultinomialModel, template: Penalty, weights: ArrayLike | None = None) -> NullModel:
    """Return the intercept-only model; its intercept is NaN where none could be found.

    With ``weights (L, n)`` of the rows one for each lane.
    """
    template = replace(template, alpha=0.0) if hasattr(template, "alpha") else template
    if weights is None:
        return _null(*strong((model, template)))
    return _nulls(*strong((model, template)), weights)


@jax.jit
def _null(model: LinearModel | MultinomialModel, template: Penalty) -> NullModel:
    problem = model.with_penalty(template)
    return NullModel(problem.null, problem.null_gradient, problem.null_loss, problem.null_residual)


@jax.jit
def _nulls(model: LinearModel | MultinomialModel, template: Penalty, weights: Array) -> NullModel:
    return jax.vmap(lambda own: _null(replace(model, sample_weight=own), template))(weights)
