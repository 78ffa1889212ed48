"""Names are text, short, different, in order and apart."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

import proxreg as pr
from proxreg.plotting import empty_figure, plot_path, plot_sparsity
from proxreg.plotting._names import shorten
from tests.plotting.made_up import made_up_path as made_up
from tests.plotting.made_up import names_in


@pytest.mark.parametrize("count", [2, 10, 60])
def test_names_are_in_order_and_apart(count):
    ends = np.linspace(-1e-3, 1e-3, count) + np.linspace(0, 1, count) ** 9
    path = made_up(np.linspace(0, 1, 5)[:, None] * ends, names=tuple(f"feature {j}" for j in range(count)))
    ax = plot_path(path, names=count, figure=empty_figure())
    ax.figure.draw_without_rendering()
    texts = sorted(names_in(ax).values(), key=lambda text: text.xy[1])
    assert len(texts) == count if count <= 10 else 15 < len(texts) < count
    boxes = [Text.get_window_extent(text) for text in texts]  # without the line to the curve
    frame = ax.get_window_extent()
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))
    assert all(box.x0 > frame.x1 for box in boxes)
    assert all(box.x1 <= ax.figure.bbox.x1 for box in boxes)
    assert boxes[0].y1 > frame.y0
    assert boxes[-1].y0 < frame.y1
    for text in texts:
        x, y = text.xy
        assert x == pytest.approx(2)
        assert y == ends[int(text.get_text().split()[1])]


def test_names_that_have_room_stay_level_with_their_curves():
    ax = plot_path(made_up([[0, 0], [1.0, -1.0]]), figure=empty_figure())
    assert len(names_in(ax)) == 2
    for text in names_in(ax).values():
        level = ax.transAxes.inverted().transform(ax.transData.transform(text.xy))[1]
        assert text.xyann[1] == pytest.approx(level)


def test_of_equal_ends_the_more_important_is_higher():
    ax = plot_path(made_up([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]), figure=empty_figure())
    heights = {name: text.xyann[1] for name, text in names_in(ax).items()}
    assert heights["x0"] > heights["x1"] > heights["x2"]


def test_a_piece_of_the_line_leads_to_its_name():
    ax = plot_path(made_up([[0.0, 0.0], [1.0, 1.0]]), figure=empty_figure())
    ax.figure.draw_without_rendering()
    for name in names_in(ax).values():
        points = name.arrow_patch.get_path().vertices
        end = ax.transData.transform(name.xy)
        box = Text.get_window_extent(name)
        at_name, level, at_curve = points
        assert 0 < box.x0 - at_name[0] < 10
        assert at_name[1] == pytest.approx(level[1])
        assert at_name[0] - level[0] == pytest.approx(18 * ax.figure.dpi / 72)
        assert level[0] > ax.get_window_extent().x1
        np.testing.assert_allclose(at_curve, end, atol=1e-6)


def test_names_are_text_not_mathematics(tmp_path):
    path = made_up([[0, 0], [1, 2]], names=("price in $ per $m^2", "a very long name that would squeeze the panel"))
    ax = plot_path(path, figure=empty_figure())
    ax.figure.savefig(tmp_path / "path.png")
    assert set(names_in(ax)) == {"price in $ per $m^2", "a very long …e the panel"}
    assert not any(text.get_parse_math() for text in names_in(ax).values())
    bars = plot_sparsity(pr.sparsity({"$x$": np.ones(2)}), figure=empty_figure())
    assert [(label.get_text(), label.get_parse_math()) for label in bars.get_yticklabels()] == [("$x$", False)]


def test_short_names_stay_and_long_ones_lose_their_middle():
    assert shorten(["age", "x" * 24]) == ["age", "x" * 24]
    (short,) = shorten(["abcdefghijkl" + "-" * 50 + "mnopqrstuvw"])
    assert short == "abcdefghijkl…mnopqrstuvw"
    assert len(short) == 24


def test_different_names_stay_different_as_far_as_that_is_possible():
    names = [f"{'a' * 30}{k}{'b' * 14}" for k in range(10)]
    short = shorten(names)
    assert len(set(short)) == 10
    assert max(map(len, short)) < 45
    assert shorten([f"{'a' * 60}{k}{'b' * 60}" for k in range(3)]) == ["a" * 24 + "…" + "b" * 23] * 3
    assert shorten(["same" * 10, "same" * 10]) == ["samesamesame…amesamesame"] * 2


@pytest.mark.parametrize("figsize", [(6.4, 4.8), (12, 4)])
def test_names_are_written_inside_axes_that_were_given(single, figsize):
    figure = empty_figure()
    figure.set_size_inches(figsize)
    for panel in figure.subplots(1, 1 if figsize[0] < 7 else 2, squeeze=False)[0]:
        ax = plot_path(single, ax=panel)
        figure.draw_without_rendering()
        inside, last = ax.get_window_extent(), np.max(-np.log10(single.alphas))
        end = ax.transData.transform((last, 0))[0]
        assert names_in(ax)
        for text in names_in(ax).values():
            assert end < Text.get_window_extent(text).x0 < Text.get_window_extent(text).x1 <= inside.x1
        zero = next(line for line in ax.lines if list(line.get_ydata()) == [0, 0])
        np.testing.assert_allclose(zero.get_transform().transform(zero.get_xydata())[-1, 0], end, atol=1.0)
        assert all(tick <= last + 1e-9 for tick in ax.get_xticks())
