"""Which rows are held out together: a number of folds, labels, or a splitter of scikit-learn."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from proxreg.array_checks import missing
from proxreg.validation import check_positive


class Fold(NamedTuple):
    """Rows to fit on and rows to judge by."""

    train: np.ndarray
    test: np.ndarray


def make_folds(folds: Any, y: np.ndarray, classes: tuple | None, repeats: Any, key: Any) -> list[Fold]:
    """The folds of ``y (n,)``.

    A number K cuts the rows in their order into K parts, as scikit-learn's ``KFold`` does, or within each class where
    there are classes; with a ``key`` rows are shuffled first, ``repeats`` times. Labels ``(n,)`` hold out one label
    at a time. A splitter says itself, and so do pairs of row numbers, to fit on and to judge by.
    """
    n = len(y)
    repeats = int(check_positive(repeats, "repeats", integer=True))
    if isinstance(folds, str):  # it has a split as well
        raise ValueError(f"folds must be a number, labels (n,), pairs of rows or a splitter, got {folds!r}")
    if isinstance(folds, Iterator):  # what a splitter's split gave
        folds = list(folds)
    if hasattr(folds, "split"):
        _require_one(repeats, key, "a splitter")
        found = [_pair(number, each, n) for number, each in enumerate(_split(folds, y))]
    elif isinstance(folds, (list, tuple)) and folds and all(isinstance(each, (tuple, list)) for each in folds):
        _require_one(repeats, key, "a list of rows")
        found = [_pair(number, each, n) for number, each in enumerate(folds)]
    elif np.ndim(folds) == 0:
        count = int(check_positive(folds, "folds", integer=True))
        if not 2 <= count <= n:
            raise ValueError(f"folds must be from 2 to the number of rows, {n}, got {count}")
        if repeats > 1 and key is None:
            raise ValueError("repeats without a key would repeat the same folds: pass key=jax.random.key(0)")
        orders = _orders(n, repeats, key)
        found = [fold for order in orders for fold in _by_label(_spread(y[order], classes, count)[np.argsort(order)])]
    else:
        _require_one(repeats, key, "fold labels")
        label = np.asarray(folds)
        if label.shape != (n,):
            raise ValueError(f"fold labels must have shape ({n},), one per row of X, got {label.shape}")
        gone = missing(label)
        if gone.any():
            raise ValueError(f"the fold label of row {int(np.argmax(gone))} is missing")
        found = _by_label(label)
    if len(found) < 2:
        raise ValueError(f"cross-validation needs at least 2 folds, got {len(found)}")
    for fold in found:
        if not fold.train.size or not fold.test.size:
            raise ValueError("a fold has no rows to fit on, or none to judge by")
    return found


def _split(splitter: Any, y: np.ndarray) -> Iterator[tuple[Any, Any]]:
    try:
        yield from splitter.split(np.zeros((len(y), 1)), y)
    except ValueError as error:
        if "groups" in str(error):
            name = type(splitter).__name__
            raise ValueError(f"{name} needs groups: pass folds=list({name}(...).split(X, y, groups))") from None
        raise


def _pair(number: int, rows: Any, n: int) -> Fold:
    """Rows to fit on and rows to judge by, as numbers or as masks."""
    if len(rows) != 2:
        raise ValueError(f"fold {number} must be a pair of rows to fit on and rows to judge by, got {len(rows)} arrays")
    train, test = (
        np.flatnonzero(each) if each.dtype == bool and each.shape == (n,) else each for each in map(np.asarray, rows)
    )
    for each in (train, test):
        if each.size and not (each.ndim == 1 and each.dtype.kind in "iu" and -n <= each.min() <= each.max() < n):
            raise ValueError(f"fold {number} must hold row numbers from 0 to {n - 1}, or masks ({n},)")
    return Fold(train.astype(int) % n, test.astype(int) % n)


def _orders(n: int, repeats: int, key: Any) -> list[np.ndarray]:
    if key is None:
        return [np.arange(n)]
    return [np.asarray(jax.random.permutation(each, n)) for each in jax.random.split(check_key(key), repeats)]


def check_key(key: Any) -> jax.Array:
    """A key of ``jax.random``."""
    known = isinstance(key, jax.Array) and (
        jnp.issubdtype(key.dtype, jax.dtypes.prng_key) or (key.dtype == np.uint32 and key.shape == (2,))
    )
    if not known:
        raise ValueError(f"key must be a key such as jax.random.key(0), got {key!r}")
    return key


def _spread(y: np.ndarray, classes: tuple | None, count: int) -> np.ndarray:
    """A fold for each row: contiguous parts whose sizes differ by one at most; within each class where there are."""
    label = np.empty(len(y), int)
    for value in [None] if classes is None else np.unique(y):
        rows = np.arange(len(y)) if value is None else np.flatnonzero(y == value)
        if rows.size < count and value is not None:
            raise ValueError(f"class {classes[int(value)]!r} has {rows.size} rows, fewer than {count} folds")  # pyright: ignore
        sizes = np.full(count, rows.size // count)
        sizes[: rows.size % count] += 1
        label[rows] = np.repeat(np.arange(count), sizes)
    return label


def _by_label(label: np.ndarray) -> list[Fold]:
    return [Fold(np.flatnonzero(label != value), np.flatnonzero(label == value)) for value in np.unique(label)]


def _require_one(repeats: int, key: Any, what: str) -> None:
    if repeats != 1 or key is not None:
        raise ValueError(f"repeats and key shuffle a number of folds; {what} says itself which rows are held out")
