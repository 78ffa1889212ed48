"""The one outer loop: steps until the certificate of the point to be returned is good enough."""

import enum
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from proxreg._pytree import Array, ArrayLike, PyTree, concrete, tree_where
from proxreg.models import Certificate, Point, Problem
from proxreg.penalties import Penalty, require_declared
from proxreg.solvers.forward_mode import forward_mode_only


class Status(enum.IntEnum):
    """Why a solver stopped; ``Result.status`` holds the number."""

    CONVERGED = 0
    MAX_STEPS = 1
    NON_FINITE = 2
    INVALID = 3  # a parameter of this lane is outside its range: a strength or a weight below 0, limits that cross
    UNBOUNDED = 4  # the objective has no minimiser: it falls for ever along some direction (fitting functions alone)
    WORKING_SET = 5  # more coefficients are not zero than the working set that was asked for holds (solve_path alone)


_RUNNING = -1


class Result(NamedTuple):
    """A solution with its certificate; under ``vmap`` each field gains the lane axis in front."""

    w: PyTree  # parameters, as the model takes them
    objective: Array  # loss + penalty at w
    gap: Array  # relative duality gap at w; NaN where no dual point is known (infinite under jax_debug_nans)
    violation: Array  # relative KKT violation at w
    num_steps: Array  # steps taken
    status: Array  # Status.CONVERGED, MAX_STEPS, NON_FINITE or INVALID, as int32


export.register_namedtuple_serialization(Result, serialized_name="proxreg.Result")


def check_penalty(penalty: Any, params: PyTree) -> None:
    """Raise unless it is a penalty whose declarations hold for such parameters."""
    if not isinstance(penalty, Penalty):
        raise ValueError(f"penalty must be a penalty such as pr.L1(0.1), got {penalty!r}")
    require_declared(penalty, params)


def check_prox(problem: Problem, point: Point, steps: PyTree) -> None:
    """Raise where the penalty does not take such parameters, or returns others than it should."""
    name = type(problem.penalty).__name__
    try:
        after = jax.eval_shape(lambda p, t: problem.prox(p.params, t), point, steps)
        expected, found = (jax.tree.map(jnp.shape, tree) for tree in (point.params, after))
        if expected != found:
            raise ValueError(f"the prox of {name} must return parameters like v, of shape {expected}, not {found}")
        value = jax.eval_shape(problem.certify, point).objective
    except (TypeError, AttributeError) as error:
        raise ValueError(
            f"{name} does not apply to these parameters: {error}; where it takes arrays and they are a tree, pass "
            f"pr.by_path([], default={name}(...))"
        ) from None
    if value.shape != ():
        raise ValueError(f"the value of {name} must be a scalar, not of shape {value.shape}: sum over coordinates")


def stopping(tol: ArrayLike, max_steps: ArrayLike) -> tuple[Array, Array]:
    """The two as arrays of one type, whatever was given; raises where they are known and negative."""
    for name, value in (("tol", tol), ("max_steps", max_steps)):
        known = concrete(value)
        if known is not None and not np.all(known >= 0):
            raise ValueError(f"{name} must be >= 0, got {value!r}")
    return jnp.asarray(tol, jnp.result_type(float)), jnp.asarray(max_steps, jnp.int32)


class _Carry(NamedTuple):
    state: Any  # the solver's own, with the current point as .point
    num_steps: Array
    certificate: Certificate  # of state.point
    status: Array


def run(
    problem: Problem,
    state: Any,
    step: Callable[[Any], Any],
    *,
    tol: ArrayLike,
    max_steps: ArrayLike,
    valid: Array,
    unroll: bool = False,
    debug_nans: bool = False,
) -> Result:
    """Steps until ``tol`` or ``max_steps``; a lane that has stopped is not touched again.

    Stops on the relative duality gap and the relative KKT violation (the latter alone where no dual is known) of the
    very point that is returned. A NaN stops its lane alone, with status NON_FINITE; one that is not ``valid`` never
    starts: its numbers are NaN, its status INVALID. ``unroll=True`` runs ``max_steps`` steps, a static number, without
    ``while_loop``, so that reverse-mode differentiation works, at the memory of all. Under ``debug_nans`` a gap that is
    not known is infinite, since JAX takes a NaN that is returned for a mistake.
    """

    def judged(state: Any, num_steps: Array) -> _Carry:
        certificate = problem.certify(state.point)
        bad = jnp.isnan(certificate.objective) | jnp.isnan(certificate.violation)
        good = certificate.error <= jnp.asarray(tol, certificate.error.dtype)
        status = jnp.where(bad, Status.NON_FINITE, jnp.where(good, Status.CONVERGED, _RUNNING))
        return _Carry(state, num_steps, certificate, status.astype(jnp.int32))

    def running(carry: _Carry) -> Array:
        return (carry.status == _RUNNING) & (carry.num_steps < max_steps)

    def advance(carry: _Carry) -> _Carry:
        if problem.check_every == 1:
            return judged(step(carry.state), carry.num_steps + 1)
        budget = jnp.minimum(max_steps - carry.num_steps, problem.check_every)

        def inner(i, state):
            return tree_where(i < budget, step(state), state)

        state = jax.lax.fori_loop(0, problem.check_every, inner, carry.state)
        return judged(state, carry.num_steps + budget)

    carry = judged(state, jnp.zeros((), jnp.int32))
    refused = ~valid & (carry.status != Status.NON_FINITE)
    carry = carry._replace(status=jnp.where(refused, Status.INVALID, carry.status).astype(jnp.int32))
    if unroll:
        rounds = -(-int(max_steps) // problem.check_every)
        carry, _ = jax.lax.scan(
            lambda carry, _: (tree_where(running(carry), advance(carry), carry), None), carry, None, length=rounds
        )
    else:
        carry = jax.lax.while_loop(running, advance, carry)

    objective, gap, violation = (jnp.where(refused, jnp.nan, number) for number in carry.certificate)
    if debug_nans:
        gap = jnp.where(jnp.isnan(gap) & ~jnp.isnan(violation), jnp.inf, gap)
    finite = jnp.isfinite(objective)
    ended = jnp.where(finite, Status.MAX_STEPS, Status.NON_FINITE).astype(jnp.int32)
    status = jnp.where(carry.status == _RUNNING, ended, carry.status)
    result = Result(problem.solution(carry.state.point), objective, gap, violation, carry.num_steps, status)
    return result if unroll else forward_mode_only(result)
