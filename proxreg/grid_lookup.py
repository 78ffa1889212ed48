"""Where on a grid of fits an alpha and an l1_ratio are: equal but for rounding, never interpolated."""

from typing import Any

import numpy as np

from proxreg.validation import check_vector

SAME = 1e-6  # relative distance of two numbers that are one: what printing them and float32 change


def place_of(path: Any, alpha: Any, l1_ratio: Any = None) -> int:
    """Return the flat number of the fit of one response at an alpha and an l1_ratio of its grid."""
    if path.several:
        raise ValueError("the path has several responses; take one: path.response(0).at(alpha)")
    value = _number(alpha, "alpha")
    ratios = np.atleast_1d(np.nan if path.l1_ratio is None else path.l1_ratio).astype(float)
    row = _row(ratios, l1_ratio)
    alphas = np.atleast_2d(path.alphas)[row].astype(float)
    column = _same(alphas, value)
    if column is None:
        raise ValueError(
            f"alpha={value:.9g} is not on the grid, {_beside(alphas, value)}; pass an alpha of the grid, "
            f"or fit it: alphas=[{value:.9g}]"
        )
    return row * alphas.size + column


def listed_numbers(values: Any) -> str:
    """Return numbers between commas."""
    return ", ".join(f"{value:g}" for value in np.atleast_1d(values))


def _number(value: Any, what: str) -> float:
    number = check_vector(value, what)
    if number.ndim:
        raise ValueError(f"{what} must be a number, got shape {number.shape}")
    return float(number)


def _row(ratios: np.ndarray, l1_ratio: Any) -> int:
    if l1_ratio is None:
        if ratios.size > 1:
            raise ValueError(f"the path has several l1_ratios; pass one of them: l1_ratio={ratios[-1]:g}")
        return 0
    value = _number(l1_ratio, "l1_ratio")
    row = _same(ratios, value)
    if row is None:
        known = "no l1_ratio: its penalty was given" if np.isnan(ratios[0]) else listed_numbers(ratios)
        raise ValueError(f"l1_ratio={value:g} is not on the path, which has {known}")
    return row


def _same(grid: np.ndarray, value: float) -> int | None:
    """Return where a grid has a number but for rounding, or None."""
    distance = np.abs(grid - value)
    same = np.flatnonzero(distance <= SAME * np.abs(grid))
    return int(same[np.argmin(distance[same])]) if same.size else None


def _beside(alphas: np.ndarray, value: float) -> str:
    """Return the neighbours of a number on the grid as text, or the end that it is beyond."""
    if value > alphas.max():
        return f"whose largest alpha is {alphas.max():.9g}"
    if value < alphas.min():
        return f"whose smallest alpha is {alphas.min():.9g}"
    below, above = alphas[alphas < value].max(), alphas[alphas > value].min()
    return f"between {below:.9g} and {above:.9g}"
