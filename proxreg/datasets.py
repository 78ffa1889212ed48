"""Data that come with the package, for the first example and for tests."""

from importlib import resources
from typing import NamedTuple

import numpy as np


class Dataset(NamedTuple):
    """A design matrix, its target and the names of its columns."""

    X: np.ndarray  # (n, p)
    y: np.ndarray  # (n,)
    feature_names: tuple[str, ...]  # p of them


def load_diabetes() -> Dataset:
    """Diabetes progression of 442 patients after a year, from ten baseline measurements, as measured.

    age (years), sex (1 or 2), bmi (body mass index), bp (average blood pressure), and six blood serum measurements: s1
    (total cholesterol), s2 (low-density lipoproteins), s3 (high-density lipoproteins), s4 (total cholesterol over s3),
    s5 (possibly the logarithm of the triglycerides) and s6 (glucose). The scales are unlike: fit with
    ``standardize=True``.

    Efron, Hastie, Johnstone and Tibshirani (2004), Least Angle Regression, Annals of Statistics 32(2), 407-499.

    >>> X, y, names = load_diabetes()
    >>> X.shape, y.shape, names[2]
    ((442, 10), (442,), 'bmi')
    """
    with resources.files("proxreg").joinpath("_data/diabetes.csv").open(encoding="utf-8") as lines:
        names = next(lines).strip().split(",")
        table = np.loadtxt(lines, delimiter=",")
    return Dataset(np.ascontiguousarray(table[:, :-1]), table[:, -1].copy(), tuple(names[:-1]))
