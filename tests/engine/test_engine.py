"""What the engine promises: every lane certified by an independent judge, whatever its company, start and padding."""

from typing import Any

import jax
import jax.monitoring
import numpy as np
import pytest

import proxreg as pr
from bench.certificate import relative_gap
from proxreg.batch import buckets, driver
from proxreg.models import spectrum
from tests import problems

TIGHT = {"dtype": "float64", "tol": 1e-9}


def sparse(n, p, seed=0, signals=5):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.standard_normal(p)
    return X, X[:, :signals] @ np.ones(signals) + 0.5 * rng.standard_normal(n) + 2.0


def judged(X, y, path, l1_ratio: Any = 1.0, **options):
    return relative_gap(X, y, path.coef, path.intercept, path.alphas, l1_ratio, **options)


@pytest.mark.parametrize("tol", [1e-6, 1e-10])
@pytest.mark.parametrize(("n", "p"), [(80, 30), (60, 90), (40, 1500)])
def test_every_lane_is_certified(n, p, tol):
    X, y = sparse(n, p)
    ratios = np.array([0.3, 1.0])
    path = pr.fit_path(X, y, l1_ratio=ratios, n_alphas=40, tol=tol, dtype="float64")
    assert path.converged.all()
    assert judged(X, y, path, ratios[:, None]).max() <= tol * 1.01
    assert np.all(path.nnz[:, 0] == 0)
    assert np.all(path.nnz[:, -1] > 5)


@pytest.mark.parametrize("p", [30, 1500])
def test_the_engine_agrees_with_the_plain_solver(p):
    X, y = sparse(50, p)
    factor = np.random.default_rng(1).uniform(0.5, 2.0, p)
    factor[3] = np.inf
    options = {"penalty_factor": factor, "standardize": True, "n_alphas": 7, "min_ratio": 0.1, **TIGHT}
    engine, plain = (pr.fit_path(X, y, solver=solver, **options) for solver in ("auto", "fista"))
    np.testing.assert_allclose(engine.coef, plain.coef, atol=1e-6)
    np.testing.assert_allclose(engine.objective, plain.objective, rtol=1e-8)
    assert not engine.coef[:, 3].any()


@pytest.mark.parametrize("penalty", [pr.L1(1.0, positive=True), pr.L2(1.0), pr.ElasticNet(1.0, 0.5, positive=True)])
def test_other_separable_penalties(penalty):
    X, y = sparse(60, 12)
    options = {"penalty": penalty, "alphas": [0.3, 0.1, 0.01], **TIGHT}
    engine, plain = (pr.fit_path(X, y, solver=solver, **options) for solver in ("auto", "coordinate_descent"))
    np.testing.assert_allclose(engine.coef, plain.coef, atol=1e-7)


@pytest.mark.parametrize("p", [30, 1500])
def test_batched_is_one_at_a_time_and_order_does_not_matter(p):
    X, y = sparse(50, p)
    path = pr.fit_path(X, y, n_alphas=30, **TIGHT)
    order = np.random.default_rng(0).permutation(30)
    shuffled = pr.fit_path(X, y, alphas=np.concatenate([path.alphas[order], path.alphas[:3]]), **TIGHT)
    np.testing.assert_array_equal(shuffled.coef, np.concatenate([path.coef[order], path.coef[:3]]))
    for k in (5, 20, 29):
        alone = pr.fit_path(X, y, alphas=path.alphas[k : k + 1], **TIGHT)
        np.testing.assert_allclose(alone.coef[0], path.coef[k], atol=1e-5)
        np.testing.assert_allclose(alone.objective[0], path.objective[k], rtol=1e-8)


def test_idle_columns_and_lanes_change_nothing(monkeypatch):
    X, y = sparse(60, 30)
    before = pr.fit_path(X, y, n_alphas=20, **TIGHT)
    monkeypatch.setattr(buckets, "COLUMNS", (160,))
    monkeypatch.setattr(driver, "FEW_LANES", (48,))
    after = pr.fit_path(X, y, n_alphas=20, **TIGHT)
    np.testing.assert_allclose(after.coef, before.coef, atol=1e-9)
    np.testing.assert_array_equal(after.nnz, before.nnz)


