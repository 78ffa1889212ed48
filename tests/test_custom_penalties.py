"""Penalties as researchers write them: coupled ones, of a matrix, of a whole tree, and what they forget to say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

import proxreg as pr
from tests import problems

X, Y = problems.regression(n=30, p=4)


@pr.pytree_dataclass
class TotalVariation(pr.Penalty):
    """``alpha sum |w_j+1 - w_j|``, its prox by a number of dual steps."""

    separable = False

    alpha: float

    def value(self, w):
        return self.alpha * jnp.sum(jnp.abs(jnp.diff(w)))

    def prox(self, v, step):
        assert jnp.ndim(step) == 0

        def primal(z):
            return v + jnp.diff(z, prepend=0.0, append=0.0)

        def ascend(_, z):
            return jnp.clip(z + jnp.diff(primal(z)) / 4, -step * self.alpha, step * self.alpha)

        return primal(jax.lax.fori_loop(0, 400, ascend, jnp.zeros(v.size - 1, v.dtype)))


@pr.pytree_dataclass
class Undeclared(pr.Penalty):
    """``alpha max |w_j|``, without a word on ``separable``."""

    alpha: float

    def value(self, w):
        return self.alpha * jnp.max(jnp.abs(w))

    def prox(self, v, step):
        size = jnp.sort(jnp.abs(v))[::-1]
        level = jnp.max((jnp.cumsum(size) - step * self.alpha) / jnp.arange(1, size.size + 1))
        return jnp.clip(v, -jnp.maximum(level, 0), jnp.maximum(level, 0))


@pr.pytree_dataclass
class Largest(Undeclared):
    """The same, declared."""

    separable = False


@pr.pytree_dataclass
class Nuclear(pr.Penalty):
    """``alpha`` times the sum of the singular values."""

    separable = False

    alpha: float

    def value(self, w):
        return self.alpha * jnp.sum(jnp.linalg.svd(w, compute_uv=False))

    def prox(self, v, step):
        u, s, vt = jnp.linalg.svd(v, full_matrices=False)
        return (u * jnp.maximum(s - step * self.alpha, 0)) @ vt


@pr.pytree_dataclass
class TreeNorm(pr.Penalty):
    """``alpha`` times one norm over all leaves."""

    separable = False

    alpha: float

    def value(self, w):
        return self.alpha * jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(w)))

    def prox(self, v, step):
        assert jnp.ndim(step) == 0
        norm = self.value(v) / self.alpha
        scale = jnp.where(norm > step * self.alpha, 1 - step * self.alpha / jnp.where(norm > 0, norm, 1), 0)
        return jax.tree.map(lambda leaf: leaf * scale, v)


@pr.pytree_dataclass
class L0(pr.Penalty):
    """The number of non-zero entries, for arrays only."""

    alpha: float

    def value(self, w):
        return jnp.sum(self.alpha * (w != 0))

    def prox(self, v, step):
        return jnp.where(jnp.abs(v) > jnp.sqrt(2 * step * self.alpha), v, 0)


def _minimum(terms):
    """Least squares plus ``u . 1`` for ``-u <= terms @ w <= u``, and the same with one u, by sequential programming."""
    rows = np.asarray(terms)
    count = 1 if rows.ndim == 3 else len(rows)
    A = rows[0] if rows.ndim == 3 else rows
    spread = np.ones((len(A), 1)) if rows.ndim == 3 else np.eye(len(A))
    both = np.block([[-A, spread], [A, spread]])
    cost = lambda z: np.mean((X @ z[:4] - Y) ** 2) / 2 + 0.3 * np.sum(z[4:])  # noqa: E731
    slope = lambda z: np.r_[X.T @ (X @ z[:4] - Y) / len(Y), np.full(count, 0.3)]  # noqa: E731
    start = np.r_[np.zeros(4), np.ones(count)]
    inside = {"type": "ineq", "fun": lambda z: both @ z, "jac": lambda z: both}
    return scipy.optimize.minimize(
        cost, start, jac=slope, constraints=inside, method="SLSQP", options={"ftol": 1e-14, "maxiter": 500}
    ).x[:4]


MODELS = {
    "rows": pr.LinearModel(X, Y),
    "statistics": pr.Quadratic(X.T @ X / 30, X.T @ Y / 30),
    "function": lambda w: jnp.mean((X @ w - Y) ** 2) / 2,
}


@pytest.mark.parametrize(
    ("penalty", "terms"),
    [(TotalVariation(0.3), np.diff(np.eye(4), axis=0)), (Largest(0.3), np.eye(4)[None])],
    ids=["tv", "largest"],
)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_coupled_penalties_get_one_step_and_the_right_answer(model, penalty, terms):
    fit = pr.fista(model, penalty, jnp.zeros(4), tol=1e-5)
    assert int(fit.status) == pr.Status.CONVERGED
    np.testing.assert_allclose(fit.w, _minimum(terms), atol=2e-3)


def test_a_coupled_penalty_in_the_fitting_functions():
    path = pr.fit_path(X, Y, penalty=Largest(1.0), alphas=[0.3], fit_intercept=False)
    assert path.converged.all()
    np.testing.assert_allclose(path.coef[0], _minimum(np.eye(4)[None]), atol=1e-2)


DOORS = {
    "fista": lambda penalty: pr.fista(pr.LinearModel(X, Y), penalty),
    "function": lambda penalty: pr.fista(lambda w: jnp.sum(w**2), penalty, jnp.ones(4)),
    "coordinate_descent": lambda penalty: pr.coordinate_descent(pr.LinearModel(X, Y), penalty),
    "lanes": lambda penalty: jax.vmap(lambda a: pr.fista(pr.LinearModel(X, Y), type(penalty)(a)))(jnp.ones(2)),
    "fit": lambda penalty: pr.fit(X, Y, penalty=penalty),
    "fit_path": lambda penalty: pr.fit_path(X, Y, penalty=penalty, alphas=[0.1]),
    "optimiser": lambda penalty: pr.proximal_adam(0.1, penalty).init(jnp.ones(4)),
    "link": lambda penalty: pr.proximal(penalty, 0.1).init({"a": jnp.ones(4)}),
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_every_door_asks_for_the_declaration_of_a_coupled_penalty(door):
    for _ in range(2):  # the refusal is no memory
        with pytest.raises(ValueError, match=r"prox of Undeclared couples coordinates: .* separable = False"):
            door(Undeclared(0.3))


def test_columns_of_a_matrix_coupled_alone():
    @pr.pytree_dataclass
    class Columns(pr.Penalty):
        def value(self, w):
            return jnp.sum(jnp.linalg.norm(w, axis=0))

        def prox(self, v, step):
            return pr.group_lasso.prox(v, step, 1.0, axis=0)

    with pytest.raises(ValueError, match="couples coordinates"):
        pr.fista(lambda w: jnp.sum(w**2), Columns(), jnp.ones((5, 2)))


@pytest.mark.parametrize("alpha", [1e-6, 1.0, 1e6, np.array([0.0, 1.0, 2.0, 3.0])])
def test_what_acts_on_coordinates_needs_no_declaration(alpha):
    pr.fista(pr.LinearModel(X, Y), L0(alpha), max_steps=2)


def test_a_class_that_has_shrunk_nothing_yet_is_tried_again():
    pr.fista(pr.LinearModel(X, Y), Undeclared(0.0), max_steps=2)
    with pytest.raises(ValueError, match="couples coordinates"):
        pr.fista(pr.LinearModel(X, Y), Undeclared(0.3))


@pytest.mark.parametrize("tol", [1e-5, 1e-6])
def test_a_nuclear_norm_in_float32_reaches_what_float32_can(tol):
    """Against a long plain proximal gradient run in NumPy, in float64."""
    rng = np.random.default_rng(0)
    target = rng.normal(size=(8, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(8, 6))
    known = rng.random((8, 6)) < 0.7
    narrow = target.astype(np.float32)  # whatever type JAX makes of plain numbers
    fit = pr.fista(
        lambda w: jnp.sum(jnp.where(known, w - narrow, 0) ** 2) / 2,
        Nuclear(0.3),
        jnp.zeros((8, 6), jnp.float32),
        tol=tol,
    )
    w = np.zeros((8, 6))
    for _ in range(3000):
        u, s, vt = np.linalg.svd(np.where(known, target, w), full_matrices=False)
        w = (u * np.maximum(s - 0.3, 0)) @ vt
    assert int(fit.status) == pr.Status.CONVERGED
    assert fit.w.dtype == jnp.float32
    np.testing.assert_allclose(fit.w, w, atol=1e-3)


def test_a_norm_over_a_tree_is_the_group_of_all_entries():
    def loss(tree):
        return jnp.mean((X[:, :2] @ tree["a"] + X[:, 2:] @ tree["b"] - Y) ** 2) / 2

    start = {"a": jnp.zeros(2), "b": jnp.zeros(2)}
    fit = pr.fista(loss, TreeNorm(0.5), start)
    same = pr.fista(pr.LinearModel(X, Y), pr.GroupLasso(0.5), tol=1e-6)
    assert int(fit.status) == pr.Status.CONVERGED
    np.testing.assert_allclose(np.r_[fit.w["a"], fit.w["b"]], same.w, atol=1e-3)
    with pytest.raises(ValueError, match=r"L0 does not apply to these parameters: .* pr\.by_path\(\[\], default=L0"):
        pr.fista(loss, L0(0.5), start)
    assert int(pr.fista(loss, pr.by_path([], default=L0(0.5)), start).status) == pr.Status.CONVERGED


def test_a_prox_of_another_shape_is_named():
    @pr.pytree_dataclass
    class Wrong(pr.Penalty):
        separable = False

        def value(self, w):
            return jnp.sum(w)

        def prox(self, v, step):
            return v[:-1]

    with pytest.raises(ValueError, match="the prox of Wrong must return parameters like v, of shape"):
        pr.fista(pr.LinearModel(X, Y), Wrong())

    @pr.pytree_dataclass
    class Vector(pr.Penalty):
        separable = True

        def value(self, w):
            return w**2

        def prox(self, v, step):
            return v / (1 + 2 * step)

    with pytest.raises(ValueError, match="the value of Vector must be a scalar, not of shape"):
        pr.fista(pr.LinearModel(X, Y), Vector())


def test_fixed_points_of_a_penalty_that_is_not_convex_are_certified():
    """L0 on an orthogonal design keeps exactly the entries above its threshold, at their full size."""
    scale = np.array([3.0, -2.0, 0.05, 0.02])
    fit = pr.fista(pr.Quadratic(np.eye(4), scale), L0(0.1), np.ones(4), tol=1e-5)
    assert int(fit.status) == pr.Status.CONVERGED
    np.testing.assert_allclose(fit.w, [3.0, -2.0, 0.0, 0.0], atol=1e-4)


def test_coordinate_descent_takes_a_value_for_arrays():
    """Where it searches along a block, each coordinate has its own parameters."""

    @pr.pytree_dataclass
    class Own(pr.Penalty):
        alpha: float

        def value(self, w):
            return self.alpha * jnp.sum(jnp.abs(w))

        def prox(self, v, step):
            return jnp.sign(v) * jnp.maximum(jnp.abs(v) - step * self.alpha, 0)

    model = pr.LinearModel(X, (Y.mean() < Y) * 1.0, "logistic", fit_intercept=True)
    fit = pr.coordinate_descent(model, Own(0.02))
    np.testing.assert_allclose(fit.w.coef, pr.coordinate_descent(model, pr.L1(0.02), tol=1e-6).w.coef, atol=2e-3)
