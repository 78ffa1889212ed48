"""What a model cannot be built from is refused by name when it is built, not when a solver meets it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from jax.experimental.sparse import BCOO

import proxreg as pr

X, Y = np.arange(12.0).reshape(4, 3) % 5, np.arange(4.0)

REFUSED = {
    "BCOO": (BCOO.fromdense(jnp.asarray(X)), r"X is sparse; pass X\.todense\(\)"),
    "scipy.sparse": (scipy.sparse.csr_array(X), r"X is sparse; pass X\.toarray\(\)"),
    "operator": (scipy.sparse.linalg.aslinearoperator(X), r"X is an operator .* pass its matrix as an array"),
    "masked": (np.ma.masked_greater(X, 3), "X has masked entries; remove or impute"),
    "complex": (X + 1j, "X must be real, got complex numbers"),
    "strings": ([["a"] * 3] * 4, "X must be a dense array of numbers, got list"),
    "ragged": ([[1.0], [1.0, 2.0]], "X must be an array of numbers"),
    "objects": (X.astype(object), "X must be a dense array of numbers, got ndarray of object"),
}


@pytest.mark.parametrize(("X", "message"), REFUSED.values(), ids=REFUSED)
def test_linear_model(X, message):
    with pytest.raises(ValueError, match=message):
        pr.LinearModel(X, Y)


@pytest.mark.parametrize(("G", "message"), REFUSED.values(), ids=REFUSED)
def test_quadratic(G, message):
    with pytest.raises(ValueError, match=message.replace("X", "G")):
        pr.Quadratic(G, Y)


def test_lists_serve_and_traced_ones_too():
    fit = pr.fista(pr.LinearModel(X.tolist(), Y.tolist()), pr.L1(0.1), tol=1e-6)
    same = pr.fista(pr.LinearModel(X, Y), pr.L1(0.1), tol=1e-6)
    np.testing.assert_array_equal(fit.w, same.w)
    value = jax.jit(lambda a: pr.LinearModel([[1.0, a], [a, 2.0]], [1.0, a]).value(jnp.ones(2)))(2.0)
    np.testing.assert_allclose(value, ((3 - 1) ** 2 + (4 - 2) ** 2) / 4)
