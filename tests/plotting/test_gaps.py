"""The picture of certificates shows each of them, zeros and unknown ones as what they are."""

import dataclasses

import numpy as np
import pytest

from proxreg.plotting import empty_figure, plot_gaps
from tests.plotting.made_up import RATIOS, made_up_gaps


def legend(ax):
    """What the legend says, by line."""
    found = ax.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def points(ax, fillstyle):
    """The finite points of each line that has markers of that kind and the size of those in front."""
    lines = [line for line in ax.lines if line.get_fillstyle() == fillstyle and line.get_markersize() == 4]
    return [line.get_xydata()[np.isfinite(line.get_ydata())] for line in lines if line.get_marker() not in ("", "None")]


def test_points_are_gaps_against_the_logarithm_with_a_marker_for_each_l1_ratio(grid):
    ax = plot_gaps(grid, figure=empty_figure())
    assert ax.get_yscale() == "log"
    assert ax.get_xlabel() == r"$-\log_{10}(\alpha)$"
    assert ax.get_ylabel() == "relative duality gap"
    assert ax.get_title() == "squared loss"
    for r, drawn in enumerate(points(ax, "full")):
        np.testing.assert_allclose(drawn[:, 0], -np.log10(grid.alphas[r]))
        known = grid.gap[r] > 0
        assert known.sum() > 5
        np.testing.assert_allclose(drawn[known, 1], grid.gap[r][known])
    assert [len(drawn) for drawn in points(ax, "none")] == [0, 0, 0]
    handles = ax.get_legend().legend_handles[:3]
    assert [handle.get_label() for handle in handles] == [f"l1_ratio = {r:g}" for r in RATIOS]
    assert len({handle.get_marker() for handle in handles}) == 3
    assert len({handle.get_color() for handle in handles}) == 3


@pytest.mark.parametrize("tol", [None, 1e-6])
def test_tol_is_a_dashed_line(tol):
    ax = plot_gaps(made_up_gaps([1e-4, 1e-5], 0.0), tol=tol, figure=empty_figure())
    levels = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata() for line in levels] == ([] if tol is None else [[tol, tol]])
    assert legend(ax) == ([] if tol is None else ["tol = 1e-06"])
    assert ax.get_ylim()[0] < (tol or 1e-5)


@pytest.mark.parametrize("tol", [0.0, -1.0, float("nan")])
def test_a_tol_that_has_no_place_on_the_axis_is_an_error(tol):
    with pytest.raises(ValueError, match=f"tol must be above 0 to be drawn on a logarithmic axis, got {tol:g}"):
        plot_gaps(made_up_gaps([1e-4], 0.0), tol=tol, figure=empty_figure())


@pytest.mark.parametrize("gap", [[0.0, 3e-6, 1e-5], [0.0, 3e-40, 1e-5], [0.0, 0.0, 0.0]], ids=["short", "long", "all"])
def test_zeros_are_at_the_bottom_at_a_tick_of_their_own(gap):
    ax = plot_gaps(made_up_gaps(gap, 1.0), figure=empty_figure())
    ax.figure.draw_without_rendering()
    (drawn,) = points(ax, "full")
    level, known = drawn[0, 1], np.array([g for g in gap if g > 0])
    assert np.all(drawn[np.array(gap) == 0, 1] == level)
    np.testing.assert_array_equal(drawn[np.array(gap) > 0, 1], known)
    assert ax.get_ylim()[0] < level < min([*known, 1e-15 if not known.size else np.inf]) / 9
    axis = ax.yaxis
    said = [
        (place, label.get_text())
        for minor in (False, True)
        for place, label in zip(axis.get_ticklocs(minor=minor), axis.get_ticklabels(minor=minor))
        if label.get_text()
    ]
    assert [place for place, text in said if text == "0"] == [pytest.approx(level)]
    assert all(place > level for place, text in said if text != "0")
    assert legend(ax) == ["at the bottom: exactly 0"]
    (handle,) = ax.get_legend().legend_handles
    assert (handle.get_marker(), handle.get_color()) == (ax.lines[0].get_marker(), ax.lines[0].get_color())
    assert handle.get_marker() not in ("", "None")


def test_where_no_gap_is_known_the_violation_is_a_hollow_marker():
    violation = [2e-3, 2e-4, 2e-5]
    mixed = plot_gaps(made_up_gaps([1e-5, np.nan, 1e-6], violation), figure=empty_figure())
    np.testing.assert_allclose(points(mixed, "full")[0], [(0, 1e-5), (2, 1e-6)], atol=1e-12)
    np.testing.assert_allclose(points(mixed, "none")[0], [(1, 2e-4)])
    assert mixed.get_ylabel() == "relative duality gap, or KKT violation"
    assert legend(mixed) == ["hollow: violation,\nwhere no gap is known"]
    unknown = plot_gaps(made_up_gaps(np.full(3, np.nan), violation), figure=empty_figure())
    np.testing.assert_allclose(points(unknown, "none")[0][:, 1], violation)
    assert unknown.get_ylabel() == "relative KKT violation"
    assert legend(unknown) == []


def test_fits_without_a_finite_number_are_counted():
    gap = [[1e-5, np.inf, np.nan, 1e-5], [1e-5, 1e-5, 1e-5, 1e-5]]
    ax = plot_gaps(made_up_gaps(gap, np.nan, ratios=[0.5, 1.0]), figure=empty_figure())
    assert [len(drawn) for drawn in points(ax, "full")] == [2, 4]
    assert "2 not drawn: NaN or infinite" in legend(ax)


def test_of_cross_validation_the_folds_are_small_and_behind(cv):
    ax = plot_gaps(cv, tol=1e-4, figure=empty_figure())
    small = [line for line in ax.lines if line.get_markersize() == 2]
    assert len(small) == cv.fold_gap.shape[0] * len(RATIOS) == 12
    assert ax.lines[:12] == small  # drawn before the others
    assert {line.get_color() for line in small} == {"0.75"}
    drawn = np.concatenate([line.get_xydata() for line in small])
    expected = np.swapaxes(cv.fold_gap, 0, 1).ravel()
    np.testing.assert_allclose(drawn[expected > 0, 1], expected[expected > 0])
    np.testing.assert_allclose(drawn[:, 0], -np.log10(np.repeat(cv.alphas[:, None], 4, axis=1)).ravel())
    for r, own in enumerate(points(ax, "full")):
        np.testing.assert_allclose(own[cv.path.gap[r] > 0, 1], cv.path.gap[r][cv.path.gap[r] > 0])
    assert "4 folds" in legend(ax)
    unknown = dataclasses.replace(cv, fold_gap=np.full_like(cv.fold_gap, np.nan))
    assert f"{cv.fold_gap.size} not drawn: NaN or infinite" in legend(plot_gaps(unknown, figure=empty_figure()))


def test_one_l1_ratio_is_in_the_title(single):
    ax = plot_gaps(single, figure=empty_figure())
    assert ax.get_title() == "squared loss, l1_ratio = 1"
    assert not any(line.startswith("l1_ratio") for line in legend(ax))


def test_several_responses_are_refused():
    with pytest.raises(ValueError, match="there are several responses"):
        plot_gaps(made_up_gaps([[1e-5], [1e-5]], 0.0), figure=empty_figure())
