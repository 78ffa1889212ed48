"""Derivatives through a solver that stops when it is done: forward mode works, reverse mode says what to do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from tests import problems
from tests.cases import SOLVERS

every = pytest.mark.parametrize("case", SOLVERS, ids=lambda case: case.id)
X, Y = problems.regression(n=30, p=4)


MODEL = pr.LinearModel(X, Y)


def _norm(case, alpha, model=MODEL, **options):
    return jnp.sum(case.solve(model, pr.L1(alpha), **options).w ** 2) / 2


@every
@pytest.mark.parametrize("transform", [lambda f: f, jax.jit, lambda f: jax.vmap(f)], ids=["plain", "jit", "vmap"])
def test_reverse_mode_says_what_to_pass(case, transform):
    alpha = jnp.array([0.1, 0.2]) if transform is not jax.jit else 0.1
    slope = transform(jax.grad(lambda a: jnp.sum(_norm(case, jnp.ravel(a)[0]))))
    with pytest.raises(ValueError, match=r"unroll=True and a static max_steps, or use forward mode"):
        slope(alpha)


def test_reverse_mode_through_a_function():
    def norm(alpha):
        return jnp.sum(pr.fista(lambda w: jnp.mean((X @ w - Y) ** 2) / 2, pr.L1(alpha), jnp.zeros(4)).w)

    with pytest.raises(ValueError, match="unroll=True"):
        jax.grad(norm)(0.1)


@every
def test_forward_mode_is_the_derivative_on_the_support(case):
    with jax.enable_x64(True):  # JAX remembers constants by identity, whatever the precision: arrays of their own
        options = {"model": pr.LinearModel(X.copy(), Y.copy()), "tol": 1e-13, "max_steps": 20_000}
        slope = jax.jit(jax.jacfwd(lambda a: _norm(case, a, **options)))(0.2)
        lanes = jax.vmap(lambda a: jax.jvp(lambda a: _norm(case, a, **options), (a,), (1.0,))[1])(jnp.array([0.2]))
        w = np.asarray(case.solve(options.pop("model"), pr.L1(0.2), **options).w)
    on = w != 0
    expected = -w[on] @ np.linalg.solve(X[:, on].T @ X[:, on] / len(Y), np.sign(w[on]))
    np.testing.assert_allclose(slope, expected, rtol=1e-5)
    np.testing.assert_allclose(lanes[0], expected, rtol=1e-5)
