"""Sizes that programs are compiled for: few, so that other data of about the same size compile nothing."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

#: a program takes half a second to compile, so that small ones are spaced widely: idle columns cost less
COLUMNS = (32, 64, 128, 256)
ROWS = 2048  # up to so many


def column_bucket(columns: int) -> int:
    """The smallest of 32, 64, 128, 256, 384, 512, 768, 1024, ... that holds so many columns."""
    for bucket in COLUMNS:
        if columns <= bucket:
            return bucket
    power = 1 << (columns - 1).bit_length()
    return power * 3 // 4 if columns <= power * 3 // 4 else power


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


def filled(numbers: np.ndarray, size: int) -> np.ndarray:
    """These numbers, and the first again until there are so many: what idle lanes and columns are copies of."""
    first = numbers[0] if numbers.size else 0
    return np.concatenate([numbers, np.full(size - numbers.size, first, numbers.dtype)])


def padded(array: Any, *shape: int) -> Any:
    """Return the array at the origin of zeros of that shape, where it is; itself where it has the shape already."""
    if np.shape(array) == shape:
        return array
    if isinstance(array, jax.Array):
        return jnp.pad(array, [(0, new - old) for new, old in zip(shape, array.shape)])
    array = np.asarray(array)
    larger = np.zeros(shape, array.dtype)
    larger[tuple(slice(size) for size in array.shape)] = array
    return larger
