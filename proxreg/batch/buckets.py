"""Sizes that programs are compiled for: few, so that other data of about the same size compile nothing."""

from typing import Any

import numpy as np

#: a program takes half a second to compile, so that small ones are spaced widely: idle lanes and columns cost less
LANES = (16, 32, 64, 128)
COLUMNS = (32, 64, 128, 256)
ROWS = 2048  # up to so many


def lane_bucket(lanes: int) -> int:
    """The smallest of 16, 32, 64, 128, 192, 256, 384, 512, ... that holds so many lanes."""
    return _bucket(lanes, LANES)


def column_bucket(columns: int) -> int:
    """The smallest of 32, 64, 128, 256, 384, 512, 768, 1024, ... that holds so many columns."""
    return _bucket(columns, COLUMNS)


def set_bucket(columns: int, p: int) -> int:
    """The same for a working set of p columns, without the sizes between powers of two: one fit meets several."""
    return min(column_bucket(1 << (columns - 1).bit_length()), column_bucket(p))


def row_bucket(rows: int) -> int:
    """The smallest of 256, 512, 1024, 2048, and beyond of eight between powers of two, that holds so many rows.

    Few rows cost less than a program; many cost more than columns.
    """
    power = 1 << (rows - 1).bit_length()
    if power <= ROWS:
        return max(power, 256)
    step = power // 16
    return -(-rows // step) * step


def fine_bucket(size: int) -> int:
    """The smallest number that holds so many, of eight between powers of two; the number itself up to 16.

    For what costs time in proportion: at most an eighth more.
    """
    step = max(1, (1 << (size - 1).bit_length()) // 16)
    return -(-size // step) * step


def wide_bucket(columns: int) -> int:
    """The smallest that holds so many columns of rows: as ``column_bucket`` up to 1024, then as ``fine_bucket``."""
    return column_bucket(columns) if columns <= 1024 else fine_bucket(columns)


def _bucket(size: int, small: tuple[int, ...]) -> int:
    for bucket in small:
        if size <= bucket:
            return bucket
    power = 1 << (size - 1).bit_length()
    return power * 3 // 4 if size <= power * 3 // 4 else power


def filled(numbers: np.ndarray, size: int) -> np.ndarray:
    """These numbers, and the first again until there are so many: what idle lanes and columns are copies of."""
    first = numbers[0] if numbers.size else 0
    return np.concatenate([numbers, np.full(size - numbers.size, first, numbers.dtype)])


def padded(array: Any, *shape: int) -> np.ndarray:
    """The array at the origin of zeros of that shape; itself where it has the shape already."""
    array = np.asarray(array)
    if array.shape == shape:
        return array
    larger = np.zeros(shape, array.dtype)
    larger[tuple(slice(size) for size in array.shape)] = array
    return larger
