"""Half-samples and bootstraps as lanes: each is the fit that one would do by hand on those rows."""

from typing import Any

import jax
import numpy as np
import pytest

import proxreg as pr
from bench.certificate import relative_gap
from proxreg import resampling
from proxreg.path_problem import answer, pose
from proxreg.stability import false_selections
from tests import problems

TIGHT: dict[str, Any] = {"dtype": "float64", "tol": 1e-10}
KEY = jax.random.key(0)


def sparse(n=60, p=40, seed=0, signals=4):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.standard_normal(p)
    return X, 2 * X[:, :signals] @ np.ones(signals) + rng.standard_normal(n)


def lanes(X, y, weights, **options):
    problem = pose(X, y, several=False, **options)
    parts = list(resampling.fits(problem, answer(problem), weights))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@pytest.mark.parametrize("p", [12, 1300])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"l1_ratio": [0.5, 1.0]},
        {"fit_intercept": False},
        {"penalty_factor": True},
        {"positive": True},
        {"offset": True},
    ],
)
def test_lanes_are_weighted_refits(p, options):
    X, y = sparse(p=p)
    options = {"alphas": [0.5, 0.2], **options, **TIGHT}
    if options.get("penalty_factor"):
        options["penalty_factor"] = np.random.default_rng(1).uniform(0.5, 2, p)
    if options.get("offset"):
        options["offset"] = np.random.default_rng(2).standard_normal(60)
    weights = np.random.default_rng(3).integers(0, 3, (5, 60)).astype(float)
    own = np.random.default_rng(4).uniform(0.5, 2, 60)
    found = lanes(X, y, weights, sample_weight=own, **options)
    assert found["converged"].all()
    for sample, counts in enumerate(weights):
        rows = np.flatnonzero(counts)
        given = {**options, "sample_weight": (own * counts)[rows]}
        if "offset" in options:
            given["offset"] = options["offset"][rows]
        path = pr.fit_path(X[rows], y[rows], **given)
        for name in ("coef", "intercept", "objective"):
            np.testing.assert_allclose(found[name][sample], getattr(path, name), atol=2e-6, rtol=1e-6)


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
def test_lanes_of_other_losses(loss):
    X, y = problems.responses(loss)
    weights = np.random.default_rng(3).integers(0, 3, (3, 60)).astype(float)
    options = {"loss": loss, "alphas": [0.1, 0.03], "standardize": False, **TIGHT, "tol": 1e-9}
    found = lanes(X, y, weights, **options)
    for sample, counts in enumerate(weights):
        rows = np.flatnonzero(counts)
        path = pr.fit_path(X[rows], y[rows], sample_weight=counts[rows], **options)
        np.testing.assert_allclose(found["coef"][sample], path.coef, atol=1e-4)
        np.testing.assert_allclose(found["objective"][sample], path.objective, rtol=1e-7)


def test_scales_of_columns_are_those_of_all_rows():
    X, y = sparse(p=6)
    X = X * [1, 10, 0.1, 1, 1, 1]
    weights = np.random.default_rng(3).integers(0, 3, (2, 60)).astype(float)
    found = lanes(X, y, weights, alphas=[0.3], standardize=True, **TIGHT)
    scale = X.std(axis=0)
    for sample, counts in enumerate(weights):
        path = pr.fit_path(X / scale, y, alphas=[0.3], sample_weight=counts, **TIGHT)
        np.testing.assert_allclose(found["coef"][sample] * scale, path.coef, atol=1e-7)


def test_a_judge_certifies_lanes_on_many_columns_in_portions(monkeypatch):
    X, y = sparse(80, 1500, signals=10)
    monkeypatch.setattr(resampling, "MOST", 2 * 3 * 1500)  # two samples at a time
    weights = resampling.half_samples(KEY, y, None, 3)
    alphas = np.array([1.0, 0.6, 0.3])
    found = lanes(X, y, weights, alphas=alphas, dtype="float64", tol=1e-6)
    for sample, own in enumerate(weights):
        rows = own > 0
        gap = relative_gap(X[rows], y[rows], found["coef"][sample], found["intercept"][sample], alphas, 1.0)
        assert gap.max() <= 1.01e-6


