"""A path as text for the terminal, and as a CSV file."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

_NAMES = 40  # characters that names get even where the terminal has fewer


def entering(coef: np.ndarray, scale: np.ndarray) -> list[int]:
    """The features of one path ``coef (K, p)`` in the order in which they first leave zero.

    Of those that enter at the same alpha the largest, times ``scale``, comes first.
    """
    nonzero = coef != 0
    entered = np.flatnonzero(nonzero.any(axis=0))
    first = nonzero.argmax(axis=0)[entered]
    size = np.abs(coef[first, entered] * scale[entered])
    return [int(j) for j in entered[np.lexsort((entered, -size, first))]]


def spread(X: np.ndarray) -> np.ndarray:
    """The standard deviation of each column; 0 where it overflows, as a fit leaves such a column out."""
    with np.errstate(over="ignore", invalid="ignore"):
        std = X.std(axis=0)
    return np.where(np.isfinite(std), std, 0.0)


def count(number: int, what: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def path_table(path: Any, X: np.ndarray, y: np.ndarray, *, width: int = 100) -> str:
    """A few alphas of each l1_ratio: non-zeros and loss there, worst gap and new names since the row above.

    ``path`` has a leading axis of l1_ratios. The rows of one l1_ratio cover all its alphas, so that their names in
    order are the order of entering, and the worst of their gaps is the worst there is.
    """
    ratios, alphas = path.alphas.shape
    rows = np.unique(np.linspace(0, alphas - 1, 5 if ratios <= 6 else 3).round().astype(int))
    scale = spread(X)
    head = f"{'l1_ratio':>8}  {'alpha':>9}  {'non-zeros':>9}  {'loss':>9}  {'worst gap':>9}  "
    lines = [head + "entering"]
    for r, ratio in enumerate(path.l1_ratio):
        coef = path.coef[r]
        order = entering(coef, scale)
        first = (coef != 0).argmax(axis=0)
        above = -1
        for k in rows:
            loss = np.mean(np.asarray(path.loss.value(X @ coef[k] + path.intercept[r, k], y)), dtype=float)
            new = [path.feature_names[j] for j in order if above < first[j] <= k]
            gap = np.max(path.gap[r, above + 1 : k + 1])
            shown = f"{ratio:g}" if above < 0 else ""
            lines.append(
                f"{shown:>8}  {path.alphas[r, k]:>9.4g}  {path.nnz[r, k]:>9d}  {loss:>9.4g}  {gap:>9.1e}  "
                + _fit(new, max(width - len(head), _NAMES))
            )
            above = k
    return "\n".join(line.rstrip() for line in lines)


def _fit(names: list[str], width: int) -> str:
    """Names between commas, as many as fit into ``width`` and at least one; then how many are left."""
    for count in range(len(names), 0, -1):
        rest = f" and {len(names) - count} more" if count < len(names) else ""
        text = ", ".join(names[:count]) + rest
        if len(text) <= width or count == 1:
            return text
    return ""


def convergence(path: Any) -> str:
    """How many fits met the tolerance, and the worst certificate among them."""
    total = f"{int(path.converged.sum())} of {path.converged.size} converged"
    if np.isnan(path.gap).any():
        return f"{total}, worst relative violation of the optimality conditions {np.max(path.violation):.1e}"
    return f"{total}, worst certified gap {np.max(path.gap):.1e} of the loss of the intercept alone"


def write_coefficients(path: Any, file: Path) -> None:
    """One line per l1_ratio and alpha: both, the intercept, the coefficients, the gap, whether it converged."""
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["l1_ratio", "alpha", "intercept", *path.feature_names, "gap", "converged"])
        for r, ratio in enumerate(path.l1_ratio):
            for k in range(path.alphas.shape[1]):
                numbers = (path.intercept[r, k], *path.coef[r, k], path.gap[r, k])
                writer.writerow([ratio, path.alphas[r, k], *numbers, path.converged[r, k]])
