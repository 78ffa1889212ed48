"""Data frames and arrays of other libraries wherever X is taken: the same answer, and their names in it."""

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pytest

import proxreg as pr

X, Y, NAMES = pr.datasets.load_diabetes()
OPTIONS = {"standardize": True, "n_alphas": 8, "dtype": "float64", "tol": 1e-8}
FRAMES = {
    "pandas": lambda X: pd.DataFrame(X, columns=list(NAMES)),
    "nullable": lambda X: pd.DataFrame(X, columns=list(NAMES)).convert_dtypes(),
    "polars": lambda X: pl.DataFrame(dict(zip(NAMES, X.T))),
}
ARRAYS = {"array API": array_api_strict.asarray, "lists": np.ndarray.tolist, "jax": jnp.asarray}
SERIES = {"pandas": pd.Series, "nullable": lambda y: pd.Series(y).convert_dtypes(), "polars": pl.Series}


@pytest.mark.parametrize("kind", FRAMES)
def test_data_frames_give_the_same_answer_and_their_names(kind):
    frame, series = FRAMES[kind](X), SERIES[kind]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(Y))
    expected = pr.fit_path(X, Y, sample_weight=weights, **OPTIONS)
    path = pr.fit_path(frame, series(Y), sample_weight=series(weights), **OPTIONS)
    assert path.feature_names == NAMES
    np.testing.assert_allclose(path.coef, expected.coef, rtol=1e-10)
    np.testing.assert_allclose(path.predict(frame), expected.predict(X), rtol=1e-10)
    np.testing.assert_allclose(pr.alpha_max(frame, series(Y)), pr.alpha_max(X, Y), rtol=1e-6)
    out = pr.fit_path(frame, series(Y), exclude=["bmi"], **OPTIONS)
    assert not out.coef[:, 2].any()
    criterion = pr.information_criterion(path, frame, series(Y), sample_weight=series(weights))
    np.testing.assert_allclose(criterion.value, pr.information_criterion(expected).value, rtol=1e-10)


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_other_libraries(kind):
    give = ARRAYS[kind]
    path = pr.fit_path(give(X), give(Y), **OPTIONS)
    np.testing.assert_allclose(path.coef, pr.fit_path(X, Y, **OPTIONS).coef, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(path.predict(give(X)), path.predict(X), rtol=1e-4)


@pytest.mark.parametrize("kind", FRAMES)
def test_classes_and_names_reach_tables(kind):
    labels = SERIES[kind](np.where(Y > 140, "ill", "well").tolist())
    frame = FRAMES[kind](X)
    cv = pr.cv_path(frame, labels, loss="logistic", metric="auc", folds=3, **OPTIONS)
    assert cv.path.classes == ("ill", "well")
    assert set(cv.predict(frame, "1se", kind="class")) == {"ill", "well"}
    found = pr.stability_selection(frame, Y, key=jax.random.key(0), num_subsamples=6, standardize=True, dtype="float64")
    assert any(line.split()[0] == "bmi" for line in repr(found).splitlines()[2:])


def test_what_is_missing_in_a_frame_is_said_with_its_column():
    wrong = pd.DataFrame(X, columns=list(NAMES)).astype("Float64")
    wrong.iloc[3, 2] = pd.NA
    with pytest.raises(ValueError, match="X has 1 NaN or infinite entry in row 3, column 'bmi'; remove or impute"):
        pr.fit_path(wrong, Y)
    gap = pl.Series("bmi", [None if value is pd.NA else value for value in wrong["bmi"]])
    with pytest.raises(ValueError, match="X has 1 NaN or infinite entry in row 3, column 'bmi'"):
        pr.fit_path(FRAMES["polars"](X).with_columns(gap), Y)
    labels = pd.Series(np.where(Y > 140, "ill", "well"), dtype="string")
    labels[5] = pd.NA
    with pytest.raises(ValueError, match="y has 1 NaN or infinite entry in row 5"):
        pr.fit_path(X, labels, loss="logistic")
    words = pd.DataFrame(X, columns=list(NAMES)).astype(object)
    words.iloc[7, 1] = "f"
    with pytest.raises(ValueError, match="X must hold numbers, got 'f' in row 7, column 'sex'"):
        pr.fit_path(words, Y)


def test_columns_are_named_in_warnings_and_certificates():
    constant = pd.DataFrame(X, columns=list(NAMES))
    constant["sex"] = 1.0
    with pytest.warns(pr.DataWarning, match="constant: column 'sex'; the coefficient is exactly 0"):
        path = pr.fit_path(constant, Y, **OPTIONS)
    assert not path.coef[:, 1].any()
    scaled = pd.DataFrame(X, columns=list(NAMES))
    scaled["bmi"] = scaled["bmi"] * 1e6  # no view of X, which the older versions of pandas would write to
    with pytest.warns(pr.DataWarning, match="column 'bmi' has standard"):
        pr.fit_path(scaled, Y, alphas=[1.0])
    with pytest.warns(pr.ConvergenceWarning, match=r"problems above tol: worst (gap|violation) .* \(alpha=.*\); raise"):
        pr.fit_path(scaled, Y, standardize=True, n_alphas=4, max_steps=1, dtype="float64")


def test_a_lazy_frame_is_to_be_collected():
    lazy = FRAMES["polars"](X).lazy()
    for call in (lambda: pr.fit_path(lazy, Y), lambda: pr.fit_path(X, Y, alphas=[1.0]).predict(lazy)):
        with pytest.raises(ValueError, match=r"X is a lazy frame; pass X.collect\(\)"):
            call()
