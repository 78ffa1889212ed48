"""The certificate of every lane over all columns, and what Newton's method needs to know beside it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.batch import PenaltyBatch, column_bucket, filled, padded
from proxreg.models.certificate import Certificate, column_violation, duality_gap, relative
from proxreg.penalties import Penalty

CHUNK = 16  # lanes at a time: one program for any number
LARGE = 1 << 19  # gradients from which on it pays to look for those that decide, and to compile for fewer columns
MANY = 500  # lanes from which a second program, for 16 times as many at a time, pays


class Scales(NamedTuple):
    """Which response each lane explains, and what its gap and violation are relative to."""

    response: Any  # (L,) number of a column of y
    null_loss: Any  # (L,); the root of twice that is the norm of the residual

    def lanes(self, chosen: Any) -> "Scales":
        """The lanes with these numbers, in that order."""
        return Scales(*(x[chosen] for x in self))


class Certified(NamedTuple):
    """What is known about lanes, as NumPy arrays ``(L,)``."""

    objective: Any
    gap: Any  # relative; NaN where no dual point is known
    violation: Any  # relative
    error: Any  # what a tolerance bounds; NaN where the numbers are not finite

    @classmethod
    def by(cls, known: Certificate) -> "Certified":
        """With the error that these numbers make."""
        return cls(*known, known.error)


def certificate(penalty: Penalty, w: Array, g: Array, loss: Array, scales: Scales, norms: Array) -> Certificate:
    """Of one lane of least squares with gradient ``g (p,)`` on columns of these norms ``(p,)``."""
    gap = duality_gap(penalty, w, g, lambda c: jnp.square(1 - c) * loss)
    worst = column_violation(penalty, w, g, norms, jnp.sqrt(2 * scales.null_loss))
    return Certificate(loss + penalty.value(w), relative(gap, scales.null_loss), worst)


@jax.jit
def _certify(family: PenaltyBatch, w: Array, g: Array, loss: Array, norms: Array, *scales: Array) -> Certified:
    def one(penalty, w, g, loss, norms, scales):
        return Certified.by(certificate(penalty, w, g, loss, scales, norms))

    return jax.vmap(one)(family.penalties(), w, g, loss, norms, Scales(*scales))


@jax.jit
def _slopes(family: PenaltyBatch, w: Array, g: Array) -> tuple[Array, Array]:
    def one(penalty, w, g):
        _, curvature = jax.jvp(lambda w: penalty.subgradient(w, 0.0), (w,), (jnp.ones_like(w),))
        return penalty.subgradient(w, g), curvature

    return jax.vmap(one)(family.penalties(), w, g)


def certify(
    family: PenaltyBatch, scales: Scales, norms: np.ndarray, w: np.ndarray, g: np.ndarray, loss: np.ndarray
) -> Certified:
    """Of lanes at ``w (L, p)`` with gradients ``g (L, p)`` and losses ``(L,)`` of least squares.

    ``norms (p,)`` are those of the columns.
    """
    if w.size > LARGE and family.told_by_extremes(w.shape[1]):
        w, g, norms = _decisive(family, w, g, norms)
        family = family._replace(factor=None)
    return Certified(*_in_chunks(_certify, family, w, g, loss, np.broadcast_to(norms, w.shape), *scales))


def _decisive(
    family: PenaltyBatch, w: np.ndarray, g: np.ndarray, norms: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The entries ``(L, k)`` of coefficients, and elsewhere those of the largest and the smallest gradient, and of the
    one that is furthest beyond its lane's l1 for the norm of its column; with the norms.
    """
    used = w != 0
    lane = np.flatnonzero(used) // w.shape[1]
    count = np.bincount(lane, minlength=len(w))
    place = np.arange(lane.size) - np.repeat(np.cumsum(count) - count, count)
    shape = len(w), int(count.max(initial=0)) + 3
    small_w, small_g, small_norms = np.zeros(shape, w.dtype), np.zeros(shape, w.dtype), np.ones(shape, w.dtype)
    small_w[lane, place], small_g[lane, place] = w[used], g[used]
    small_norms[lane, place] = norms[np.flatnonzero(used) % w.shape[1]]
    idle = np.where(used, 0, g)
    excess = family.pull(idle)
    excess -= family.l1[:, None]
    excess /= np.where(norms > 0, norms, 1)
    last = np.stack([idle.argmax(axis=1), idle.argmin(axis=1), excess.argmax(axis=1)], axis=1)
    small_g[:, -3:], small_norms[:, -3:] = np.take_along_axis(idle, last, axis=1), norms[last]
    return small_w, small_g, small_norms


def slopes(family: PenaltyBatch, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest subgradients ``(L, p)``, zero at a solution, and the penalty's curvature where w is not zero."""
    subgradient, curvature = _in_chunks(_slopes, family, w, g)
    return subgradient[:, : w.shape[1]], curvature[:, : w.shape[1]]


def _in_chunks(
    program: Callable[..., Any], family: PenaltyBatch, w: np.ndarray, *others: np.ndarray
) -> list[np.ndarray]:
    """What a program says of lanes, so many at a time that it is compiled for one number of lanes."""
    p, size, chunk = w.shape[1], column_bucket(w.shape[1]), CHUNK if len(w) < MANY else 16 * CHUNK
    wide, found = family.columns(np.arange(p), p, size), []
    for start in range(0, len(w), chunk):
        at = np.arange(start, min(start + chunk, len(w)))
        lanes = (padded(x[at], chunk, *[size] * (x.ndim - 1)) for x in (w, *others))
        found.append([np.asarray(x)[: at.size] for x in program(wide.lanes(filled(at, chunk)), *lanes)])
    return [np.concatenate(parts) for parts in zip(*found)]
