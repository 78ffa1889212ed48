"""Data, tight tolerances and a comparison for the tests against scikit-learn."""

from typing import Any

import numpy as np
import sklearn.linear_model
from sklearn.base import BaseEstimator
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.preprocessing import scale

sk: Any = sklearn.linear_model  # whose types say what any options give
LOADED: Any = [load(return_X_y=True) for load in (load_diabetes, load_breast_cancer, load_wine)]
(X, Y), TUMOURS, WINES = LOADED
SEVERAL = np.c_[Y, np.square(Y) / 100, -Y]
WEIGHTS = np.random.default_rng(0).integers(1, 4, len(Y)).astype(float)
CANCER = scale(TUMOURS[0])[:, :10], np.array(["malignant", "benign"])[TUMOURS[1]]
WINE = scale(WINES[0]), WINES[1]
COUNTS = np.round(Y / 25)

OURS: dict[str, Any] = {"tol": 1e-12}
THEIRS: dict[str, Any] = {"tol": 1e-14, "max_iter": 10**6}
NEWTON: dict[str, Any] = {"tol": 1e-12, "solver": "newton-cholesky", "max_iter": 1000}


def named(value):
    """An estimator names its test; arrays do not."""
    return str(value) if isinstance(value, BaseEstimator) else ""


def assert_same(ours, theirs, rtol=1e-6, names=("coef_", "intercept_")):
    for name in names:
        known = getattr(theirs, name)
        assert np.shape(getattr(ours, name)) == np.shape(known)
        np.testing.assert_allclose(getattr(ours, name), known, rtol=rtol, atol=rtol * np.max(np.abs(known)))
