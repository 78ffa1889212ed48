"""The metric of each optimiser, by hand: transients, masks, groups, rates of 0, strengths of infinity, no gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import proxreg as pr
from tests.transforms.optimisers import IMPURE, OPTIMISERS

by_case = pytest.mark.parametrize("case", [*OPTIMISERS, *IMPURE], ids=lambda case: case.id)


def run(optimiser, gradient, w, num_steps):
    """The parameters before and after each update."""
    state, found = optimiser.init(w), [w]
    update = jax.jit(optimiser.update)
    for k in range(num_steps):
        updates, state = update(gradient(w, k), state, w)
        w = optax.apply_updates(w, updates)
        found.append(w)
    return found


def soft(v, tau):
    return np.sign(v) * np.maximum(np.abs(v) - tau, 0)


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_step_of_momentum_is_the_weight_of_all_gradients_in_the_trace(nesterov):
    """Under a constant gradient the first updates are as long as the sum of powers, and so is the threshold."""
    w, g, m, lr, l1 = np.array([5.0, -5.0]), np.array([0.3, -0.2]), 0.8, 0.1, 0.5
    expected, trace, weight = w, np.zeros(2), 0.0
    with jax.enable_x64(True):
        optimiser = pr.proximal_sgd(lr, l1=l1, momentum=m, nesterov=nesterov)
        found = run(optimiser, lambda w, k: jnp.asarray(g), jnp.asarray(w), 6)
    for k in range(6):
        trace, weight = g + m * trace, 1 + m * weight
        move, threshold = (g + m * trace, 1 + m * weight) if nesterov else (trace, weight)
        expected = soft(expected - lr * move, lr * threshold * l1)
        np.testing.assert_allclose(found[k + 1], expected, rtol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_groups_of_equal_gradients_take_adam_s_own_steps(nesterov):
    """The shared metric is then everybody's own."""
    signs = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    sizes = np.array([0.3, 0.3, 2.0, 2.0, 2.0, 5.0])
    pen, lr, eps = pr.GroupLasso(1e-3, groups=[0, 0, 1, 1, 1, 2]), 0.1, 1e-8
    with jax.enable_x64(True):
        gradients = [jnp.asarray(signs * sizes * (1 + 0.1 * np.cos(k))) for k in range(5)]
        found = run(pr.proximal_adam(lr, pen, nesterov=nesterov), lambda w, k: gradients[k], jnp.asarray(3 * signs), 5)
        plain = optax.scale_by_adam(nesterov=nesterov)
        state, w = plain.init(found[0]), np.asarray(found[0])
        for k in range(5):
            direction, state = plain.update(gradients[k], state)
            d = 1 / (np.sqrt(np.asarray(state.nu) / (1 - 0.999 ** (k + 1))) + eps)
            w = np.asarray(pen.prox(jnp.asarray(w - lr * np.asarray(direction)), jnp.asarray(lr * d)))
            np.testing.assert_allclose(found[k + 1], w, rtol=1e-7)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (pr.proximal_adam, lambda **options: optax.adamw(0.1, **options)),
        (pr.proximal_lion, lambda **options: optax.lion(0.1, **options)),
    ],
)
def test_weight_decay_has_its_own_mask(ours, theirs):
    w = {"kernel": jnp.array([1.0, -2.0]), "bias": jnp.array([3.0])}
    mask = {"kernel": True, "bias": False}
    own = ours(0.1, pr.Zero(), weight_decay=0.3, weight_decay_mask=mask)
    other = theirs(weight_decay=0.3, mask=mask)
    found = run(own, lambda w, k: jax.tree.map(jnp.sin, w), w, 5)[-1]
    expected = run(other, lambda w, k: jax.tree.map(jnp.sin, w), w, 5)[-1]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), found, expected)
    unmasked = run(ours(0.1, pr.Zero(), weight_decay=0.3), lambda w, k: jax.tree.map(jnp.sin, w), w, 5)[-1]
    assert abs(float(unmasked["bias"][0] - found["bias"][0])) > 0.1


def test_accumulators_have_the_types_that_were_asked_for():
    w = jnp.ones(3)
    assert pr.proximal_adam(0.1, l1=0.1, mu_dtype="bfloat16").init(w).inner.mu.dtype == "bfloat16"
    assert pr.proximal_lion(0.1, l1=0.1, mu_dtype="bfloat16").init(w).mu.dtype == "bfloat16"
    momentum = pr.proximal_sgd(0.1, l1=0.1, momentum=0.9, accumulator_dtype="bfloat16")
    assert momentum.init(w).inner.trace.dtype == "bfloat16"
    assert optax.tree_utils.tree_get(pr.proximal_adam(0.1, l1=0.1).init(w), "count") == 0


@by_case
def test_at_rate_0_nothing_happens(case):
    """A schedule that touches zero (warm restarts) is the same run without those updates, for those without memory."""
    target = jnp.array([1.0, -1.0, 0.01])
    rests = [*range(7), 50, 60, 61]

    def schedule(count):
        return jnp.where(jnp.isin(count, jnp.array(rests)), 0.0, case.rate)

    found = run(case(schedule, pr.L1(0.1)), lambda w, k: w - target, jnp.array([0.5, 0.5, 0.5]), 600)
    for k in rests:
        np.testing.assert_array_equal(found[k + 1], found[k])
    if case in OPTIMISERS:
        np.testing.assert_allclose(found[-1], [0.9, -0.9, 0.0], atol=0.02)
    if case.id in {"sgd", "rda"}:
        alone = run(case(case.rate, pr.L1(0.1)), lambda w, k: w - target, jnp.array([0.5, 0.5, 0.5]), 590)
        np.testing.assert_allclose(found[-1], alone[-1], rtol=1e-5)


