"""A file as a design matrix and a target, with errors that name the row and the column.

Two readers of CSV: NumPy's, fast, for files in which every cell is a plain number; and where it fails a careful one
that goes through the file cell by cell, and says what is wrong. Rows are numbered as a spreadsheet does, the header
being row 1; those of Parquet, which has no header, from 1.
"""

import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from proxreg._cli.cells import PLAIN, Labels, Missing, Notation, TableError
from proxreg._cli.columns import Readers, Table, assemble, missing_values, readers_of
from proxreg._cli.header import Choice, Layout, read_header, rows_of
from proxreg._cli.parquet import read_parquet
from proxreg._cli.source import decode, is_parquet, read_bytes

__all__ = ["Table", "TableError", "read_table"]


def read_table(
    path: str | Path,
    target: str | None,
    *,
    drop: Sequence[str] = (),
    categorical: Sequence[str] = (),
    classes: bool = False,
    counts: bool = False,
    separator: str | None = None,
    decimal: str = ".",
    thousands: str | None = None,
) -> Table:
    """Read a CSV file with a header, or a Parquet file: every column but ``target`` and ``drop`` is a feature.

    Files may be packed by gzip, bzip2 or xz. Cells are separated by commas, semicolons or tabs, whichever the header
    has most of, unless ``separator`` says otherwise; quoted cells, a byte-order mark and any kind of line end are fine.
    True and False become 1 and 0, dates of ISO 8601 days since 1970-01-01, and columns in ``categorical`` a column of
    zeros and ones for each level; ``Table.notes`` says so. With ``classes`` the target holds two labels, numbers or
    text, which become 0 and 1 in sorted order; with ``counts`` it has to be >= 0. Raises ``TableError``.
    """
    choice, notation = Choice(target, drop, categorical), Notation(decimal, thousands)
    data = read_bytes(Path(path))
    if is_parquet(data):
        return read_parquet(data, choice, notation, classes=classes, counts=counts)
    handle = io.StringIO(decode(data), newline="")
    layout, delimiter, header_row = read_header(handle, choice, separator)
    start = handle.tell()
    values = None
    readers = readers_of(layout, notation, classes=classes, counts=counts)
    if notation == PLAIN:
        values = _read_fast(handle, layout, delimiter, readers)
        if values is None or (counts and values[:, layout.target].min() < 0):
            handle.seek(start)
            values, readers = None, readers_of(layout, notation, classes=classes, counts=counts)
    if values is None:
        values = _read_carefully(handle, layout, delimiter, readers, header_row)
    return assemble(values, readers, layout, notation)


def _read_fast(handle: io.StringIO, layout: Layout, delimiter: str, readers: Readers) -> np.ndarray | None:
    """All cells by NumPy's reader; None where one is not a finite number, a row is ragged or there is no row."""
    # Other columns are read as well, as zeros: NumPy notices a ragged row only where it reads all columns.
    converters: dict[int, Callable[[str], float]] = {
        j: lambda _: 0.0 for j in range(len(layout.names)) if j not in readers
    }
    converters |= {j: reader.read for j, reader in readers.items() if isinstance(reader, Labels)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where there is no row
            values = np.loadtxt(
                handle,
                delimiter=delimiter,
                comments=None,
                quotechar='"',
                converters=converters or None,  # pyright: ignore[reportArgumentType]
                encoding="utf-8",
                ndmin=2,
            )
    except ValueError:
        return None
    good = values.shape[1] == len(layout.names) and len(values) and np.isfinite(values).all()
    return values if good else None


def _read_carefully(
    handle: io.StringIO, layout: Layout, delimiter: str, readers: Readers, header_row: int
) -> np.ndarray:
    """All cells one by one, up to the first that is wrong."""
    width, values, missing = len(layout.names), [], []
    for number, cells in rows_of(handle, delimiter, header_row):
        if len(cells) != width:
            raise TableError(f"row {number} has {len(cells)} cells where the header has {width}")
        row = np.zeros(width)
        for j, reader in readers.items():
            try:
                row[j] = reader.read(cells[j])
            except Missing as error:
                missing.append(f"row {number}, column {layout.names[j]!r}: {error}")
            except ValueError as error:
                raise TableError(f"row {number}, column {layout.names[j]!r}: {error}") from None
        values.append(row)
    if missing:
        raise missing_values(missing[0], len(missing))
    if not values:
        raise TableError("there is no row below the header")
    return np.stack(values)
