"""How well each fit of a path is certified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from proxreg.cv_result import CVPath
from proxreg.plotting._axes import SMALL, alpha_axis, lay_out
from proxreg.plotting._rows import Row, rows
from proxreg.plotting._styles import RULE, point_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FOLD = {"color": "0.75", "marker": "o", "linestyle": "none", "markersize": 2}
_HOLLOW = {"fillstyle": "none", "color": RULE}
_TOL = {"color": RULE, "linestyle": "--", "linewidth": 1}
_LABELS = {  # by whether all, some or none of the fits have a gap
    (True,): "relative duality gap",
    (False, True): "relative duality gap, or KKT violation",
    (False,): "relative KKT violation",
}


def plot_gaps(path: Any, *, tol: float | None = None, ax: Any = None, figure: Any = None) -> Any:
    """Draws the relative duality gap of each fit, on a logarithmic scale, against ``-log10(alpha)``.

    Args:
        path: what ``fit_path`` or ``cv_path`` returned; in the latter's the gaps of folds are small grey points.
        tol: draw a line there.
        ax: axes to draw into; all l1_ratios share them, with a marker for each.
        figure: or an empty matplotlib ``Figure``. With neither, ``pyplot`` makes a new one.

    Returns:
        The ``Axes``; the figure is ``ax.figure``.

    Where no dual is known, a hollow marker shows the violation of the optimality conditions instead, which bounds no
    distance of the objective from its optimum. Zeros are at the bottom, at a tick of their own. Of what is not finite
    nothing can be drawn but its number in the legend. An alpha of 0 is left out.
    """
    if tol is not None and not tol > 0:
        raise ValueError(f"tol must be above 0 to be drawn on a logarithmic axis, got {tol:g}")
    folds = path.fold_gap if isinstance(path, CVPath) else ()
    path = path.path if isinstance(path, CVPath) else path
    shown = rows(path)
    own = [_Points(row, path.gap, path.violation) for row in shown]
    behind = [_Points(row, gap) for row in shown for gap in folds]

    panel = lay_out(1, ax, figure)[0]
    panel.set_yscale("log")
    heights = np.concatenate([points.height for points in (*own, *behind)])
    zero = _level_of_zero(heights, tol)
    for points in behind:
        panel.plot(points.x, points.on_axis(zero), **_FOLD)
    for number, points in enumerate(own):
        y, style = points.on_axis(zero), point_style(number)
        panel.plot(points.x, np.where(points.is_gap, y, np.nan), **style)
        panel.plot(points.x, np.where(points.is_gap, np.nan, y), fillstyle="none", **style)
    if np.any(heights == 0):
        _name_zero(panel, zero)
    if tol is not None:
        panel.axhline(tol, **_TOL)

    is_gap = np.concatenate([points.is_gap for points in own])
    panel.set_title(shown[0].title if len(shown) == 1 else f"{path.loss.name} loss", fontsize="medium")
    panel.spines["top"].set_visible(False)
    alpha_axis(panel, np.unique(np.concatenate([points.x for points in own])))
    panel.set_ylabel(_LABELS[tuple(np.unique(is_gap).tolist())])
    _write_legend(panel, own, behind, len(folds), tol)
    return panel


class _Points:
    """The certificates of the fits of one l1_ratio."""

    def __init__(self, row: Row, gap: Any, violation: Any = None):
        gap = row.of(gap).astype(float)
        self.x, self.ratio, self.is_gap = row.x, row.ratio, ~np.isnan(gap)
        self.height = gap if violation is None else np.where(self.is_gap, gap, row.of(violation))

    def on_axis(self, zero: float) -> np.ndarray:
        """The heights, with zeros at the place that the axis has for them, and NaN for what has none."""
        return np.where(np.isfinite(self.height), np.where(self.height == 0, zero, self.height), np.nan)


def _level_of_zero(heights: np.ndarray, tol: float | None) -> float:
    """A power of ten below all numbers above zero, by a decade or what can be seen as a distance on a long axis."""
    known = [*heights[(heights > 0) & np.isfinite(heights)], *(() if tol is None else (tol,))]
    powers = np.log10(known or [np.finfo(float).eps])
    return float(10 ** np.floor(powers.min() - max(1, 0.08 * np.ptp(powers))))


def _name_zero(ax: Axes, zero: float) -> None:
    """Makes the tick at the level of zeros say so, and leaves those below it without a number."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, LogFormatterSciNotation

    powers = LogFormatterSciNotation()
    powers.set_axis(ax.yaxis)

    def name(value: float, place: Any) -> str:
        return powers(value, place) if value > 2 * zero else "0" if value > zero / 2 else ""

    ax.yaxis.set_major_formatter(name)
    ax.yaxis.set_minor_locator(FixedLocator([zero]))  # major ticks may leave it out
    ax.yaxis.set_minor_formatter(FixedFormatter(["0"]))


def _write_legend(ax: Axes, own: list[_Points], behind: list[_Points], folds: int, tol: float | None) -> None:
    """Says what is not plain from the axes, at the right of them: points may be anywhere."""
    from matplotlib.lines import Line2D

    entries: list[tuple[str, dict[str, Any]]] = []
    if len(own) > 1:
        entries += [(f"l1_ratio = {points.ratio:g}", point_style(k)) for k, points in enumerate(own)]
    elif folds:
        entries.append(("all rows", point_style(0)))
    if folds:
        entries.append((f"{folds} folds", _FOLD))
    is_gap = np.concatenate([points.is_gap for points in own])
    if is_gap.any() and not is_gap.all():
        entries.append(("hollow: violation,\nwhere no gap is known", {**point_style(0), **_HOLLOW}))
    heights = np.concatenate([points.height for points in (*own, *behind)])
    if np.any(heights == 0):
        alike = len(own) == 1 and not folds  # else the marker of one kind would seem to mean that kind
        marker = point_style(0) if alike else {**point_style(0), "color": RULE}
        entries.append(("at the bottom: exactly 0", marker))
    if missing := int(np.sum(~np.isfinite(heights))):
        entries.append((f"{missing} not drawn: NaN or infinite", {"linestyle": "none"}))
    if tol is not None:
        entries.append((f"tol = {tol:g}", _TOL))
    if entries:
        handles = [Line2D([], [], label=label, **style) for label, style in entries]
        ax.legend(handles=handles, fontsize=SMALL, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
