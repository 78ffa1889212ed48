"""A CSV file as a design matrix and a target, with errors that name the row and the column.

Two readers: NumPy's, fast, for files in which every cell is a number; and where it fails a careful one that goes
through the file cell by cell to say what is wrong. Rows are numbered as a spreadsheet does, the header being row 1.
"""

import csv
import difflib
import io
import math
import re
import shlex
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

_DELIMITERS = (",", ";", "\t")
_MISSING = frozenset(("", "na", "n/a", "nan", "null", "none"))


class TableError(ValueError):
    """Something in the file that keeps it from being read, in one line, without the file's name."""


class _Missing(ValueError):
    """A cell without a value."""


class _NoNumber(ValueError):
    """A cell with something else."""


class Table(NamedTuple):
    """The columns of a file, sorted into features and target."""

    X: np.ndarray  # (n, p), float64
    y: np.ndarray  # (n,), float64; 0 and 1 where the target has classes
    feature_names: tuple[str, ...]  # in the file's order
    classes: tuple[str, ...] | None  # what y = 0 and y = 1 stand for


class _Layout(NamedTuple):
    """Which cell is what."""

    delimiter: str
    names: list[str]
    header_row: int
    target: int
    features: list[int]


def read_table(path: str | Path, target: str | None, *, drop: Sequence[str] = (), classes: bool = False) -> Table:
    """Reads a CSV file with a header: every column but ``target`` and those in ``drop`` is a feature.

    Cells are separated by commas, semicolons or tabs, whichever the header has most of; quoted cells, a byte-order
    mark and any kind of line end are fine. With ``classes`` the target holds two labels, numbers or text, which become
    0 and 1 in sorted order. Raises ``TableError``.
    """
    handle = io.StringIO(_decode(Path(path)), newline="")
    layout = _read_header(handle, target, drop)
    start = handle.tell()
    labels: dict[str, int] | None = {} if classes else None
    values = _read_fast(handle, layout, labels)
    if values is None:
        handle.seek(start)
        labels = {} if classes else None
        values = _read_carefully(handle, layout, labels)
    y = values[:, layout.target]
    found = None
    if labels is not None:
        y, found = _two_classes(y, list(labels), layout.names[layout.target])
    X = np.ascontiguousarray(values[:, layout.features])
    return Table(X, np.array(y), tuple(layout.names[j] for j in layout.features), found)


