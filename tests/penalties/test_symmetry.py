"""Scaling, reflection, permutation, and steps per coordinate."""

import dataclasses

import numpy as np

import proxreg as pr
from tests.cases import PENALTIES
from tests.penalties import evaluate as ev


@ev.over(case for case in PENALTIES if case.homogeneous)
def test_positive_homogeneity(case):
    """``f(c w) = c f(w)`` and so ``prox_{ct}(c v) = c prox_t(v)``."""
    v, t = ev.points(case)
    w = case.domain(v)
    for c in (0.125, 3.7):
        np.testing.assert_allclose(ev.value(case, c * w), c * ev.value(case, w), rtol=1e-13)
        np.testing.assert_allclose(ev.prox(case, c * v, c * t), c * ev.prox(case, v, t), rtol=1e-11, atol=1e-12)


@ev.every
def test_odd_symmetry(case):
    """Even penalties have odd proxes; the others must not."""
    v, t = ev.points(case)
    mirrored = -ev.prox(case, -v, t)
    if case.odd:
        np.testing.assert_array_equal(mirrored, ev.prox(case, v, t))
        np.testing.assert_array_equal(ev.value(case, -v), ev.value(case, v))
    else:
        assert np.abs(mirrored - ev.prox(case, v, t)).max() > 0.1


@ev.over(case for case in PENALTIES if case.shape == (6,))
def test_permutation_equivariance(case):
    """Permuting coordinates together with their parameters permutes the answer."""
    order = np.array([3, 0, 5, 1, 4, 2])

    def permuted(name, given):
        if name == "groups" and given is not None:
            return given.labels[order]
        per_entry = name in ("alpha", "l1_ratio", "lower", "upper") and given is not None and np.ndim(given)
        return given[order] if per_entry else given  # pyright: ignore[reportOptionalSubscript]

    fields = {f.name: permuted(f.name, getattr(case.penalty, f.name)) for f in dataclasses.fields(case.penalty)}
    other = dataclasses.replace(case, penalty=type(case.penalty)(**fields))
    v, t = ev.points(case)
    np.testing.assert_allclose(ev.prox(other, v[:, order], t), ev.prox(case, v, t)[:, order], rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(ev.value(other, case.domain(v)[:, order]), ev.value(case, case.domain(v)), rtol=1e-13)


@ev.over(case for case in PENALTIES if case.separable)
def test_a_step_per_coordinate_is_a_loop_over_coordinates(case):
    v, _ = ev.points(case)
    t = np.exp(2 * ev.normal(case, 4))
    loop = np.stack([ev.prox(case, v, t[:, j])[:, j] for j in range(6)], axis=1)
    np.testing.assert_allclose(ev.prox(case, v, t), loop, rtol=1e-15)


@ev.over(case for case in PENALTIES if not case.separable)
def test_metric_is_a_step_that_the_group_prox_solves_exactly(case):
    """With ``metric(curvature)`` the weighted problem has the optimality condition of the prox."""
    curvature = np.exp(ev.normal(case, 4, 1)[0])
    metric = np.broadcast_to(np.asarray(case.penalty.metric(curvature), float), case.shape)
    for label in np.unique(case.labels):
        member = case.labels == label
        np.testing.assert_allclose(metric[member], curvature[member].max(), rtol=1e-6)
    step = np.broadcast_to(1 / metric, (ev.B, *case.shape)).copy()
    for label in np.unique(case.labels):
        step[:, case.labels == label] = step[:, case.labels == label][:, :1]
    v = 3 * ev.normal(case)
    p = ev.prox(case, v, step)
    assert np.any(p != 0)
    assert np.abs(ev.subgradient(case, p, (p - v) / step)).max() < 1e-12


def test_metric_of_a_separable_penalty_is_the_curvature_itself():
    curvature = np.array([3.0, 0.5])
    assert pr.L1(1.0).metric(curvature) is curvature
