"""Bad parameters are refused by name and value where they are concrete."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr

BAD = {
    "negative alpha": (lambda: pr.L1(-0.5), "alpha must be >= 0, got -0.5"),
    "NaN alpha": (lambda: pr.L1(np.nan), "alpha must be >= 0, got nan"),
    "one negative alpha": (lambda: pr.L1(jnp.array([1.0, -2.0])), "alpha must be >= 0, got -2 at index 1"),
    "alpha of L2": (lambda: pr.L2(-1), "alpha must be >= 0, got -1"),
    "alpha of ElasticNet": (lambda: pr.ElasticNet(-1.5, 0.5), "alpha must be >= 0, got -1.5"),
    "alpha of GroupLasso": (lambda: pr.GroupLasso(-2.5), "alpha must be >= 0, got -2.5"),
    "alpha that is text": (lambda: pr.L1("strong"), "alpha must be a number.*'strong'"),
    "alpha that is complex": (lambda: pr.L1(1j), "alpha must be a number.*1j"),
    "ratio above one": (lambda: pr.ElasticNet(1.0, 1.5), r"l1_ratio must lie in \[0, 1\], got 1.5"),
    "ratio below zero": (lambda: pr.ElasticNet(1.0, -0.1), r"l1_ratio must lie in \[0, 1\], got -0.1"),
    "NaN ratio": (lambda: pr.ElasticNet(1.0, np.nan), r"l1_ratio must lie in \[0, 1\], got nan"),
    "one bad ratio": (lambda: pr.ElasticNet(1.0, np.array([0.5, 2.0])), "got 2 at index 1"),
    "bounds crossed": (lambda: pr.Box(2.0, 1.0), "lower must be <= upper, got lower=2.0, upper=1.0"),
    "one pair crossed": (lambda: pr.Box(np.array([0.0, 3.0]), 1.0), "lower must be <= upper"),
    "NaN bound": (lambda: pr.Box(np.nan, 1.0), "lower must be <= upper, got lower=nan"),
    "groups and axis": (lambda: pr.GroupLasso(1.0, groups=[0, 1], axis=0), "groups= or axis=, not both"),
    "labels that are floats": (lambda: pr.GroupLasso(1.0, groups=[0.0, 1.0]), "integer labels >= 0"),
    "negative label": (lambda: pr.GroupLasso(1.0, groups=[0, -1]), "integer labels >= 0"),
    "no labels": (lambda: pr.GroupLasso(1.0, groups=np.zeros(0, int)), "integer labels >= 0"),
    "weights per feature": (
        lambda: pr.GroupLasso(1.0, groups=[0, 0, 1], weights=np.ones(3)),
        r"weights has shape \(3,\), expected \(2,\)",
    ),
    "negative weight": (lambda: pr.GroupLasso(weights=np.array([1, -3])), "weights must be >= 0, got -3 at index 1"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_refused_when_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()


MISMATCHED = {
    "alpha per group": (pr.GroupLasso(np.ones(2), groups=[0, 1]), (2,), "alpha must be a scalar.*weights="),
    "labels of another shape": (
        pr.GroupLasso(1.0, groups=[0, 0, 1]),
        (4,),
        r"groups have shape \(3,\), the parameters \(4,\)",
    ),
    "axis too large": (pr.GroupLasso(1.0, axis=2), (4, 3), r"axis 2 is out of range.*\(4, 3\)"),
    "axis too negative": (pr.GroupLasso(1.0, axis=(0, -3)), (4, 3), r"axis -3 is out of range.*\(4, 3\)"),
    "weights not of the other axes": (
        pr.GroupLasso(1.0, axis=0, weights=np.ones(4)),
        (4, 3),
        r"weights has shape \(4,\), expected \(3,\)",
    ),
    "weights that would broadcast": (
        pr.GroupLasso(1.0, axis=0, weights=np.ones((1, 3))),
        (4, 3),
        r"weights has shape \(1, 3\), expected \(3,\)",
    ),
}


@pytest.mark.parametrize(("penalty", "shape", "message"), MISMATCHED.values(), ids=MISMATCHED)
def test_refused_when_it_meets_the_parameters(penalty, shape, message):
    w = jnp.ones(shape)
    for call in (
        lambda: penalty.value(w),
        lambda: penalty.prox(w, 1.0),
        lambda: penalty.subgradient(w),
        lambda: jax.jit(penalty.alpha_max)(w),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_good_extremes_are_accepted():
    strengths = [pr.L1(0), pr.L1(np.inf), pr.ElasticNet(1.0, 0), pr.ElasticNet(1.0, 1)]
    for penalty in (*strengths, pr.Box(1.0, 1.0), pr.Box(-np.inf, np.inf)):
        assert np.isfinite(penalty.prox(jnp.ones(3), 1.0)).all()


def test_traced_parameters_cannot_be_checked_and_pass():
    assert jax.jit(lambda alpha: pr.L1(alpha).value(jnp.ones(2)))(-1.0) == -2


def test_fields_are_frozen():
    with pytest.raises(AttributeError):
        pr.L1(1.0).alpha = 2.0
