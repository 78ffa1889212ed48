"""One compiled program for a whole batch of strengths: the penalty varies by lane, the data do not."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from proxreg._pytree import Array, replace
from proxreg.models import LinearModel, Quadratic
from proxreg.penalties import Penalty
from proxreg.solvers import Result, coordinate_descent, fista

SOLVERS = {"fista": fista, "coordinate_descent": coordinate_descent}


def strength(alpha: Array, factor: Array | None) -> Array:
    """Alpha times a factor per column; an infinite factor stays infinite where alpha is 0."""
    return alpha if factor is None else jnp.where(jnp.isinf(factor), jnp.inf, alpha * factor)


@partial(jax.jit, static_argnames="solver")
def solve_one(smooth: LinearModel | Quadratic, penalty: Penalty, tol: Any, max_steps: Any, solver: str) -> Result:
    """One problem, from zero."""
    return SOLVERS[solver](smooth, penalty, tol=tol, max_steps=max_steps)


@partial(jax.jit, static_argnames="solver")
def solve_lanes(
    smooth: LinearModel | Quadratic,
    template: Penalty,
    alphas: Array,
    ratios: Array | None,
    factor: Array | None,
    tol: Any,
    max_steps: Any,
    solver: str,
) -> Result:
    """The template with each alpha ``(lanes,)``, and l1_ratio ``(lanes,)`` if given, in its fields' place.

    ``factor (p,)`` multiplies alpha per column. The products of all lanes with the data are matrix products, and
    each lane stops on its own certificate.
    """

    def lane(alpha, ratio):
        own = {} if ratio is None else {"l1_ratio": ratio}
        penalty = replace(template, alpha=strength(alpha, factor), **own)
        return SOLVERS[solver](smooth, penalty, tol=tol, max_steps=max_steps)

    return jax.vmap(lane, in_axes=(0, None if ratios is None else 0))(alphas, ratios)
