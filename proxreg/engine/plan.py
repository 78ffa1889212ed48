"""Which lanes work together in a round, and on which columns."""

import numpy as np

from proxreg.batch import PenaltyBatch, column_bucket
from proxreg.engine.certify import Scales
from proxreg.engine.source import Source

FEWEST = 512  # so many columns need no working set
FEW = 1024  # on so many, a step costs no more than a certificate
GROUP = 16  # lanes that share a working set
LARGE_GROUP = 64  # the same, of few columns
STACK = 1 << 15  # coefficients of lanes that work on matrices of their own together
BATCH = 1024  # lanes that work on all columns together
ALONE = 64  # columns of the working set of a lane's own
FIRST = 256, 512  # columns of a first working set: as many as there are rows, in this range
GROWTH = 1.3  # of a working set over the supports that it holds
WHOLE = 0.3  # a working set of a larger part of the columns is all of them: one batch on one matrix


def plan(
    source: Source, family: PenaltyBatch, scales: Scales, w: np.ndarray, g: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lanes of about the same strength, and the columns that suit them; all that need every column in one group.

    Groups whose columns would be more than the source allows are left out.
    """
    everything = np.arange(source.size)
    if source.alike:
        return _plan_alone(family, scales, w, g)
    if source.size <= FEWEST:
        return [(group, everything) for group in by_strength(family, BATCH)]
    groups = by_strength(family, GROUP if source.size > FEW else LARGE_GROUP, scales.response)
    planned = [(group, working_set(family.lanes(group), w[group], g[group], source.rows)) for group in groups]
    planned = [(group, columns) for group, columns in planned if columns.size <= source.widest]
    if source.size > source.widest:
        return planned
    whole = [group for group, columns in planned if columns.size > WHOLE * source.size]
    rest = [(group, columns) for group, columns in planned if columns.size <= WHOLE * source.size]
    if not whole:
        return rest
    together = np.concatenate(whole)
    last = by_strength(family.lanes(together), BATCH)
    return rest + [(together[group], everything) for group in last]


def _plan_alone(
    family: PenaltyBatch, scales: Scales, w: np.ndarray, g: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lanes of some samples, and for each the columns ``(L, k)`` of its sample's own working set."""
    order = np.argsort(scales.response, kind="stable")
    _, starts = np.unique(scales.response[order], return_index=True)
    score = scores(family, w, g)
    score = np.maximum.reduceat(score if np.all(np.diff(order) == 1) else score[order], starts)
    return _alone(family, order, starts, score)


def plan_begin(
    source: Source, family: PenaltyBatch, scales: Scales, w: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The same before anything has been evaluated, from the gradient of one lane of each sample, its weakest."""
    strength = family.l1
    order = np.lexsort((-strength, scales.response))
    _, starts = np.unique(scales.response[order], return_index=True)
    weakest = order[np.append(starts[1:], order.size) - 1]
    _, g = source.evaluate(w[weakest], scales.response[weakest])
    score = scores(family.lanes(weakest), w[weakest], g)
    score[np.logical_or.reduceat((w != 0)[order], starts)] = np.inf
    return _alone(family, order, starts, score)


def _alone(
    family: PenaltyBatch, order: np.ndarray, starts: np.ndarray, score: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Groups of lanes in this order, in which samples begin at ``starts``; ``score (samples, p)`` as in ``scores``."""
    if not family.uniform(score.shape[1]):  # penalties by column come in one order for all
        score = np.broadcast_to(score.max(axis=0), score.shape)
    p, used = score.shape[1], int(np.isinf(score).sum(axis=1).max())
    k = min(column_bucket(1 << (max(int(GROWTH * used), ALONE) - 1).bit_length()), p)
    columns = np.sort(np.argpartition(-score, k - 1, axis=1)[:, :k], axis=1)
    ends = np.append(starts[1:], order.size)  # lanes of a sample stay together
    sample = np.repeat(np.arange(len(starts)), np.diff(starts, append=order.size))
    size = max(STACK // k, 1)
    cuts = np.unique(ends[np.searchsorted(ends, np.arange(size, order.size + size, size).clip(max=order.size))])
    return [(order[at], columns[sample[at]]) for at in np.split(np.arange(order.size), cuts[:-1])]


def by_strength(family: PenaltyBatch, size: int, apart: np.ndarray | None = None) -> list[np.ndarray]:
    """The lanes in groups of at most ``size``, from the strongest l1 penalty to the weakest.

    Lanes that differ in ``apart (L,)`` do not share a group.
    """
    l1 = family.l1
    kinds = np.zeros(l1.size, int) if apart is None else apart
    found = []
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        found += np.array_split(mine[np.argsort(-l1[mine], kind="stable")], -(-mine.size // size))
    return found


def scores(family: PenaltyBatch, w: np.ndarray, g: np.ndarray) -> np.ndarray:
    """How much columns matter to each lane ``(L, p)``: infinite in use, else by their gradients over the largest such.

    Those in use do not count for that: with a ridge part their gradients are larger, and a lane whose columns all came
    behind those of others would never get what it lacks.
    """
    used = w != 0
    size = family.pull(g)
    size[used] = 0
    if family.factor is None:
        largest = np.max(size, axis=1, keepdims=True)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.where(size > 0, size / family.factor, 0)  # infinite where unpenalised: always in
        largest = np.max(np.where(np.isfinite(size), size, 0), axis=1, keepdims=True)
    size /= np.where(largest > 0, largest, 1)
    size[used] = np.inf
    return size


def working_set(family: PenaltyBatch, w: np.ndarray, g: np.ndarray, rows: int | None) -> np.ndarray:
    """The columns in use, and those whose gradients come nearest to the largest of their lane.

    A lasso has no more coefficients than there are rows, so that on few of them fewer columns are enough to begin with.
    """
    score = scores(family, w, g).max(axis=0)
    first = FIRST[1] if rows is None else int(np.clip(rows, *FIRST))
    wanted = min(max(min(first, score.size // 4), int(GROWTH * np.sum(np.isinf(score)))), score.size)
    return np.sort(np.argpartition(-score, wanted - 1)[:wanted])
