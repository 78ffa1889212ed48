"""The certificate of every lane over all columns, and what rounds need to know beside it."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array
from proxreg.engine.buckets import column_bucket, padded
from proxreg.engine.family import Family
from proxreg.models.certificate import duality_gap, relative, tree_max_abs

CHUNK = 16  # lanes at a time: one program for any number


class Scales(NamedTuple):
    """What gaps and violations are relative to."""

    null_loss: Any
    null_gradient: Any


class Certified(NamedTuple):
    """What is known about lanes, as NumPy arrays."""

    objective: Any  # (L,)
    gap: Any  # (L,) relative; NaN where no dual point is known
    violation: Any  # (L,) relative
    subgradient: Any  # (L, p) the smallest; zero at a solution
    curvature: Any  # (L, p) of the penalty at coefficients that are not zero

    @property
    def error(self) -> np.ndarray:
        """What a tolerance bounds; NaN where the numbers are not finite."""
        return np.where(np.isnan(self.gap), self.violation, np.maximum(self.gap, self.violation))


@jax.jit
def _certify(family: Family, scales: Scales, w: Array, g: Array, loss: Array) -> Certified:
    def one(penalty, w, g, loss):
        gap = duality_gap(penalty, w, g, lambda c: jnp.square(1 - c) * loss)
        rest = penalty.subgradient(w, g)
        _, curvature = jax.jvp(lambda w: penalty.subgradient(w, 0.0), (w,), (jnp.ones_like(w),))
        violation = relative(tree_max_abs(rest), scales.null_gradient)
        objective = loss + penalty.value(w)
        return Certified(objective, relative(gap, scales.null_loss), violation, rest, curvature)

    return jax.vmap(one)(family.penalties(), w, g, loss)


def certify(family: Family, scales: Scales, w: np.ndarray, g: np.ndarray, loss: np.ndarray) -> Certified:
    """Of lanes at ``w (L, p)`` with gradients ``g (L, p)`` and losses ``(L,)`` of least squares."""
    p, size = w.shape[1], column_bucket(w.shape[1])
    wide = family.columns(np.arange(p), p, size)
    found = []
    for start in range(0, len(w), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(w)))
        at = np.concatenate([rows, np.full(CHUNK - rows.size, start)])
        part = _certify(wide.lanes(at), scales, padded(w[rows], CHUNK, size), padded(g[rows], CHUNK, size), loss[at])
        found.append([np.asarray(x)[: rows.size, ...] for x in part])
    objective, gap, violation, rest, curvature = map(np.concatenate, zip(*found))
    return Certified(objective, gap, violation, rest[:, :p], curvature[:, :p])
