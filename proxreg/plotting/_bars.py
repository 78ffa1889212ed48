"""Horizontal bars between 0 and 1, each with its name at the left and a note at the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from proxreg.plotting._axes import CHARACTER, SMALL, lay_out
from proxreg.plotting._names import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 36  # characters of a name, which has a column of its own


def draw_bars(
    names: Sequence[str], notes: Sequence[str], lengths: Sequence[float], colours: Any, ax: Any, figure: Any
) -> Axes:
    """Draws bars from top to bottom, in a figure of the size that they need.

    Args:
        names: at the left, shortened.
        notes: at the right, as long as they are.
        lengths: of the bars, in [0, 1].
        colours: one, or one for each bar.
        ax: axes to draw into; the text is smaller there if bars are thin.
        figure: or an empty ``Figure``, or None for one of pyplot.

    Returns:
        The axes.
    """
    short = shorten(names, _LONGEST)
    text = max(map(len, short)) + max(map(len, notes))
    panel = lay_out(1, ax, figure, (max(6.4, 3 + CHARACTER * text), 1.2 + 0.2 * max(len(names), 2)))[0]
    places = range(len(names))
    panel.barh(places, lengths, height=0.7, color=colours, zorder=2)
    # what is missing from a whole, so that the eye gets from a short bar to its note
    panel.barh(places, 1, height=0.7, color="0.93", zorder=1)
    panel.set_xlim(0, 1)
    panel.set_ylim(len(names) - 0.4, -0.6)
    outer: Any = panel.figure
    size = min(SMALL, 0.8 * panel.get_window_extent().height * 72 / outer.dpi / len(names))
    panel.set_yticks(places, short, fontsize=size, parse_math=False)
    panel.tick_params(axis="y", length=0)
    panel.spines[["right", "top", "left"]].set_visible(False)
    for place, note in zip(places, notes):
        panel.annotate(
            note,
            xy=(1, place),
            xytext=(4, 0),
            textcoords="offset points",
            verticalalignment="center",
            fontsize=size,
            annotation_clip=False,
        )
    return panel
