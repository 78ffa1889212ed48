"""How well the models of a path predict rows that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from proxreg.plotting._axes import SMALL, alpha_axis, count_above, is_first, lay_out
from proxreg.plotting._rows import Row, as_asked, rows
from proxreg.plotting._styles import BLACK, BLUE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RULES = {"min": ("-", BLACK), "1se": ("--", VERMILLION)}  # dashed over solid: both show where they coincide
_BELOW = 36.0  # points from the axes to the legend: room for ticks and the name of the axis


def plot_cv(cv: Any, *, l1_ratio: float | Sequence[float] | None = None, ax: Any = None, figure: Any = None) -> Any:
    """Draws the mean of the metric and its standard errors against ``-log10(alpha)``, and what the rules choose.

    Args:
        cv: what ``cv_path`` returned; one panel for each of its l1_ratios.
        l1_ratio: draw only these.
        ax: axes to draw into, as many as there are panels.
        figure: or an empty matplotlib ``Figure`` to lay the panels out in. With neither, ``pyplot`` makes a new one.

    Returns:
        The ``Axes``, or an array of them where l1_ratio is a vector; the figure is ``ax.figure``.

    Error bars are one standard error each way and tell how sure the level is; differences between alphas are surer, as
    all are judged by the same folds. The vertical lines are in the panel of the l1_ratio that was chosen. An alpha of 0
    has no place on a logarithmic axis and is left out.
    """
    # A panel for each l1_ratio: their curves differ by less than the error bars, which would hide each other, and each
    # has numbers of non-zeros of its own. The panels share the vertical axis, on which they are to be compared.
    chosen = rows(cv.path, l1_ratio)
    panels = lay_out(len(chosen), ax, figure)
    for panel, row in zip(panels, chosen):
        _draw(panel, cv, row, beneath=0 if ax is not None else 3 if len(chosen) == 1 else 2)
    return as_asked(panels, cv.path, l1_ratio)


def _draw(ax: Axes, cv: Any, row: Row, beneath: int) -> None:
    mean, error = (np.where(np.isfinite(a), a, np.nan) for a in (row.of(cv.mean_loss), row.of(cv.se_loss)))
    look = {"fmt": "o", "markersize": 2.5, "color": BLUE, "ecolor": "0.6", "elinewidth": 0.9, "zorder": 3}
    ax.errorbar(row.x, mean, error, label=r"mean $\pm$ 1 SE", **look)
    if row.ratio == cv.l1_ratio_min:
        for rule, alpha in (("min", cv.alpha_min), ("1se", cv.alpha_1se)):
            _mark(ax, rule, alpha)
        _write_legend(ax, beneath)
    ax.set_title(row.title, fontsize="medium")
    alpha_axis(ax, row.x)
    count_above(ax, row.x, row.of(cv.path.nnz))
    if is_first(ax, "left"):
        ax.set_ylabel(f"mean {cv.metric}")


def _write_legend(ax: Axes, beneath: int) -> None:
    """In as many columns beneath the axes: within them it would cover points, or the lines of the rules.

    With 0 within them, translucent: there may be no room around axes that somebody else has laid out.
    """
    from matplotlib.transforms import offset_copy

    if not beneath:
        ax.legend(fontsize=SMALL, framealpha=0.6)
        return
    figure: Any = ax.figure
    below = offset_copy(ax.transAxes, figure, y=-_BELOW, units="points")
    place = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "bbox_transform": below, "borderaxespad": 0}
    ax.legend(fontsize=SMALL, frameon=False, ncols=beneath, **place)


def _mark(ax: Axes, rule: str, alpha: float) -> None:
    """A vertical line where a rule chooses; in the legend alone where that is beyond a logarithmic axis."""
    dashes, colour = _RULES[rule]
    style = {"linestyle": dashes, "color": colour, "linewidth": 1.2, "zorder": 1}
    if alpha > 0:
        ax.axvline(-np.log10(alpha), label=f"{rule}: alpha = {alpha:.3g}", **style)
    else:
        ax.plot([], [], label=f"{rule}: alpha = 0, beyond the axis", **style)
