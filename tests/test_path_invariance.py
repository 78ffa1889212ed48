"""What must not change the answer, and what must change it in a known way."""

import jax
import numpy as np
import pytest

import proxreg as pr
from tests import problems

TIGHT = {"tol": 1e-12, "dtype": "float64"}


def _path(X, y, **options):
    return pr.fit_path(X, y, **{"n_alphas": 6, **TIGHT, **options})


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_order_and_repetition_of_alphas(loss):
    X, y = problems.responses(loss)
    alphas = np.array([0.3, 0.1, 0.03, 0.01])
    order = np.array([2, 0, 3, 1, 1, 2])
    plain = _path(X, y, loss=loss, alphas=alphas)
    mixed = _path(X, y, loss=loss, alphas=alphas[order])
    np.testing.assert_array_equal(mixed.alphas, alphas[order])
    np.testing.assert_allclose(mixed.coef, plain.coef[order], atol=1e-10)
    np.testing.assert_array_equal(mixed.num_steps, plain.num_steps[order])


@pytest.mark.parametrize("loss", ["squared", "poisson"])
def test_whole_weights_are_repeated_rows_and_their_scale_is_free(loss):
    X, y = problems.responses(loss)
    weights = np.random.default_rng(0).integers(0, 4, size=60)
    weighted = _path(X, y, loss=loss, sample_weight=weights, standardize=True)
    repeated = _path(np.repeat(X, weights, axis=0), np.repeat(y, weights), loss=loss, standardize=True)
    np.testing.assert_allclose(weighted.alphas, repeated.alphas, rtol=1e-10)
    np.testing.assert_allclose(weighted.coef, repeated.coef, atol=1e-6)
    np.testing.assert_allclose(weighted.objective, repeated.objective, rtol=1e-10)
    scaled = _path(X, y, loss=loss, sample_weight=7.3 * weights, standardize=True)
    np.testing.assert_allclose(scaled.coef, weighted.coef, atol=1e-8)


def test_penalty_factor_is_a_scaling_of_columns_and_infinity_drops_one():
    X, y = problems.regression()
    factor = np.array([0.5, 2.0, 1.0, 3.0, 1.0, 0.7, 1.5, np.inf])
    path = _path(X, y, penalty_factor=factor)
    assert not path.coef[:, 7].any()
    scaled = _path(X[:, :7] / factor[:7], y, alphas=path.alphas)
    np.testing.assert_allclose(path.coef[:, :7], scaled.coef / factor[:7], atol=1e-6)
    ridge = _path(X, y, penalty_factor=factor, l1_ratio=0.0, alphas=[1.0, 0.0])
    assert not ridge.coef[:, 7].any()
    assert np.isfinite(ridge.objective).all()


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_an_unpenalised_column_is_always_in(loss):
    X, y = problems.responses(loss)
    factor = np.ones(8)
    factor[4] = 0
    path = _path(X, y, loss=loss, penalty_factor=factor, tol=1e-9)
    top = pr.alpha_max(X, y, loss=loss, penalty_factor=factor, dtype="float64")
    np.testing.assert_allclose(path.alphas[0], top, rtol=1e-6)
    above = _path(X, y, loss=loss, penalty_factor=factor, alphas=[1.001 * top, 0.99 * top], tol=1e-9)
    assert above.coef[0, 4] != 0
    assert list(above.nnz) == [1, 2]
    coef, _ = problems.minimise_l1(loss, X[:, [4]], y, 0.0)
    np.testing.assert_allclose(above.coef[0, 4], coef[0], atol=1e-5)


def test_elastic_net_is_the_lasso_of_the_augmented_design():
    X, y = problems.regression()
    X, y = X - X.mean(0), y - y.mean()
    n, p = X.shape
    alpha, ratio = 0.2, 0.4
    net = _path(X, y, alphas=[alpha], l1_ratio=ratio, fit_intercept=False)
    stacked = np.vstack([X, np.sqrt(n * alpha * (1 - ratio)) * np.eye(p)])
    lasso = _path(stacked, np.concatenate([y, np.zeros(p)]), alphas=[alpha * ratio * n / (n + p)], fit_intercept=False)
    np.testing.assert_allclose(net.coef, lasso.coef, atol=1e-5)


