"""Warnings: said once, at the user's line, naming what is wrong; and the awkward columns that cause them.

Warnings are errors in this test suite, so every other test shows that clean data give none.
"""

import pathlib
import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import proxreg as pr
from proxreg._warnings import warn
from tests.test_validation import Frame, N, X, Y, alpha_max, every_door, fit, fit_path

CONSTANT = np.c_[X, np.full(N, 3.3)]


def said(category, call, *args, **options):
    """What a call returns, and the one warning that it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call(*args, **options)
    assert [warning.category for warning in caught] == [category]
    return result, caught[0]


def test_fits_that_did_not_converge_are_counted_once():
    path, warning = said(pr.ConvergenceWarning, fit_path, max_steps=1, tol=1e-9, l1_ratio=[0.5, 1.0], dtype="float64")
    bad = ~path.converged
    assert 0 < bad.sum() < bad.size
    found = re.fullmatch(
        r"(\d+)/(\d+) problems above tol: worst gap (\S+) > 1e-09 \(alpha=(\S+), l1_ratio=(\S+)\); "
        "raise max_steps or standardize",
        str(warning.message),
    )
    assert found
    assert [int(found[1]), int(found[2])] == [bad.sum(), bad.size]
    worst = np.unravel_index(np.argmax(path.gap), path.gap.shape)
    np.testing.assert_allclose(float(found[3]), path.gap[worst], rtol=0.051)  # two digits
    np.testing.assert_allclose(float(found[4]), path.alphas[worst], rtol=1e-2)
    assert float(found[5]) == path.l1_ratio[worst[0]]


def test_a_single_fit_has_no_alpha_to_name_and_a_custom_loss_no_gap():
    model, warning = said(pr.ConvergenceWarning, fit, max_steps=1, tol=1e-4, loss=lambda eta, y: (eta - y) ** 2 / 2)
    assert not model.converged
    assert np.isnan(model.gap)
    assert re.fullmatch(r"1/1 problems above tol: worst violation \S+ > 0.0001; raise max.*", str(warning.message))


def test_of_a_closed_form_that_rounding_spoils_no_number_of_steps_is_asked():
    twins = np.c_[X, X[:, 0] + 1e-4 * X[:, 1]] + 1e3
    y = 1e4 * (twins[:, -1] - twins[:, 0])
    options = {"alphas": [1e-13], "l1_ratio": 0.0, "fit_intercept": False, "dtype": "float32"}
    path, warning = said(pr.ConvergenceWarning, pr.fit_path, twins, y, **options)
    assert not path.converged.any()
    remedy = "rounding decides, not steps: raise tol or standardize; or pass dtype='float64'"
    assert str(warning.message).endswith(remedy)


def test_columns_of_unlike_scale_are_named():
    scaled = X * [1.0, 1e-2, 1e3]
    path, warning = said(pr.DataWarning, fit_path, scaled, feature_names=["age", "dose", "income"])
    message = str(warning.message)
    assert re.match(r"columns differ in scale by 1?\de\+0[45]: column 'income' has .* column 'dose' ", message)
    for j in (1, 2):
        assert f"{scaled[:, j].std():.2g}" in message
    assert "standardize=True" in message
    assert "'age'" not in message
    assert path.converged.all()
    assert "column 2 has" in str(said(pr.DataWarning, fit, scaled)[1].message)
    assert "column 'c' has" in str(said(pr.DataWarning, alpha_max, Frame(scaled, list("abc")))[1].message)


@every_door
def test_columns_of_unlike_scale_are_fine_where_they_are_standardised_or_not_so_unlike(door):
    door(X * [1.0, 1e-2, 1e3], standardize=True)
    door(X * [1.0, 1e-1, 10.0])


@pytest.mark.parametrize("kind", [np.asarray, jnp.asarray, lambda X: np.asarray(X, np.float32)])
@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"sample_weight": np.arange(N) % 3}])
def test_a_constant_column_gets_exactly_zero(kind, options):
    clean = fit_path(X, alphas=[0.0, 0.1], tol=1e-5, **options)
    path, warning = said(pr.DataWarning, fit_path, kind(CONSTANT), alphas=[0.0, 0.1], tol=1e-5, **options)
    assert str(warning.message) == "constant: column 3; the coefficient is exactly 0"
    np.testing.assert_array_equal(path.coef[:, 3], 0.0)
    assert path.converged.all()
    np.testing.assert_allclose(path.coef[:, :3], clean.coef, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("value", [3.3, 12345.678, 1e-3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_long_constant_column_is_seen_in_spite_of_rounding(value, dtype):
    rng = np.random.default_rng(1)
    long = np.c_[rng.normal(size=100_000), np.full(100_000, value)].astype(dtype)
    _, warning = said(pr.DataWarning, alpha_max, long, rng.normal(size=100_000))
    assert "constant: column 1;" in str(warning.message)


def test_many_constant_columns_are_listed_up_to_five():
    _, warning = said(pr.DataWarning, alpha_max, np.c_[X, np.ones((N, 7))])
    expected = "constant: column 3, column 4, column 5, column 6, column 7 and 2 more; the coefficient is exactly 0"
    assert str(warning.message) == expected


def test_without_an_intercept_a_constant_column_is_one():
    model = fit(CONSTANT, Y + 5, fit_intercept=False, penalty=pr.L1(0.01))
    assert model.coef[3] != 0
    _, warning = said(pr.DataWarning, fit, X * [1, 1, 0], fit_intercept=False)
    assert "constant: column 2;" in str(warning.message)


@pytest.mark.parametrize(
    ("loss", "value", "dtype"),
    [("squared", 0.1, "float32"), ("squared", 0.1, "float64"), ("huber", 3.7, "float32")]
    + [("poisson", 3.7, dtype) for dtype in ("float32", "float64")],
)
def test_a_constant_response_gives_exact_zeros(loss, value, dtype):
    path, warning = said(pr.DataWarning, fit_path, y=np.full(N, value), loss=loss, dtype=dtype)
    assert str(warning.message) == f"y is constant ({value:g}): nothing to explain"
    np.testing.assert_array_equal(path.coef, 0.0)
    assert path.converged.all()
    assert (path.alphas > 0).all()
    np.testing.assert_allclose(path.predict(X), value, rtol=1e-6, atol=1e-6)
    assert said(pr.DataWarning, alpha_max, y=np.full(N, value), loss=loss, dtype=dtype)[0] == 0


def test_a_constant_response_can_be_explained_without_an_intercept_or_with_an_offset():
    assert fit(y=np.full(N, 3.0), fit_intercept=False, penalty=pr.L1(0.01)).nnz > 0
    assert fit(y=np.full(N, 3.0), offset=Y, penalty=pr.L1(0.01)).nnz > 0
    _, warning = said(pr.DataWarning, fit, y=Y, offset=Y - 2.0)
    assert str(warning.message).startswith("y less offset is constant (2)")


def test_a_tolerance_that_float32_cannot_certify_is_clamped():
    before = jax.config.read("jax_enable_x64")
    path, warning = said(pr.DataWarning, fit_path, tol=1e-9, dtype="float32")
    assert str(warning.message) == (
        "tol=1e-09 is below what float32 can certify: using tol=1e-05; pass dtype='float64', or "
        "jax.config.update('jax_enable_x64', True)"
    )
    assert path.converged.all()
    assert (path.gap <= 1e-5).all()
    assert path.coef.dtype == np.float32
    fine = fit_path(tol=1e-9, dtype="float64")
    assert (fine.gap <= 1e-9).all()
    assert fine.coef.dtype == np.float64
    assert jax.config.read("jax_enable_x64") == before


def test_a_tolerance_that_float64_cannot_certify_has_no_remedy():
    _, warning = said(pr.DataWarning, fit, tol=1e-17, dtype="float64")
    assert str(warning.message) == "tol=1e-17 is below what float64 can certify: using tol=1e-14"


@every_door
def test_warnings_point_at_the_line_of_the_caller(door):
    call = {fit: pr.fit, fit_path: pr.fit_path, alpha_max: pr.alpha_max}[door]
    options = {fit: {"penalty": pr.L1(0.1)}, fit_path: {"n_alphas": 2}, alpha_max: {}}[door]
    lines = pathlib.Path(__file__).read_text().splitlines()

    def where(category, *args, **more):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call(*args, **options, **more)  # here
        assert {warning.category for warning in caught} == {category}
        return {(warning.filename, lines[warning.lineno - 1].rpartition("# ")[2]) for warning in caught}

    assert where(pr.DataWarning, CONSTANT * [1, 1, 1e5, 1], np.ones(N)) == {(__file__, "here")}
    if door is not alpha_max:
        assert where(pr.DataWarning, X, Y, tol=1e-17) == {(__file__, "here")}
        assert where(pr.ConvergenceWarning, X, Y, max_steps=1, tol=1e-5) == {(__file__, "here")}


def test_a_warning_from_below_the_outermost_frame_is_still_given():
    with pytest.warns(pr.DataWarning, match="hello") as caught:
        warn("hello", pr.DataWarning)
    assert caught[0].filename == __file__


@every_door
@pytest.mark.parametrize("dtype", [jnp.int32, jnp.bool_, jnp.bfloat16, jnp.float16, np.int8, bool])
def test_any_real_type_is_taken_in_silence(door, dtype):
    kind = np if dtype in (np.int8, bool) else jnp
    values = kind.asarray(X > 0 if dtype in (jnp.bool_, bool) else X * 3).astype(dtype)
    got, expected = door(values), door(np.asarray(values).astype(np.float32))
    if door is alpha_max:
        np.testing.assert_allclose(got, expected, rtol=1e-5)
    else:
        np.testing.assert_allclose(got.coef, expected.coef, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("kind", "loss", "y"), [(np.asarray, "squared", Y), (jnp.asarray, "squared", Y), (np.asarray, "logistic", Y > 0)]
)
def test_columns_with_a_large_mean_lose_nothing(kind, loss, y):
    moved = kind(np.asarray(X + 1e4, np.float32))
    exact = np.asarray(moved, np.float64) - 1e4
    model = fit(moved, y, loss=loss, dtype="float32", tol=1e-5)
    reference = fit(exact, y, loss=loss, dtype="float64", tol=1e-10)
    assert model.converged
    np.testing.assert_array_equal(model.coef == 0, reference.coef == 0)
    np.testing.assert_allclose(model.coef, reference.coef, atol=5e-3)


def test_columns_that_vary_little_for_their_size_are_not_called_constant():
    assert fit(np.asarray(X + 1e6, np.float32), dtype="float32").nnz == fit(X).nnz


def test_means_of_many_rows_of_float32_are_exact():
    """Summed one after another in float32, 1e5 numbers near 1e4 are off by several."""
    rng = np.random.default_rng(0)
    long = (1e4 + rng.normal(size=(100_000, 1))).astype(np.float32)
    y = long[:, 0].astype(float) - 1e4
    model = fit(long, y, penalty=pr.Zero(), tol=1e-5)
    np.testing.assert_allclose(model.coef, 1.0, rtol=1e-4)
    residual = y - (long.astype(float) @ model.coef.astype(float) + model.intercept)
    assert abs(residual.mean()) < 2e-3


@pytest.mark.parametrize("l1_ratio", [0.5, 0.1, 0.0])
def test_a_given_elastic_net_starts_where_the_default_one_does(l1_ratio):
    given = fit_path(penalty=pr.ElasticNet(1.0, l1_ratio), dtype="float64", tol=1e-8)
    default = fit_path(l1_ratio=l1_ratio, dtype="float64", tol=1e-8)
    np.testing.assert_allclose(given.alphas, default.alphas, rtol=1e-12)
    np.testing.assert_allclose(given.coef, default.coef, atol=1e-6)
    if l1_ratio:
        assert given.nnz[0] == 0
        assert fit(penalty=pr.ElasticNet(given.alphas[0] * 0.99, l1_ratio), dtype="float64", tol=1e-8).nnz == 1


def test_predictions_have_the_precision_of_the_fit():
    model = fit(y=Y > 0, loss="logistic", dtype="float64")
    eta = X @ model.coef + model.intercept
    assert model.predict(X).dtype == np.float64
    np.testing.assert_allclose(model.predict(X), 1 / (1 + np.exp(-eta)), rtol=1e-13)
