"""The picture of a path shows the numbers of the path."""

import itertools
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.text import Text

import proxreg as pr
from proxreg.datasets import load_diabetes
from proxreg.plotting import empty_figure, plot_path

RATIOS = (0.5, 0.9, 1.0)


@pytest.fixture(scope="module")
def grid():
    X, y, names = load_diabetes()
    return pr.fit_path(X, y, l1_ratio=RATIOS, n_alphas=12, standardize=True, feature_names=names)


@pytest.fixture(scope="module")
def single():
    X, y, names = load_diabetes()
    return pr.fit_path(X, y, n_alphas=12, standardize=True, feature_names=names)


def made_up(coef, alphas=None, names=None):
    """A path with these coefficients, of which nothing else matters."""
    coef = np.asarray(coef, dtype=float)
    alphas = np.logspace(0, -2, len(coef)) if alphas is None else np.asarray(alphas)
    return SimpleNamespace(
        alphas=alphas,
        coef=coef,
        nnz=(coef != 0).sum(axis=1),
        l1_ratio=1.0,
        feature_names=names,
        loss=SimpleNamespace(name="squared"),
    )


def curves(ax):
    """The lines of features by their names; the line at zero has none."""
    return {line.get_label(): line.get_xydata().T for line in ax.lines if not line.get_label().startswith("_")}


def names_in(ax):
    return {text.get_text(): text for text in ax.texts}


def upper_axis(ax):
    return ax.child_axes[0]


def test_lines_are_the_coefficients_against_the_logarithm(single):
    ax = plot_path(single, figure=empty_figure())
    drawn = curves(ax)
    assert set(drawn) == {name for name, c in zip(single.feature_names, single.coef.T) if c.any()}
    for name, (x, line) in drawn.items():
        np.testing.assert_allclose(x, -np.log10(single.alphas))
        np.testing.assert_array_equal(line, single.coef[:, single.feature_names.index(name)])
    assert ax.get_title() == "squared loss, l1_ratio = 1"
    assert ax.get_xlabel() == r"$-\log_{10}(\alpha)$"
    assert ax.get_ylabel() == "coefficient"
    np.testing.assert_allclose(ax.get_xlim(), -np.log10(single.alphas[[0, -1]]))


def test_upper_axis_counts_the_non_zeros(single):
    ax = plot_path(single, figure=empty_figure())
    ax.figure.draw_without_rendering()
    top = upper_axis(ax)
    assert top.get_xlabel() == "number of non-zeros"
    x = -np.log10(single.alphas)
    shown = {t: label.get_text() for t, label in zip(top.get_xticks(), top.get_xticklabels()) if label.get_text()}
    assert len(shown) >= 3
    for tick, text in shown.items():
        assert int(text) == single.nnz[np.argmin(np.abs(x - tick))]
    assert {tick for tick in ax.get_xticks() if x[0] <= tick <= x[-1]} == set(shown)


def test_one_panel_for_each_l1_ratio(grid):
    panels = plot_path(grid, figure=empty_figure())
    assert panels.shape == (3,)
    assert [ax.get_title() for ax in panels] == [f"squared loss, l1_ratio = {r:g}" for r in RATIOS]
    for r, ax in enumerate(panels):
        for name, (x, line) in curves(ax).items():
            np.testing.assert_allclose(x, -np.log10(grid.alphas[r]))
            np.testing.assert_array_equal(line, grid.coef[r, :, grid.feature_names.index(name)])
    assert len({ax.get_ylim() for ax in panels}) == 1
    assert [ax.get_ylabel() for ax in panels] == ["coefficient", "", ""]
    colours = [{line.get_label(): line.get_color() for line in ax.lines[1:]} for ax in panels]
    for name in set.intersection(*map(set, colours)):
        assert len({colour[name] for colour in colours}) == 1


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


