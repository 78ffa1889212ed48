"""What tells curves apart: colours that colour-blind eyes tell apart as well, dashes and markers that grey ones do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008), without the three that are too light for a thin line or a name on white
BLUE, BLACK, VERMILLION, PURPLE, GREEN = "#0072B2", "#000000", "#D55E00", "#CC79A7", "#009E73"

# The periods of colours and dashes have no common divisor: twenty lines differ. In this order of the colours, those of
# the first ten that share their dashes differ in lightness as much as they can.
_COLOURS = (VERMILLION, BLUE, GREEN, BLACK, PURPLE)
_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
REST = "0.8"  # the grey of what is not named
RULE = "0.3"  # and of lines that mark a level


def line_style(number: int) -> dict[str, Any]:
    """Colour and dashes of the line of that number."""
    return {"color": _COLOURS[number % len(_COLOURS)], "linestyle": _DASHES[number % len(_DASHES)]}


def point_style(number: int) -> dict[str, Any]:
    """Colour and marker of the points of that number, without a line between them."""
    return {
        "color": _COLOURS[number % len(_COLOURS)],
        "marker": _MARKERS[number % len(_MARKERS)],
        "linestyle": "none",
        "markersize": 4,
    }


def draw_line(ax: Axes, x: np.ndarray, curve: np.ndarray, number: int, label: str) -> None:
    """A line ``curve (K,)`` at ``x (K,)`` in the style of that number; a point where there is one alpha."""
    marker = {"marker": "o", "markersize": 3} if len(x) == 1 else {}
    ax.plot(x, curve, label=label, linewidth=1.2, zorder=3, **line_style(number), **marker)


def draw_rest(ax: Axes, x: np.ndarray, curves: np.ndarray) -> None:
    """Thin grey lines ``curves (count, K)`` at ``x (K,)``; one artist, as there may be thousands of them."""
    from matplotlib.collections import LineCollection

    if len(x) == 1:
        ax.plot(np.repeat(x, len(curves)), curves[:, 0], linestyle="none", marker="o", markersize=3, color=REST)
        return
    points = np.stack(np.broadcast_arrays(x, curves), axis=-1)
    ax.add_collection(LineCollection(list(points), colors=REST, linewidths=0.6, zorder=2))
    ax.autoscale_view()
