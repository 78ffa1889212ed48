"""Which column of a table is what, from its header and from what was asked for."""

import collections
import csv
import difflib
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from proxreg._cli.cells import TableError

_DELIMITERS = (",", ";", "\t")


class Choice(NamedTuple):
    """What a user says of the columns, by their names."""

    target: str | None
    drop: Sequence[str] = ()
    categorical: Sequence[str] = ()


class Layout(NamedTuple):
    """Which column is what, by their numbers."""

    names: list[str]
    target: int
    features: list[int]
    categorical: frozenset[int]

    @property
    def used(self) -> list[int]:
        """The columns that have to be read, in order."""
        return sorted((*self.features, self.target))


def read_header(handle: io.StringIO, choice: Choice, separator: str | None) -> tuple[Layout, str, int]:
    """Read up to the first row that is not blank; return the layout, the separator of cells and the row's number.

    The file is left at the row below. Without a separator it is the comma, semicolon or tab, whichever the header has
    most of.
    """
    first = next(line for line in handle if line.strip())
    handle.seek(0)
    delimiter = max(_DELIMITERS, key=_outside_quotes(first).count) if separator is None else separator
    number, cells = next(rows_of(handle, delimiter, 0))
    names = [cell.strip() for cell in cells]
    if len(names) == 1:
        separators = "commas, semicolons or tabs; pass --sep for others" if separator is None else f"{separator!r}"
        raise TableError(f"row {number}: one column only; the header needs two or more names between {separators}")
    try:
        return arrange(names, choice), delimiter, number
    except _HeaderError as error:
        raise TableError(f"row {number}: {error}") from None


class _HeaderError(TableError):
    """A fault of the header itself."""


def arrange(names: list[str], choice: Choice) -> Layout:
    """Return the layout of columns with these names; raise ``TableError`` where the choice does not fit them."""
    for name, times in collections.Counter(names).items():
        if times > 1 and name:
            raise _HeaderError(f"column {name!r} appears twice")
    dropped = {position(name, names) for name in choice.drop}
    if choice.target is None:
        raise TableError(f"which column to predict? Pass --target NAME with one of {listed(names)}")
    target = position(choice.target, names)
    if target in dropped:
        raise TableError(f"column {choice.target!r} cannot be both the target and dropped")
    categorical = {position(name, names) for name in choice.categorical}
    if target in categorical:
        raise TableError(f"column {choice.target!r} is the target; --categorical is for features")
    if categorical & dropped:
        both = names[min(categorical & dropped)]
        raise TableError(f"column {both!r} cannot be both categorical and dropped")
    features = [j for j in range(len(names)) if j != target and j not in dropped]
    if not features:
        raise TableError(f"no feature is left beside the target {choice.target!r}")
    for j in features:
        if not names[j]:
            raise _HeaderError(f"column {j + 1} has no name; name it or leave it out with --drop ''")
    return Layout(names, target, features, frozenset(categorical))


def rows_of(handle: io.StringIO, delimiter: str, before: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with its number; ``before`` is the number of the row above the first."""
    number = before
    try:
        for number, cells in enumerate(csv.reader(handle, delimiter=delimiter), before + 1):
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield number, cells
    except csv.Error as error:
        raise TableError(f"row {number + 1}: {error}") from None


def position(name: str, names: list[str]) -> int:
    """Return where a column is; raise ``TableError`` that lists near misses."""
    if name in names:
        return names.index(name)
    lower = {spelling.lower(): spelling for spelling in names}
    likely = [lower[match] for match in difflib.get_close_matches(name.strip().lower(), lower, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(map(repr, likely))}?" if likely else f"the columns are {listed(names)}"
    raise TableError(f"no column {name!r}; {hint}")


def listed(names: Sequence[str], limit: int = 12) -> str:
    """Return names between commas, cut short where there are too many."""
    shown = ", ".join(map(repr, names[:limit]))
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def _outside_quotes(line: str) -> str:
    """The parts of a line that are not within double quotes."""
    return "".join(line.split('"')[::2])