def _decode(path: Path) -> str:
    """The file's text, without a byte-order mark."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise TableError("no such file") from None
    except IsADirectoryError:
        raise TableError("this is a directory, not a CSV file") from None
    except OSError as error:
        raise TableError(error.strerror or str(error)) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise TableError(f"row {row}: not UTF-8 text (byte 0x{data[error.start]:02x})") from None
    if not text.strip():
        raise TableError("the file is empty")
    return text


def _read_header(handle: io.StringIO, target: str | None, drop: Sequence[str]) -> _Layout:
    """Reads up to the first row that is not blank, and leaves the file at the row below."""
    first = next(line for line in handle if line.strip())
    handle.seek(0)
    delimiter = max(_DELIMITERS, key=_outside_quotes(first).count)
    number, cells = next(_rows(handle, delimiter, 0))
    names = [cell.strip() for cell in cells]
    if len(names) == 1:
        raise TableError(
            f"row {number}: one column only; the header needs two or more names between commas, semicolons or tabs"
        )
    for name in names:
        if names.count(name) > 1 and name:
            raise TableError(f"row {number}: column {name!r} appears twice")
    dropped = {_position(name, names) for name in drop}
    if target is None:
        raise TableError(f"which column to predict? Pass --target NAME with one of {_listed(names)}")
    position = _position(target, names)
    if position in dropped:
        raise TableError(f"column {target!r} cannot be both the target and dropped")
    features = [j for j in range(len(names)) if j != position and j not in dropped]
    if not features:
        raise TableError(f"no feature is left beside the target {target!r}")
    for j in features:
        if not names[j]:
            raise TableError(f"row {number}: column {j + 1} has no name; name it or leave it out with --drop ''")
    return _Layout(delimiter, names, number, position, features)


def _outside_quotes(line: str) -> str:
    """The parts of a line that are not within double quotes."""
    return "".join(line.split('"')[::2])


def _position(name: str, names: list[str]) -> int:
    """Where a column is, or an error that lists near misses."""
    if name in names:
        return names.index(name)
    lower = {known.lower(): known for known in names}
    near = [lower[match] for match in difflib.get_close_matches(name.strip().lower(), lower, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"the columns are {_listed(names)}"
    raise TableError(f"no column {name!r}; {hint}")


def _listed(names: Sequence[str], most: int = 12) -> str:
    """Names between commas, cut short where there are too many."""
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _read_fast(handle: io.StringIO, layout: _Layout, labels: dict[str, int] | None) -> np.ndarray | None:
    """All cells by NumPy's reader; None where one is not a finite number, a row is ragged or there is no row."""
    used = {*layout.features, layout.target}
    # Other columns are read as well, as zeros: NumPy notices a ragged row only where it reads all columns.
    converters: dict[int, Callable[[str], float]] = {
        j: lambda _: 0.0 for j in range(len(layout.names)) if j not in used
    }
    if labels is not None:
        converters[layout.target] = lambda cell: _code(cell, labels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where there is no row
            values = np.loadtxt(
                handle,
                delimiter=layout.delimiter,
                comments=None,
                quotechar='"',
                converters=converters or None,  # pyright: ignore[reportArgumentType]
                encoding="utf-8",
                ndmin=2,
            )
    except ValueError:
        return None
    return values if values.shape[1] == len(layout.names) and np.isfinite(values).all() else None


def _read_carefully(handle: io.StringIO, layout: _Layout, labels: dict[str, int] | None) -> np.ndarray:
    """All cells one by one, up to the first that is wrong."""
    width, values, missing = len(layout.names), [], []
    for number, cells in _rows(handle, layout.delimiter, layout.header_row):
        if len(cells) != width:
            raise TableError(f"row {number} has {len(cells)} cells where the header has {width}")
        row = np.zeros(width)
        for j in sorted((*layout.features, layout.target)):
            where = f"row {number}, column {layout.names[j]!r}"
            try:
                row[j] = _code(cells[j], labels) if labels is not None and j == layout.target else _number(cells[j])
            except _Missing as error:
                missing.append(f"{where}: {error}")
            except _NoNumber as error:
                raise TableError(f"{where}: {error}; {_remedy(cells[j], j, layout)}") from None
            except ValueError as error:
                raise TableError(f"{where}: {error}") from None
        values.append(row)
    if missing:
        count = "" if len(missing) == 1 else f" (the first of {len(missing)})"
        raise TableError(f"{missing[0]}{count}; fill them in, or leave out such rows, or columns with --drop NAME")
    if not values:
        raise TableError("there is no row below the header")
    return np.stack(values)


def _remedy(cell: str, column: int, layout: _Layout) -> str:
    """What to do about a cell that is no number."""
    if re.fullmatch(r"\s*[-+]?[\d.]*,\d+\s*", cell):
        return "write decimal points, not commas"
    if column == layout.target:
        return "pass --loss logistic for two classes"
    return f"leave the column out with --drop {shlex.quote(layout.names[column])}, or write numbers for it"


def _rows(handle: io.StringIO, delimiter: str, before: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with its number; ``before`` is the number of the row above the first."""
    number = before
    try:
        for number, cells in enumerate(csv.reader(handle, delimiter=delimiter), before + 1):
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield number, cells
    except csv.Error as error:
        raise TableError(f"row {number + 1}: {error}") from None


def _number(cell: str) -> float:
    """A finite number; the error says what the cell is instead."""
    text = _present(cell)
    try:
        value = math.nan if "_" in text else float(text)  # float() takes 1_000, which no other reader does
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise _NoNumber(f"{text!r} is not a number")
    if math.isinf(value):
        raise ValueError(f"{text!r} is not finite")
    return value


def _code(cell: str, labels: dict[str, int]) -> float:
    """The number of a label, in the order of the file."""
    return float(labels.setdefault(_present(cell), len(labels)))


def _present(cell: str) -> str:
    """The cell without the space around it; an error where that is missing."""
    text = cell.strip()
    if text.lower() in _MISSING:
        raise _Missing(f"missing value{f' ({text})' if text else ''}")
    return text


def _two_classes(codes: np.ndarray, labels: list[str], name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Zeros and ones from the numbers of the labels, with the labels in sorted order: as numbers where they are."""
    try:
        keys: list = [_number(label) for label in labels]
    except ValueError:
        keys = list(labels)
    distinct = sorted(set(keys))  # "1" and "1.0" are one class
    if len(distinct) != 2:
        shown = _listed(sorted(labels), most=5)
        plural = "class" if len(distinct) == 1 else "classes"
        raise TableError(f"column {name!r} has {len(distinct)} {plural} ({shown}); logistic loss needs two")
    rank = np.array([float(distinct.index(key)) for key in keys])
    return rank[codes.astype(int)], tuple(labels[keys.index(key)] for key in distinct)
