"""Columns as they were read become features and a target: classes and levels as zeros and ones."""

import collections
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from proxreg._cli.cells import Labels, Measure, Notation, TableError, number
from proxreg._cli.header import Layout, listed

Readers = Mapping[int, Labels | Measure]

_MAX_LEVELS = 1000  # a column with more is a name or a number of the row, and as 0/1 columns would fill the memory


class Table(NamedTuple):
    """The columns of a file, sorted into features and target."""

    X: np.ndarray  # (n, p), float64
    y: np.ndarray  # (n,), float64; 0 and 1 where the target has classes
    feature_names: tuple[str, ...]  # in the file's order
    classes: tuple[str, ...] | None = None  # what y = 0 and y = 1 stand for
    notes: tuple[str, ...] = ()  # what became of columns that hold no numbers


def readers_of(layout: Layout, notation: Notation, *, classes: bool, counts: bool) -> dict[int, Labels | Measure]:
    """Return a fresh reader for each column that is used."""
    readers: dict[int, Labels | Measure] = {}
    for j in layout.used:
        target = j == layout.target
        if j in layout.categorical or (target and classes):
            readers[j] = Labels()
        else:
            readers[j] = Measure(layout.names[j], notation, target=target, counts=target and counts)
    return readers


def missing_values(first: str, total: int) -> TableError:
    """Return the error that names the first of the missing values and how many there are."""
    count = "" if total == 1 else f" (the first of {total})"
    return TableError(f"{first}{count}; fill them in, or leave out such rows, or columns with --drop NAME")


def assemble(values: np.ndarray, readers: Readers, layout: Layout, notation: Notation) -> Table:
    """Return features and target of ``values``, a column for each name of the layout, as their readers read them."""
    target, classes = readers[layout.target], None
    y = np.array(values[:, layout.target])
    if isinstance(target, Labels):
        y, classes = _two_classes(y, list(target.codes), layout.names[layout.target], notation)
    if not layout.categorical:
        X = np.ascontiguousarray(values[:, layout.features])
        names = [layout.names[j] for j in layout.features]
        return Table(X, y, tuple(names), classes, _notes(readers, layout))
    blocks, names, notes = [], [], list(_notes(readers, layout))
    for j in layout.features:
        reader, name = readers[j], layout.names[j]
        if isinstance(reader, Labels):
            block, levels = _one_hot(values[:, j], list(reader.codes), name, notation)
            added = [f"{name}_{level}" for level in levels]
            notes.append(f"column {name!r}: a 0/1 column per level, no level left out as reference: {listed(added)}")
        else:
            block, added = values[:, [j]], [name]
        blocks.append(block)
        names += added
    for name, times in collections.Counter(names).items():
        if times > 1:
            raise TableError(f"two columns would be called {name!r}; rename the column, or one of the levels")
    return Table(np.hstack(blocks), y, tuple(names), classes, tuple(notes))


def _notes(readers: Readers, layout: Layout) -> tuple[str, ...]:
    """What a number stands for, of columns whose cells are none."""
    meanings = {"truth": "1 is True, 0 is False", "date": "dates, as days since 1970-01-01"}
    kinds = {j: reader.kind for j, reader in readers.items() if isinstance(reader, Measure)}
    return tuple(f"column {layout.names[j]!r}: {meanings[kind]}" for j, kind in kinds.items() if kind in meanings)


def _sorted(labels: list[str], notation: Notation) -> tuple[np.ndarray, list[str]]:
    """The rank of each label, and the distinct ones in order; where all are numbers, "1" and "1.0" are one."""
    numbers = [number(label, notation) for label in labels]
    keys: list = labels if None in numbers else numbers
    distinct = sorted(set(keys))
    return np.array([distinct.index(key) for key in keys]), [labels[keys.index(key)] for key in distinct]


def _one_hot(codes: np.ndarray, labels: list[str], name: str, notation: Notation) -> tuple[np.ndarray, list[str]]:
    """A column of zeros and ones per level, and the levels in sorted order."""
    if len(labels) > _MAX_LEVELS:
        raise TableError(
            f"column {name!r} has {len(labels)} levels, more than {_MAX_LEVELS}; leave it out with --drop, or write "
            "fewer levels"
        )
    rank, levels = _sorted(labels, notation)
    return (rank[codes.astype(int)][:, None] == np.arange(len(levels))).astype(float), levels


def _two_classes(
    codes: np.ndarray, labels: list[str], name: str, notation: Notation
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Zeros and ones from the numbers of the labels, and the labels that they stand for."""
    rank, classes = _sorted(labels, notation)
    if len(classes) != 2:
        plural = "class" if len(classes) == 1 else "classes"
        shown = listed(sorted(labels), limit=5)
        raise TableError(f"column {name!r} has {len(classes)} {plural} ({shown}); logistic loss needs two")
    return rank[codes.astype(int)].astype(float), tuple(classes)
