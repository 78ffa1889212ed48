"""How often features are selected on halves of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from proxreg.plotting._axes import SMALL, alpha_axis, lay_out
from proxreg.plotting._bars import draw_bars
from proxreg.plotting._names import chosen_features, feature_labels, name_ends, width_of
from proxreg.plotting._rows import on_axis
from proxreg.plotting._styles import BLUE, REST, RULE, draw_line, draw_rest, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_BARS = 30
_PROBABILITY = "selection probability"


def plot_stability(
    stability: Any, *, names: bool | int | Sequence[str] = True, ax: Any = None, figure: Any = None
) -> Any:
    """Draws the share of half-samples that select a feature against ``-log10(alpha)``, for every feature.

    Args:
        stability: ``alphas (K,)``, ``probability (K, p)``, ``max_probability (p,)``, ``selected (p,)``, ``threshold``,
            ``num_subsamples`` and ``feature_names``. For a single alpha the largest 30 probabilities are bars.
        names: which features to name, as a list of names, or how many of the selected ones, the most probable first.
            ``True`` is as many as there is room for, ``False`` none; those that are selected, and those of a list, have
            colours, the others are grey.
        ax: axes to draw into; names are then written inside them.
        figure: or an empty matplotlib ``Figure``. With neither, ``pyplot`` makes a new one.

    Returns:
        The ``Axes``; the figure is ``ax.figure``.

    A probability is that of its alpha alone: a feature is selected if it reaches the threshold at any of them, so that
    a grid that goes on to smaller alphas selects more. An alpha of 0 is left out of a grid.
    """
    labels = feature_labels(stability.feature_names, np.shape(stability.probability)[1])
    draw = _draw_bars if len(stability.probability) == 1 else _draw_curves
    panel = draw(stability, labels, names, ax, figure)
    selected = np.sum(stability.selected)
    title = f"{selected} of {len(labels)} features selected, {stability.num_subsamples} half-samples"
    panel.set_title(title, fontsize="medium")
    return panel


def _draw_curves(stability: Any, labels: tuple[str, ...], names: Any, ax: Any, figure: Any) -> Axes:
    order, x = on_axis(np.asarray(stability.alphas, dtype=float))
    probability, selected = np.asarray(stability.probability, dtype=float)[order], np.asarray(stability.selected)
    # of those that are always selected at some alpha, and they are many, the one first that is so at the largest
    largest = np.lexsort((-probability.sum(axis=0), -np.asarray(stability.max_probability)))
    coloured = largest[selected[largest]].tolist()
    shown = chosen_features(names, labels, coloured, len(coloured))
    coloured = [*shown, *(j for j in coloured if j not in shown)]
    panel = lay_out(1, ax, figure, beside=width_of([labels[j] for j in shown]))[0]
    rest = np.where(np.isin(np.arange(len(labels)), coloured), False, np.any(probability, axis=0))
    draw_rest(panel, x, probability[:, rest].T)
    for number, j in enumerate(coloured):
        draw_line(panel, x, probability[:, j], number, labels[j])
    room = width_of([labels[j] for j in shown]) if ax is not None and shown else 0.0
    end = alpha_axis(panel, x, tight=True, room=room)
    panel.axhline(stability.threshold, xmax=end, color=RULE, linestyle="--", linewidth=1, zorder=4)
    panel.set_ylim(-0.02, 1.02)  # lines at 0 and at 1 keep their width
    _write_threshold(panel, stability.threshold)
    panel.set_ylabel(_PROBABILITY)
    if ax is None:
        outer: Any = panel.figure
        outer.draw_without_rendering()  # gives the axes their height, which the distance of the names depends on
    styles = [line_style(number) for number in range(len(shown))]
    name_ends(panel, x[-1], probability[-1, shown].tolist(), [labels[j] for j in shown], styles)
    return panel


def _write_threshold(ax: Axes, threshold: float) -> None:
    """At the left, where alphas are large and probabilities small."""
    from matplotlib.patheffects import withStroke

    ax.annotate(
        f"threshold {threshold:g}",
        xy=(0, threshold),
        xycoords=ax.get_yaxis_transform(),
        xytext=(4, 2),
        textcoords="offset points",
        color=RULE,
        fontsize=SMALL,
        zorder=5,
        path_effects=[withStroke(linewidth=2, foreground="white")],  # to be read over a curve without hiding it
    )


def _draw_bars(stability: Any, labels: tuple[str, ...], names: Any, ax: Any, figure: Any) -> Axes:
    """At a single alpha there is no curve, and room for the names of features that just fail."""
    probability, selected = np.asarray(stability.probability, dtype=float)[0], np.asarray(stability.selected)
    first = np.argsort(-probability, kind="stable")[: min(_MOST_BARS, max(np.count_nonzero(probability), 1))]
    named = chosen_features(names, labels, first.tolist(), len(first))
    shown = [labels[j] if j in named else "" for j in first]
    notes = [f"{probability[j]:.3g}" for j in first]
    colours = [BLUE if selected[j] else REST for j in first]
    panel = draw_bars(shown, notes, probability[first].tolist(), colours, ax, figure)
    panel.axvline(stability.threshold, color=RULE, linestyle="--", linewidth=1, zorder=4)
    panel.set_xlabel(f"{_PROBABILITY} at alpha = {float(np.ravel(stability.alphas)[0]):.3g}; dashed: threshold")
    return panel
