"""Pictures of paths, for the eye and for a paper; matplotlib is the extra ``plot``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FONT_SIZE = 8.0  # points, for names and the upper axis
_MOST_NAMES = 10  # as many as there are colours
_LONGEST_NAME = 24
_REST = "0.8"  # the grey of lines without a name
_COLUMNS = 3  # panels side by side


def plot_path(
    path: Any,
    *,
    l1_ratio: float | Sequence[float] | None = None,
    names: bool | int = True,
    scale: Any = None,
    ax: Any = None,
    figure: Any = None,
) -> Any:
    """Draws coefficients against ``-log10(alpha)``, the number of non-zeros above and names at the right.

    Args:
        path: what ``fit_path`` returned; one panel for each of its l1_ratios.
        l1_ratio: draw only these.
        names: how many features to name and colour: the largest at the smallest alpha. ``True`` is up to ten,
            ``False`` none; the other lines are grey.
        scale: one factor per feature. ``X.std(axis=0)`` makes coefficients of unlike columns comparable.
        ax: axes to draw into, as many as there are panels.
        figure: or an empty matplotlib ``Figure`` to lay the panels out in. With neither, ``pyplot`` makes a new one.

    Returns:
        The ``Axes``, or an array of them where l1_ratio is a vector; the figure is ``ax.figure``.

    An alpha of 0 has no place on a logarithmic axis and is left out. Names stay apart as long as the axes keep their
    height.
    """
    if path.alphas.ndim - 1 > np.ndim(0 if path.l1_ratio is None else path.l1_ratio):
        raise ValueError("the path has several responses; fit the one to draw alone, or draw path.coef yourself")
    matplotlib = _matplotlib()
    curves = [_Curves(path, index, scale) for index in _select(path, l1_ratio)]
    if ax is None:
        panels = _lay_out(len(curves), figure)
    elif figure is not None:
        raise ValueError("pass ax or figure, not both")
    else:
        panels = [ax] if isinstance(ax, matplotlib.axes.Axes) else list(np.ravel(ax))
    if len(panels) != len(curves):
        raise ValueError(f"{len(curves)} panels to draw need as many axes in ax, not {len(panels)}")

    named = _largest(curves, names)
    for panel, curve in zip(panels, curves):
        curve.draw(panel, named)
    outer: Any = panels[0].figure
    if ax is None:
        outer.draw_without_rendering()  # gives the panels their height, which the distance of the names depends on
    for panel, curve in zip(panels, curves):
        curve.name(panel, named)
    several = np.ndim(path.alphas) == 2 and (l1_ratio is None or np.ndim(l1_ratio) == 1)
    return np.array(panels, dtype=object) if several else panels[0]


def empty_figure() -> Any:
    """A matplotlib ``Figure`` without window or pyplot, for ``plot_path(path, figure=...)`` and then ``savefig``."""
    return _matplotlib().figure.Figure()


def _matplotlib() -> Any:
    """The library, or an error that says how to get it."""
    try:
        import matplotlib.axes
        import matplotlib.figure
    except ImportError as error:
        raise ImportError('plotting needs matplotlib: pip install "proxreg[plot]"') from error
    return matplotlib


class _Curves:
    """What one panel shows: the path of one l1_ratio, from the largest alpha to the smallest."""

    def __init__(self, path: Any, index: int | None, scale: Any):
        def pick(values):
            return np.asarray(values if index is None else values[index])

        alphas = pick(path.alphas)
        order = np.argsort(-alphas, kind="stable")
        order = order[alphas[order] > 0]
        if not len(order):
            raise ValueError("no alpha above 0 to draw on a logarithmic axis")
        self.x = -np.log10(alphas[order])
        self.coef = pick(path.coef)[order].astype(float)
        if scale is not None:
            scale = np.asarray(scale, dtype=float)
            if scale.shape != self.coef.shape[1:]:
                raise ValueError(f"scale has shape {scale.shape}, one factor per feature is {self.coef.shape[1:]}")
            self.coef = self.coef * scale
        self.nnz = pick(path.nnz)[order]
        self.labels = path.feature_names or tuple(f"x{j}" for j in range(self.coef.shape[1]))
        kind = type(path.penalty).__name__ if path.l1_ratio is None else f"l1_ratio = {float(pick(path.l1_ratio)):g}"
        self.title = f"{path.loss.name} loss, {kind}"
        self.ylabel = "coefficient" if scale is None else r"coefficient $\times$ scale"

    def draw(self, ax: Axes, named: list[int]) -> None:
        """The lines, the axes and their labels."""
        marker = {"marker": "o", "markersize": 3} if len(self.x) == 1 else {}
        ax.axhline(0, color="0.3", linewidth=1.3, zorder=4)  # over the curves, so that each appears where it enters
        for j in np.flatnonzero(np.any(self.coef != 0, axis=0)).tolist():
            if j in named:
                style = {"color": f"C{named.index(j) % 10}", "linewidth": 1.2, "zorder": 3}
            else:
                style = {"color": _REST, "linewidth": 0.6, "zorder": 2}
            ax.plot(self.x, self.coef[:, j], label=str(self.labels[j]), **style, **marker)
        if len(self.x) > 1:
            ax.set_xlim(self.x[0], self.x[-1])
        ax.set_title(self.title, fontsize="medium")
        ax.spines["right"].set_visible(False)
        top = ax.secondary_xaxis("top")
        top.xaxis.set_major_formatter(lambda x, _: self._non_zeros(x))
        top.tick_params(labelsize=_FONT_SIZE)
        place = ax.get_subplotspec()
        if place is None or place.is_first_row():
            top.set_xlabel("number of non-zeros", fontsize=_FONT_SIZE)
        if place is None or place.is_first_col():
            ax.set_ylabel(self.ylabel)
        ax.set_xlabel(r"$-\log_{10}(\alpha)$")

    def _non_zeros(self, x: float) -> str:
        """The number of non-zeros at the alpha nearest to ``x``; nothing beyond the ends of the path."""
        margin = 1e-9 + (self.x[-1] - self.x[0]) * 1e-6
        inside = self.x[0] - margin <= x <= self.x[-1] + margin
        return str(self.nnz[np.argmin(np.abs(self.x - x))]) if inside else ""

    def name(self, ax: Axes, named: list[int]) -> None:
        """The names at the right, apart from each other, each with a line to the end of its curve."""
        ends = self.coef[-1]
        shown = [j for j in named if ends[j] != 0 and np.isfinite(ends[j])]
        pixels = ax.get_window_extent().height
        apart = 1.3 * _FONT_SIZE * ax.figure.dpi / 72 / pixels  # in units of the height of the axes
        shown = shown[: int(1 / apart) + 1]
        if not shown:
            return
        points = ax.transData.transform([(self.x[-1], ends[j]) for j in shown])
        heights = _spread(ax.transAxes.inverted().transform(points)[:, 1], apart)
        for j, height in zip(shown, heights):
            colour, text = f"C{named.index(j) % 10}", str(self.labels[j])
            ax.annotate(
                text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…",
                xy=(self.x[-1], ends[j]),
                xytext=(1.05, height),
                textcoords="axes fraction",
                color=colour,
                fontsize=_FONT_SIZE,
                verticalalignment="center",
                annotation_clip=False,
                parse_math=False,  # a dollar in a column's name is a dollar
                arrowprops={
                    "arrowstyle": "-",
                    "color": colour,
                    "linewidth": 0.6,
                    "relpos": (0, 0.5),  # from where the name begins, so that no line runs through a name
                    "shrinkA": 1,
                    "shrinkB": 0,
                },
            )


def _select(path: Any, l1_ratio: float | Sequence[float] | None) -> list[int | None]:
    """Which rows of the path to draw; None for a path without rows."""
    if path.l1_ratio is None:
        if l1_ratio is not None:
            raise ValueError(f"this path has no l1_ratio: its penalty is {type(path.penalty).__name__}")
        return [None]
    known = np.atleast_1d(np.asarray(path.l1_ratio, dtype=float))
    wanted = known if l1_ratio is None else np.atleast_1d(np.asarray(l1_ratio, dtype=float))
    rows = []
    for ratio in wanted:
        close = np.flatnonzero(np.isclose(known, ratio))
        if not len(close):
            raise ValueError(f"l1_ratio {ratio:g} is not on the path, which has {', '.join(f'{r:g}' for r in known)}")
        rows.append(int(close[0]))
    return rows if np.ndim(path.l1_ratio) else [None]


def _lay_out(count: int, figure: Any) -> list[Axes]:
    """Axes for the panels, side by side and then below each other, on one scale."""
    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    size = (6.4, 4.4) if count == 1 else (3.6 * columns, 3.2 * rows)
    if figure is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=size, layout="constrained")
    else:
        figure.set_size_inches(size)
        figure.set_layout_engine("constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for unused in grid[count:]:
        unused.remove()
    return list(grid[:count])


def _largest(curves: list[_Curves], names: bool | int) -> list[int]:
    """The features to name, the largest at the smallest alpha in any panel first."""
    ends = np.max([np.abs(np.nan_to_num(curve.coef[-1])) for curve in curves], axis=0)
    count = _MOST_NAMES if names is True else int(names)
    return [int(j) for j in np.argsort(-ends, kind="stable")[:count] if ends[j] > 0]


def _spread(heights: np.ndarray, apart: float) -> np.ndarray:
    """Heights in [0, 1] at least ``apart`` from each other, as near to the given ones as squares can tell.

    With ``z_k = h_k - k apart`` in sorted order the distances become an order, and the nearest ordered sequence is
    found by pooling neighbours that violate it.
    """
    order = np.argsort(heights, kind="stable")
    offset = apart * np.arange(len(heights))
    blocks: list[tuple[float, int]] = []
    for height in heights[order] - offset:
        mean, size = float(height), 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, size = (mean * size + other * more) / (size + more), size + more
        blocks.append((mean, size))
    pooled = np.concatenate([np.full(size, mean) for mean, size in blocks])
    spread = np.empty(len(heights))
    spread[order] = np.clip(pooled, 0, max(1 - offset[-1], 0)) + offset
    return spread
