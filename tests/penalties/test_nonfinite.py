"""NaN and infinity stay visible and stay where they are."""

import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg._pytree import replace
from tests.cases import PENALTIES
from tests.penalties import evaluate as ev


def with_one(case, bad):
    """Points, the same with one entry replaced by ``bad``, and which entries share a block with it."""
    w = case.domain(ev.normal(case))
    at = ev.generator(case, 3).integers(w[0].size, size=ev.B)
    hit = (np.arange(w[0].size) == at[:, None]).reshape(w.shape)
    touched = case.labels.ravel()[at]
    return w, np.where(hit, bad, w), hit, case.labels == ev.columns(case, touched)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@ev.every
def test_prox_keeps_it_within_its_block(case, bad):
    v, spoiled, hit, block = with_one(case, bad)
    t = np.full(ev.B, 0.3)
    clean, p = ev.prox(case, v, t), ev.prox(case, spoiled, t)
    np.testing.assert_array_equal(p[~block], clean[~block])
    if np.isnan(bad):
        assert np.isnan(p[hit]).all()
    else:
        np.testing.assert_array_equal(p[hit], case.domain(spoiled)[hit])


@ev.over(case for case in PENALTIES if not isinstance(case.penalty, pr.Zero))
def test_value_subgradient_and_conjugate_show_a_nan(case):
    w, spoiled, hit, block = with_one(case, np.nan)
    zeros = np.zeros_like(w)
    assert np.isnan(ev.value(case, spoiled)).all()
    assert not np.isfinite(ev.conjugate(case, spoiled)).any()
    s = ev.subgradient(case, spoiled, zeros)
    assert np.isnan(s[hit]).all()
    np.testing.assert_array_equal(s[~block], ev.subgradient(case, w, zeros)[~block])


@ev.every
def test_subgradient_shows_a_nan_gradient(case):
    grad, spoiled, hit, block = with_one(case, np.nan)
    for w in (case.domain(np.zeros_like(grad)), case.domain(grad)):
        s = ev.subgradient(case, w, spoiled)
        np.testing.assert_array_equal(s[~block], ev.subgradient(case, w, grad)[~block])
        inside = hit & (np.isfinite(case.terms(w)) if case.separable else True)
        assert np.isnan(s[inside]).all()


@ev.over(case for case in PENALTIES if case.radius is not None and np.any(case.radius(np.ones(())) > 0))
def test_alpha_max_shows_a_nan_gradient(case):
    _, spoiled, hit, _ = with_one(case, np.nan)
    counted = hit & (case.radius(np.ones(())) > 0)
    largest = ev.alpha_max(case, spoiled)[counted.reshape(ev.B, -1).any(1)]
    assert not np.isfinite(largest).any()


def test_nan_parameters_reach_the_answer():
    """Inside a transformation no check can read them; they must not pass for a strength of zero."""
    v = jnp.array([1.0, -2.0])
    for penalty in (pr.L1(1.0), pr.L2(1.0), pr.ElasticNet(1.0, 0.5), pr.GroupLasso(1.0), pr.L1(1.0, positive=True)):
        broken = replace(penalty, alpha=jnp.nan)
        assert np.isnan(broken.prox(v, 1.0)).all()
        assert np.isnan(broken.value(jnp.abs(v)))
