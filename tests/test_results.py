"""What results give and say: predictions with offsets, fits by their alpha, tables by name, a repr of every kind."""

import sys
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import proxreg as pr
from tests import problems

# grids here are short, and end where they like
pytestmark = pytest.mark.filterwarnings("ignore:.*the best (mean|BIC)", "ignore:the largest alpha allows")

X, Y = problems.regression()
NAMES = tuple("abcdefgh")
SEVERAL = np.stack([Y, X[:, 3] - Y], axis=1)
OPTIONS: Any = {"alphas": [0.3, 0.1, 0.03], "feature_names": NAMES, "dtype": "float64", "tol": 1e-8}
DAYS = np.linspace(0.5, 2.0, 60)


@pytest.fixture(scope="module")
def path():
    return pr.fit_path(X, Y, **OPTIONS)


def with_offset() -> Iterator[tuple[str, Any]]:
    """Every result that predicts, of a fit with an offset."""
    options = {**OPTIONS, "offset": DAYS}
    path, cv = pr.fit_path(X, Y, **options), pr.cv_path(X, Y, **options)
    yield "fit", pr.fit(X, Y, penalty=pr.L1(0.1), offset=DAYS, dtype="float64")
    yield from (("path", path), ("at", path.at(0.1)), ("relaxed", pr.relax(path)), ("cv", cv), ("model", cv.model()))
    yield from (("criterion", pr.information_criterion(path)), ("ridge", pr.ridge_cv(X, Y, offset=DAYS)))
    both = pr.cv_path(X, SEVERAL, **options)
    yield from (("several", both), ("response", both.response(1)))


def test_a_forgotten_offset_is_asked_for():
    for kind, result in with_offset():
        with pytest.raises(ValueError, match=r"fitted with offset: pass offset=.*offset=np.zeros\(60\) if none"):
            result.predict(X)
        zero = result.predict(X, offset=np.zeros(60), kind="eta")
        model = result.model() if hasattr(result, "model") else result
        np.testing.assert_allclose(zero, model.coef @ X.T + model.intercept[..., None], rtol=1e-10, err_msg=kind)
        np.testing.assert_allclose(result.predict(X, offset=DAYS, kind="eta"), zero + DAYS, rtol=1e-10, err_msg=kind)
        for wrong in (DAYS[1:], DAYS[:, None], 1.0):
            with pytest.raises(ValueError, match=r"offset must have shape \(60,\), one entry per row of X, got"):
                result.predict(X, offset=wrong)


def test_a_fit_is_taken_by_its_alpha(path):
    for k, alpha in enumerate(path.alphas):
        for near in (alpha, np.float32(alpha), alpha * (1 + 5e-7), float(f"{alpha:.7g}")):
            fit = path.at(near)
            np.testing.assert_array_equal(fit.coef, path.coef[k])
            assert vars(fit.penalty)["alpha"] == alpha
            assert fit.feature_names == NAMES
    for wrong, message in [
        (0.2, "alpha=0.2 is not on the grid, between 0.1 and 0.3; pass an alpha of the grid, or fit it: alphas=.0.2."),
        (0.3 * (1 + 1e-5), "alpha=0.300003 is not on the grid, whose largest alpha is 0.3"),
        (0.0, "alpha=0 is not on the grid, whose smallest alpha is 0.03"),
        (-1.0, "alpha must be >= 0"),
        (np.nan, "alpha must be >= 0"),
        ([0.1], "alpha must be a number, got shape"),
        ("0.1x", "alpha must hold numbers"),
    ]:
        with pytest.raises(ValueError, match=message):
            path.at(wrong)
    with pytest.raises(ValueError, match=r"l1_ratio=0.5 is not on the path, which has 1"):
        path.at(0.1, l1_ratio=0.5)
    grid = pr.fit_path(X, Y, **{**OPTIONS, "l1_ratio": [0.5, 0.9], "alphas": [[0.0, 0.2, 0.1], [0.3, 0.2, 0.0]]})
    np.testing.assert_array_equal(grid.at(0.2, l1_ratio=0.9).coef, grid.coef[1, 1])
    np.testing.assert_array_equal(grid.at(0, l1_ratio=0.5).coef, grid.coef[0, 0])
    penalty: Any = grid.at(0.3, l1_ratio=0.9).penalty
    assert (penalty.alpha, penalty.l1_ratio) == pytest.approx((0.3, 0.9))
    with pytest.raises(ValueError, match=r"the path has several l1_ratios; pass one of them: l1_ratio=0.9"):
        grid.at(0.2)
    with pytest.raises(ValueError, match=r"alpha=0.3 is not on the grid, whose largest alpha is 0.2"):
        grid.at(0.3, l1_ratio=0.5)
    own = pr.fit_path(X, Y, **{**OPTIONS, "penalty": pr.L1(1.0)})
    np.testing.assert_array_equal(own.at(0.1).coef, own.coef[1])
    with pytest.raises(ValueError, match="which has no l1_ratio: its penalty was given"):
        own.at(0.1, l1_ratio=1.0)
    both = pr.fit_path(X, SEVERAL, **OPTIONS)
    np.testing.assert_array_equal(both.response(1).at(0.1).coef, both.coef[1, 1])
    with pytest.raises(ValueError, match=r"path.response\(0\).at\(alpha\)"):
        both.at(0.1)


