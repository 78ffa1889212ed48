"""Newton's method on the active set of slow lanes: where accelerated steps are slow, a few of its steps do.

With its signs fixed, a penalised least-squares problem is a linear system in the coefficients that are not zero (the
semismooth Newton step of Li, Sun and Toh 2018, SIAM J. Optim. 28). A step counts only if it lowers the objective.
"""

import jax
import jax.numpy as jnp

from proxreg._pytree import Array
from proxreg.batch.local_model import LocalModel
from proxreg.models import Point

WIDEST = 512  # coefficients that a step may move: it decomposes a matrix of that size
STEPS = 10  # at a time
RIDGE = 1e-13  # of the diagonal: active columns may depend on each other


def polish(models: LocalModel, points: Point, chosen: Array, aim: Array) -> tuple[Point, Array]:
    """Return the points of lanes ``(S,)`` after Newton's steps of the ``chosen``, and how many each has taken.

    One lane at a time: most often none is chosen, and then nothing is computed.
    """

    def one(carry):
        points, taken, chosen = carry
        lane = jnp.argmax(chosen)
        point, count = _steps(models.lane(lane), Point(points.params[lane], points.image[lane]), aim[lane])
        points = jax.tree.map(lambda every, new: every.at[lane].set(new), points, point)
        return points, taken.at[lane].set(count), chosen.at[lane].set(False)

    start = points, jnp.zeros(chosen.shape, jnp.int32), chosen
    points, taken, _ = jax.lax.while_loop(lambda carry: jnp.any(carry[2]), one, start)
    return points, taken


def _steps(model: LocalModel, point: Point, aim: Array) -> tuple[Point, Array]:
    """Return one lane's point after steps while they lower the objective."""

    def going(carry):
        _, error, improved, count = carry
        return improved & (error > aim) & (count < STEPS)

    def advance(carry):
        point, _, _, count = carry
        # where it is among where it might go: what is evaluated in one place is compiled once
        places = jax.vmap(model.at)(jnp.stack([point.params, *_candidates(model, point)]))
        objective, error = jax.vmap(model.objective)(places), jax.vmap(model.error)(places)
        rounding = 4 * jnp.finfo(objective.dtype).eps * jnp.abs(objective[0])
        best = jnp.zeros((), jnp.int32)
        for other in (1, 2):
            closer = (objective[other] <= objective[best] + rounding) & (error[other] < error[best])
            best = jnp.where((objective[other] < objective[best]) | closer, other, best)
        return jax.tree.map(lambda leaf: leaf[best], places), error[best], best > 0, count + 1

    unknown = jnp.asarray(jnp.inf, point.params.dtype)
    start = point, unknown, jnp.asarray(True), jnp.zeros((), jnp.int32)
    point, _, _, count = jax.lax.while_loop(going, advance, start)
    return point, count


def _candidates(model: LocalModel, point: Point) -> tuple[Array, Array]:
    """Return the step up to the first change of a sign, and the full one with those that would change at zero."""
    w, gradient = point
    slope, bend = jax.jvp(lambda w: model.penalty.subgradient(w, gradient), (w,), (jnp.ones_like(w),))
    active = (w != 0) | (slope != 0)
    size = min(WIDEST, w.size)
    at = jax.lax.top_k(active.astype(jnp.float32), size)[1]
    free = active[at]
    H = model.scale * model.hessian.part(at)
    bend = jnp.where((w[at] != 0) & jnp.isfinite(bend[at]), bend[at], 0)
    ridge = RIDGE * jnp.diagonal(H)
    system = jnp.where(free[:, None] & free[None], H, 0) + jnp.diag(jnp.where(free, bend + ridge, 1))
    factor = jax.scipy.linalg.cho_factor(system)
    move = jnp.zeros_like(w).at[at].set(-jax.scipy.linalg.cho_solve(factor, jnp.where(free, slope[at], 0)))
    move = jnp.where((w == 0) & (move * slope >= 0), 0, move)  # against the subgradient that let it in
    full = w + move
    crossing = (w != 0) & (full * w <= 0)
    reach = jnp.where(crossing, w / jnp.where(crossing, w - full, 1), jnp.inf)
    share = jnp.minimum(1, jnp.min(reach, initial=jnp.inf))
    short = jnp.where(crossing & (reach <= share), 0, w + share * move)
    tiny = jnp.asarray(jnp.finfo(w.dtype).tiny, w.dtype)
    # prox of next to no step is the way into the limits
    return model.penalty.prox(short, tiny), model.penalty.prox(jnp.where(crossing, 0, full), tiny)