def test_half_samples_are_disjoint_halves_of_each_class():
    for n, classes in [(20, None), (21, None), (21, ("a", "b"))]:
        y = np.zeros(n)
        y[:7] = 1
        weights = resampling.half_samples(KEY, y, classes, 4)
        pairs = weights.reshape(4, 2, n)
        assert set(np.unique(weights)) <= {0, 1}
        assert np.all(pairs.sum(axis=1) <= 1)
        if classes is None:
            assert np.all(weights.sum(axis=1) == n // 2)
        else:
            assert np.all(weights[:, :7].sum(axis=1) == 3)
            assert np.all(weights[:, 7:].sum(axis=1) == 7)
        assert len(np.unique(weights, axis=0)) == 8
    with pytest.raises(ValueError, match="class 'b' has 1 row"):
        resampling.half_samples(KEY, np.arange(5) == 3, ("a", "b"), 2)


def test_bootstrap_samples_draw_rows_with_replacement():
    y = np.repeat([0.0, 1.0], [30, 10])
    weights = resampling.bootstrap_samples(KEY, y, ("a", "b"), 2000)
    assert np.all(weights[:, :30].sum(axis=1) == 30)
    assert np.all(weights[:, 30:].sum(axis=1) == 10)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=5 * np.sqrt(1 / 2000))
    np.testing.assert_allclose((weights[:, :30] == 0).mean(), (1 - 1 / 30) ** 30, atol=0.01)
    np.testing.assert_allclose((weights[:, 30:] == 0).mean(), (1 - 1 / 10) ** 10, atol=0.01)


def test_the_bootstrap_says_how_much_coefficients_move():
    X, y, _ = pr.datasets.load_diabetes()
    found = pr.bootstrap(X, y, key=KEY, alphas=0.0, num_samples=400, standardize=True, dtype="float64", tol=1e-8)
    assert found.coef.shape == (400, 1, 10)
    design = np.column_stack([np.ones(len(y)), X])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    inverse = np.linalg.inv(design.T @ design)
    robust = inverse @ (design.T * residual**2) @ design @ inverse  # White (1980), what resampling rows estimates
    ratio = found.standard_error[0] / np.sqrt(np.diag(robust))[1:]
    assert np.all((ratio > 0.75) & (ratio < 1.35))
    low, high = found.interval(0.9)[:, 0]
    np.testing.assert_allclose(low, np.quantile(found.coef[:, 0], 0.05, axis=0), rtol=1e-12)
    assert np.all(low < high)
    again = pr.bootstrap(X, y, key=KEY, alphas=[20.0], num_samples=30, standardize=True, dtype="float64")
    same = pr.bootstrap(X, y, key=KEY, alphas=[20.0], num_samples=30, standardize=True, dtype="float64")
    np.testing.assert_array_equal(again.coef, same.coef)
    np.testing.assert_array_equal(again.probability[0], np.mean(again.coef[:, 0] != 0, axis=0))
    assert "30 samples x 1 alphas, 10 features, 30 of 30 fits converged" in repr(again)
    with pytest.raises(ValueError, match="pass fewer alphas"):
        pr.bootstrap(X, y, key=KEY, num_samples=10**8)
    with pytest.raises(ValueError, match=r"key must be a key such as jax\.random\.key\(0\), got None"):
        pr.bootstrap(X, y, key=None)
    with pytest.raises(TypeError, match=r"bootstrap\(\) has no option 'alpha'; did you mean alphas or n_alphas\?"):
        pr.bootstrap(X, y, key=KEY, alpha=1.0)  # pyright: ignore


