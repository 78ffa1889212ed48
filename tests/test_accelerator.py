"""Run on a CPU what an accelerator would: data of JAX that NumPy cannot reach, and the sizes of large devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg._core import as_if_on, is_at_hand, platform
from tests import problems

OPTIONS = {"n_alphas": 6, "min_ratio": 0.05, "dtype": "float64", "tol": 1e-8}
SHAPES = {"few columns": (60, 8), "many columns": (40, 1100)}


def test_the_platform_is_that_of_jax_unless_a_test_says_otherwise():
    assert platform() == jax.default_backend()
    assert is_at_hand(jnp.ones(2)) == (platform() == "cpu")
    with as_if_on("tpu"):
        assert platform() == "tpu"
        assert not is_at_hand(jnp.ones(2))
    assert platform() == jax.default_backend()


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("shape", list(SHAPES))
def test_data_on_a_device_give_what_data_on_the_host_give(loss, shape):
    X, y = problems.responses(loss, *SHAPES[shape])
    host = pr.fit_path(X, y, loss=loss, **OPTIONS)
    with jax.enable_x64(True), as_if_on("gpu"):
        device = pr.fit_path(jnp.asarray(X), y, loss=loss, **OPTIONS)
    assert device.converged.all()
    assert device.gap.max() <= 1e-8
    np.testing.assert_allclose(device.objective, host.objective, rtol=1e-7)
    np.testing.assert_allclose(device.coef, host.coef, atol=1e-3)


@pytest.mark.filterwarnings("ignore:the best mean loss")
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_folds_of_data_on_a_device(loss):
    X, y = problems.responses(loss, 60, 8)
    host = pr.cv_path(X, y, loss=loss, folds=3, **OPTIONS)
    with jax.enable_x64(True), as_if_on("gpu"):
        device = pr.cv_path(jnp.asarray(X), y, loss=loss, folds=3, **OPTIONS)
    np.testing.assert_allclose(device.fold_loss, host.fold_loss, rtol=1e-5)


def test_as_many_lanes_at_once_as_a_large_device_takes():
    X, y = problems.responses("squared", 60, 8)
    alphas = pr.alpha_max(X, y, dtype="float64") * np.geomspace(1, 0.01, 40)
    with jax.enable_x64(True):
        model = pr.LinearModel(jnp.asarray(X), jnp.asarray(y), fit_intercept=True)
        few = pr.solve_path(model, pr.L1(), alphas, tol=1e-9)
        with as_if_on("gpu"):
            many = pr.solve_path(model, pr.L1(), alphas, tol=1e-9)
    assert np.all(many.status == pr.Status.CONVERGED)
    np.testing.assert_allclose(many.objective, few.objective, rtol=1e-8)
