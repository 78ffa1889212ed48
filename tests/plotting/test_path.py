"""The picture of a path shows the numbers of the path."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.lines import Line2D

import proxreg as pr
from proxreg.datasets import load_diabetes
from proxreg.plotting import empty_figure, plot_path
from proxreg.plotting._styles import line_style
from tests.plotting.made_up import LONG, RATIOS, curves, look, names_in, upper_labels
from tests.plotting.made_up import made_up_path as made_up


def test_lines_are_the_coefficients_against_the_logarithm(single):
    ax = plot_path(single, figure=empty_figure())
    drawn = curves(ax)
    assert set(drawn) == {name for name, c in zip(single.feature_names, single.coef.T) if c.any()}
    for name, line in drawn.items():
        np.testing.assert_allclose(line.get_xdata(), -np.log10(single.alphas))
        np.testing.assert_array_equal(line.get_ydata(), single.coef[:, single.feature_names.index(name)])
    assert ax.get_title() == "squared loss, l1_ratio = 1"
    assert ax.get_xlabel() == r"$-\log_{10}(\alpha)$"
    assert ax.get_ylabel() == "coefficient"
    np.testing.assert_allclose(ax.get_xlim(), -np.log10(single.alphas[[0, -1]]))


def test_upper_axis_counts_the_non_zeros(single):
    ax = plot_path(single, figure=empty_figure())
    x, shown = -np.log10(single.alphas), upper_labels(ax)
    assert len(shown) >= 3
    for tick, text in shown.items():
        assert int(text) == single.nnz[np.argmin(np.abs(x - tick))]
    assert {tick for tick in ax.get_xticks() if x[0] <= tick <= x[-1]} == set(shown)


def test_one_panel_for_each_l1_ratio(grid):
    panels = plot_path(grid, figure=empty_figure())
    assert panels.shape == (3,)
    assert [ax.get_title() for ax in panels] == [f"squared loss, l1_ratio = {r:g}" for r in RATIOS]
    for r, ax in enumerate(panels):
        for name, line in curves(ax).items():
            np.testing.assert_allclose(line.get_xdata(), -np.log10(grid.alphas[r]))
            np.testing.assert_array_equal(line.get_ydata(), grid.coef[r, :, grid.feature_names.index(name)])
    assert len({ax.get_ylim() for ax in panels}) == 1
    assert [ax.get_ylabel() for ax in panels] == ["coefficient", "", ""]
    looks = [{name: look(line) for name, line in curves(ax).items()} for ax in panels]
    common = set.intersection(*map(set, looks))
    assert len(common) == 10
    assert all(len({look[name] for look in looks}) == 1 for name in common)
    assert len(set(looks[0].values())) == 10  # no two alike


def test_l1_ratio_selects_panels(grid):
    assert plot_path(grid, l1_ratio=0.9, figure=empty_figure()).get_title().endswith("0.9")
    chosen = plot_path(grid, l1_ratio=[1, 0.5], figure=empty_figure())
    assert [ax.get_title()[-3:] for ax in chosen] == ["= 1", "0.5"]
    with pytest.raises(ValueError, match=r"l1_ratio 0.7 is not on the path, which has 0.5, 0.9, 1"):
        plot_path(grid, l1_ratio=0.7, figure=empty_figure())


def test_a_path_of_another_penalty_is_titled_with_its_name():
    X, y, names = load_diabetes()
    path = pr.fit_path(X, y, n_alphas=5, standardize=True, penalty=pr.L1(1.0, positive=True), feature_names=names)
    ax = path.plot(figure=empty_figure())
    assert ax.get_title() == "squared loss, L1"
    with pytest.raises(ValueError, match="this path has no l1_ratio: its penalty is L1"):
        path.plot(l1_ratio=0.5, figure=empty_figure())


def test_five_panels_take_two_rows():
    figure = empty_figure()
    path = made_up(np.eye(4))
    stacked = {key: np.stack([getattr(path, key)] * 5) for key in ("alphas", "coef", "nnz")}
    panels = plot_path(SimpleNamespace(**{**vars(path), **stacked, "l1_ratio": np.linspace(0.2, 1, 5)}), figure=figure)
    assert figure.axes == list(panels)
    assert [ax.get_subplotspec().rowspan.start for ax in panels] == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(("names", "named"), [(True, 10), (3, 3), (0, 0), (False, 0)])
def test_the_largest_are_named_and_the_rest_is_grey(names, named):
    ends = np.arange(1.0, 31) * np.where(np.arange(30) % 2, 1, -1)
    ax = plot_path(made_up([0 * ends, ends]), names=names, figure=empty_figure())
    expected = {f"x{j}" for j in range(30 - named, 30)}
    assert set(names_in(ax)) == set(curves(ax)) == expected
    for number, j in enumerate(range(29, 29 - named, -1)):
        line, name, style = curves(ax)[f"x{j}"], names_in(ax)[f"x{j}"], line_style(number)
        assert line.get_color() == name.get_color() == style["color"]
        assert look(line) == look(Line2D([], [], linewidth=1.2, **style))
        assert name.arrow_patch.get_linestyle() == style["linestyle"]
    (grey,) = ax.collections
    assert [segment[-1, 1] for segment in grey.get_segments()] == ends[: 30 - named].tolist()


def test_scale_multiplies(single):
    X = load_diabetes().X
    ax = plot_path(single, scale=X.std(axis=0), figure=empty_figure())
    assert len(curves(ax)) == 10
    for name, line in curves(ax).items():
        j = single.feature_names.index(name)
        np.testing.assert_allclose(line.get_ydata(), single.coef[:, j] * X[:, j].std(), rtol=1e-6)
    assert ax.get_ylabel() == r"coefficient $\times$ scale"
    with pytest.raises(ValueError, match=r"scale has shape \(3,\), one factor per feature is \(10,\)"):
        plot_path(single, scale=np.ones(3), figure=empty_figure())


def test_into_given_axes(grid, single):
    axes = empty_figure().subplots(1, 3)
    panels = plot_path(grid, ax=axes)
    assert list(panels) == list(axes)
    assert plot_path(single, ax=axes[0]) is axes[0]
    with pytest.raises(ValueError, match="ax has 2 axes, not 3: pass one for each panel"):
        plot_path(grid, ax=axes[:2])


def test_alphas_in_any_order_and_zero():
    path = made_up([[3.0], [1.0], [4.0], [0.0]], alphas=[0.01, 0.1, 0.0, 1.0])
    x, y = curves(plot_path(path, figure=empty_figure()))["x0"].get_data()
    np.testing.assert_allclose(x, [0, 1, 2], atol=1e-12)
    np.testing.assert_array_equal(y, [0, 1, 3])
    with pytest.raises(ValueError, match="no alpha above 0"):
        plot_path(made_up([[1.0]], alphas=[0.0]), figure=empty_figure())


@pytest.mark.parametrize(
    ("coef", "lines"),
    [(np.zeros((3, 4)), 0), (np.ones((1, 2)), 2), ([[0, 1], [1, np.nan], [np.nan, np.inf]], 1), (np.zeros((2, 0)), 0)],
    ids=["all zero", "one alpha", "diverged", "no features"],
)
def test_odd_paths_are_drawn_without_a_warning(coef, lines, tmp_path):
    ax = plot_path(made_up(coef), figure=empty_figure())
    ax.figure.savefig(tmp_path / "path.png")
    assert len(curves(ax)) == lines


def test_one_alpha_is_a_column_of_points():
    ax = plot_path(made_up([np.arange(1.0, 13)], alphas=[0.01]), figure=empty_figure())
    assert ax.get_xticks().tolist() == [2]
    assert {line.get_marker() for line in curves(ax).values()} == {"o"}
    grey = ax.lines[-1]
    assert grey.get_color() == "0.8"
    np.testing.assert_array_equal(grey.get_xydata(), [(2, 1), (2, 2)])


def test_a_grey_curve_that_diverges_does_not_stretch_the_axes():
    ax = plot_path(made_up([[0.0, 1.0], [2.0, 1.0], [np.inf, 1.0]]), names=1, figure=empty_figure())
    (grey,) = ax.collections
    assert len(grey.get_segments()) == 1
    assert 2 < ax.get_ylim()[1] < 3


def test_several_responses_are_refused(grid):
    several = SimpleNamespace(**{**vars(grid), "alphas": grid.alphas[None]})
    with pytest.raises(ValueError, match=r"there are several responses; draw one: .response\(0\).plot\(\)"):
        plot_path(several, figure=empty_figure())


@pytest.mark.parametrize("count", [1, 2, 3])
def test_long_names_leave_every_panel_its_width(grid, count):
    named = dataclasses.replace(grid, feature_names=tuple(LONG.format(k) for k in range(10)))
    figure = empty_figure()
    for ax in np.ravel(plot_path(named, l1_ratio=RATIOS[:count], figure=figure)):
        assert ax.get_window_extent().width / figure.dpi > 2.3  # inches


def test_features_are_named_by_a_list(single):
    ax = plot_path(single, names=["bmi", "age"], figure=empty_figure())
    assert set(names_in(ax)) == {"bmi", "age"} == set(curves(ax))
    assert list(curves(ax)) == ["bmi", "age"]
    assert names_in(plot_path(single, names=[], figure=empty_figure())) == {}
    for names, message in [
        (["bmj"], "no feature is called 'bmj'; did you mean 'bmi'"),
        (["wxyz"], "no feature is called .wxyz.; they are age, sex, bmi, bp, s1 ..."),
        ("bmi", "names must be True, False, a number of features or a list of their names, got 'bmi'"),
        (None, "names must be True, False, a number of features or a list of their names, got None"),
        (-1, "names must be True, False, a number >= 0 or a list of names, got -1"),
    ]:
        with pytest.raises(ValueError, match=message):
            plot_path(single, names=names, figure=empty_figure())