def test_probabilities_are_those_of_a_loop():
    X, y = sparse(60, 30)
    found = pr.stability_selection(X, y, key=KEY, num_subsamples=12, alphas=[1.0, 0.3], max_false=None, **TIGHT)
    weights = resampling.half_samples(KEY, y, None, 6)
    used = [pr.fit_path(X[w > 0], y[w > 0], alphas=[1.0, 0.3], **TIGHT).coef != 0 for w in weights]
    np.testing.assert_allclose(found.probability, np.mean(used, axis=0), atol=1e-12)
    union = np.mean([u.any(axis=0).sum() for u in used])
    assert found.mean_selected == pytest.approx(union)
    assert found.expected_false == pytest.approx(false_selections(union, 30, 0.75, 6, True))
    np.testing.assert_array_equal(found.selected, np.mean(used, axis=0).max(axis=0) >= 0.75)
    again = pr.stability_selection(X, y, key=KEY, num_subsamples=12, alphas=[0.3, 1.0], max_false=None, **TIGHT)
    np.testing.assert_array_equal(found.probability, again.probability)


def test_bounds_of_the_papers():
    assert false_selections(10.0, 1000, 0.75, 50, False) == pytest.approx(100 / (0.5 * 1000))
    assert false_selections(10.0, 1000, 0.9, 50, False) == pytest.approx(100 / (0.8 * 1000))
    # Shah and Samworth (2013), theorem 2: C(0.9, 50) = 4 (0.1 + 0.01) / 1.02, C(0.7, 50) = 1 / (2 (0.4 - 0.01))
    assert false_selections(10.0, 1000, 0.9, 50, True) == pytest.approx(4 * 0.11 / 1.02 * 100 / 1000)
    assert false_selections(10.0, 1000, 0.7, 50, True) == pytest.approx(1 / 0.78 * 100 / 1000)
    assert false_selections(700.0, 1000, 0.9, 50, True) == false_selections(700.0, 1000, 0.9, 50, False)


@pytest.mark.parametrize("unimodal", [True, False])
def test_false_selections_stay_within_the_bound(unimodal):
    rng = np.random.default_rng(0)
    false, bound = [], []
    for _ in range(20):
        X = rng.standard_normal((60, 80))
        y = X[:, :3] @ [2.0, 2.0, 2.0] + rng.standard_normal(60)
        options: Any = {"num_subsamples": 40, "threshold": 0.7, "max_false": 2.0, "unimodal": unimodal}
        found = pr.stability_selection(X, y, key=KEY, dtype="float64", **options)
        assert found.selected[:3].all()
        assert found.expected_false <= 2.0
        false.append(found.selected[3:].sum())
        bound.append(found.expected_false)
    assert np.mean(false) <= np.mean(bound)
    assert np.mean(bound) > 0.3  # the grid goes as far as the bound allows, about


def test_unpenalised_and_excluded_columns_are_no_candidates():
    X, y = sparse(60, 30)
    factor = np.ones(30)
    factor[:2] = 0
    options: Any = {"num_subsamples": 10, "penalty_factor": factor, "exclude": [29], "dtype": "float64"}
    found = pr.stability_selection(X, y, key=KEY, alphas=[0.5], max_false=None, **options)
    assert np.all(found.probability[0, :2] == 1)
    assert found.probability[0, 29] == 0
    expected = false_selections(found.mean_selected, 27, 0.75, 5, True)
    assert found.expected_false == pytest.approx(expected)
    assert found.mean_selected < (found.probability[0].sum() - 2) + 1e-12


def test_classes_names_and_a_table():
    X, y = sparse(80, 12)
    names = [f"gene {j}" for j in range(12)]
    found = pr.stability_selection(
        X, y > y.mean(), key=KEY, loss="logistic", num_subsamples=10, feature_names=names, dtype="float64"
    )
    head, second, *rows = repr(found).splitlines()
    assert head.startswith(
        f"Stability: {found.selected.sum()} of 12 features selected in 0.75 or more of 10 half-samples"
    )
    assert f"{len(found.alphas)} alphas from" in second
    assert {row.split("  ")[1] for row in rows if row.endswith("selected")} == {
        names[j] for j in np.flatnonzero(found.selected)
    }


def given(options) -> Any:
    """With a key."""
    return {"key": KEY, **options}


