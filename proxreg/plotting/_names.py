"""Names of features: short, and at the right of their curves without touching each other."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from proxreg.plotting._axes import CHARACTER, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 24  # characters
_AWAY = 30.0  # points from the axes to a name: room for the line that leads to it
_SAMPLE = 18.0  # points of it are level, as in a legend
_GAP = 3.0  # points between it and the name


def feature_labels(names: Any, count: int) -> tuple[str, ...]:
    """The names of the columns as text, or their numbers."""
    return tuple(f"x{j}" for j in range(count)) if names is None else tuple(map(str, names))


def chosen_features(names: Any, labels: Sequence[str], ranked: Sequence[int], limit: int) -> list[int]:
    """Return which features to name: those of a list, or of the ranked ones as many as ``names`` says.

    ``names`` is True for ``limit`` of them, False for none, a number, or a list of names.
    """
    if isinstance(names, (bool, np.bool_, int, np.integer)):
        count = limit if isinstance(names, (bool, np.bool_)) and names else int(names)
        if count < 0:
            raise ValueError(f"names must be True, False, a number >= 0 or a list of names, got {names!r}")
        return [int(j) for j in ranked[:count]]
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise ValueError(f"names must be True, False, a number of features or a list of their names, got {names!r}")
    place = {name: j for j, name in enumerate(labels)}
    for name in names:
        if name not in place:
            near = difflib.get_close_matches(str(name), labels, n=3)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"they are {', '.join(labels[:5])} ..."
            raise ValueError(f"no feature is called {name!r}; {hint}")
    return [place[name] for name in names]


def shorten(names: Sequence[str], longest: int = _LONGEST) -> list[str]:
    """Names without their middles: ``longest`` characters, or up to twice that where two would become the same."""
    for length in range(longest, 2 * longest):
        short = [_without_middle(name, length) for name in names]
        if len(set(short)) == len(set(names)):
            return short
    return [_without_middle(name, 2 * longest) for name in names]


def _without_middle(name: str, length: int) -> str:
    head = length // 2
    return name if len(name) <= length else f"{name[:head]}…{name[head + 1 - length :]}"


def width_of(names: Sequence[str]) -> float:
    """Inches that ``name_ends`` needs at the right of the axes."""
    return _AWAY / 72 + CHARACTER * max(map(len, shorten(names)), default=0)


def name_ends(ax: Axes, x: float, ends: Sequence[float], names: Sequence[str], styles: Sequence[Any]) -> None:
    """Writes names at the right of the curves, apart from each other, each with a line of its style to its curve's end.

    Args:
        ax: axes that have got their height.
        x: where the curves end.
        ends: their heights there.
        names: of the curves, the most important first: as many are written as there is room for.
        styles: of the curves, as ``line_style`` gives them.
    """
    from matplotlib.path import Path
    from matplotlib.transforms import offset_copy

    if not len(ends):
        return
    figure: Any = ax.figure
    apart = 1.3 * SMALL * figure.dpi / 72 / ax.get_window_extent().height  # in units of the height of the axes
    room = int(1 / apart) + 1
    points = ax.transData.transform([(x, end) for end in ends[:room]]).reshape(-1, 2)
    places = ax.transAxes.inverted().transform(points)
    heights = spread(places[:, 1], apart)

    def elbow(start: Any, end: Any, **_: Any) -> Path:
        """Level at first, so that its dashes can be told; from where the name begins, so that it crosses none."""
        level = [(start[0] - points * figure.dpi / 72, start[1]) for points in (_GAP, _GAP + _SAMPLE)]
        return Path([*level, end])

    for end, height, text, style in zip(ends, heights, shorten(names[:room]), styles):
        ax.annotate(
            text,
            xy=(x, end),
            xytext=(places[0, 0], height),
            textcoords=offset_copy(ax.transAxes, figure, x=_AWAY, units="points"),
            color=style["color"],
            fontsize=SMALL,
            verticalalignment="center",
            annotation_clip=False,
            parse_math=False,  # a dollar in a column's name is a dollar
            arrowprops={"arrowstyle": "-", "linewidth": 1.2, "relpos": (0, 0.5), "connectionstyle": elbow, **style},
        )


def spread(heights: np.ndarray, apart: float) -> np.ndarray:
    """Heights in [0, 1] at least ``apart`` from each other, as near to the given ones as squares can tell.

    Of equal ones the first is the highest.

    With ``z_k = h_k - k apart`` in sorted order the distances become an order, and the nearest ordered sequence is
    found by pooling neighbours that violate it.
    """
    order = np.lexsort((-np.arange(len(heights)), heights))
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
