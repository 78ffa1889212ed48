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
    # a frame has its columns in another order in memory, and sums of them are rounded otherwise
    np.testing.assert_allclose(path.coef, expected.coef, rtol=1e-7)
    np.testing.assert_allclose(path.predict(frame), expected.predict(X), rtol=1e-7)
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


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_columns_of_a_frame_are_taken_by_name(kind):
    make = FRAMES[kind]
    frame = make(X)
    fit = pr.fit(frame, Y, penalty=pr.L1(1.0), dtype="float64")
    cv = pr.cv_path(frame, Y, folds=3, **OPTIONS)
    turned = frame[list(reversed(NAMES))]
    more = turned.assign(word="w") if kind == "pandas" else turned.with_columns(pl.lit("w").alias("word"))
    for model in (fit, cv, cv.path, cv.path.at(cv.alphas[3])):
        for other in (turned, more):
            np.testing.assert_allclose(model.predict(other), model.predict(X), rtol=1e-10)
        with pytest.raises(ValueError, match="X has no columns 'age', 's6', which the model was fitted on; pass"):
            model.predict(frame[list(NAMES[1:-1])])
    again = pr.information_criterion(cv, more, pl.Series(Y) if kind == "polars" else pd.Series(Y))
    np.testing.assert_allclose(again.value, pr.information_criterion(cv).value, rtol=1e-8)
    unnamed = pr.fit(X, Y, penalty=pr.L1(1.0), dtype="float64")
    np.testing.assert_allclose(unnamed.predict(frame), fit.predict(X), rtol=1e-6)


def test_labels_that_are_no_text_are_names_too():
    frame = pd.DataFrame(X)  # columns 0 to 9
    model = pr.fit(frame, Y, penalty=pr.L1(1.0), dtype="float64")
    assert model.feature_names == tuple("0123456789")
    np.testing.assert_allclose(model.predict(frame[[3, 1, 0, 2, *range(4, 10)]]), model.predict(X), rtol=1e-10)
    levels = pd.DataFrame(X, columns=pd.MultiIndex.from_product([["a", "b"], range(5)]))
    model = pr.fit(levels, Y, penalty=pr.L1(1.0), dtype="float64")
    np.testing.assert_allclose(model.predict(levels.iloc[:, ::-1]), model.predict(X), rtol=1e-10)


def test_a_name_that_stands_for_two_columns_is_refused():
    twice = pd.DataFrame(X, columns=[*NAMES[:8], "age", "bmi"])
    mixed = pd.DataFrame(X[:, :2], columns=[1, "1"])
    model = pr.fit(pd.DataFrame(X, columns=list(NAMES)), Y, penalty=pr.L1(1.0))
    doors = [lambda frame: pr.fit_path(frame, Y), lambda frame: pr.cv_path(frame, Y), model.predict]
    doors += [lambda frame: pr.alpha_max(frame, Y), lambda frame: pr.relax(pr.fit_path(X, Y, alphas=[1.0]), frame, Y)]
    for door in doors:
        with pytest.raises(ValueError, match="X has columns 'age', 'bmi' more than once; give each column a name"):
            door(twice)
        with pytest.raises(ValueError, match="X has column '1' more than once"):
            door(mixed)
    with pytest.raises(ValueError, match="feature_names has column 'a' more than once"):
        pr.fit_path(X[:, :2], Y, feature_names=["a", "a"])


def test_a_frame_with_one_column_for_y_is_told_how_to_take_it():
    for frame in (pd.DataFrame({"target": Y}), pl.DataFrame({"target": Y})):
        for door in (pr.fit_path, pr.alpha_max, lambda X, y: pr.fit(X, y, penalty=pr.L1(1.0))):
            with pytest.raises(ValueError, match=r"y must have shape \(442,\), got \(442, 1\); pass y\['target'\]"):
                door(X, frame)
        pr.fit_path(X, frame["target"], alphas=[1.0])
    with pytest.raises(ValueError, match=r"pass y\[0\]"):
        pr.fit_path(X, pd.DataFrame(Y))
    two = pr.fit_path(X, pd.DataFrame({"a": Y, "b": -Y}), **OPTIONS)
    np.testing.assert_allclose(two.coef[0], -two.coef[1], rtol=1e-8, atol=1e-12)


def test_a_mask_that_hides_nothing_is_none():
    given = {"sample_weight": np.ma.ones(len(Y)), "offset": np.ma.zeros(len(Y))}
    path = pr.fit_path(np.ma.array(X), np.ma.array(Y), **given, **OPTIONS)
    np.testing.assert_allclose(path.coef, pr.fit_path(X, Y, **OPTIONS).coef, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("size", [1e308, 1e-308, 5e-324, 2.0**600])
def test_weights_of_any_size_are_relative(size, loss):
    y = Y if loss == "squared" else Y > 140
    options = {"standardize": True, "alphas": [0.05], "dtype": "float64", "tol": 1e-8, "loss": loss}
    pattern = np.where(np.arange(len(Y)) % 3 == 0, 0.0, 1.0)
    expected = pr.fit_path(X, y, sample_weight=pattern, **options)
    path = pr.fit_path(X, y, sample_weight=pattern * size, **options)
    np.testing.assert_allclose(path.coef, expected.coef, rtol=1e-8)
    np.testing.assert_allclose(path.objective, expected.objective, rtol=1e-8)
    if loss == "squared":
        rows = pattern > 0
        centred = X[rows] - X[rows].mean(axis=0)
        ridge = pr.fit_path(X, y, sample_weight=pattern * size, l1_ratio=0.0, **{**options, "standardize": False})
        gram = centred.T @ centred / rows.sum() + 0.05 * np.eye(10)
        exact = np.linalg.solve(gram, centred.T @ (Y[rows] - Y[rows].mean()) / rows.sum())
        np.testing.assert_allclose(ridge.coef[0], exact, rtol=1e-3)
        cv = pr.cv_path(X, y, sample_weight=pattern * size, folds=3, n_alphas=8, min_ratio=1e-2, standardize=True)
        assert np.isfinite(cv.mean_loss).all()
