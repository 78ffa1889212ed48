"""Leaving one row out, against fits without it."""

import numpy as np
import pytest

import proxreg.sklearn as ps


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(25, 4), (8, 12)], ids=["tall", "wide"])
def test_leaving_one_out_is_leaving_each_out(fit_intercept, shape):
    rng = np.random.default_rng(0)
    Z, targets = rng.normal(size=shape), rng.normal(size=(shape[0], 2)) + 1
    weights = rng.integers(0, 3, shape[0]).astype(float)
    alphas = [0.1, 1.0, 30.0]
    model = ps.RidgeCV(alphas, fit_intercept=fit_intercept, store_cv_results=True, scoring="r2")
    model.fit(Z, targets, sample_weight=weights)
    for k, alpha in enumerate(alphas):
        for row in range(shape[0]):
            rest = np.arange(shape[0]) != row
            alone = ps.Ridge(alpha=alpha, fit_intercept=fit_intercept, tol=1e-13, max_iter=10**6)
            alone.fit(Z[rest], targets[rest], sample_weight=weights[rest])
            known = alone.predict(Z[[row]])[0]
            np.testing.assert_allclose(model.cv_results_[row, :, k], known, rtol=1e-5, atol=1e-6)
    whole = ps.Ridge(alpha=float(model.alpha_), fit_intercept=fit_intercept, tol=1e-13).fit(
        Z, targets, sample_weight=weights
    )
    np.testing.assert_allclose(model.coef_, whole.coef_, rtol=1e-6, atol=1e-8)


def test_a_row_that_decides_its_own_prediction_is_missed_by_infinitely_much():
    Z = np.eye(3)  # without a penalty, each row has a column to itself
    model = ps.RidgeCV([0.0, 1.0], fit_intercept=False, store_cv_results=True).fit(Z, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(model.cv_results_[:, 0], np.inf)
    np.testing.assert_allclose(model.cv_results_[:, 1], [1.0, 4.0, 9.0], rtol=1e-12)
    assert model.alpha_ == 1.0