def test_bad_options_of_stability_selection():
    X, y = sparse(60, 30)
    bad: list[tuple[dict[str, Any], str]] = [
        ({"num_subsamples": 7}, "must be even"),
        ({"threshold": 0.5}, r"threshold must lie in \(0.5, 1\], got 0.5"),
        ({"max_false": 0.0}, "max_false must be > 0"),
        ({"l1_ratio": [0.5, 1.0]}, "takes one l1_ratio > 0"),
        ({"l1_ratio": 0.0}, "takes one l1_ratio > 0"),
        ({"key": 3}, "key must be a key"),
    ]
    for options, message in bad:
        with pytest.raises(ValueError, match=message):
            pr.stability_selection(X, y, **given(options))
    with pytest.raises(ValueError, match="fit one response at a time"):
        pr.stability_selection(X, np.stack([y, y], axis=1), key=KEY)
    with pytest.raises(ValueError, match="rows of weight zero only"):
        lanes(X, y, np.eye(60)[:1], sample_weight=np.arange(60.0), alphas=[1.0])
    with pytest.warns(pr.DataWarning, match="the largest alpha allows .* false selections, more than 0.1"):
        pr.stability_selection(X, y, key=KEY, num_subsamples=4, alphas=[0.01], max_false=0.1, dtype="float64")
    with pytest.raises(ValueError, match="samples of rows take penalties by coefficient, GroupLasso is not"):
        pr.bootstrap(X, y, key=KEY, penalty=pr.GroupLasso(1.0))
    with pytest.warns(pr.ConvergenceWarning, match="problems above tol: worst error"):
        pr.stability_selection(X, y, key=KEY, num_subsamples=4, alphas=[0.01], max_false=None, max_steps=1)


@pytest.mark.filterwarnings("ignore:.*best mean")
def test_a_key_gives_the_same_with_and_without_jit():
    X, y = sparse(40, 5)
    options: Any = {"key": KEY, "alphas": [1.0, 0.5], "dtype": "float64"}

    def all_of_them():
        cv = pr.cv_path(X, y, folds=3, repeats=2, **options)
        stable = pr.stability_selection(X, y, num_subsamples=4, max_false=None, **options)
        return cv.fold_loss, stable.probability, pr.bootstrap(X, y, num_samples=4, **options).coef

    compiled = all_of_them()
    with jax.disable_jit():
        plain = all_of_them()
    for ours, theirs in zip(compiled, plain):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_samples_of_other_losses_are_fitted_by_the_solver_that_was_asked_for():
    X, y = problems.responses("logistic", 60, 5)
    options: Any = {"loss": "logistic", "alphas": [0.05], "num_samples": 4, "dtype": "float64", "tol": 1e-8}
    fits = {
        name: pr.bootstrap(X, y, key=jax.random.key(0), solver=name, **options)
        for name in ("auto", "fista", "coordinate_descent")
    }
    for name in ("fista", "coordinate_descent"):
        np.testing.assert_allclose(fits[name].coef, fits["auto"].coef, atol=1e-4)
    assert not np.array_equal(fits["coordinate_descent"].coef, fits["fista"].coef)


def test_a_budget_of_steps_is_one_for_working_sets_and_rows_together(monkeypatch):
    budgets, solve = [], resampling.solve_on_rows
    X, y = sparse(p=1300)
    weights = np.random.default_rng(3).integers(0, 3, (2, 60)).astype(float)

    def some_steps(*args, **options):
        result = solve_on_samples(*args, **options)
        return result._replace(status=np.full_like(result.status, pr.Status.MAX_STEPS))  # as if none was certified

    def on_rows(*args, **options):
        budgets.append(options["max_steps"])
        return solve(*args, **options)

    solve_on_samples = resampling.solve_on_samples
    monkeypatch.setattr(resampling, "solve_on_samples", some_steps)
    monkeypatch.setattr(resampling, "solve_on_rows", on_rows)
    found = lanes(X, y, weights, alphas=[0.5], max_steps=1000, **TIGHT)
    assert budgets
    assert max(budgets) < 1000
    assert found["num_steps"].max() <= 1000
