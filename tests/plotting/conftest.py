"""Fits that several pictures show."""

import pytest

import proxreg as pr
from proxreg.datasets import load_diabetes
from tests.plotting.made_up import RATIOS


@pytest.fixture(scope="session")
def cv():
    X, y, names = load_diabetes()
    return pr.cv_path(X, y, l1_ratio=RATIOS, folds=4, n_alphas=12, standardize=True, feature_names=names)


@pytest.fixture(scope="session")
def grid(cv):
    return cv.path


@pytest.fixture(scope="session")
def single():
    X, y, names = load_diabetes()
    return pr.fit_path(X, y, n_alphas=12, standardize=True, feature_names=names)
