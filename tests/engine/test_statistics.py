"""Sums over rows: accurate whatever the means, additive, and of the rows they say."""

import numpy as np
import pytest

from proxreg.engine import moments
from tests import problems

LABELS = np.random.default_rng(5).integers(0, 4, 60)
PARTS = [np.flatnonzero(k == LABELS) for k in range(4)]


def exact(X, y, weights, centred):
    """The same from its definition, in extended precision."""
    X, y = np.asarray(X, np.longdouble), np.asarray(y, np.longdouble)
    s = np.ones(len(y), np.longdouble) if weights is None else np.asarray(weights, np.longdouble)
    s = s / s.sum()
    if centred:
        X, y = X - s @ X, y - s @ y
    return (X.T * s) @ X, (X.T * s) @ y, (s * y) @ y / 2


def close(ours, theirs, rtol):
    np.testing.assert_allclose(ours, theirs.astype(float), rtol=rtol, atol=rtol * float(np.max(np.abs(theirs))))


@pytest.mark.parametrize("mean", [0.0, 3.0, 1e4])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("centred", [False, True])
def test_whole_and_what_is_left_without_a_part(mean, weighted, centred):
    X, y = problems.regression()
    X, weights = X + mean, np.random.default_rng(0).integers(0, 4, 60).astype(float) if weighted else None
    whole, parts = moments(X, y, weights, np.dtype(float), PARTS)
    cases = [(whole, np.arange(60)), *((whole.without(p), k != LABELS) for k, p in enumerate(parts))]
    for found, rows in cases:
        given = None if weights is None else weights[rows]
        for ours, theirs in zip(found.quadratic(centred), exact(X[rows], y[rows], given, centred)):
            np.testing.assert_allclose(
                ours, theirs.astype(float), rtol=1e-11, atol=1e-11 * float(np.max(np.abs(theirs)))
            )
        np.testing.assert_allclose(found.means[0], np.average(X[rows], axis=0, weights=given), rtol=1e-13)
        deviation = np.sqrt(
            np.average((X[rows] - np.average(X[rows], axis=0, weights=given)) ** 2, axis=0, weights=given)
        )
        np.testing.assert_allclose(found.deviation, deviation, rtol=1e-10)


def test_parts_that_overlap_or_leave_rows_out_do_not_spoil_the_whole():
    X, y = problems.regression()
    plain, _ = moments(X, y, None, np.dtype(float))
    for parts in ([np.arange(10), np.arange(5, 60)], [np.arange(10)], [np.arange(30), np.arange(30, 60), np.arange(9)]):
        whole, found = moments(X, y, None, np.dtype(float), parts)
        np.testing.assert_allclose(whole.xx, plain.xx, rtol=1e-12)
        assert [part.total for part in found] == [len(rows) for rows in parts]


def test_a_sample_that_says_nothing_of_the_means_is_found_out():
    X, y = problems.regression(n=4000)
    X[:, 0] = 1e6
    X[::15, 0] = 0.0  # every row of the sample
    whole, _ = moments(X, y, None, np.dtype(float))
    for ours, theirs in zip(whole.quadratic(True), exact(X, y, None, True)):
        close(ours, theirs, 1e-9)


def test_float32_keeps_its_digits_over_many_rows():
    X, y = problems.regression(n=100_000, p=3)
    X = (X + 50).astype(np.float32)
    whole, _ = moments(X, y, None, np.dtype(np.float32))
    for ours, theirs in zip(whole.quadratic(True), exact(X, y, None, True)):
        close(ours, theirs, 3e-6)
