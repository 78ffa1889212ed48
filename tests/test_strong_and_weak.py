"""Strengths at the ends of a type: beyond float32, and an l1_ratio so small that rounding hides it."""

import jax
import numpy as np
import pytest

import proxreg as pr
from tests import problems
from tests.cases import SOLVERS

X, Y = problems.regression(n=30, p=4)


@pytest.mark.parametrize("case", SOLVERS, ids=lambda case: case.id)
def test_solvers_take_strengths_beyond_float32(case):
    fit = case.solve(pr.LinearModel(X, Y), pr.L1(np.array([1e39, 0.1, 0.1, 0.1])))
    assert int(fit.status) == pr.Status.CONVERGED
    assert fit.w[0] == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("l1_ratio", [0.0, 1e-320, 1e-300, 1e-30, 1e-20, 1e-12, 1e-9, 1e-6, 1e-3])
def test_an_l1_ratio_near_zero_is_certified_as_ridge_is(l1_ratio, dtype):
    """The closed form is of ridge: the l1 part moves it by less than its own size."""
    path = pr.fit_path(X, Y, alphas=[0.1], l1_ratio=l1_ratio, dtype=dtype, tol=1e-5, fit_intercept=False)
    assert path.converged.all()
    strength = 0.1 * (1 - l1_ratio)
    w = np.linalg.solve(X.T @ X / 30 + strength * np.eye(4), X.T @ Y / 30)
    best = np.mean((X @ w - Y) ** 2) / 2 + strength * w @ w / 2
    assert path.objective[0] - best <= 0.1 * l1_ratio * np.abs(w).sum() + 1e-5 * np.mean(Y**2) / 2 + 1e-6
    assert path.gap[0] <= 1e-5


@pytest.mark.parametrize("positive", [False, True])
def test_the_gap_near_ridge_is_one(positive):
    """At any point, for any small l1: objective less optimum, from a long run, is at most the gap."""
    with jax.enable_x64(True):
        for bounds in ((-np.inf, np.inf), (-0.5, 0.5)):
            for l1_ratio in (1e-18, 1e-10, 1e-4):
                penalty = pr.BoundedElasticNet(0.1, l1_ratio, 0.0 if positive else bounds[0], bounds[1])
                model = pr.Quadratic(X.T @ X / 30, X.T @ Y / 30, Y @ Y / 60)
                best = pr.fista(model, penalty, tol=1e-13, max_steps=5000).objective
                for steps in (0, 1, 3, 10):
                    fit = pr.fista(model, penalty, tol=1e-16, max_steps=steps)
                    assert fit.objective - best <= fit.gap * Y @ Y / 60 + 1e-14
