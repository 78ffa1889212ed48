"""JAX's own switches for careful users: NaN checks, rank promotion, and programs written to files."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import export

import proxreg as pr
from proxreg.models import MultinomialModel
from tests import problems
from tests.cases import LOSSES, PENALTIES, SOLVERS

X, Y = problems.regression(n=30, p=4)
GRAM = pr.Quadratic(X.T @ X / 30, X.T @ Y / 30)


@pytest.fixture
def debug_nans():
    with jax.debug_nans(True):
        yield


WITHOUT_A_GAP = {
    "function": lambda alpha: pr.fista(lambda w: jnp.mean((X @ w - Y) ** 2), pr.L1(alpha), jnp.zeros(4)),
    "quadratic": lambda alpha: pr.fista(GRAM, pr.L1(alpha)),
    "quadratic by coordinates": lambda alpha: pr.coordinate_descent(GRAM, pr.L1(alpha)),
    "custom loss": lambda alpha: pr.fista(pr.LinearModel(X, Y, lambda eta, y: (eta - y) ** 2), pr.L1(alpha)),
    "no penalty": lambda alpha: pr.fista(pr.LinearModel(X, Y * alpha), pr.Zero()),
}


@pytest.mark.usefixtures("debug_nans")
@pytest.mark.parametrize("solve", WITHOUT_A_GAP.values(), ids=WITHOUT_A_GAP)
def test_a_gap_that_is_not_known_is_no_mistake(solve):
    fits = solve(0.1), jax.vmap(solve)(jnp.array([0.1, 0.2]))
    for fit in fits:
        assert np.all(np.isinf(fit.gap))
        assert np.all(fit.status == pr.Status.CONVERGED)


@pytest.mark.usefixtures("debug_nans")
def test_fits_report_it_as_ever():
    loss = pr.Custom(lambda eta, y: (eta - y) ** 2)  # no dual of it is known
    assert np.isnan(pr.fit(X, Y, penalty=pr.L1(0.1), loss=loss).gap)
    assert np.isfinite(pr.fit_path(X, Y, alphas=[0.0, 0.1]).gap).all()


@pytest.mark.usefixtures("debug_nans")
def test_a_nan_in_the_data_is_found():
    with pytest.raises(FloatingPointError):
        pr.fista(pr.LinearModel(np.where(X[3, 2] == X, np.nan, X), Y), pr.L1(0.1))


@pytest.mark.usefixtures("debug_nans")
@pytest.mark.parametrize("case", PENALTIES, ids=lambda case: case.id)
def test_penalties_make_no_nan_on_the_way(case):
    w = jnp.asarray(case.domain(np.full(case.shape, 0.1)))
    for method in (case.penalty.value, case.penalty.pull, case.penalty.subgradient, case.penalty.metric):
        method(w)
    case.penalty.prox(w, 1.0)


@pytest.fixture
def rank_promotion():
    with jax.numpy_rank_promotion("raise"):
        yield


@pytest.mark.usefixtures("rank_promotion")
@pytest.mark.parametrize("solver", SOLVERS, ids=lambda case: case.id)
@pytest.mark.parametrize("loss", LOSSES, ids=lambda case: case.id)
def test_models_and_solvers_spell_out_their_ranks(loss, solver):
    y = loss.y(np.random.default_rng(0), 29)  # a size that no other test has compiled
    model = pr.LinearModel(X[:29], y, loss.loss, np.linspace(0, 1, 29), fit_intercept=True)
    assert int(solver.solve(model, pr.L1(0.1), max_steps=50).status) in (0, 1)


@pytest.mark.usefixtures("rank_promotion")
def test_several_classes_and_statistics_spell_out_their_ranks():
    model = MultinomialModel(X.astype(np.float32), np.eye(3, dtype=np.float32)[np.arange(30) % 3], None, True)
    assert int(pr.fista(model, pr.L1(0.05)).status) == pr.Status.CONVERGED
    assert int(pr.fista(GRAM, pr.L1(np.full(4, 0.1))).status) == pr.Status.CONVERGED


@pytest.mark.usefixtures("rank_promotion")
@pytest.mark.parametrize("case", PENALTIES, ids=lambda case: case.id)
def test_penalties_spell_out_their_ranks(case):
    w = jnp.asarray(case.domain(np.full(case.shape, 0.1)))
    case.penalty.subgradient(w, w)
    case.penalty.prox(w, 1.0)
    case.penalty.dual_scale(w, w)
    case.penalty.metric(jnp.ones(case.shape))


@pytest.fixture
def everywhere():
    """The setting of all threads: those of the fitting functions too."""
    jax.config.update("jax_numpy_rank_promotion", "raise")
    yield
    jax.config.update("jax_numpy_rank_promotion", "allow")


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_fits_run_whatever_the_ranks(loss):
    y = Y if loss == "squared" else Y.mean() < Y
    path = pr.fit_path(X, y, loss=loss, n_alphas=40, min_ratio=0.1)
    assert path.converged.all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pr.DataWarning)  # where the best alpha lies is no matter here
        assert np.isfinite(pr.cv_path(X, y, loss=loss, alphas=path.alphas, folds=3).mean_loss).all()


def _through_a_file(function, *arguments):
    kept = export.export(jax.jit(function))(*arguments).serialize()
    return export.deserialize(kept).call(*arguments)


@pytest.mark.parametrize("case", PENALTIES, ids=lambda case: case.id)
def test_every_penalty_crosses_an_export(case):
    w = jnp.full(case.shape, 0.5)
    penalty = jax.tree.map(jnp.asarray, case.penalty)
    np.testing.assert_array_equal(_through_a_file(lambda pen, w: pen.prox(w, 1.0), penalty, w), penalty.prox(w, 1.0))


def test_models_and_results_cross_an_export():
    model = jax.tree.map(jnp.asarray, pr.LinearModel(X, Y, pr.Huber(1.0), fit_intercept=True))
    fit = _through_a_file(lambda model: pr.fista(model, pr.L1(0.1)), model)
    assert isinstance(fit, pr.Result)
    assert isinstance(fit.w, pr.Coefficients)
    np.testing.assert_allclose(fit.w.coef, pr.fista(model, pr.L1(0.1)).w.coef, atol=1e-6)


def test_states_of_optimisers_cross_an_export():
    for make in (pr.ftrl, pr.rda, pr.proximal_lion):  # others hold states of optax, which are optax's to register
        optimiser, w = make(0.1, l1=0.1), jnp.ones(3)
        state = optimiser.init(w)
        updates, _ = _through_a_file(lambda w, state, opt=optimiser: opt.update(w, state, w), w, state)
        np.testing.assert_allclose(updates, np.asarray(optimiser.update(w, state, w)[0]), atol=1e-6)
    link = optax.chain(pr.proximal(pr.L1(0.1), 0.1))
    assert _through_a_file(link.update, w, link.init(w), w)[0].shape == (3,)


def test_a_static_field_that_is_no_text_is_named():
    model = pr.LinearModel(jnp.asarray(X), jnp.asarray(Y), lambda eta, y: (eta - y) ** 2)
    with pytest.raises(ValueError, match="cannot serialise a tree with <function"):
        export.export(jax.jit(lambda model: model.value(jnp.zeros(4))))(model).serialize()


def test_data_of_float32_where_jax_has_float64():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 6)).astype(np.float32)
    y = X[:, 0] + rng.standard_normal(40).astype(np.float32)
    with jax.enable_x64(True):
        path = pr.fit_path(X, y, n_alphas=4)
        samples = pr.bootstrap(X, y, key=jax.random.key(0), alphas=[0.1], num_samples=4)
    assert path.converged.all()
    assert path.coef.dtype == samples.coef.dtype == np.float32