@pr.pytree_dataclass
class Divides(pr.Penalty):
    """The lasso, with a prox that is not defined for a step of zero."""

    alpha: Any = 1.0

    def value(self, w):
        return self.alpha * jax.numpy.sum(abs(w))

    def prox(self, v, step):
        return step * (v / step - jax.numpy.clip(v / step, -self.alpha, self.alpha))

    def subgradient(self, w, grad=0.0):
        return pr.l1.subgradient(w, self.alpha, grad)


def test_a_prox_is_asked_for_positive_steps_only():
    X, y = sparse(100, 20)
    options = {"alphas": np.geomspace(1, 0.01, 40), **TIGHT}
    own, lasso = (pr.fit_path(X, y, penalty=penalty, **options) for penalty in (Divides(), pr.L1()))
    assert own.converged.all()
    assert own.num_steps.max() < 2 * lasso.num_steps.max()
    np.testing.assert_allclose(own.coef, lasso.coef, atol=1e-6)


@pytest.mark.parametrize("size", [1e20, 1e-20])
@pytest.mark.parametrize("p", [30, 1500])
def test_units_of_the_data_do_not_matter(size, p):
    X, y = sparse(60, p)
    plain = pr.fit_path(X, y, n_alphas=20, **TIGHT)
    for columns, response in [(size, 1.0), (1.0, size)]:
        scaled = pr.fit_path(X * columns, y * response, n_alphas=20, **TIGHT)
        assert scaled.converged.all()
        np.testing.assert_allclose(scaled.coef * (columns / response), plain.coef, atol=1e-6)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.3])
def test_working_sets_of_any_size_lead_to_the_same_answer(monkeypatch, l1_ratio):
    X, y = sparse(40, 1500)
    whole = pr.fit_path(X, y, l1_ratio=l1_ratio, n_alphas=20, **TIGHT)
    monkeypatch.setattr(driver, "FIRST", (32, 32))
    parts = pr.fit_path(X, y, l1_ratio=l1_ratio, n_alphas=20, **TIGHT)
    assert whole.nnz.max() > 25
    assert parts.converged.all()
    np.testing.assert_allclose(parts.coef, whole.coef, atol=1e-5)
    assert judged(X, y, parts, l1_ratio).max() <= 1.01e-9


def test_steps_that_lead_uphill_are_undone_and_shortened(monkeypatch):
    X, y = sparse(60, 37)
    monkeypatch.setattr(spectrum, "MARGIN", 0.05)
    with jax.enable_x64(True):
        smooth = pr.Quadratic.from_data(X, y)
        alphas = np.geomspace(1, 0.01, 19)
        path = pr.solve_path(smooth, pr.L1(), alphas, tol=1e-9)
        coef, intercept = smooth.restore(path.w)
    assert np.all(path.status == pr.Status.CONVERGED)
    gap = relative_gap(X, y, np.asarray(coef), np.asarray(intercept), alphas, 1.0)
    assert gap.max() <= 1.01e-9


def adversarial(p):
    """A triangular design whose path has ever smaller pieces (in the manner of Mairal and Yu 2012)."""
    X, y = np.ones((1, 1)), np.ones(1)
    for k in range(1, p):
        scale = 0.5**k
        X = np.block([[X, 2 * scale * y[:, None]], [np.zeros((1, k)), np.full((1, 1), scale)]])
        y = np.append(y, 1.0)
    return X, y


def test_newton_solves_what_gradients_cannot():
    X, y = adversarial(12)
    with pytest.warns(pr.DataWarning, match="scale"):
        path = pr.fit_path(X, y, fit_intercept=False, min_ratio=1e-6, n_alphas=50, tol=1e-10, dtype="float64")
    assert path.converged.all()
    assert judged(X, y, path, fit_intercept=False).max() <= 1.01e-10
    X, y = problems.regression()
    far = pr.fit_path(X + 1e4, y + 1e2, fit_intercept=False, alphas=[0.1, 0.01], tol=1e-7, dtype="float64")
    assert far.converged.all()
    assert judged(X + 1e4, y + 1e2, far, fit_intercept=False).max() <= 2e-7


