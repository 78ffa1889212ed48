"""Lanes that sums over rows cannot certify: on the rows themselves, from where they are."""

from functools import partial

import jax
import jax.numpy as jnp

from proxreg._core import apply_where
from proxreg._pytree import Array
from proxreg.batch.penalty_batch import PenaltyBatch
from proxreg.models import LinearModel
from proxreg.solvers import Result, Status, fista_init, fista_step, run

TOGETHER = 16  # lanes at a time: their predictors are held at once


def finish_on_rows(
    model: LinearModel, penalties: PenaltyBatch, result: Result, valid: Array, tol: Array, max_steps: Array
) -> Result:
    """Return the result with lanes ``(L,)`` that have steps left, but no certificate, solved on the rows."""
    left = valid & (result.status == Status.MAX_STEPS) & (result.num_steps < max_steps)

    def lane(model: LinearModel, given: tuple) -> Result:
        penalty, found, left = given
        problem = model.with_penalty(penalty)
        point = problem.start(found.w)
        steps = problem.steps(point)
        budget = jnp.where(left, max_steps - found.num_steps, 0)
        state = fista_init(point, steps)
        new = run(
            problem, state, partial(fista_step, problem, steps), tol=tol, max_steps=budget, valid=jnp.asarray(True)
        )
        new = new._replace(num_steps=found.num_steps + new.num_steps)
        return jax.tree.map(lambda new, old: jnp.where(left, new.astype(old.dtype), old), new, found)

    def on_rows(result: Result) -> Result:
        # tied to the loop, so that the compiler does not prepare the rows outside of it, needed or not
        own, result = jax.lax.optimization_barrier((model, result))
        # a multiple of what is solved together: a remainder would be a program of its own
        size = -(-left.size // TOGETHER) * TOGETHER
        chosen = jnp.minimum(jnp.arange(size), left.size - 1)
        lanes = penalties.lanes(chosen).penalties(), jax.tree.map(lambda leaf: leaf[chosen], result), left[chosen]
        lanes = jax.tree.map(lambda leaf: leaf.reshape(-1, TOGETHER, *leaf.shape[1:]), lanes)
        found = jax.lax.map(jax.vmap(partial(lane, own)), lanes)
        return jax.tree.map(lambda leaf: leaf.reshape(size, *leaf.shape[2:])[: left.size], found)

    # most often sums are enough, and then nothing of this is computed
    return apply_where(jnp.any(left), on_rows, result)
