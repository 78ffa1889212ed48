"""What all pictures have in common: where they are drawn, that nothing is cut off, and that grey is enough."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgb

import proxreg as pr
from proxreg import plotting
from proxreg.plotting import empty_figure
from proxreg.plotting._styles import line_style, point_style
from tests.plotting.made_up import LONG, made_up_gaps, made_up_path, made_up_stability

NAMES = tuple(LONG.format(k) for k in range(12))
ENDS = np.linspace(0, 1, 5)[:, None] * np.linspace(-1, 1, 12)


@pytest.fixture
def shown(cv):
    """Something to draw for each function, with names of sixty characters where there are names."""
    return {
        "plot_cv": cv,
        "plot_gaps": made_up_gaps([[0.0, np.nan, 1e-5], [1e-6, np.inf, 1e-7]], 1e-6, ratios=[0.5, 1.0]),
        "plot_path": made_up_path(ENDS, names=NAMES),
        "plot_sparsity": pr.sparsity({name: np.ones(3) for name in NAMES}),
        "plot_stability": made_up_stability(np.abs(ENDS), names=NAMES),
    }


FUNCTIONS = ["plot_cv", "plot_gaps", "plot_path", "plot_sparsity", "plot_stability"]
SINGLE = FUNCTIONS[1:]
each = pytest.mark.parametrize("name", FUNCTIONS)


def test_every_picture_is_here(shown):
    assert [name for name in dir(plotting) if name.startswith("plot_")] == FUNCTIONS == sorted(shown)


@each
def test_a_given_figure_is_used_and_pyplot_is_not(name, shown):
    before, figure = pyplot.get_fignums(), empty_figure()
    axes = getattr(plotting, name)(shown[name], figure=figure)
    assert figure.axes == list(np.ravel(axes))
    assert pyplot.get_fignums() == before
    with pytest.raises(ValueError, match="pass ax or figure, not both"):
        getattr(plotting, name)(shown[name], ax=empty_figure().subplots(), figure=figure)


@pytest.mark.parametrize("name", SINGLE)
def test_given_axes_are_used_as_one_or_in_an_array(name, shown):
    ax = empty_figure().subplots()
    before = pyplot.get_fignums()
    assert getattr(plotting, name)(shown[name], ax=ax) is ax
    assert ax.has_data()
    other = empty_figure().subplots(1, 1, squeeze=False)
    assert getattr(plotting, name)(shown[name], ax=other) is other[0, 0]
    assert pyplot.get_fignums() == before


@each
def test_as_many_axes_as_panels(name, shown):
    count = 3 if name == "plot_cv" else 1
    with pytest.raises(ValueError, match=f"ax has 2 axes, not {count}: pass one for each panel"):
        getattr(plotting, name)(shown[name], ax=empty_figure().subplots(1, 2))


@each
def test_without_axes_pyplot_has_the_figure(name, shown, monkeypatch):
    pyplot.switch_backend("agg")
    monkeypatch.setattr(pyplot, "show", None)  # whoever calls it fails
    figure = np.ravel(getattr(plotting, name)(shown[name]))[0].figure
    try:
        assert pyplot.gcf() is figure
    finally:
        pyplot.close(figure)


@each
def test_nothing_is_cut_off_and_all_is_labelled(name, shown, tmp_path):
    figure = empty_figure()
    axes = np.ravel(getattr(plotting, name)(shown[name], figure=figure))
    figure.savefig(tmp_path / "picture.png")
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= width
    assert box.y1 <= height
    for ax in axes:
        assert ax.get_xlabel()
        assert ax.get_title()
        assert ax.get_window_extent().width > 0.25 * figure.bbox.width / min(len(axes), 3)  # names leave it room
    assert axes[0].get_ylabel() or len({label.get_text() for label in axes[0].get_yticklabels()}) == 12


@each
def test_without_matplotlib_the_error_says_what_to_install(name, shown, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for draw in (empty_figure, lambda: getattr(plotting, name)(shown[name])):
        with pytest.raises(ImportError, match="pip install matplotlib"):
            draw()


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, proxreg, proxreg.plotting, proxreg.__main__; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def lightness(colour):
    """The lightness L* of a colour, from 0 to 100: what is left of it in grey."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y


def test_ten_lines_differ_without_their_colours():
    assert len({str(line_style(k)) for k in range(20)}) == 20
    styles = [line_style(k) for k in range(10)]
    alike = [(a, b) for a, b in itertools.combinations(styles, 2) if a["linestyle"] == b["linestyle"]]
    assert len(alike) == 8
    for a, b in alike:
        assert abs(lightness(a["color"]) - lightness(b["color"])) > 6
    assert max(lightness(style["color"]) for style in styles) < 70  # on white, which is 100


def test_eight_l1_ratios_differ_by_their_markers():
    assert len({point_style(k)["marker"] for k in range(8)}) == 8
    assert len({str(point_style(k)) for k in range(40)}) == 40
