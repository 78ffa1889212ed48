"""The embedded data are the published ones."""

from importlib import resources
from typing import Any

import numpy as np
from sklearn import datasets as sklearn_datasets

from proxreg import datasets


def test_diabetes_is_the_raw_data_that_scikit_learn_carries():
    ours = datasets.load_diabetes()
    theirs: Any = sklearn_datasets.load_diabetes(scaled=False)
    np.testing.assert_array_equal(ours.X, theirs["data"])
    np.testing.assert_array_equal(ours.y, theirs["target"])
    assert ours.feature_names == tuple(theirs["feature_names"])


def test_diabetes_is_ready_for_a_product_and_belongs_to_the_caller():
    X, y, _ = datasets.load_diabetes()
    assert X.shape == (442, 10)
    assert y.shape == (442,)
    assert X.dtype == y.dtype == np.float64
    assert X.flags.c_contiguous
    X[:] = 0
    assert datasets.load_diabetes().X.any()


def test_diabetes_is_credited_beside_the_file():
    note = resources.files("proxreg").joinpath("_data/README.md").read_text(encoding="utf-8")
    for text in (note, datasets.load_diabetes.__doc__):
        assert text is not None
        assert all(name in text for name in ("Efron", "Hastie", "Johnstone", "Tibshirani", "Annals of Statistics"))
