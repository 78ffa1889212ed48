"""Results as tables with names: DataFrames where pandas is installed, else a readable table of the same content."""

from typing import Any

import numpy as np

from proxreg.feature_names import names_of

INTERCEPT = "(intercept)"


class Table:
    """Columns of equal length under their names; what ``table()`` returns where pandas is not installed.

    ``table["alpha"]`` is a column, ``repr`` the whole as text.
    """

    def __init__(self, columns: dict[str, np.ndarray], index: str | None = None):
        self.columns = tuple(columns)
        self.index = index  # the column that names the rows
        self._values = columns

    def __getitem__(self, name: str) -> np.ndarray:
        return self._values[name]

    def __len__(self) -> int:
        return len(next(iter(self._values.values()), ()))

    def __repr__(self) -> str:
        cells = [[name, *map(_text, self._values[name])] for name in self.columns]
        widths = [max(map(len, column)) for column in cells]
        pads = [str.ljust if name == self.index else str.rjust for name in self.columns]
        rows = zip(*cells)
        return "\n".join("  ".join(pad(cell, w) for pad, cell, w in zip(pads, row, widths)).rstrip() for row in rows)


def feature_table(fit: Any) -> Any:
    """Return intercept and non-zero coefficients of a fit, the largest first; a column for each response."""
    coefs, intercepts = np.atleast_2d(fit.coef), np.atleast_1d(fit.intercept)
    size = np.nan_to_num(np.abs(coefs).max(axis=0), nan=np.inf)
    order = np.argsort(-size, kind="stable")[: np.count_nonzero(size)]
    names = names_of(fit.feature_names, coefs.shape[-1])
    labels = ["coef"] if fit.coef.ndim == 1 else [f"y {k}" for k in range(len(coefs))]
    columns = {"feature": np.array([INTERCEPT, *(names[j] for j in order)], object)}
    columns |= {label: np.append(b, w[order]) for label, w, b in zip(labels, coefs, intercepts)}
    return _table(columns, index="feature")


def path_table(path: Any) -> Any:
    """Return a row for each fit of a path: where on the grid, how sure, and the coefficients by name."""
    columns = _grid(path)
    columns |= {name: getattr(path, name).ravel() for name in ("objective", "gap", "violation", "converged")}
    columns["intercept"] = path.intercept.ravel()
    return _table(_beside_features(columns, path))


def cv_table(cv: Any) -> Any:
    """Return a row for each alpha of a cross-validation: its loss on rows held out, and the rules that take it."""
    columns = _grid(cv.path)
    columns |= {f"mean_{cv.metric}": cv.mean_loss.ravel(), f"se_{cv.metric}": cv.se_loss.ravel()}
    columns["rule"] = _chosen(cv.alphas.size, cv.place)
    return _table(columns)


def criterion_table(criterion: Any) -> Any:
    """Return a row for each fit of a path with its criterion and degrees of freedom."""
    columns = _grid(criterion.path)
    columns |= {"df": criterion.df.ravel(), criterion.kind: criterion.value.ravel()}
    columns["rule"] = _chosen(criterion.value.size, {"min": criterion.place})
    return _table(columns)


def stability_table(stability: Any) -> Any:
    """Return the features in the order of their largest selection probability."""
    largest = stability.max_probability
    order = np.argsort(-largest, kind="stable")
    names = names_of(stability.feature_names, largest.size)
    columns = {"feature": np.array([names[j] for j in order], object), "probability": largest[order]}
    return _table({**columns, "selected": stability.selected[order]}, index="feature")


def _grid(path: Any) -> dict[str, np.ndarray]:
    """The columns that say which fit a row is."""
    columns = {}
    if path.several:
        columns["y"] = np.repeat(np.arange(len(path.alphas)), path.alphas[0].size)
    if path.l1_ratio is not None:
        columns["l1_ratio"] = path.ratios.ravel()
    return {**columns, "alpha": path.alphas.ravel(), "nnz": path.nnz.ravel()}


def _beside_features(columns: dict[str, np.ndarray], path: Any) -> dict[str, np.ndarray]:
    """Adds a column for each feature; one of ours that is called like a feature is put in parentheses."""
    p = path.coef.shape[-1]
    names = names_of(path.feature_names, p)
    taken = set(names)
    columns = {f"({name})" if name in taken else name: values for name, values in columns.items()}
    return columns | dict(zip(names, path.coef.reshape(-1, p).T))


def _chosen(count: int, places: dict[str, np.ndarray]) -> np.ndarray:
    """The rules that take each row, as text."""
    said = [[] for _ in range(count)]
    for rule, place in places.items():
        for response, flat in enumerate(place):
            said[response * (count // len(place)) + int(flat)].append(rule)
    return np.array([", ".join(rules) for rules in said], object)


def _table(columns: dict[str, np.ndarray], index: str | None = None) -> Any:
    try:
        import pandas
    except ImportError:
        return Table(columns, index)
    frame = pandas.DataFrame(columns)
    return frame if index is None else frame.set_index(index)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)
