"""The picture of stability selection shows every probability, and which features reach the threshold."""

import numpy as np
import pytest

from proxreg.plotting import empty_figure, plot_stability
from tests.plotting.made_up import curves, look, made_up_stability, names_in

# of the five the first two reach 0.6, the second earlier; the last is never selected
PROBABILITY = np.array([[0.0, 0.3, 0.1, 0.0, 0.0], [0.4, 0.9, 0.2, 0.0, 0.0], [1.0, 1.0, 0.5, 0.3, 0.0]])
NAMES = ("age", "bmi", "s1", "s2", "s3")


def test_lines_are_the_probabilities_of_all_features():
    ax = plot_stability(made_up_stability(PROBABILITY, names=NAMES), figure=empty_figure())
    coloured = curves(ax)
    assert list(coloured) == ["bmi", "age"]  # the one first that is often selected at larger alphas
    for name, line in coloured.items():
        np.testing.assert_allclose(line.get_xdata(), [0, 1, 2], atol=1e-12)
        np.testing.assert_array_equal(line.get_ydata(), PROBABILITY[:, NAMES.index(name)])
    (grey,) = ax.collections
    np.testing.assert_array_equal([segment[:, 1] for segment in grey.get_segments()], PROBABILITY[:, 2:4].T)
    assert ax.get_title() == "2 of 5 features selected, 50 half-samples"
    assert ax.get_xlabel() == r"$-\log_{10}(\alpha)$"
    assert ax.get_ylabel() == "selection probability"
    assert ax.get_ylim()[0] < 0 < 1 < ax.get_ylim()[1] < 1.1


@pytest.mark.parametrize("threshold", [0.45, 0.6, 0.95])
def test_the_threshold_is_a_dashed_line_with_its_value(threshold):
    ax = plot_stability(made_up_stability(PROBABILITY, threshold), figure=empty_figure())
    (level,) = (line for line in ax.lines if line not in curves(ax).values())
    assert level.get_ydata() == [threshold, threshold]
    assert level.get_linestyle() == "--"
    assert len(curves(ax)) == {0.45: 3, 0.6: 2, 0.95: 2}[threshold]
    (said,) = (text for text in ax.texts if text.arrow_patch is None)
    assert said.get_text() == f"threshold {threshold:g}"
    assert said.xy[1] == threshold


@pytest.mark.parametrize(("names", "named"), [(True, ["bmi", "age"]), (1, ["bmi"]), (False, [])])
def test_selected_features_have_names_in_the_colours_of_their_lines(names, named):
    ax = plot_stability(made_up_stability(PROBABILITY, names=NAMES), names=names, figure=empty_figure())
    assert sorted(names_in(ax)) == sorted(named)
    assert len(curves(ax)) == 2
    assert len({look(line) for line in curves(ax).values()}) == 2
    for name, text in names_in(ax).items():
        assert text.get_color() == curves(ax)[name].get_color()
        assert text.xy == pytest.approx((2, 1))


def test_names_at_one_end_are_in_the_order_in_which_features_come():
    ends = np.minimum(np.arange(6)[:, None] / np.arange(1, 6), 1)  # x0 comes first
    ax = plot_stability(made_up_stability(ends), figure=empty_figure())
    texts = sorted(names_in(ax).values(), key=lambda text: -text.xyann[1])
    assert [text.get_text() for text in texts] == ["x0", "x1", "x2", "x3", "x4"]


def test_alphas_in_any_order_and_zero():
    shuffled = made_up_stability(PROBABILITY[[1, 2, 0, 2]], alphas=[0.1, 0.0, 1.0, 0.01])
    x, y = curves(plot_stability(shuffled, figure=empty_figure()))["x0"].get_data()
    np.testing.assert_allclose(x, [0, 1, 2], atol=1e-12)
    np.testing.assert_array_equal(y, PROBABILITY[:, 0])


def test_five_thousand_features_are_a_single_artist():
    rng = np.random.default_rng(0)
    probability = np.minimum(rng.uniform(0.01, 0.5, 5000), np.linspace(0.02, 0.5, 20)[:, None])
    ax = plot_stability(made_up_stability(probability), figure=empty_figure())
    (grey,) = ax.collections
    assert len(grey.get_segments()) == 5000
    assert ax.get_title() == "0 of 5000 features selected, 50 half-samples"
    assert not curves(ax)
    assert not names_in(ax)


def test_a_single_alpha_is_bars_from_the_most_probable_on():
    probability = np.random.default_rng(1).permutation(np.arange(1, 41) / 40)
    order = np.argsort(-probability)[:30]
    ax = plot_stability(made_up_stability([probability], alphas=[0.05]), figure=empty_figure())
    bars, whole = ax.containers
    np.testing.assert_array_equal([bar.get_width() for bar in bars], probability[order])
    assert {bar.get_width() for bar in whole} == {1}
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"x{j}" for j in order]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first at the top
    colours = [bar.get_facecolor() for bar in bars]
    assert len(set(colours)) == 2
    assert [colour == colours[0] for colour in colours] == (probability[order] >= 0.6).tolist()
    (level,) = ax.lines
    assert level.get_xdata() == [0.6, 0.6]
    assert level.get_linestyle() == "--"
    assert ax.get_xlabel() == "selection probability at alpha = 0.05; dashed: threshold"
    assert ax.get_title() == "17 of 40 features selected, 50 half-samples"
    assert [text.get_text() for text in ax.texts[:2]] == ["1", "0.975"]


def test_bars_leave_out_what_is_never_selected():
    ax = plot_stability(made_up_stability([[0.0, 0.9, 0.0, 0.2]], names=NAMES[:4]), figure=empty_figure())
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bmi", "s2"]
    nothing = plot_stability(made_up_stability([[0.0, 0.0]]), figure=empty_figure())
    assert len(nothing.containers[0]) == 1
    unnamed = plot_stability(made_up_stability([[0.5, 0.9, 0.1]]), names=1, figure=empty_figure())
    assert [label.get_text() for label in unnamed.get_yticklabels()] == ["x1", "", ""]


def test_features_are_named_by_a_list():
    found = made_up_stability([[0.1, 0.9, 0.7, 0.0], [0.4, 1.0, 0.8, 0.1]], names=("a", "b", "c", "d"))
    ax = plot_stability(found, names=["c", "a"], figure=empty_figure())
    assert set(names_in(ax)) == {"c", "a"}
    assert list(curves(ax))[:3] == ["c", "a", "b"]  # those, and what else is selected
    bars = made_up_stability([[0.1, 0.9, 0.7, 0.0]], names=("a", "b", "c", "d"))
    ax = plot_stability(bars, names=["c"], figure=empty_figure())
    assert [label.get_text() for label in ax.get_yticklabels() if label.get_text()] == ["c"]
    with pytest.raises(ValueError, match="no feature is called 'e'"):
        plot_stability(found, names=["e"], figure=empty_figure())