@by_case
def test_infinite_strengths_hold_a_weight_at_zero_and_let_the_others_go(case):
    alpha = jnp.array([jnp.inf, 0.1])
    for strength in (1.0, optax.linear_schedule(0.0, 1.0, 5)):
        optimiser = case(optax.linear_schedule(0.0, 0.05, 3), pr.L1(alpha), strength=strength)
        found = np.array(run(optimiser, lambda w, k: w - 1.0, jnp.array([2.0, 2.0]), 20))
        assert np.all(np.isfinite(found))
        np.testing.assert_array_equal(found[1:, 0], 0.0)
        assert np.all(found[1:, 1] > 0.2)


@by_case
def test_a_weight_without_gradients_shrinks_by_a_rate_at_a_time(case):
    """An embedding that no batch has asked for is not erased by one update."""
    gradients = jnp.array([1.0, 0.0])
    found = np.array(run(case(0.01, pr.L1(0.1)), lambda w, k: gradients, jnp.array([1.0, 1.0]), 3))[:, 1]
    assert np.all(np.diff(found) <= 0)
    assert np.all(np.diff(found) >= -0.0115 * np.array([1, 2, 3]))  # ftrl and rda count all rounds, momentum builds up
    if case in OPTIMISERS:
        assert found[-1] < 1


@by_case
@pytest.mark.parametrize("penalty", [pr.Box(-0.1, 0.3), pr.NonNegative(), pr.L1(0.01, positive=True)])
def test_bounds_hold(case, penalty):
    """To the last bit at zero and at rest; a bound on the other side of zero is not always a sum with the start."""
    rng = np.random.default_rng(0)
    start = jnp.asarray(rng.uniform(0, 0.3, 300), "float32")
    target = jnp.asarray(rng.normal(size=300), "float32")
    found = run(case(case.rate, penalty), lambda w, k: w - target, start, 200)
    for w in found:
        np.testing.assert_allclose(w, penalty.prox(w, 1e-9), atol=1e-7)
    if case in OPTIMISERS and not case.swings:
        assert np.isfinite(penalty.value(found[-1]))


@pr.pytree_dataclass
class Nuclear(pr.Penalty):
    """The sum of the singular values, which takes scalar steps only."""

    alpha: float
    separable = False

    def value(self, w):
        """``alpha ||w||_*``."""
        return self.alpha * jnp.sum(jnp.linalg.svd(w, compute_uv=False))

    def prox(self, v, step):
        """Soft threshold of the singular values."""
        u, s, vt = jnp.linalg.svd(v, full_matrices=False)
        assert jnp.ndim(step) == 0
        return (u * jnp.maximum(s - step * self.alpha, 0)) @ vt


@by_case
def test_a_penalty_of_one_s_own_that_takes_scalar_steps(case):
    target = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), "float32")
    w = run(case(case.rate, Nuclear(1.0)), lambda w, k: w - target, jnp.zeros((4, 3)), 1000)[-1]
    if case in OPTIMISERS and not case.averages:
        np.testing.assert_allclose(w, Nuclear(1.0).prox(target, 1.0), atol=0.05)
    assert np.all(np.isfinite(w))


def test_half_precision_survives_a_tiny_metric():
    w = jnp.full(2, 0.5, "float16")
    optimiser = pr.proximal_adam(1e-2, pr.L1(0.0), eps=1e-6)
    np.testing.assert_array_equal(run(optimiser, lambda w, k: jnp.zeros_like(w), w, 2)[-1], w)


@pytest.mark.parametrize("make", [pr.ftrl, pr.rda])
def test_schedules_of_l1_and_of_the_strength_mean_the_same(make):
    fading = optax.piecewise_constant_schedule(1.0, {10: 0.0})
    target = jnp.array([1.0, -1.0, 0.01])
    one = run(make(0.1, pr.L1(0.1), strength=fading), lambda w, k: w - target, jnp.zeros(3), 40)
    two = run(make(0.1, l1=lambda count: 0.1 * fading(count)), lambda w, k: w - target, jnp.zeros(3), 40)
    np.testing.assert_allclose(np.array(one), np.array(two), rtol=1e-5, atol=1e-7)


def test_the_pull_of_a_penalty():
    w = jnp.array([2.0, -1.0, 0.5, 0.25])
    np.testing.assert_allclose(pr.L1(0.3).pull(w) * jnp.ones(4), 0.3, rtol=1e-6)
    np.testing.assert_allclose(pr.L1(jnp.array([jnp.inf, 0.1, 0, 1])).pull(w), [0, 0.1, 0, 1], rtol=1e-6)
    np.testing.assert_allclose(pr.L2(0.3).pull(w), 0.3 * np.abs(w), rtol=1e-6)
    net = pr.ElasticNet.from_strengths(0.3, 0.2)
    np.testing.assert_allclose(net.pull(w), np.abs(net.subgradient(w)), rtol=1e-6)
    groups = pr.GroupLasso(0.3, groups=[0, 0, 1, 1], weights=jnp.array([1.0, 2.0]))
    norms = [np.linalg.norm(groups.subgradient(w)[:2]), np.linalg.norm(groups.subgradient(w)[2:])]
    np.testing.assert_allclose(groups.pull(w), np.repeat(norms, 2) / 2**0.5, rtol=1e-6)
    np.testing.assert_allclose(pr.GroupLasso(0.3).pull(w), 0.15, rtol=1e-6)
    np.testing.assert_allclose(Nuclear(0.5).pull(jnp.eye(3)), 0.5 * np.eye(3), atol=1e-2)
    tree = {"a": w, "b": w}
    np.testing.assert_allclose(pr.by_path([("b", pr.L2(0.3))]).pull(tree)["a"] * jnp.ones(4), 0)
