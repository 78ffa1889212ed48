"""Continuation along alphas: in which order lanes are solved, and where each begins.

Solutions are nearly piecewise linear in alpha (Efron et al. 2004, Least angle regression, section 3), so that a lane
between two that are solved begins at their interpolation.
"""

import enum
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, PyTree


class WarmStart(enum.Enum):
    """Say where lanes begin."""

    SHARED = "at one place for all, or between solved neighbours"
    OWN = "at a place of each lane's own"
    SIMILAR = "at each lane's solution for similar data, moved as solved neighbours have moved from theirs"


def coarse_to_fine(num_alphas: int, segment: int | None = None) -> np.ndarray:
    """Return the numbers ``0 .. num_alphas - 1``: widely spaced ones first, then those half way between, and so on.

    With a ``segment`` every such number comes first, then what lies between the first two of them, coarse to fine, then
    what lies between the next two: neighbours that are solved together share a working set.
    """
    if segment is None:
        return _halving(0, num_alphas - 1)
    ends = list(range(0, num_alphas, segment))
    between = [_halving(left, right)[2:] for left, right in itertools.pairwise([*ends, num_alphas])]
    return np.concatenate([np.asarray(ends), *(part[part < num_alphas] for part in between)])


def _halving(first: int, last: int) -> np.ndarray:
    """Return ``first``, ``last``, then the numbers between them by levels of halved spacing."""
    order, spacing = [first, last] if last > first else [first], last - first
    while spacing > 1:
        spacing = (spacing + 1) // 2
        order += range(first, last, spacing)
    return np.asarray(list(dict.fromkeys(order)))


def interpolated(alphas: Array, solved: Array, kept: PyTree, start: PyTree | None, lane: Array) -> PyTree:
    """Return where a lane begins, from what is ``kept`` (lanes + 1, ...) of those that are ``solved`` (lanes,).

    With a ``start`` (lanes + 1, ...), of each lane the solution for similar data, what is interpolated is how far lanes
    have moved from there.

    ``alphas (paths, K)`` fall along each path; lane ``k`` of path r has the number ``r K + k``. Linear in alpha between
    the nearest solved lanes of its path, the nearest one beyond them; the same place on the path before where its own
    has none; and what is kept as the last entry, or no way, where there is none either.
    """
    num_alphas = alphas.shape[1]
    path, place = lane // num_alphas, lane % num_alphas
    solved_here, places = solved.reshape(alphas.shape)[path], jnp.arange(num_alphas)
    before = jnp.max(jnp.where(solved_here & (places <= place), places, -1))
    after = jnp.min(jnp.where(solved_here & (places >= place), places, num_alphas))
    left = jnp.where(before >= 0, before, after)
    right = jnp.where(after < num_alphas, after, left)
    width = alphas[path, right] - alphas[path, left]
    share = jnp.where(width == 0, 0, (alphas[path, place] - alphas[path, left]) / jnp.where(width == 0, 1, width))
    beside = jnp.maximum(lane - num_alphas, 0)
    otherwise = jnp.where((path > 0) & solved[beside], beside, solved.size)
    own = left < num_alphas  # else neither side has one
    left, right = (jnp.where(own, path * num_alphas + place, otherwise) for place in (left, right))

    def between(leaf: Any) -> Array:
        return leaf[left] + (leaf[right] - leaf[left]) * jnp.where(own, share, 0).astype(leaf.dtype)

    if start is None:
        return jax.tree.map(between, kept)

    def moved(leaf: Any, first: Any) -> Array:
        return first[lane] + jnp.where(left < solved.size, between(leaf) - between(first), 0)

    return jax.tree.map(moved, kept, start)