def test_several_ratios_equal_one_at_a_time():
    X, y = problems.regression()
    both = _path(X, y, l1_ratio=[0.3, 1.0])
    assert both.coef.shape == (2, 6, 8)
    for r, ratio in enumerate([0.3, 1.0]):
        alone = _path(X, y, l1_ratio=ratio)
        np.testing.assert_allclose(both.alphas[r], alone.alphas, rtol=1e-12)
        np.testing.assert_allclose(both.coef[r], alone.coef, atol=1e-9)
    assert both.predict(X).shape == (2, 6, 60)
    fixed = _path(X, y, l1_ratio=[0.3, 1.0], alphas=[0.2, 0.1])
    np.testing.assert_array_equal(fixed.alphas, [[0.2, 0.1]] * 2)


@pytest.mark.parametrize("loss", ["squared", "huber"])
def test_standardize_is_scaling_by_hand(loss):
    X, y = problems.responses(loss)
    X = X * np.logspace(-1, 1, 8)
    scaled = (X - X.mean(0)) / X.std(0)
    ours, by_hand = _path(X, y, loss=loss, standardize=True), _path(scaled, y, loss=loss)
    np.testing.assert_allclose(ours.alphas, by_hand.alphas, rtol=1e-9)
    np.testing.assert_allclose(ours.coef * X.std(0), by_hand.coef, atol=1e-6)
    np.testing.assert_allclose(ours.predict(X), by_hand.predict(scaled), atol=1e-5)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_column_means_do_not_matter(loss, dtype):
    X, y = problems.responses(loss)
    tol = 1e-4 if dtype == "float32" else 1e-10
    options = {"loss": loss, "dtype": dtype, "tol": tol, "n_alphas": 5}
    plain, shifted = pr.fit_path(X, y, **options), pr.fit_path(X + 1e4, y, **options)
    scale = np.abs(plain.coef).max()
    np.testing.assert_allclose(shifted.coef, plain.coef, atol=scale * (1e-3 if dtype == "float32" else 1e-6))
    np.testing.assert_allclose(shifted.num_steps, plain.num_steps, atol=4)


def test_many_rows_keep_their_digits_in_float32():
    X, y = problems.regression(n=100_000, p=4)
    path = pr.fit_path(X.astype(np.float32), y.astype(np.float32), n_alphas=4, tol=1e-5)
    for k, alpha in enumerate(path.alphas):
        given = (path.coef[k].astype(float), float(path.intercept[k]), float(alpha))
        residual = y - X @ given[0]
        gap = problems.relative_gap("squared", X, y, given[0], residual.mean(), given[2])
        assert gap < 1.5e-5


def test_offset_of_a_squared_loss_is_subtracted():
    X, y = problems.regression()
    offset = np.sin(np.arange(60.0))
    a, b = _path(X, y, offset=offset), _path(X, y - offset)
    np.testing.assert_allclose(a.coef, b.coef, atol=1e-12)
    np.testing.assert_allclose(a.intercept, b.intercept, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("solver", ["fista", "coordinate_descent"])
def test_degenerate_columns_are_finite_and_converge(loss, solver):
    X, y = problems.responses(loss)
    X = np.column_stack([X, np.zeros(60), np.full(60, 0.1), X[:, 0], 1e-8 * X[:, 1], 1e8 * X[:, 2]])
    with pytest.warns(pr.DataWarning) as caught:
        path = _path(X, y, loss=loss, solver=solver, tol=1e-8, max_steps=20_000, alphas=[0.2, 0.1, 0.02])
    assert {"constant", "columns"} <= {str(w.message).split()[0].strip(":") for w in caught}
    assert path.converged.all()
    assert np.isfinite(path.coef).all()
    assert not path.coef[:, 8:10].any()


def test_many_alphas_trace_and_compile_once():
    X, y = problems.regression()
    pr.fit_path(X, y, n_alphas=7)
    with jax.log_compiles():
        import logging

        records = []
        handler = logging.Handler()
        handler.emit = records.append  # pyright: ignore[reportAttributeAccessIssue]
        logger = logging.getLogger("jax")
        logger.addHandler(handler)
        try:
            pr.fit_path(X + 1, y * 2, alphas=np.geomspace(1, 0.1, 7), tol=1e-3, max_steps=50)
        finally:
            logger.removeHandler(handler)
    compiled = [r.getMessage() for r in records if "solve_lanes" in r.getMessage()]
    assert compiled == []


def test_summary_is_readable():
    X, y = problems.regression()
    path = pr.fit_path(X, y, l1_ratio=[0.5, 1.0], n_alphas=20)
    text = repr(path)
    assert text.startswith("Path: 2 x 20 alphas, elastic net, l1_ratio 0.5, 1, squared loss, 8 features, float")
    assert "40 of 40 converged, worst gap" in text
    assert len(text.splitlines()) == 3 + 2 * 5
    assert "gap" in repr(pr.fit(X, y, penalty=pr.L1(0.1)))