def test_a_small_budget_is_respected_and_said():
    X, y = sparse(60, 30)
    with pytest.warns(pr.ConvergenceWarning, match="raise max_steps"):
        path = pr.fit_path(X, y, max_steps=3, tol=1e-10, dtype="float64")
    assert path.num_steps.max() <= 3
    assert not path.converged.all()
    assert path.converged[0]


def test_a_start_at_the_solution_takes_no_step():
    X, y = sparse(60, 30)
    top = pr.alpha_max(X, y, dtype="float64")
    assert pr.fit_path(X, y, alphas=[2 * top, top], **TIGHT).num_steps.tolist() == [0, 0]


def compilations(call):
    """Programs that a call compiles."""
    count = [0]

    def listen(event: str, duration: float, /, **_: Any) -> None:
        count[0] += event.endswith("backend_compile_duration")

    jax.monitoring.register_event_duration_secs_listener(listen)  # pyright: ignore[reportArgumentType]
    try:
        call()
    finally:
        jax.monitoring.clear_event_listeners()
    return count[0]


@pytest.mark.parametrize(("first", "second"), [((300, 100), (170, 120)), ((60, 1400), (75, 1300))])
def test_other_data_of_about_the_same_size_compile_nothing(first, second):
    seed = np.random.default_rng().random()

    def fit(n, p, seed, alphas):
        X, y = sparse(n, p, seed)
        # down to strengths that every fit is quick for: what slow ones need is compiled when the first of them comes
        return compilations(lambda: pr.fit_path(X, y, n_alphas=alphas, min_ratio=0.1, tol=1e-5, dtype="float64"))

    assert compilations(lambda: jax.jit(lambda x: x + seed)(1.0)) == 1  # the counter counts
    fit(*first, seed=0, alphas=30)
    assert fit(*second, seed=0, alphas=26) == 0


@pytest.mark.parametrize("p", [6, 1100])
def test_other_numbers_of_rows_compile_nothing_for_other_losses(p):
    def fit(n):
        X, y = problems.responses("logistic", n=n, p=p)
        return compilations(lambda: pr.fit_path(X, y, loss="logistic", n_alphas=9, tol=1e-5, dtype="float64"))

    assert fit(90) > 0
    assert fit(84) == 0


@pytest.mark.parametrize("weighted", [False, True])
def test_rows_that_fill_a_bucket_change_nothing(weighted):
    X, y = problems.responses("poisson", n=70, p=6)
    weights = np.random.default_rng(0).uniform(0.5, 2, 70) if weighted else None
    path = pr.fit_path(X, y, loss="poisson", alphas=[0.05], sample_weight=weights, dtype="float64", tol=1e-10)
    with jax.enable_x64(True):
        model = pr.LinearModel(X, y, pr.Poisson(), weights, fit_intercept=True)
        alone = pr.fista(model, pr.L1(0.05), tol=1e-10)
    np.testing.assert_allclose(path.coef[0], alone.w.coef, atol=1e-6)
    np.testing.assert_allclose(path.intercept[0], alone.w.intercept, atol=1e-6)
    np.testing.assert_allclose(path.objective[0], alone.objective, rtol=1e-9)


@pytest.mark.parametrize("n", [60, 64])
def test_losses_with_a_parameter_for_each_row(n):
    X, y = problems.regression(n)
    own = pr.fit_path(X, y, loss=pr.Huber(np.full(n, 1.5)), alphas=[0.1], dtype="float64", tol=1e-9)
    same = pr.fit_path(X, y, loss=pr.Huber(1.5), alphas=[0.1], dtype="float64", tol=1e-9)
    np.testing.assert_allclose(own.coef, same.coef, atol=1e-7)


def test_one_constant_response_or_column_is_no_trouble():
    X, y = sparse(60, 30)
    X[:, 4] = 7.0
    with pytest.warns(pr.DataWarning, match="constant: column 4"):
        path = pr.fit_path(X, y, n_alphas=10, **TIGHT)
    assert path.converged.all()
    assert not path.coef[:, 4].any()
    with pytest.warns(pr.DataWarning):
        flat = pr.fit_path(X, np.full(60, 3.0), n_alphas=4, **TIGHT)
    assert not flat.coef.any()
    np.testing.assert_allclose(flat.intercept, 3.0)
