"""What is refused, and in which words."""

import subprocess
import sys

import numpy as np
import pytest

import proxreg.sklearn as ps
from tests.sklearn.shared import X, Y, named

LABELS = np.where(Y > 140, "high", "low")
THREE = np.where(Y > 200, "middle", LABELS)


@pytest.mark.parametrize(
    ("model", "y", "weights", "message"),
    [
        (ps.Lasso(alpha=-1.0), Y, None, "-1"),
        (ps.ElasticNet(l1_ratio=1.5), Y, None, "1.5"),
        (ps.Lasso(max_iter=0), Y, None, "'max_iter' parameter of Lasso must be an int"),
        (ps.Lasso(tol=-1.0), Y, None, "'tol' parameter of Lasso must be a float in the range"),
        (ps.Lasso(), Y, -np.ones(len(Y)), "sample_weight must be >= 0"),
        (
            ps.Lasso(),
            Y,
            np.ones((len(Y), 2)),
            r"Sample weights must be 1D array or scalar: .* must have shape \(442,\)",
        ),
        (ps.Lasso(), Y, np.ones(3), "inconsistent numbers of samples"),
        (ps.LassoCV(), np.c_[Y, Y], None, "1d array"),
        (
            ps.RidgeCV(cv=3, store_cv_results=True),
            Y,
            None,
            "cv!=None and store_cv_results=True are incompatible: pass cv=None",
        ),
        (
            ps.RidgeCV(cv=3, alpha_per_target=True),
            Y,
            None,
            "cv!=None and alpha_per_target=True are incompatible: pass cv=None",
        ),
        (ps.RidgeCV(alphas=[-1.0]), Y, None, r"alphas\[0\] == -1.0, must be >= 0"),
        (ps.LogisticRegression(C=0.0), LABELS, None, "'C' parameter of LogisticRegression must be a float"),
        (ps.LogisticRegression(C=1e-320), THREE, None, "C must be > 0, got 9.*e-321"),
        (
            ps.LogisticRegression(class_weight={"low": -1.0}),
            THREE,
            None,
            "class_weight must hold finite numbers >= 0, got",
        ),
        (
            ps.LogisticRegression(class_weight={"low": np.inf}),
            THREE,
            None,
            "class_weight must hold finite numbers >= 0, got",
        ),
        (ps.LogisticRegression(class_weight={"low": 0.0, "high": 0}), LABELS, None, "leaves no row of positive weight"),
        (ps.LogisticRegressionCV(Cs=[1.0, -1.0]), LABELS, None, r"Cs\[1\] == -1.0, must be > 0"),
        (ps.LogisticRegressionCV(Cs=[1.0, 1e-320]), LABELS, None, "Cs must be > 0, got 9.*e-321"),
        (ps.LogisticRegressionCV(l1_ratios=[2.0]), LABELS, None, r"l1_ratios\[0\] == 2.0, must be <= 1"),
        (ps.Ridge(alpha=-1.0), Y, None, "'alpha' parameter of Ridge must be a float .* Got -1.0 instead"),
        (ps.PoissonRegressor(alpha=-1.0), Y, None, "'alpha' parameter of PoissonRegressor .* Got -1.0 instead"),
        (ps.LassoCV(alphas=[0.1, -1.0]), Y, None, r"alphas\[1\] == -1.0, must be >= 0"),
        (ps.LogisticRegression(class_weight={"middle": 1.0}), LABELS, None, "names 'middle', classes that y lacks"),
        (
            ps.LogisticRegression(class_weight="fair"),
            LABELS,
            None,
            "'class_weight' parameter of LogisticRegression .* Got 'fair' instead",
        ),
        (ps.LogisticRegression(), np.full(len(Y), "high"), None, "one class: .*high"),
        (ps.PoissonRegressor(), Y - 100, None, "y >= 0"),
    ],
    ids=named,
)
def test_mistakes(model, y, weights, message):
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, sample_weight=weights)


def test_scikit_learn_is_asked_for_by_name():
    code = "import sys; sys.modules['sklearn'] = None; import proxreg; import proxreg.sklearn"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert 'Error: proxreg.sklearn needs scikit-learn 1.6 or newer: pip install "scikit-learn>=1.6"' in done.stderr


@pytest.mark.parametrize("y", [LABELS, THREE], ids=["two", "three"])
def test_columns_whose_squares_overflow(y):
    with pytest.raises(ValueError, match=r"the squares of column .* overflow in float64; divide it"):
        ps.LogisticRegression().fit(X * 1e200, y)


@pytest.mark.parametrize("y", [LABELS, THREE], ids=["two", "three"])
@pytest.mark.parametrize("scale", [1e-50, 1e50])
def test_weights_beyond_float32(y, scale):
    model = ps.LogisticRegression(alpha=0.1).fit(X.astype(np.float32), y, np.full(len(y), scale))
    known = ps.LogisticRegression(alpha=0.1).fit(X.astype(np.float32), y)
    np.testing.assert_allclose(model.coef_, known.coef_, atol=1e-3)
    np.testing.assert_allclose(model.intercept_, known.intercept_, atol=1e-3)
