"""What users pass by mistake: each message says what is wrong, where, and what to pass instead."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.sparse
from jax.experimental import sparse

import proxreg as pr

RNG = np.random.default_rng(0)
N, P = 12, 3
X = RNG.normal(size=(N, P))
Y = X @ [1.0, -2.0, 0.0] + RNG.normal(size=N)
GROUPS = pr.GroupLasso(0.1, groups=[0, 0, 1])


def fit(X: Any = X, y: Any = Y, **options: Any) -> Any:
    return pr.fit(X, y, **{"penalty": pr.L1(0.1), **options})


def fit_path(X: Any = X, y: Any = Y, **options: Any) -> Any:
    return pr.fit_path(X, y, **{"n_alphas": 2, **options})


def alpha_max(X: Any = X, y: Any = Y, **options: Any) -> Any:
    return pr.alpha_max(X, y, **options)


DOORS = [fit, fit_path, alpha_max]
every_door = pytest.mark.parametrize("door", DOORS)


def says(*parts):
    """Expects a ValueError whose message holds these parts in this order."""
    return pytest.raises(ValueError, match="(?s)" + ".*".join(map(re.escape, parts)))


def spoiled(values, **entries):
    """A copy with ``values`` in some places; ``r4c1=nan`` is row 4, column 1."""
    values = np.array(values)
    for place, entry in entries.items():
        values[tuple(map(int, re.findall(r"\d+", place)))] = entry
    return values


class Frame:
    """What fitting needs of a data frame."""

    def __init__(self, values, columns):
        self.values, self.columns = values, columns

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


def masked(values, *places):
    """A masked array, with good numbers behind the mask."""
    return np.ma.array(values, mask=spoiled(np.zeros(np.shape(values)), **dict.fromkeys(places, 1)))


BAD_X = {
    "masked": (masked(X, "r4c1"), ["X has 1 masked entry in row 4, column 1; fill or impute"]),
    "masked whole": (np.ma.array(X, mask=True), [f"X has {N * P} masked entries, the first in row 0, column 0; fill"]),
    "one nan": (spoiled(X, r4c1=np.nan), ["X has 1 NaN or infinite entry in row 4, column 1; remove or impute"]),
    "several": (
        spoiled(X, r9c0=-np.inf, r5c2=np.inf, r7c1=np.nan),
        ["X has 3 NaN or infinite entries, the first in row 5, column 2"],
    ),
    "jax": (jnp.asarray(spoiled(X, r4c1=np.nan)), ["X has 1 NaN or infinite entry in row 4, column 1"]),
    "half": (spoiled(X, r4c1=np.inf).astype(np.float16), ["X has 1 NaN or infinite entry in row 4, column 1"]),
    "frame": (Frame(spoiled(X, r4c1=np.nan), ["a", "b", "c"]), ["1 NaN or infinite entry in row 4, column 'b'"]),
    "None": ([[1.0, 2.0], [None, 3.0]], ["X has 1 NaN or infinite entry in row 1, column 0"]),
    "text": (Frame([["1", "2"], ["3", "x"]], ["a", "b"]), ["X must hold numbers, got 'x' in row 1, column 'b'"]),
    "objects": (np.array([[1, 2], [3, "x"]], object), ["X must hold numbers, got 'x' in row 1, column 1"]),
    "dates": (np.zeros((N, P), "M8[D]"), ["X must hold numbers, got datetime64[D]"]),
    "ragged": ([[1.0, 2.0], [3.0]], ["X must be an array of numbers"]),
    "complex": (X + 1j, ["X must be real, got complex numbers"]),
    "complex jax": (jnp.asarray(X + 1j), ["X must be real, got complex numbers"]),
    "sparse": (scipy.sparse.csr_matrix(X), ["X is sparse; pass X.toarray()"]),
    "sparse jax": (sparse.BCOO.fromdense(jnp.eye(3)), ["X is sparse; pass X.todense()"]),
    "one axis": (X[:, 0], [f"X must have shape (n, p), got ({N},)", "X.reshape(-1, 1)", "X.reshape(1, -1)"]),
    "three axes": (X[None], [f"X must have shape (n, p), got (1, {N}, {P})"]),
    "no rows": (X[:0], [f"X must have at least one row and one column, got shape (0, {P})"]),
    "no columns": (X[:, :0], [f"X must have at least one row and one column, got shape ({N}, 0)"]),
    "too large": ((X * 1e30).astype(np.float32), ["the squares of column 0 overflow in float32"]),
}


@every_door
@pytest.mark.parametrize(("bad", "parts"), BAD_X.values(), ids=BAD_X)
def test_x(door, bad, parts):
    with says(*parts):
        door(X=bad, dtype="float32")


@pytest.mark.parametrize(("bad", "parts"), [v for k, v in BAD_X.items() if k != "too large"])
def test_x_of_predict(bad, parts):
    with says(*parts):
        fit(X[:, :2]).predict(bad)


BAD_Y = {
    "masked": (masked(Y, "r9", "r4"), ["y has 2 masked entries, the first in row 4; fill or impute"]),
    "lists": (Y[:, None].tolist(), [f"y must have shape ({N},), got ({N}, 1); pass np.ravel(y)"]),
    "nan": (spoiled(Y, r4=np.nan), ["y has 1 NaN or infinite entry in row 4; remove or impute"]),
    "infinite": (spoiled(Y, r4=np.inf, r7=-np.inf), ["y has 2 NaN or infinite entries, the first in row 4"]),
    "jax": (jnp.asarray(spoiled(Y, r4=np.nan)), ["y has 1 NaN or infinite entry in row 4"]),
    "objects": (spoiled(Y, r4=np.nan).astype(object), ["y has 1 NaN or infinite entry in row 4"]),
    "infinite object": (spoiled(Y, r4=np.inf).astype(object), ["y has 1 NaN or infinite entry in row 4"]),
    "text": (["1"] * (N - 1) + ["high"], [f"y must hold numbers, got 'high' in row {N - 1}"]),
    "complex": (Y + 1j, ["y must be real, got complex numbers"]),
    "column": (Y[:, None], [f"y must have shape ({N},), got ({N}, 1); pass y.ravel()"]),
    "row": (Y[None], [f"y must have shape ({N},), got (1, {N}); pass y.ravel()"]),
    "number": (3.0, [f"y must have shape ({N},), got ()"]),
    "turned": (np.ones((3, N)), ["X and y differ in length", f"y (3, {N})"]),
    "several but short": (np.ones((N - 1, 3)), ["X and y differ in length", f"({N}, {P})", f"({N - 1}, 3)"]),
    "short": (Y[1:], ["X and y differ in length", f"({N}, {P})", f"({N - 1},)"]),
    "sparse": (scipy.sparse.csr_matrix(Y), ["y is sparse; pass y.toarray()"]),
}


@every_door
@pytest.mark.parametrize(("bad", "parts"), BAD_Y.values(), ids=BAD_Y)
def test_y(door, bad, parts):
    with says(*parts):
        door(y=bad)


@pytest.mark.parametrize(("size", "how"), [(1e30, "overflow"), (1e-30, "less its mean underflow")])
@every_door
def test_squares_of_y_that_float32_cannot_hold(door, size, how):
    with says(f"the squares of y {how} in float32"):
        door(y=Y * size, dtype="float32")


LABELS = np.array(["a", "b"] * (N // 2), object)


@pytest.mark.parametrize(
    ("loss", "bad", "parts"),
    [
        ("logistic", np.ones(N), ["logistic loss needs two classes in y, got 1: 1.0"]),
        ("logistic", np.arange(N) % 3, ["logistic loss needs two classes in y, got 3: 0, 1, 2"]),
        ("logistic", spoiled(LABELS, r4=None), ["y has 1 NaN or infinite entry in row 4"]),
        ("logistic", spoiled(LABELS, r4=np.nan), ["y has 1 NaN or infinite entry in row 4"]),
        ("logistic", spoiled(LABELS, r4=1), ["the classes in y cannot be sorted", "'int'"]),
        ("poisson", spoiled(np.arange(N), r4=-1), ["Poisson loss needs y >= 0, got -1 in row 4"]),
        (lambda eta, y: jnp.sum((eta - y) ** 2), Y, ["one value per sample", f"({N},)", "got shape ()"]),
    ],
)
@every_door
def test_y_against_the_loss(door, loss, bad, parts):
    with says(*parts):
        door(y=bad, loss=loss)


BAD_OPTIONS = {
    "weight nan": ({"sample_weight": spoiled(np.ones(N), r4=np.nan)}, ["sample_weight has 1 NaN", "in row 4"]),
    "weight masked": ({"sample_weight": masked(np.ones(N), "r4")}, ["sample_weight has 1 masked entry in row 4; fill"]),
    "offset masked": ({"offset": masked(np.ones(N), "r0")}, ["offset has 1 masked entry in row 0; fill or impute"]),
    "factor masked": ({"penalty_factor": masked(np.ones(P), "r1")}, ["penalty_factor has 1 masked entry in row 1"]),
    "offset large": (
        {"offset": spoiled(np.zeros(N), r4=-1e39), "dtype": "float32"},
        ["offset must be within 3.4e+38 in float32, got -1e+39; pass dtype='float64', or smaller numbers"],
    ),
    "factor large": (
        {"penalty_factor": [1, 1e39, np.inf], "dtype": "float32"},
        ["penalty_factor must be within 3.4e+38 in float32, got 1e+39"],
    ),
    "weight shape": ({"sample_weight": np.ones(N + 1)}, [f"sample_weight must have shape ({N},)", f"got ({N + 1},)"]),
    "weight negative": ({"sample_weight": -np.ones(N)}, ["sample_weight must be >= 0", "positive sum", "got", "-1"]),
    "weight zero": ({"sample_weight": np.zeros(N)}, ["sample_weight must be >= 0 with a positive sum", "got", "0"]),
    "weight text": ({"sample_weight": ["1"] * 11 + ["x"]}, ["sample_weight must hold numbers, got 'x' in row 11"]),
    "offset nan": ({"offset": spoiled(np.ones(N), r4=np.inf)}, ["offset has 1 NaN or infinite entry in row 4"]),
    "offset shape": ({"offset": np.ones((N, 1))}, [f"offset must have shape ({N},)", f"got ({N}, 1)"]),
    "factor shape": ({"penalty_factor": np.ones(P + 1)}, [f"penalty_factor must have shape ({P},)", f"({P + 1},)"]),
    "factor number": ({"penalty_factor": 2.0}, [f"penalty_factor must have shape ({P},)", "got ()"]),
    "factor negative": ({"penalty_factor": [1, 1, -2]}, ["penalty_factor must be >= 0, got -2"]),
    "factor nan": ({"penalty_factor": [1, 1, np.nan]}, ["penalty_factor must be >= 0, got nan"]),
    "loss name": ({"loss": "hinge"}, ["loss must be one of squared, logistic, huber, poisson", "got 'hinge'"]),
    "loss type": ({"loss": 3}, ["loss must be a name, a loss object or a function (eta, y) -> loss, got 3"]),
    "dtype half": ({"dtype": "float16"}, ["dtype must be float32 or float64, got 'float16'"]),
    "dtype nonsense": ({"dtype": "real"}, ["dtype must be float32 or float64, got 'real'"]),
    "penalty": ({"penalty": pr.L1}, ["penalty", "such as pr.L1(", "got <class"]),
    "factor without alpha": (
        {"penalty": pr.Zero(), "penalty_factor": np.ones(P)},
        ["needs a penalty with an alpha, such as pr.L1(), got Zero()"],
    ),
    "factor and vector": (
        {"penalty": pr.L1([1.0, 2.0, 3.0]), "penalty_factor": np.ones(P)},
        ["takes a scalar alpha, got shape (3,); pass penalty_factor= for one strength per column"],
    ),
}


@every_door
@pytest.mark.parametrize(("options", "parts"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_options(door, options, parts):
    with says(*parts):
        door(**options)


BAD_STOPS = {
    "tol zero": ({"tol": 0}, ["tol must be > 0 and finite, got 0"]),
    "tol nan": ({"tol": np.nan}, ["tol must be > 0 and finite, got nan"]),
    "tol infinite": ({"tol": np.inf}, ["tol must be > 0 and finite, got inf"]),
    "tol text": ({"tol": "small"}, ["tol must be a number > 0, got 'small'"]),
    "tol vector": ({"tol": [1e-4, 1e-5]}, ["tol must be a number > 0, got [0.0001, 1e-05]"]),
    "tol complex": ({"tol": 1j}, ["tol must be a number > 0, got 1j"]),
    "steps zero": ({"max_steps": 0}, ["max_steps must be > 0 and finite, got 0"]),
    "steps part": ({"max_steps": 2.5}, ["max_steps must be a whole number > 0, got 2.5"]),
    "solver": ({"solver": "newton"}, ["solver must be 'auto', 'fista' or 'coordinate_descent', got 'newton'"]),
    "groups": (
        {"solver": "coordinate_descent", "penalty": GROUPS},
        ["needs a separable penalty, GroupLasso is not: pass solver='fista'"],
    ),
    "names": ({"feature_names": ["a", "b"]}, [f"feature_names has 2 names for {P} columns of X"]),
    "one name": ({"feature_names": "abc"}, ["feature_names must be a list of names, got 'abc'"]),
}


@pytest.mark.parametrize("door", [fit, fit_path])
@pytest.mark.parametrize(("options", "parts"), BAD_STOPS.values(), ids=BAD_STOPS)
def test_how_to_stop(door, options, parts):
    with says(*parts):
        door(**options)


def test_many_steps_are_as_many_as_one_can_count():
    assert fit(max_steps=10**12).converged


BAD_GRIDS = {
    "alpha negative": ({"alphas": [1.0, -0.25]}, ["alphas must be >= 0 and finite, got -0.25"]),
    "alpha nan": ({"alphas": [1.0, np.nan]}, ["alphas must be >= 0 and finite, got nan"]),
    "alpha infinite": ({"alphas": [np.inf]}, ["alphas must be >= 0 and finite, got inf"]),
    "alphas large": (
        {"alphas": [1e300, 0.1], "dtype": "float32"},
        ["alphas must be within 3.4e+38 in float32, got 1e+300; pass dtype='float64'"],
    ),
    "penalty large": (
        {"penalty": pr.ElasticNet(1e39, 0.5), "dtype": "float32"},
        ["ElasticNet.alpha must be within 3.4e+38 in float32, got 1e+39"],
    ),
    "alphas empty": ({"alphas": []}, ["alphas is empty"]),
    "alphas text": ({"alphas": "auto"}, ["alphas must hold numbers, got 'auto'"]),
    "alphas matrix": ({"alphas": np.ones((2, 4))}, ["alphas must have shape (K,)", "(R, K)", "got (2, 4)", "no l1_r"]),
    "alphas rows": ({"alphas": np.ones((2, 4)), "l1_ratio": [0.1, 0.5, 1]}, ["got (2, 4) for 3 l1_ratios"]),
    "n_alphas": ({"n_alphas": 0}, ["n_alphas must be > 0 and finite, got 0"]),
    "n_alphas part": ({"n_alphas": 1.5}, ["n_alphas must be a whole number > 0, got 1.5"]),
    "min_ratio one": ({"min_ratio": 1}, ["min_ratio must be > 0 and < 1, got 1"]),
    "min_ratio zero": ({"min_ratio": 0.0}, ["min_ratio must be > 0 and < 1, got 0.0"]),
    "no alpha": (
        {"penalty": pr.NonNegative()},
        ["a grid of alphas needs a penalty with an alpha", "got NonNegative()"],
    ),
    "vector": ({"penalty": pr.L1([1.0, 2, 3])}, ["a grid of alphas takes a scalar alpha, got shape (3,)"]),
    "ridge": ({"penalty": pr.L2()}, ["L2 keeps no coefficient at zero and has no alpha_max: pass alphas="]),
}


@pytest.mark.parametrize(("options", "parts"), BAD_GRIDS.values(), ids=BAD_GRIDS)
def test_grid(options, parts):
    with says(*parts):
        fit_path(**options)


@pytest.mark.parametrize("door", [fit_path, alpha_max])
@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"l1_ratio": 1.5}, ["l1_ratio must lie in [0, 1], got 1.5"]),
        ({"l1_ratio": [0.5, -0.1]}, ["l1_ratio must lie in [0, 1], got -0.1"]),
        ({"l1_ratio": [[0.5]]}, ["l1_ratio must be a number or a vector, got shape (1, 1)"]),
        ({"l1_ratio": []}, ["l1_ratio is empty"]),
        ({"l1_ratio": 0.5, "penalty": pr.L1()}, ["l1_ratio belongs to the default penalty; set it on the penalty"]),
        ({"penalty_factor": np.ones(P), "penalty": GROUPS}, ["penalty_factor does not apply to GroupLasso; use its w"]),
    ],
)
def test_l1_ratio_and_groups(door, options, parts):
    with says(*parts):
        door(**options)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"penalty": GROUPS, "penalty_factor": np.ones(P)}, ["penalty_factor does not apply to GroupLasso"]),
        ({"penalty": pr.L1(np.ones(P + 1))}, [f"does not apply to {P} coefficients"]),
        ({"penalty": pr.L1(np.ones((P, 1)))}, [f"coefficients of shape ({P},) into ({P}, {P})"]),
    ],
)
def test_penalties_suit_the_columns(options, parts):
    with says(*parts):
        fit(**options)


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: pr.L1(-0.5), ["alpha", ">= 0", "-0.5"]),
        (lambda: pr.ElasticNet(1.0, 1.5), ["l1_ratio", "[0, 1]", "1.5"]),
        (lambda: pr.L1([1.0, np.nan]), ["alpha", ">= 0", "nan"]),
    ],
)
def test_penalties_echo_a_bad_strength(make, parts):
    with says(*parts):
        fit(penalty=make())


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"X": X[:, :2]}, [f"X has 2 columns, the model was fitted on {P}"]),
        ({"kind": "class"}, ["kind must be 'mean', 'eta' or, for a classification, 'class', got 'class'"]),
        ({"kind": "median"}, ["got 'median'"]),
        ({"offset": np.zeros(N - 1)}, [f"offset must have shape ({N},)", f"got ({N - 1},)"]),
        ({"offset": np.zeros((N, 1))}, [f"offset must have shape ({N},)", f"got ({N}, 1)"]),
        ({"offset": np.full(N, np.nan)}, [f"offset has {N} NaN or infinite entries, the first in row 0"]),
    ],
)
def test_predict(options, parts):
    with says(*parts):
        fit().predict(**{"X": X, **options})


@every_door
def test_inside_jit_the_message_names_what_works_there(door):
    for traced in (lambda X: door(X=X), lambda y: door(X=np.ones((N, P)), y=y[:, 0])):
        with says("is traced", "cannot run inside jit", "pr.fista(pr.LinearModel("):
            jax.jit(traced)(X)
    with says("sample_weight is traced"):
        jax.vmap(lambda s: door(sample_weight=s))(jnp.ones((2, N)))


@pytest.mark.parametrize("alpha", [1e39, 1e300])
def test_strengths_beyond_float32_are_refused_in_it_and_leave_zeros_in_float64(alpha):
    with says("L1.alpha must be within 3.4e+38 in float32, got", "pass dtype='float64'"):
        fit(penalty=pr.L1(alpha), dtype="float32")
    for found in (fit(penalty=pr.L1(alpha), dtype="float64"), fit_path(alphas=[alpha], dtype="float64")):
        assert found.converged.all()
        assert not found.coef.any()
        np.testing.assert_allclose(found.intercept, Y.mean(), rtol=1e-12)
    unlimited = fit_path(upper=alpha, lower=-alpha, dtype="float32", alphas=[0.1])  # no limit that float32 knows
    np.testing.assert_array_equal(unlimited.coef, fit_path(upper=np.inf, dtype="float32", alphas=[0.1]).coef)
