"""Losses against naive references, finite differences and brute-force conjugates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

import proxreg as pr
from proxreg.losses import as_loss
from tests.cases import LOSSES

N = 24
every = pytest.mark.parametrize("case", LOSSES, ids=lambda case: case.id)
built_in = pytest.mark.parametrize(
    "case", [case for case in LOSSES if not isinstance(case.loss, pr.Custom)], ids=lambda case: case.id
)


def in_float64(method, *args):
    """A method of a loss, evaluated on float64 arrays whatever JAX is set to."""
    with jax.enable_x64(True):
        return np.asarray(method(*(jnp.asarray(a, jnp.float64) for a in args)))


def sample(case):
    """``eta`` and ``y``, the same in every run."""
    rng = np.random.default_rng([*case.id.encode()])
    return rng.uniform(case.eta[0], case.eta[1], N), case.y(rng, N)


@every
def test_value_equals_the_reference(case):
    eta, y = sample(case)
    np.testing.assert_allclose(in_float64(case.loss.value, eta, y), case.value(eta, y), rtol=1e-10, atol=1e-13)


@every
def test_a_perfect_fit_costs_nothing(case):
    """Half-deviance convention: the minimum over eta is 0, so that gaps have a scale."""
    _, y = sample(case)
    grid = np.linspace(-40, 40, 16001)
    values = in_float64(case.loss.value, *np.broadcast_arrays(grid[:, None], y))
    lowest = values.min(axis=0)
    assert (lowest >= 0).all()
    np.testing.assert_allclose(lowest, 0, atol=1e-4)


@every
def test_derivatives_equal_finite_differences(case):
    eta, y = sample(case)
    h = 1e-5

    def slope(f):
        return (f(eta + h) - f(eta - h)) / (2 * h)

    def first(at):
        return in_float64(case.loss.derivative, at, y)

    smooth = np.ones(N, bool)
    if isinstance(case.loss, pr.Huber):  # the derivative has kinks
        smooth = abs(abs(eta - y) - float(case.loss.delta)) > 1e-3
    np.testing.assert_allclose(first(eta), slope(lambda at: case.value(at, y)), atol=1e-7)
    np.testing.assert_allclose(in_float64(case.loss.second_derivative, eta, y)[smooth], slope(first)[smooth], atol=1e-7)


@every
def test_closed_forms_equal_automatic_derivatives(case):
    eta, y = sample(case)
    away = abs(abs(eta - y) - 1.345) > 1e-3
    for name in ("derivative", "second_derivative"):
        default = in_float64(lambda e, y, name=name: getattr(pr.Loss, name)(case.loss, e, y), eta, y)
        np.testing.assert_allclose(in_float64(getattr(case.loss, name), eta, y)[away], default[away], atol=1e-12)


@pytest.mark.parametrize(("dtype", "far"), [("float32", 60.0), ("float64", 600.0)])
def test_the_logistic_derivative_has_all_digits_where_it_is_next_to_nothing(dtype, far):
    eta = np.array([-far, -25, -1, 0, 1, 25, far])
    with jax.enable_x64(True):
        at = [jnp.asarray(a, dtype) for a in (eta, eta > 0)]
        found = pr.Logistic().derivative(*at)
        value = pr.Logistic().value(*at)
    share = np.exp(-abs(eta)) / (1 + np.exp(-abs(eta)))
    np.testing.assert_allclose(found, np.where(eta > 0, -share, share), rtol=20 * np.finfo(dtype).eps)
    np.testing.assert_allclose(value, np.log1p(np.exp(-abs(eta))), rtol=20 * np.finfo(dtype).eps)


def test_the_logistic_loss_is_smooth_at_zero_for_automatic_derivatives():
    """Find no kink where two branches meet, which fits without an intercept pass at their first point."""
    for y in (0.0, 0.3, 1.0):
        assert jax.grad(pr.Logistic().value)(0.0, y) == np.float32(0.5) - np.float32(y)
        assert jax.grad(jax.grad(pr.Logistic().value))(0.0, y) == 0.25
        assert jax.grad(pr.Logistic().derivative)(0.0, y) == 0.25


@every
def test_curvature_bounds_the_second_derivative_and_is_tight(case):
    _, y = sample(case)
    second = in_float64(case.loss.second_derivative, *np.broadcast_arrays(np.linspace(-8, 8, 1601)[:, None], y))
    assert (second >= 0).all()
    if case.loss.curvature is None:
        assert case.id in ("poisson", "custom")
    else:
        assert second.max() <= case.loss.curvature
        assert second.max() > 0.999 * case.loss.curvature


def supremum(case, u, y):
    """``max_eta u eta - value(eta, y)`` by brute force: a grid, then a search between its neighbours."""
    grid = np.linspace(-60, 60, 24001)
    with np.errstate(over="ignore"):
        k = int(np.argmax(u * grid - case.value(grid, np.full_like(grid, y))))
    near = (grid[max(k - 1, 0)], grid[min(k + 1, grid.size - 1)])

    def minus(eta):
        return float(case.value(np.array([eta]), np.array([y]))[0] - u * eta)

    return -optimize.fminbound(minus, *near, xtol=1e-10, full_output=True)[1]


@built_in
def test_conjugate_equals_a_brute_force_supremum(case):
    eta, y = sample(case)
    u = in_float64(case.loss.derivative, eta, y) * np.linspace(0.05, 0.95, N)
    expected = [supremum(case, *pair) for pair in zip(u, y)]
    np.testing.assert_allclose(in_float64(case.loss.conjugate, u, y), expected, rtol=1e-8, atol=1e-8)


@built_in
def test_fenchel_young_holds_with_equality_at_the_derivative(case):
    eta, y = sample(case)
    value, u = case.value(eta, y), in_float64(case.loss.derivative, eta, y)
    np.testing.assert_allclose(value + in_float64(case.loss.conjugate, u, y), u * eta, atol=1e-12)
    for c in (0.0, 0.3, 0.9, 1.0):
        excess = value + in_float64(case.loss.conjugate, c * u, y) - c * u * eta
        assert np.isfinite(excess).all()
        assert (excess >= -1e-13).all()
    np.testing.assert_allclose(in_float64(case.loss.conjugate, 0 * u, y), 0, atol=1e-14)  # minus the least loss


@pytest.mark.parametrize(
    ("loss", "u", "y"),
    [
        (pr.Logistic(), 1.1, 0.0),
        (pr.Logistic(), -1.1, 1.0),
        (pr.Logistic(), 0.1, 1.0),
        (pr.Poisson(), -2.1, 2.0),
        (pr.Poisson(), -0.1, 0.0),
        (pr.Huber(0.5), 0.6, 3.0),
        (pr.Huber(0.5), -0.6, 3.0),
    ],
)
def test_conjugate_is_infinite_outside_its_domain(loss, u, y):
    assert np.isposinf(loss.conjugate(jnp.array([u]), jnp.array([y])))


def test_a_custom_loss_has_no_conjugate():
    loss = pr.Custom(lambda eta, y: (eta - y) ** 4)
    assert np.isnan(loss.conjugate(jnp.zeros(2), jnp.zeros(2))).all()


@built_in
def test_link_inverts_the_mean(case):
    eta, _ = sample(case)
    mean = in_float64(case.loss.mean, eta)
    np.testing.assert_allclose(in_float64(case.loss.link, mean), eta, atol=1e-10)
    slope = in_float64(case.loss.derivative, eta, mean)  # a response at its expectation has no gradient
    np.testing.assert_allclose(slope, 0, atol=1e-12)


def test_link_of_impossible_means_is_finite():
    edge = jnp.array([0.0, 1.0], jnp.float32)
    assert np.isfinite(pr.Logistic().link(edge)).all()
    assert np.isfinite(pr.Poisson().link(edge)).all()


@pytest.mark.parametrize("y", [[0.0, 1.0, 1.5], [0.0, 1.0, -1.0], [0.0, 1.0, np.nan]])
def test_logistic_checks_y(y):
    with pytest.raises(ValueError, match=rf"y in \{{0, 1\}} here, got {y[2]} in row 2; .* pass y == positive_class"):
        pr.Logistic().check(np.array(y))
    pr.Logistic().check(np.array([0, 0.3, 1]))


@pytest.mark.parametrize("bad", [-0.5, np.nan])
def test_poisson_checks_y(bad):
    with pytest.raises(ValueError, match=f"Poisson loss needs y >= 0, got {bad} in row 1"):
        pr.Poisson().check(jnp.array([3.0, bad]))
    pr.Poisson().check(np.array([0.0, 2.5]))


def test_checks_let_tracers_pass():
    @jax.jit
    def value(y):
        pr.Logistic().check(y)
        pr.Poisson().check(y)
        return pr.Logistic().value(jnp.zeros(2), y)

    np.testing.assert_allclose(value(jnp.array([0.0, 1.0])), np.log(2), rtol=1e-6)


@pytest.mark.parametrize("delta", [0.0, -1.0, np.nan])
def test_huber_checks_delta(delta):
    with pytest.raises(ValueError, match=f"delta must be > 0, got {delta}"):
        pr.Huber(delta)


@pytest.mark.parametrize(
    "classes", [(0, 1), (-1, 1), (False, True), ("no", "yes"), (2.5, 7.0)], ids=lambda classes: str(classes[1])
)
def test_logistic_encodes_any_two_classes_in_sorted_order(classes):
    codes, found = pr.Logistic().encode(np.array([classes[1], classes[0], classes[1]]))
    np.testing.assert_array_equal(codes, [1.0, 0.0, 1.0])
    assert codes.dtype == np.float64
    assert found == classes


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array(["a", "a"]), "needs two classes in y, got 1: a"),
        (np.array([0, 1, 2]), "needs two classes in y, got 3: 0, 1, 2"),
        (np.arange(7), r"needs two classes in y, got 7: 0, 1, 2, 3, 4, \.\.\."),
        (np.array(["a", 1], object), "the classes in y cannot be sorted: .*'(int|str)'"),
    ],
)
def test_logistic_encode_refuses_other_than_two_classes(y, message):
    with pytest.raises(ValueError, match=message):
        pr.Logistic().encode(y)


@built_in
def test_extreme_predictors(case):
    _, y = sample(case)
    for eta in (-1e4, 1e4):
        at = jnp.full(N, eta, jnp.float32)
        grown = case.id == "poisson" and eta > 0  # exp(1e4)
        for name in ("value", "derivative", "second_derivative"):
            result = np.asarray(getattr(case.loss, name)(at, jnp.asarray(y, jnp.float32)))
            assert np.isposinf(result).all() if grown else np.isfinite(result).all()
        slope = jax.grad(lambda e, y=y: jnp.sum(case.loss.value(e, jnp.asarray(y, jnp.float32))))(at)
        assert not np.isnan(slope).any() or grown


def test_poisson_keeps_its_digits_at_large_counts():
    """``y log y`` is 1e7 where the deviance is about 1."""
    y = np.random.default_rng(0).poisson(1e6, N).astype(float)
    eta = np.log(y) + np.linspace(-2e-3, 2e-3, N).astype(np.float32)
    with jax.enable_x64(True):
        d = jnp.asarray(eta - np.log(y))
        expected = np.asarray(y * (jnp.expm1(d) - d))
    got = pr.Poisson().value(jnp.asarray(eta, jnp.float32), jnp.asarray(y, jnp.float32))
    np.testing.assert_allclose(got, expected, atol=5e-3)


@every
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_dtype_is_kept(case, dtype):
    with jax.enable_x64(True):
        eta, y = (jnp.asarray(a, dtype) for a in sample(case))
        for name in ("value", "derivative", "second_derivative", "conjugate"):
            assert getattr(case.loss, name)(eta, y).dtype == dtype
        assert case.loss.mean(eta).dtype == dtype
        assert case.loss.link(jnp.abs(eta)).dtype == dtype


@every
def test_jit_and_vmap_change_nothing(case):
    eta, y = (jnp.asarray(a) for a in sample(case))
    for name in ("value", "derivative", "second_derivative", "conjugate"):
        plain = getattr(case.loss, name)(eta, y)
        jitted = jax.jit(lambda loss, e, y, name=name: getattr(loss, name)(e, y))(case.loss, eta, y)
        mapped = jax.vmap(getattr(case.loss, name))(eta.reshape(4, -1), y.reshape(4, -1)).ravel()
        np.testing.assert_allclose(jitted, plain, rtol=2e-5, atol=1e-6)
        np.testing.assert_allclose(mapped, plain, rtol=2e-5, atol=1e-6)


def test_huber_delta_can_be_differentiated_and_mapped():
    eta, y = jnp.array([0.3, 2.0, -3.0, 0.0]), jnp.zeros(4)
    slope = jax.grad(lambda delta: jnp.sum(pr.Huber(delta).value(eta, y)))(0.5)
    np.testing.assert_allclose(slope, (2.0 - 0.5) + (3.0 - 0.5), rtol=1e-6)  # |r| - delta where |r| > delta
    deltas = jnp.array([0.2, 0.5, 9.0])
    mapped = jax.vmap(lambda delta: pr.Huber(delta).value(eta, y))(deltas)
    np.testing.assert_allclose(mapped[2], jnp.square(eta) / 2, rtol=1e-6)
    np.testing.assert_allclose(mapped[0], pr.Huber(0.2).value(eta, y), rtol=1e-6)


def test_as_loss_takes_names_objects_classes_and_functions():
    for name, cls in {"squared": pr.Squared, "logistic": pr.Logistic, "huber": pr.Huber, "poisson": pr.Poisson}.items():
        assert type(as_loss(name)) is cls
        assert type(as_loss(cls)) is cls
    mine = pr.Huber(2.0)
    assert as_loss(mine) is mine
    quartic = as_loss(lambda eta, y: (eta - y) ** 4)
    assert isinstance(quartic, pr.Custom)
    np.testing.assert_allclose(quartic.derivative(jnp.array([2.0]), jnp.zeros(1)), 32.0)


def test_as_loss_says_what_there_is():
    names = "squared, logistic, huber, poisson, a loss object or a function"
    with pytest.raises(ValueError, match=f"loss must be one of {names}, got 'hinge'"):
        as_loss("hinge")
    with pytest.raises(ValueError, match=r"loss must be a name, a loss object or a function .*, got 3"):
        as_loss(3)


def test_a_custom_loss_must_not_average():
    loss = pr.Custom(lambda eta, y: jnp.mean((eta - y) ** 2))
    with pytest.raises(ValueError, match=r"one value per sample, shape \(4,\), got shape \(\); leave the mean"):
        loss.value(jnp.zeros(4), jnp.ones(4))


def test_the_base_class_asks_for_a_value():
    class Nothing(pr.Loss):
        pass

    with pytest.raises(ValueError, match=r"Nothing needs a method value\(eta, y\)"):
        Nothing().value(jnp.zeros(1), jnp.zeros(1))
