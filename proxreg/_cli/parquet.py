"""Parquet files, by pyarrow where it is installed."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from proxreg._cli.cells import Labels, Measure, Missing, Notation, TableError
from proxreg._cli.columns import Table, assemble, missing_values, readers_of
from proxreg._cli.header import Choice, arrange

_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400  # seconds


def read_parquet(data: bytes, choice: Choice, notation: Notation, *, classes: bool, counts: bool) -> Table:
    """Return features and target of a Parquet file, by the types of its columns; cells of text are read as in CSV.

    Raises ``TableError``, also where pyarrow is missing.
    """
    try:
        import pyarrow as pa  # pyright: ignore[reportMissingImports]
        import pyarrow.parquet as pq  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise TableError("this is a Parquet file, and reading it needs pyarrow: pip install pyarrow") from None
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        layout = arrange(file.schema_arrow.names, choice)
        for j in layout.features:
            if layout.names[j].startswith("__index_level_"):
                raise TableError(
                    f"column {layout.names[j]!r} is the index of a data frame; leave it out with --drop "
                    f"{layout.names[j]}"
                )
        frame = file.read(columns=[layout.names[j] for j in layout.used])
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"a damaged Parquet file: {error}") from None
    if not frame.num_rows:
        raise TableError("there is no row")
    values = np.zeros((frame.num_rows, len(layout.names)))
    readers = readers_of(layout, notation, classes=classes, counts=counts)
    missing: list[tuple[int, int]] = []
    for j, reader in readers.items():
        values[:, j], gone = _read_column(frame.column(layout.names[j]), reader, layout.names[j])
        missing += [(row, j) for row in gone]
    if missing:
        row, j = min(missing)
        raise missing_values(f"row {row + 1}, column {layout.names[j]!r}: missing value", len(missing))
    return assemble(values, readers, layout, notation)


def _read_column(column: Any, reader: Labels | Measure, name: str) -> tuple[np.ndarray, list[int]]:
    """The values of a column, and the rows without any, from 0."""
    import pyarrow as pa  # pyright: ignore[reportMissingImports]

    kind = pa.types
    if kind.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    type_ = column.type
    measure = isinstance(reader, Measure)
    if measure and (kind.is_integer(type_) or kind.is_floating(type_) or kind.is_decimal(type_)):
        return _numbers(column.cast(pa.float64(), safe=False), reader, name)
    if measure and not reader.target and kind.is_boolean(type_):
        reader.kind = "truth"
        return _numbers(column.cast(pa.int8()).cast(pa.float64()), reader, name)
    if measure and not reader.target and (kind.is_date(type_) or kind.is_timestamp(type_)):
        reader.kind = "date"
        unit = _DAY * _SECOND[type_.unit] if kind.is_timestamp(type_) else _DAY * 1000 if kind.is_date64(type_) else 1
        whole = column.cast(pa.int32() if kind.is_date32(type_) else pa.int64()).cast(pa.float64(), safe=False)
        days, gone = _numbers(whole, reader, name)
        return days / unit, gone
    if kind.is_nested(type_) or kind.is_binary(type_) or kind.is_large_binary(type_):
        raise TableError(f"column {name!r} holds {type_}, neither numbers, text nor dates; leave it out with --drop")
    return _cells(column.to_pylist(), reader, name)


def _numbers(column: Any, reader: Measure, name: str) -> tuple[np.ndarray, list[int]]:
    """Numbers, once they are known to be finite."""
    values = column.to_numpy()  # null as NaN
    for row in np.flatnonzero(np.isinf(values) | ((values < 0) & reader.counts))[:1]:
        with _place(row, name):
            reader.checked(values[row], f"{values[row]:g}")
    return values, np.flatnonzero(np.isnan(values)).tolist()


def _cells(cells: list[Any], reader: Labels | Measure, name: str) -> tuple[np.ndarray, list[int]]:
    """Text, or what is to be taken as text."""
    values, gone = np.zeros(len(cells)), []
    for row, cell in enumerate(cells):
        with _place(row, name):
            try:
                values[row] = reader.read("" if cell is None else str(cell))
            except Missing:
                gone.append(row)
    return values, gone


@contextlib.contextmanager
def _place(row: int, name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise TableError(f"row {row + 1}, column {name!r}: {error}") from None