@pytest.mark.parametrize("count", [2, 10, 60])
def test_names_are_in_order_and_apart(count):
    ends = np.linspace(-1e-3, 1e-3, count) + np.linspace(0, 1, count) ** 9
    path = made_up(np.linspace(0, 1, 5)[:, None] * ends, names=tuple(f"feature {j}" for j in range(count)))
    ax = plot_path(path, names=count, figure=empty_figure())
    ax.figure.draw_without_rendering()
    texts = sorted(ax.texts, key=lambda text: text.xy[1])
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
    for text in ax.texts:
        level = ax.transAxes.inverted().transform(ax.transData.transform(text.xy))[1]
        assert text.xyann[1] == pytest.approx(level)


@pytest.mark.parametrize(("names", "named"), [(True, 10), (3, 3), (0, 0), (False, 0)])
def test_the_largest_are_named_and_the_rest_is_grey(names, named):
    ends = np.arange(1.0, 31) * np.where(np.arange(30) % 2, 1, -1)
    ax = plot_path(made_up([0 * ends, ends]), names=names, figure=empty_figure())
    assert set(names_in(ax)) == {f"x{j}" for j in range(30 - named, 30)}
    grey = [line for line in ax.lines[1:] if line.get_color() == "0.8"]
    assert len(ax.lines) == 31
    assert len(grey) == 30 - named


def test_scale_multiplies(single):
    X = load_diabetes().X
    ax = plot_path(single, scale=X.std(axis=0), figure=empty_figure())
    for name, (_, line) in curves(ax).items():
        j = single.feature_names.index(name)
        np.testing.assert_allclose(line, single.coef[:, j] * X[:, j].std(), rtol=1e-6)
    assert ax.get_ylabel() == r"coefficient $\times$ scale"
    with pytest.raises(ValueError, match=r"scale has shape \(3,\), one factor per feature is \(10,\)"):
        plot_path(single, scale=np.ones(3), figure=empty_figure())


def test_into_given_axes(grid, single):
    axes = empty_figure().subplots(1, 3)
    panels = plot_path(grid, ax=axes)
    assert list(panels) == list(axes)
    assert plot_path(single, ax=axes[0]) is axes[0]
    with pytest.raises(ValueError, match="3 panels to draw need as many axes in ax, not 2"):
        plot_path(grid, ax=axes[:2])
    with pytest.raises(ValueError, match="ax or figure, not both"):
        plot_path(single, ax=axes[0], figure=axes[0].figure)


def test_without_axes_pyplot_has_the_figure(single, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    ax = plot_path(single)
    try:
        assert pyplot.gcf() is ax.figure
    finally:
        pyplot.close(ax.figure)


def test_alphas_in_any_order_and_zero():
    path = made_up([[3.0], [1.0], [4.0], [0.0]], alphas=[0.01, 0.1, 0.0, 1.0])
    x, y = curves(plot_path(path, figure=empty_figure()))["x0"]
    np.testing.assert_allclose(x, [0, 1, 2], atol=1e-12)
    np.testing.assert_array_equal(y, [0, 1, 3])
    with pytest.raises(ValueError, match="no alpha above 0"):
        plot_path(made_up([[1.0]], alphas=[0.0]), figure=empty_figure())


@pytest.mark.parametrize(
    "coef",
    [np.zeros((3, 4)), np.ones((1, 2)), [[0, 1], [1, np.nan], [np.nan, np.inf]], np.zeros((2, 0))],
    ids=["all zero", "one alpha", "diverged", "no features"],
)
def test_odd_paths_are_drawn_without_a_warning(coef, tmp_path):
    ax = plot_path(made_up(coef), figure=empty_figure())
    ax.figure.savefig(tmp_path / "path.png")


def test_names_are_text_not_mathematics(tmp_path):
    path = made_up([[0, 0], [1, 2]], names=("price in $ per $m^2", "a very long name that would squeeze the panel"))
    ax = plot_path(path, figure=empty_figure())
    ax.figure.savefig(tmp_path / "path.png")
    assert set(names_in(ax)) == {"price in $ per $m^2", "a very long name that w…"}


def test_without_matplotlib_the_error_says_what_to_install(single, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (empty_figure, lambda: plot_path(single)):
        with pytest.raises(ImportError, match=r'pip install "proxreg\[plot\]"'):
            draw()


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, proxreg, proxreg.plotting, proxreg.__main__; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
