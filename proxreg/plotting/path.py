"""Coefficients along a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from proxreg.plotting._axes import alpha_axis, count_above, is_first, lay_out
from proxreg.plotting._names import chosen_features, feature_labels, name_ends, width_of
from proxreg.plotting._rows import Row, as_asked, rows
from proxreg.plotting._styles import RULE, draw_line, draw_rest, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMES = 10  # more lines are hard to follow


def plot_path(
    path: Any,
    *,
    l1_ratio: float | Sequence[float] | None = None,
    names: bool | int | Sequence[str] = True,
    scale: Any = None,
    ax: Any = None,
    figure: Any = None,
) -> Any:
    """Draws coefficients against ``-log10(alpha)``, the number of non-zeros above and names at the right.

    Args:
        path: what ``fit_path`` returned; one panel for each of its l1_ratios.
        l1_ratio: draw only these.
        names: which features to name and colour, as a list of names, or how many: the largest at the smallest alpha.
            ``True`` is up to ten, ``False`` none; the other lines are grey.
        scale: one factor per feature. ``X.std(axis=0)`` makes coefficients of unlike columns comparable.
        ax: axes to draw into, as many as there are panels; names are then written inside them.
        figure: or an empty matplotlib ``Figure`` to lay the panels out in. With neither, ``pyplot`` makes a new one.

    Returns:
        The ``Axes``, or an array of them where l1_ratio is a vector; the figure is ``ax.figure``.

    An alpha of 0 has no place on a logarithmic axis and is left out. Names stay apart as long as the axes keep their
    height.
    """
    curves = [_Curves(path, row, scale) for row in rows(path, l1_ratio)]
    named = _to_name(curves, names)
    panels = lay_out(len(curves), ax, figure, beside=width_of([curves[0].labels[j] for j in named]))
    for panel, curve in zip(panels, curves):
        curve.draw(panel, named, inside=ax is not None)
    outer: Any = panels[0].figure
    if ax is None:
        outer.draw_without_rendering()  # gives the panels their height, which the distance of the names depends on
    for panel, curve in zip(panels, curves):
        curve.name(panel, named)
    return as_asked(panels, path, l1_ratio)


class _Curves:
    """What one panel shows: the path of one l1_ratio, from the largest alpha to the smallest."""

    def __init__(self, path: Any, row: Row, scale: Any):
        self.x, self.title, self.nnz = row.x, row.title, row.of(path.nnz)
        self.coef = row.of(path.coef).astype(float)
        if scale is not None:
            scale = np.asarray(scale, dtype=float)
            if scale.shape != self.coef.shape[1:]:
                raise ValueError(f"scale has shape {scale.shape}, one factor per feature is {self.coef.shape[1:]}")
            self.coef = self.coef * scale
        self.labels = feature_labels(path.feature_names, self.coef.shape[1])
        self.ylabel = "coefficient" if scale is None else r"coefficient $\times$ scale"

    def draw(self, ax: Axes, named: list[int], *, inside: bool) -> None:
        """The lines, the axes and their labels; with room for names ``inside`` axes that may have none beside them."""
        room = width_of([self.labels[j] for j in named]) if inside and named else 0.0
        end = alpha_axis(ax, self.x, tight=True, room=room)
        # over the curves, so that each appears where it enters
        ax.axhline(0, xmax=end, color=RULE, linewidth=1.3, zorder=4)
        moving = np.any(self.coef != 0, axis=0)
        for number, j in enumerate(named):
            if moving[j]:
                draw_line(ax, self.x, self.coef[:, j], number, self.labels[j])
        moving[named] = False
        draw_rest(ax, self.x, self.coef[:, moving].T)
        ax.set_title(self.title, fontsize="medium")
        count_above(ax, self.x, self.nnz)
        if is_first(ax, "left"):
            ax.set_ylabel(self.ylabel)

    def name(self, ax: Axes, named: list[int]) -> None:
        """The names of the curves that end away from zero."""
        ends = self.coef[-1]
        shown = [(number, j) for number, j in enumerate(named) if ends[j] != 0 and np.isfinite(ends[j])]
        styles = [line_style(number) for number, _ in shown]
        name_ends(ax, self.x[-1], [ends[j] for _, j in shown], [self.labels[j] for _, j in shown], styles)


def _to_name(curves: list[_Curves], names: Any) -> list[int]:
    """The features to name, by default the largest at the smallest alpha in any panel, the largest first."""
    ends = np.max([np.abs(np.nan_to_num(curve.coef[-1])) for curve in curves], axis=0)
    ranked = [int(j) for j in np.argsort(-ends, kind="stable") if ends[j] > 0]
    return chosen_features(names, curves[0].labels, ranked, _MOST_NAMES)
