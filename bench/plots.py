"""Figures of logarithmic panels that read as well in grey."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STYLES = {  # colour, marker, line
    "proxreg": ("black", "o", "-"),
    "proxreg float32": ("dimgrey", "v", "--"),
    "scikit-learn": ("tab:orange", "s", "-."),
    "scikit-learn Gram": ("tab:red", "D", ":"),
    "celer": ("tab:blue", "^", "--"),
    "skglm": ("tab:green", "x", ":"),
}


def style(name: str) -> dict[str, Any]:
    """The look of a solver's line, the same in every figure."""
    colour, marker, line = STYLES[name]
    return {"color": colour, "marker": marker, "linestyle": line, "markersize": 5, "linewidth": 1.5}


@contextmanager
def panels(titles: list[str], file: str, *, ylabel: str) -> Iterator[list[Any]]:
    """Axes beside each other, both logarithmic, written to the file at the end."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(3.6 * len(titles), 3.4), layout="constrained", dpi=150)
    axes = figure.subplots(1, len(titles), squeeze=False)[0]
    for ax, title in zip(axes, titles):
        ax.set_title(title)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.grid(alpha=0.3)
    axes[0].set_ylabel(ylabel)
    yield list(axes)
    figure.savefig(file)
