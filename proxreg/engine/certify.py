"""Certify least-squares lanes over all columns, from losses and gradients that are known."""

from typing import Any, NamedTuple

import jax
import numpy as np

from proxreg._pytree import Array
from proxreg.batch import PenaltyBatch, column_bucket, filled, padded
from proxreg.models import Certificate, least_squares_certificate
from proxreg.solvers import Result, Status

CHUNK = 16  # lanes at a time: one program for any number
MANY = 500  # lanes from which a second program, for 16 times as many at a time, pays


class Scales(NamedTuple):
    """Which response each lane explains, and what its gap and violation are relative to."""

    response: Any  # (L,) number of a column of y
    null_loss: Any  # (L,); the root of twice that is the norm of the residual

    def lanes(self, chosen: Any) -> "Scales":
        """The lanes with these numbers, in that order."""
        return Scales(*(x[chosen] for x in self))


@jax.jit
def _certify(family: PenaltyBatch, w: Array, g: Array, loss: Array, norms: Array, null_loss: Array) -> Certificate:
    axes = 0, 0, 0, 0, None, 0
    return jax.vmap(least_squares_certificate, axes)(family.penalties(), w, g, loss, norms, null_loss)


def certify(
    family: PenaltyBatch, scales: Scales, norms: np.ndarray, w: np.ndarray, g: np.ndarray, loss: np.ndarray
) -> Certificate:
    """Return NumPy arrays of what is known about lanes at ``w (L, p)`` with gradients ``g (L, p)`` and losses ``(L,)``.

    ``norms (p,)`` are those of the columns.
    """
    p, size, chunk = w.shape[1], column_bucket(w.shape[1]), CHUNK if len(w) < MANY else 16 * CHUNK
    wide, norms, parts = family.columns(np.arange(p), p, size), padded(norms, size), []
    for start in range(0, len(w), chunk):
        at = np.arange(start, min(start + chunk, len(w)))
        lanes = padded(w[at], chunk, size), padded(g[at], chunk, size), padded(loss[at], chunk)
        part = _certify(wide.lanes(filled(at, chunk)), *lanes, norms, padded(scales.null_loss[at], chunk))
        parts.append([np.asarray(x)[: at.size] for x in part])
    return Certificate(*(np.concatenate(part) for part in zip(*parts)))  # pyright: ignore[reportArgumentType]


def as_result(w: Any, certificate: Certificate, num_steps: Any, tol: float) -> Result:
    """Return lanes and their certificates with a status for each."""
    objective, gap, violation = (np.asarray(number) for number in certificate)
    error = np.asarray(certificate.error)
    status = np.where(error <= tol, Status.CONVERGED, Status.MAX_STEPS)
    status = np.where(np.isfinite(error) & np.isfinite(objective), status, Status.NON_FINITE)
    return Result(w, objective, gap, violation, num_steps, status)  # pyright: ignore[reportArgumentType]
