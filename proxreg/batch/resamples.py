"""Least squares on samples of the same rows: each sample has a Gram matrix, on a working set of its own."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.batch.local_model import Hessian, Lanes, LocalModel, at_rest, minimise
from proxreg.batch.penalty_batch import PenaltyBatch
from proxreg.models import Certificate, Point, column_violation, duality_gap, majoriser, relative
from proxreg.penalties import Penalty

ROUNDS = 4  # working sets, after which a lane is for a solver that chooses them more carefully
PATIENCE = 200  # steps of a round
INNER = 0.9


class Samples(NamedTuple):
    X: Any  # (n, p) about centred
    columns: Any  # (p, n) the same by columns, in the type of products
    y: Any  # (n,)
    norms: Any  # (p,)
    weights: Any  # (S, n) each sums to one


class _Lanes(NamedTuple):
    """What is known about the lanes ``(S, K)`` of each sample."""

    w: Array  # (S, K, p)
    eta: Array # (S, K, n)
    gradient: Array
    loss: Array
    certificate: Certificate
    num_steps: Array
    rounds: Array


@partial(jax.jit, static_argnames=("width", "centred"))
@jax.default_matmul_precision("highest")
def solve_samples(samples: Samples, penalties: PenaltyBatch, start: Array, tol: Array, max_steps: Array, width: int, centred: bool):
    X, columns, y, norms, weights = samples
    S, n = weights.shape
    K, p = start.shape
    each = penalties.penalties()

    def residual(eta, weights):
        r = eta - y
        return r - jnp.sum(r * weights, axis=-1, keepdims=True) if centred else r

    null = residual(jnp.zeros_like(weights), weights)
    null_loss = jnp.sum(weights * null * null, axis=1) / 2

    def scores(w, g):
        def one(penalty, w, g):
            used = w != 0
            return jnp.where(used, jnp.inf, penalty.alpha_max(g) if False else jnp.abs(g) / penalty.alpha)
        return jnp.max(jax.vmap(one)(each, w, g), axis=0)

    def look(w, eta):
        r = residual(eta, weights[:, None])
        slope = r * weights[:, None]
        loss = jnp.sum(r * slope, axis=-1) / 2
        return (slope.reshape(S*K, n) @ X).reshape(S, K, p), loss

    def certify(w, g, loss):
        def one(penalty, w, g, loss, null_loss):
            gap = duality_gap(penalty, w, g, lambda c: jnp.square(1 - c) * loss)
            worst = column_violation(penalty, w, g, norms, jnp.sqrt(2 * null_loss))
            return Certificate(loss + penalty.value(w), relative(gap, null_loss), worst)
        return jax.vmap(lambda w, g, loss, null: jax.vmap(one, in_axes=(0, 0, 0, 0, None))(each, w, g, loss, null))(w, g, loss, null_loss)

    eta0 = start @ X.T
    # gradient of the weakest alone
    def first(weights):
        r = residual(eta0[-1], weights)
        return (r * weights)
    g_last = jax.vmap(first)(weights) @ X
    used = jnp.any(start != 0, axis=0)
    score = jnp.where(used, jnp.inf, jnp.abs(g_last)).astype(jnp.float32)

    def round_(carry):
        lanes, score, live = carry
        at = jax.lax.top_k(score, width)[1]  # (S, k)
        rows = columns[at]  # (S, k, n)
        def one(at, rows, weights, w, eta, null_loss, live, budget):
            r = residual(eta, weights)
            slope = r * weights
            loss = jnp.sum(r * slope, axis=-1) / 2
            full = rows.astype(X.dtype)
            mean = full @ weights if centred else jnp.zeros(width, X.dtype)
            there = slope @ full.T  # slope sums to zero if centred
            small = rows.astype(jnp.float32)
            w32 = weights.astype(jnp.float32)
            G = (small * w32) @ small.T - jnp.outer(mean, mean).astype(jnp.float32)
            diagonal = jnp.maximum(jnp.diagonal(G), 0).astype(X.dtype)
            root = jnp.sqrt(jnp.where(diagonal > 0, diagonal, 1))
            G = G / root.astype(jnp.float32) / root.astype(jnp.float32)[:, None]
            hessian = Hessian(G, root, jnp.sqrt(jnp.where(null_loss > 0, null_loss, 1)))
            own = jax.tree.map(lambda leaf: leaf[:, at] if leaf.shape[1:] == (p,) else leaf, each)
            steps = 1 / majoriser(hessian.product, hessian.diagonal(), width)
            start = w[:, at]
            models = LocalModel(hessian, start, there, loss, jnp.ones(K, X.dtype), null_loss, norms[at], jnp.sqrt(2 * null_loss), own, least_squares=True)
            inner = minimise(models, at_rest(Point(start, there)), steps, Lanes(live, lambda errors: jnp.full_like(errors, INNER * tol), jnp.minimum(budget, PATIENCE), jnp.asarray(0)))
            move = inner.motion.point.params - start
            return at, inner.motion.point.params, eta + move @ full, inner.taken
        budget = max_steps - lanes.num_steps
        at, new, eta, taken = jax.vmap(one)(at, rows, weights, lanes.w, lanes.eta, null_loss, live, budget)
        w = jax.vmap(lambda w, at, new: w.at[:, at].set(new))(lanes.w, at, new)
        g, loss = look(w, eta)
        cert = certify(w, g, loss)
        live = ~(cert.error <= tol)
        score = jax.vmap(scores)(w, g).astype(jnp.float32)
        return _Lanes(w, eta, g, loss, cert, lanes.num_steps + taken, lanes.rounds + 1), score, live

    unknown = jnp.full((S, K), jnp.nan, X.dtype)
    w = jnp.broadcast_to(start, (S, K, p))
    lanes = _Lanes(w, jnp.broadcast_to(eta0, (S, K, n)), w, unknown, Certificate(unknown, unknown, unknown), jnp.zeros((S, K), jnp.int32), jnp.zeros((), jnp.int32))
    def unfinished(carry):
        lanes, _, live = carry
        return jnp.any(live) & (lanes.rounds < ROUNDS)
    lanes, _, live = jax.lax.while_loop(unfinished, round_, (lanes, score, jnp.ones((S, K), bool)))
    return lanes.w, lanes.certificate, lanes.num_steps, lanes.rounds, live
