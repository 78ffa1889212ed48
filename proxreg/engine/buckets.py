"""Sizes that programs are compiled for: few, so that other data of about the same size compile nothing."""

from typing import Any

import numpy as np

LEAST_LANES = 8
LEAST_COLUMNS = 32


def lane_bucket(lanes: int) -> int:
    """The smallest of 8, 16, 32, 64, 96, 128, 192, 256, ... that holds so many lanes."""
    power = _power_of_two(lanes, LEAST_LANES)
    return power * 3 // 4 if power >= 128 and lanes <= power * 3 // 4 else power


def column_bucket(columns: int) -> int:
    """The smallest of 32, 64, 128, 160, 192, 224, 256, 320, ... that holds so many columns: at most a fifth is idle."""
    power = _power_of_two(columns, LEAST_COLUMNS)
    if power <= 4 * LEAST_COLUMNS:
        return power
    return next(power * eighths // 8 for eighths in (5, 6, 7, 8) if power * eighths // 8 >= columns)


def _power_of_two(size: int, least: int) -> int:
    return least if size <= least else 1 << (size - 1).bit_length()


def padded(array: Any, *shape: int) -> np.ndarray:
    """The array at the origin of zeros of that shape; itself where it has the shape already."""
    array = np.asarray(array)
    if array.shape == shape:
        return array
    larger = np.zeros(shape, array.dtype)
    larger[tuple(slice(size) for size in array.shape)] = array
    return larger