@pytest.mark.parametrize("ratio", [1.0, [0.5, 1.0]], ids=["number", "vector"])
@pytest.mark.parametrize("y", [Y, SEVERAL], ids=["one", "several"])
def test_every_result_can_be_shown(y, ratio):
    cv = pr.cv_path(X, y, **{**OPTIONS, "l1_ratio": ratio})
    results = [cv, cv.path, cv.model(), cv.model("1se"), pr.information_criterion(cv), pr.relax(cv)]
    results += [results[-2].model()]
    key = jax.random.key(0)
    if y.ndim == 1:
        results += [cv.path.at(0.1, l1_ratio=1.0), pr.fit(X, y, penalty=pr.L1(0.1))]
        results += [pr.bootstrap(X, y, key=key, num_samples=2, **{**OPTIONS, "l1_ratio": ratio})]
    if y.ndim == 1 and ratio == 1.0:
        results += [pr.stability_selection(X, y, key=key, num_subsamples=2), pr.ridge_cv(X, y)]
        own = pr.fit_path(X, y, loss=lambda eta, y: jnp.square(eta - y), alphas=[0.1])
        results += [own, own.at(0.1), pr.bootstrap(X, y, key=key, num_samples=2, alphas=[0.1], loss=own.loss)]
    for result in results:
        text = repr(result)
        assert text.startswith(type(result).__name__)
        assert "array(" not in text
        assert not any(line.endswith(" ") for line in text.splitlines())
    lines = repr(cv.model()).splitlines()
    if y.ndim == 2:
        assert lines[0] == "Fit: ElasticNet, squared loss, 2 responses, 8 features"
        assert [line.split(":")[0] for line in lines[1::2]] == ["  y 0", "  y 1"]
        assert [int(line.split()[2]) for line in lines[1::2]] == cv.model().nnz.tolist()
        penalty: Any = cv.model().penalty
        np.testing.assert_array_equal(np.ravel(penalty.alpha), cv.alpha_min)
        expected = [cv.response(k).model().penalty for k in range(2)]
        values = [float(alone.value(w)) for alone, w in zip(expected, cv.model().coef)]
        assert float(penalty.value(cv.model().coef)) == pytest.approx(sum(values), rel=1e-5)


def same(frame, table):
    """Whether a data frame and a table of ours hold the same."""
    frame = frame.reset_index() if frame.index.name else frame
    assert tuple(frame.columns) == table.columns
    assert len(frame) == len(table)
    for name in table.columns:
        np.testing.assert_array_equal(frame[name].to_numpy(), table[name])


def test_tables_hold_the_numbers_by_name_with_pandas_or_without(path, monkeypatch):
    grid = {**OPTIONS, "l1_ratio": [0.5, 1.0]}
    cv, both = pr.cv_path(X, Y, **grid), pr.cv_path(X, SEVERAL, **grid)
    criterion = pr.information_criterion(cv)
    stable = pr.stability_selection(X, Y, key=jax.random.key(0), num_subsamples=4, feature_names=NAMES)
    calls: list[Any] = [path.table, path.at(0.1).table, cv.table, both.table, both.path.table, criterion.table]
    calls += [stable.table, lambda: cv.table("1se"), lambda: both.table("min")]
    frames = [call() for call in calls]
    assert all(isinstance(frame, pd.DataFrame) for frame in frames)
    np.testing.assert_array_equal(frames[0][list(NAMES)], path.coef)
    for name in ("objective", "gap", "violation", "converged", "intercept", "nnz"):
        np.testing.assert_array_equal(frames[0][name], getattr(path, name))
    fit = path.at(0.1)
    named = dict(zip(NAMES, fit.coef))
    assert frames[1].index[0] == "(intercept)"
    assert frames[1]["coef"].to_dict() == {"(intercept)": fit.intercept} | {n: w for n, w in named.items() if w}
    assert np.all(np.diff(np.abs(frames[1]["coef"].to_numpy()[1:])) <= 0)
    np.testing.assert_array_equal(frames[2]["mean_loss"], cv.mean_loss.ravel())
    assert frames[2].set_index("rule")["alpha"].to_dict()["min, 1se" if cv.alpha_min == cv.alpha_1se else "1se"] == (
        cv.alpha_1se
    )
    shown = frames[3]
    for k in range(2):
        mine = shown[(shown["y"] == k) & shown["rule"].str.contains("min")]
        assert mine["alpha"].tolist() == [both.alpha_min[k]]
        assert mine["l1_ratio"].tolist() == [both.l1_ratio_min[k]]
    np.testing.assert_array_equal(frames[4]["a"].to_numpy().reshape(2, 2, 3), both.path.coef[..., 0])
    assert frames[5].loc[frames[5]["rule"] == "min", "bic"].tolist() == [criterion.value.min()]
    assert set(frames[6].index[frames[6]["selected"]]) == {n for n, s in zip(NAMES, stable.selected) if s}
    pd.testing.assert_frame_equal(frames[7], cv.model("1se").table())
    np.testing.assert_array_equal(frames[8].loc["a"], both.coef()[:, 0])
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if it were not installed
    for call, frame in zip(calls, frames):
        table = call()
        same(frame, table)
        lines = repr(table).splitlines()
        assert lines[0].split() == " ".join(table.columns).split()
        assert len(lines) == 1 + len(frame)


def test_a_feature_that_is_called_like_a_column_keeps_its_name():
    names = ("gap", "alpha", *NAMES[2:])
    table = pr.fit_path(X, Y, **{**OPTIONS, "feature_names": names}).table()
    assert {"(gap)", "(alpha)", "gap", "alpha", "objective"} <= set(table.columns)
    assert not table.columns.duplicated().any()
    np.testing.assert_allclose(table["(alpha)"], [0.3, 0.1, 0.03])


def test_a_fit_that_left_the_range_of_numbers_has_a_table_too(path):
    import dataclasses

    coef = np.array([0.0, np.nan, 2.0, 0, 0, 0, 0, 0])
    table = dataclasses.replace(path.at(0.1), coef=coef).table()
    assert table.index.tolist() == ["(intercept)", "b", "c"]
