"""What a penalty of the user's own inherits when it has only a value and a prox."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr


@pr.pytree_dataclass
class Lasso(pr.Penalty):
    """The lasso again, as little as a user would write."""

    alpha: float

    def value(self, w):
        return self.alpha * jnp.sum(jnp.abs(w))

    def prox(self, v, step):
        return jnp.sign(v) * jnp.maximum(jnp.abs(v) - step * self.alpha, 0)


@pr.pytree_dataclass
class Ridge(pr.Penalty):
    """Ridge: its prox at a small step only approximates the gradient."""

    alpha: float

    def prox(self, v, step):
        return v / (1 + step * self.alpha)


W = np.array([2.0, 0.0, 0.0, 0.0, -1.0])
G = np.array([0.3, 0.3, 3.0, -3.0, -4.0])


@pytest.mark.parametrize(("dtype", "accuracy"), [(jnp.float64, 1e-10), (jnp.float32, 1e-4), (jnp.bfloat16, 2e-2)])
def test_default_subgradient_of_the_lasso(dtype, accuracy):
    with jax.enable_x64(True):
        w, g = jnp.asarray(W, dtype), jnp.asarray(G, dtype)
        for grad in (0.0, g):
            found, expected = Lasso(0.7).subgradient(w, grad), pr.L1(0.7).subgradient(w, grad)
            assert found.dtype == dtype
            np.testing.assert_allclose(found.astype(float), expected.astype(float), atol=accuracy)
        assert np.all(Lasso(4.0).subgradient(jnp.zeros(5, dtype), g) == 0)


def test_default_subgradient_of_ridge():
    with jax.enable_x64(True):
        w, g = jnp.asarray(W), jnp.asarray(G)
        np.testing.assert_allclose(Ridge(0.7).subgradient(w, g), pr.L2(0.7).subgradient(w, g), atol=3e-5)


def test_default_subgradient_takes_trees():
    w, g = {"a": jnp.asarray(W), "b": jnp.ones(2)}, {"a": jnp.asarray(G), "b": jnp.ones(2)}
    found = jax.jit(lambda penalty, w, g: penalty.subgradient(w, g))(Lasso(0.7), w, g)
    np.testing.assert_allclose(found["a"], pr.L1(0.7).subgradient(w["a"], g["a"]), atol=1e-4)
    np.testing.assert_allclose(found["b"], 1.7, atol=1e-4)


def test_other_defaults():
    """No certificate rather than a wrong one; separable unless said otherwise."""
    penalty = Lasso(0.7)
    assert penalty.separable
    assert np.isnan(penalty.conjugate(W))
    assert np.isnan(penalty.dual_scale(W, G))
    with pytest.raises(ValueError, match=r"Lasso has no alpha_max.*alphas="):
        penalty.alpha_max(G)
    curvature = jnp.array([3.0, 0.5])
    np.testing.assert_array_equal(penalty.metric(curvature), curvature)


def test_a_coupled_penalty_gets_one_step_for_all():
    @pr.pytree_dataclass
    class Coupled(pr.Penalty):
        separable = False

    np.testing.assert_array_equal(Coupled().metric(jnp.array([3.0, 0.5])), [3.0, 3.0])


def test_missing_methods_are_named():
    @pr.pytree_dataclass
    class Nothing(pr.Penalty):
        pass

    with pytest.raises(ValueError, match=r"Nothing needs a method value\(w\)"):
        Nothing().value(W)
    with pytest.raises(ValueError, match=r"Nothing needs a method prox\(v, step\)"):
        Nothing().prox(W, 1.0)
