"""What a penalty has left of a network, parameter by parameter."""

from __future__ import annotations

from typing import Any

from proxreg.plotting._bars import draw_bars
from proxreg.plotting._styles import BLUE


def plot_sparsity(report: Any, *, ax: Any = None, figure: Any = None) -> Any:
    """Draws the share of entries that are not exactly 0.0, a bar for each parameter, in the order of the tree.

    Args:
        report: what ``sparsity(params, penalty)`` returned.
        ax: axes to draw into.
        figure: or an empty matplotlib ``Figure``. With neither, ``pyplot`` makes a new one.

    Returns:
        The ``Axes``; the figure is ``ax.figure``.

    A bar is a share of its own parameter, and equally long for a large and a small one: numbers are at the right.
    """
    if not report.leaves:
        raise ValueError("the report has no parameters to draw: sparsity found no arrays of floats")
    names, notes, shares = [], [], []
    for leaf in report.leaves:
        dead = f", {leaf.dead_groups:,} of {leaf.groups:,} groups dead" if leaf.groups else ""
        names.append(leaf.path)
        notes.append(f"{leaf.nonzero:,} of {leaf.size:,}{dead}" + (f", {leaf.nan:,} NaN" if leaf.nan else ""))
        shares.append(leaf.nonzero / max(leaf.size, 1))
    panel = draw_bars(names, notes, shares, BLUE, ax, figure)
    panel.set_title(f"{report.nonzero:,} of {report.size:,} entries are not zero", fontsize="medium")
    panel.set_xlabel("share of entries that are not zero")
    return panel
