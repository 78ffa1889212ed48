"""Losses other than the squared one on wide data: working sets give what the plain solver gives, and certify it."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import proxreg as pr
from tests import problems

WIDE = {"n": 40, "p": 1100}


@pytest.mark.parametrize("loss", ["logistic", "poisson", "huber"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_working_sets_give_what_the_plain_solver_gives(loss, fit_intercept):
    X, y = problems.responses(loss, **WIDE)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, WIDE["n"])
    options = {"loss": loss, "fit_intercept": fit_intercept, "sample_weight": weights, "n_alphas": 5, "min_ratio": 0.2}
    engine = pr.fit_path(X, y, **options, dtype="float64", tol=1e-8)
    plain = pr.fit_path(X, y, **options, dtype="float64", tol=1e-8, solver="fista")
    assert engine.converged.all()
    assert engine.gap.max() <= 1e-8
    np.testing.assert_allclose(engine.objective, plain.objective, rtol=1e-7)
    np.testing.assert_allclose(engine.coef, plain.coef, atol=2e-3)
    assert engine.nnz[-1] > engine.nnz[1] > 0


def test_logistic_against_liblinear():
    X, y = problems.responses("logistic", **WIDE)
    top = pr.alpha_max(X, y, loss="logistic", fit_intercept=False, dtype="float64")
    alphas = np.asarray(top) * np.array([0.5, 0.2])
    path = pr.fit_path(X, y, loss="logistic", alphas=alphas, fit_intercept=False, dtype="float64", tol=1e-10)
    for alpha, coef, objective in zip(alphas, path.coef, path.objective):
        peer = LogisticRegression(
            l1_ratio=1.0, solver="liblinear", C=1 / (alpha * len(y)), fit_intercept=False, tol=1e-10, max_iter=10**5
        ).fit(X, y)
        theirs = problems.objective("logistic", X, y, peer.coef_[0], 0.0, alpha)
        assert objective <= theirs + 1e-9
        np.testing.assert_allclose(coef, peer.coef_[0], atol=1e-3)
