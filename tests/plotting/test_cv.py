"""The picture of cross-validation shows its means, their errors and what the rules choose."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

import proxreg as pr
from proxreg.plotting import empty_figure, plot_cv
from tests.plotting.made_up import RATIOS, curves, upper_labels


def rule_lines(ax):
    """The vertical lines by rule."""
    return {label.split(":")[0]: line for label, line in curves(ax).items() if label[:3] in ("min", "1se")}


def one_row(cv, **changes):
    """The last l1_ratio of a CVPath by itself, with other numbers."""
    names = ("coef", "intercept", "objective", "gap", "violation", "converged", "num_steps", "alphas")
    given = {"l1_ratio": 1.0, "alphas": cv.alphas[-1], **changes.pop("path", {})}
    path = dataclasses.replace(cv.path, **{**{name: getattr(cv.path, name)[-1] for name in names}, **given})
    values = {name: getattr(cv, name)[..., -1, :] for name in ("mean_loss", "se_loss", "fold_loss", "fold_gap")}
    place = {"min": np.array([7]), "1se": np.array([3])}
    return dataclasses.replace(cv, **{**values, "path": path, "alphas": path.alphas, "place": place, **changes})


def test_points_and_bars_are_means_and_standard_errors(cv):
    panels = plot_cv(cv, figure=empty_figure())
    assert panels.shape == (3,)
    assert [ax.get_title() for ax in panels] == [f"squared loss, l1_ratio = {r:g}" for r in RATIOS]
    for r, ax in enumerate(panels):
        (container,) = ax.containers
        points, _, (bars,) = container
        x, mean, error = -np.log10(cv.alphas[r]), cv.mean_loss[r], cv.se_loss[r]
        np.testing.assert_allclose(points.get_xydata(), np.stack([x, mean], axis=1))
        assert error.min() > 0
        np.testing.assert_allclose(np.ptp(bars.get_segments(), axis=1)[:, 1], 2 * error)
        np.testing.assert_allclose(np.mean(bars.get_segments(), axis=1), points.get_xydata())
        assert ax.get_xlabel() == r"$-\log_{10}(\alpha)$"
    assert [ax.get_ylabel() for ax in panels] == ["mean loss", "", ""]
    assert len({ax.get_ylim() for ax in panels}) == 1


def test_the_rules_are_lines_in_the_panel_of_their_l1_ratio(cv):
    panels = plot_cv(cv, figure=empty_figure())
    chosen = RATIOS.index(cv.l1_ratio_min)
    for r, ax in enumerate(panels):
        assert set(rule_lines(ax)) == ({"min", "1se"} if r == chosen else set())
        assert (ax.get_legend() is not None) == (r == chosen)
    lines = rule_lines(panels[chosen])
    for rule, alpha, dashes in (("min", cv.alpha_min, "-"), ("1se", cv.alpha_1se, "--")):
        np.testing.assert_allclose(lines[rule].get_xdata(), -np.log10(alpha))
        assert lines[rule].get_ydata() == [0, 1]  # of the height of the axes
        assert lines[rule].get_linestyle() == dashes
    said = {text.get_text() for text in panels[chosen].get_legend().get_texts()}
    assert said == {
        r"mean $\pm$ 1 SE",
        f"min: alpha = {cv.alpha_min:.3g}",
        f"1se: alpha = {cv.alpha_1se:.3g}",
    }


def test_upper_axis_counts_the_non_zeros_of_the_fit_on_all_rows(cv):
    for r, ax in enumerate(plot_cv(cv, figure=empty_figure())):
        x, shown = -np.log10(cv.alphas[r]), upper_labels(ax)
        assert len(shown) >= 3
        for tick, text in shown.items():
            assert int(text) == cv.path.nnz[r, np.argmin(np.abs(x - tick))]


def test_l1_ratio_selects_panels(cv):
    assert plot_cv(cv, l1_ratio=0.9, figure=empty_figure()).get_title().endswith("0.9")
    assert [ax.get_title()[-3:] for ax in plot_cv(cv, l1_ratio=[1, 0.5], figure=empty_figure())] == ["= 1", "0.5"]
    with pytest.raises(ValueError, match=r"l1_ratio 0.7 is not on the path, which has 0.5, 0.9, 1"):
        plot_cv(cv, l1_ratio=0.7, figure=empty_figure())


def test_one_l1_ratio_and_another_metric_by_the_method(cv):
    alone = one_row(cv, metric="auc")
    figure = empty_figure()
    ax = alone.plot(figure=figure)
    assert ax.figure is figure
    assert ax.get_ylabel() == "mean auc"
    assert ax.get_title() == "squared loss, l1_ratio = 1"
    lines = rule_lines(ax)
    for rule, k in (("min", 7), ("1se", 3)):
        np.testing.assert_allclose(lines[rule].get_xdata(), -np.log10(cv.alphas[-1, k]))


def test_a_path_of_another_penalty_has_the_rules_as_well(cv):
    ax = plot_cv(one_row(cv, path={"l1_ratio": None, "penalty": pr.L1(1.0)}), figure=empty_figure())
    assert ax.get_title() == "squared loss, L1"
    assert set(rule_lines(ax)) == {"min", "1se"}


def test_an_alpha_of_zero_is_left_out_and_the_legend_says_where_the_rule_is(cv):
    alphas = np.where(np.arange(12) == 7, 0, cv.alphas[-1])
    ax = plot_cv(one_row(cv, path={"alphas": alphas}), figure=empty_figure())
    assert len(ax.containers[0][0].get_xdata()) == 11
    assert set(rule_lines(ax)) == {"min", "1se"}
    assert len(rule_lines(ax)["min"].get_xdata()) == 0
    assert "min: alpha = 0, beyond the axis" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_what_is_not_finite_is_left_out(cv, tmp_path):
    mean, error = cv.mean_loss[-1].copy(), cv.se_loss[-1].copy()
    mean[0], mean[1], error[2] = np.inf, np.nan, np.inf
    ax = plot_cv(one_row(cv, mean_loss=mean, se_loss=error), figure=empty_figure())
    ax.figure.savefig(tmp_path / "cv.png")
    heights = ax.containers[0][0].get_ydata()
    assert np.isnan(heights).tolist() == [True, True, *[False] * 10]
    assert ax.get_ylim()[1] < 1.2 * np.max(mean[2:] + error[3])


def test_one_alpha(cv):
    alone = one_row(cv)
    first = {name: getattr(alone.path, name)[:1] for name in ("alphas", "coef", "gap", "violation")}
    path = dataclasses.replace(alone.path, **first)
    place = {"min": np.array([0]), "1se": np.array([0])}
    shown = {"alphas": path.alphas, "mean_loss": alone.mean_loss[:1], "se_loss": alone.se_loss[:1]}
    ax = plot_cv(dataclasses.replace(alone, path=path, place=place, **shown), figure=empty_figure())
    np.testing.assert_allclose(ax.get_xticks(), -np.log10(path.alphas))
    np.testing.assert_allclose(
        [line.get_xdata()[0] for line in rule_lines(ax).values()], -np.log10(path.alphas).repeat(2)
    )
    assert upper_labels(ax) == {-np.log10(path.alphas[0]): str(path.nnz[0])} == {ax.get_xticks()[0]: "0"}


def test_several_responses_are_refused(cv):
    several = SimpleNamespace(path=SimpleNamespace(**{**vars(cv.path), "alphas": cv.alphas[None]}))
    with pytest.raises(ValueError, match=r"there are several responses; draw one: .response\(0\).plot\(\)"):
        plot_cv(several, figure=empty_figure())


def test_the_legend_covers_neither_points_nor_lines_nor_the_axis(cv):
    for panels in (plot_cv(cv, figure=empty_figure()), [plot_cv(one_row(cv), figure=empty_figure())]):
        panel = next(ax for ax in panels if ax.get_legend() is not None)
        panel.figure.draw_without_rendering()
        place, inside = panel.get_legend().get_window_extent(), panel.xaxis.label.get_window_extent()
        assert 0 <= place.y0 < place.y1 <= inside.y0 < panel.get_window_extent().y0
        assert 0 <= place.x0 < place.x1 <= panel.figure.bbox.width
    own = empty_figure().subplots()
    plot_cv(one_row(cv), ax=own)
    assert own.get_legend().get_window_extent().y0 > own.get_window_extent().y0
