"""In which order lanes are solved, and where they begin."""

import jax.numpy as jnp
import numpy as np
import pytest

from proxreg.batch.continuation import coarse_to_fine, interpolated


@pytest.mark.parametrize("segment", [None, 4, 16])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 17, 50, 100])
def test_every_lane_has_its_turn_once(count, segment):
    order = coarse_to_fine(count, segment)
    assert sorted(order) == list(range(count))
    assert order[0] == 0


def test_spacing_halves():
    assert list(coarse_to_fine(9)) == [0, 8, 4, 2, 6, 1, 3, 5, 7]
    assert list(coarse_to_fine(9, 4)) == [0, 4, 8, 2, 1, 3, 6, 5, 7]


def test_lanes_begin_between_their_solved_neighbours():
    alphas = jnp.array([[4.0, 3.0, 2.0, 1.0], [8.0, 6.0, 4.0, 2.0]])
    kept = jnp.array([40.0, 0.0, 0.0, 10.0, 0.0, 50.0, 0.0, 0.0, -1.0])
    solved = jnp.array([True, False, False, True, False, True, False, False])
    found = [float(interpolated(alphas, solved, kept, None, jnp.asarray(lane))) for lane in (1, 2, 4, 6, 7)]
    np.testing.assert_allclose(found, [30.0, 20.0, 50.0, 50.0, 50.0])
    # the second path has none yet: the same place on the first, or the start that all share
    only_first = solved.at[5].set(False)
    found = [float(interpolated(alphas, only_first, kept, None, jnp.asarray(lane))) for lane in (4, 5, 7)]
    np.testing.assert_allclose(found, [40.0, -1.0, 10.0])


def test_solutions_for_similar_data_are_moved_as_neighbours_have_moved():
    alphas, solved = jnp.array([[4.0, 3.0, 2.0, 1.0]]), jnp.array([True, False, False, True])
    start = jnp.array([10.0, 25.0, 70.0, 80.0, 10.0])
    kept = start.at[0].add(3.0).at[3].add(6.0).at[4].set(jnp.nan)
    found = [float(interpolated(alphas, solved, kept, start, jnp.asarray(lane))) for lane in (1, 2)]
    np.testing.assert_allclose(found, [29.0, 75.0])
    nothing = jnp.zeros(4, bool)
    assert float(interpolated(alphas, nothing, kept, start, jnp.asarray(2))) == 70.0
