"""Which rows of a path a picture shows, and the order of their alphas in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def on_axis(alphas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of alphas ``(K,)``, from the largest to the smallest above 0, and ``-log10`` of them."""
    order = np.argsort(-alphas, kind="stable")
    order = order[alphas[order] > 0]
    if not len(order):
        raise ValueError("no alpha above 0 to draw on a logarithmic axis")
    return order, -np.log10(alphas[order])


class Row:
    """The fits of one l1_ratio."""

    def __init__(self, path: Any, index: int | None):
        self._index = index
        self._order, self.x = on_axis(self._pick(path.alphas))
        self.ratio = None if path.l1_ratio is None else float(self._pick(path.l1_ratio))
        kind = type(path.penalty).__name__ if self.ratio is None else f"l1_ratio = {self.ratio:g}"
        self.title = f"{path.loss.name} loss, {kind}"

    def _pick(self, values: Any) -> np.ndarray:
        return np.asarray(values if self._index is None else values[self._index])

    def of(self, values: Any) -> np.ndarray:
        """From an array like ``path.alphas``, with further axes behind or without, the numbers at ``x``."""
        return self._pick(values)[self._order]


def rows(path: Any, l1_ratio: float | Sequence[float] | None = None) -> list[Row]:
    """The rows to draw of a path with one response: all, or those of the l1_ratios asked for."""
    if path.alphas.ndim - 1 > np.ndim(0 if path.l1_ratio is None else path.l1_ratio):
        raise ValueError("there are several responses; draw one: .response(0).plot()")
    if path.l1_ratio is None:
        if l1_ratio is not None:
            raise ValueError(f"this path has no l1_ratio: its penalty is {type(path.penalty).__name__}")
        return [Row(path, None)]
    known = np.atleast_1d(np.asarray(path.l1_ratio, dtype=float))
    wanted = known if l1_ratio is None else np.atleast_1d(np.asarray(l1_ratio, dtype=float))
    found = []
    for ratio in wanted:
        close = np.flatnonzero(np.isclose(known, ratio))
        if not len(close):
            raise ValueError(f"l1_ratio {ratio:g} is not on the path, which has {', '.join(f'{r:g}' for r in known)}")
        found.append(Row(path, int(close[0]) if np.ndim(path.l1_ratio) else None))
    return found


def as_asked(panels: list[Any], path: Any, l1_ratio: Any) -> Any:
    """The panels as an array where there is one for each of several l1_ratios, else the only one."""
    several = np.ndim(path.alphas) == 2 and (l1_ratio is None or np.ndim(l1_ratio) == 1)
    return np.array(panels, dtype=object) if several else panels[0]
