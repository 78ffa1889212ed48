"""Where pictures are drawn: axes that are given, a figure that is given, or a new one of pyplot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALL = 8.0  # points: names, numbers at bars, the upper axis
CHARACTER = 0.075  # inches of width, of small text
_COLUMNS = 3  # panels side by side
_MOST_OF_AXES = 0.6  # for names within them
_ALLOWED = 0.8  # inches for names that every figure has


def empty_figure() -> Any:
    """A matplotlib ``Figure`` without window or pyplot, for ``plot_path(path, figure=...)`` and then ``savefig``."""
    return require_matplotlib().figure.Figure()


def require_matplotlib() -> Any:
    """The library, or an error that says how to get it."""
    try:
        import matplotlib.axes
        import matplotlib.figure
    except ImportError as error:
        raise ImportError("plotting needs matplotlib: pip install matplotlib") from error
    return matplotlib


def lay_out(
    count: int, ax: Any, figure: Any, size: tuple[float, float] = (6.4, 4.4), beside: float = 0.0
) -> list[Axes]:
    """Axes for the panels: those given, or in the figure side by side and then below each other, on one scale.

    Args:
        count: the number of panels.
        ax: one axes or an array of them, or None.
        figure: an empty figure, or None for one of pyplot.
        size: inches of a figure with one panel.
        beside: inches that each panel needs for names at its right.

    Returns:
        As many axes as there are panels.
    """
    matplotlib = require_matplotlib()
    if ax is not None:
        if figure is not None:
            raise ValueError("pass ax or figure, not both")
        given = [ax] if isinstance(ax, matplotlib.axes.Axes) else list(np.ravel(ax))
        if len(given) != count:
            raise ValueError(f"ax has {len(given)} axes, not {count}: pass one for each panel")
        return given
    columns = min(count, _COLUMNS)
    rows = -(-count // columns)
    wider = max(beside - _ALLOWED, 0.0)
    inches = (size[0] + wider, size[1]) if count == 1 else ((3.6 + wider) * columns, 3.2 * rows)
    if figure is None:
        from matplotlib import pyplot

        figure = pyplot.figure(figsize=inches, layout="constrained")
    else:
        figure.set_size_inches(inches)
        figure.set_layout_engine("constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for unused in grid[count:]:
        unused.remove()
    return list(grid[:count])


def is_first(ax: Axes, side: str) -> bool:
    """Whether no panel of the same grid is to the ``left`` of these axes, or on ``top`` of them."""
    place = ax.get_subplotspec()
    return place is None or (place.is_first_col() if side == "left" else place.is_first_row())


def alpha_axis(ax: Axes, x: np.ndarray, *, tight: bool = False, room: float = 0.0) -> float:
    """Names the axis of ``x = -log10(alpha)``; ``tight`` lets it end where curves do, and names stand behind.

    ``room`` is how many inches of the axes these are to have, if it is not beside them. Returns the part of the axes'
    width where curves end.
    """
    share = 0.0
    ax.set_xlabel(r"$-\log_{10}(\alpha)$")
    ax.spines["right"].set(visible=tight, color="0.8")  # faint: beyond it lines lead to names, and are no data
    if len(x) == 1:
        ax.set_xticks(x)
    elif tight:
        figure: Any = ax.figure
        share = min(room * figure.dpi / ax.get_window_extent().width, _MOST_OF_AXES)
        limits = x[0], x[-1] + (x[-1] - x[0]) * share / (1 - share)
        ax.set_xlim(*limits)
        if share:
            ax.set_xticks([tick for tick in ax.get_xticks() if x[0] <= tick <= x[-1]])
            ax.set_xlim(*limits)
    return 1 - share


def count_above(ax: Axes, x: np.ndarray, nnz: np.ndarray) -> None:
    """An upper axis with the number of non-zeros ``nnz (K,)`` of the models at ``x (K,)``, in increasing order.

    A tick between two models shows the nearer one's number, and nothing beyond the first and the last.
    """
    margin = 1e-9 + (x[-1] - x[0]) * 1e-6

    def nearest(tick: float, _: Any) -> str:
        inside = x[0] - margin <= tick <= x[-1] + margin
        return str(nnz[np.argmin(np.abs(x - tick))]) if inside else ""

    top = ax.secondary_xaxis("top")
    if len(x) == 1:
        top.set_xticks(x)
    top.xaxis.set_major_formatter(nearest)
    top.tick_params(labelsize=SMALL)
    if is_first(ax, "top"):
        top.set_xlabel("number of non-zeros", fontsize=SMALL)
