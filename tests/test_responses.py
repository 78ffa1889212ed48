"""Several responses to the same X: each is the fit of that response alone, in one call."""

import numpy as np
import pytest

import proxreg as pr
from proxreg.plotting import empty_figure

# grids here are short, and end where they like
pytestmark = pytest.mark.filterwarnings("ignore:.*the best (mean|AIC|BIC|EBIC)")

OPTIONS = {"dtype": "float64", "tol": 1e-10, "min_ratio": 0.1, "n_alphas": 6}


def data(n, p, loss="squared"):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, p)) + rng.standard_normal(p)
    Y = X[:, :3] @ rng.standard_normal((3, 3)) + rng.standard_normal((n, 3)) * [1, 0.1, 10] + [0, 5, 100]
    if loss == "poisson":
        return X, rng.poisson(np.exp(Y / np.abs(Y).max(axis=0)))
    return X, Y.mean(axis=0) < Y if loss == "logistic" else Y


@pytest.mark.parametrize(
    ("n", "p", "options"),
    [
        (80, 20, {}),
        (80, 20, {"l1_ratio": [0.5, 1.0], "standardize": True}),
        (80, 20, {"fit_intercept": False, "solver": "fista"}),
        (60, 1200, {"l1_ratio": [0.5, 1.0]}),
        (80, 5, {"loss": "logistic"}),
        (80, 5, {"loss": "poisson"}),
    ],
)
def test_paths_and_cross_validation_are_those_of_each_response(n, p, options):
    X, Y = data(n, p, options.get("loss"))
    given = {**OPTIONS, **options, "sample_weight": np.random.default_rng(1).uniform(0.5, 2, n)}
    labels = np.arange(n) * 3 // n
    folds = labels if options.get("loss") == "logistic" else 3  # which spreads the classes of a single response
    path, cv = pr.fit_path(X, Y, **given), pr.cv_path(X, Y, folds=folds, **given)
    lead = (3, 2) if "l1_ratio" in options else (3,)
    assert path.coef.shape == (*lead, 6, p)
    assert path.intercept.shape == path.gap.shape == cv.mean_loss.shape == cv.path.alphas.shape == (*lead, 6)
    assert cv.fold_loss.shape == (3, *lead, 6)
    assert cv.alpha_min.shape == cv.l1_ratio_min.shape == (3,)
    assert path.converged.all()
    for k in range(3):
        alone, cv_alone = pr.fit_path(X, Y[:, k], **given), pr.cv_path(X, Y[:, k], folds=labels, **given)
        size = np.abs(alone.coef).max()
        np.testing.assert_allclose(path.alphas[k], alone.alphas, rtol=1e-12)
        np.testing.assert_allclose(path.coef[k], alone.coef, atol=1e-6 * size)
        np.testing.assert_allclose(path.intercept[k], alone.intercept, rtol=1e-6, atol=1e-6 * size)
        np.testing.assert_allclose(path.predict(X)[k], alone.predict(X), rtol=1e-5, atol=1e-5 * size)
        np.testing.assert_allclose(cv.alpha_min[k], cv_alone.alpha_min, rtol=1e-12)
        np.testing.assert_allclose(cv.mean_loss[k], cv_alone.mean_loss, rtol=1e-6)
        np.testing.assert_allclose(cv.se_loss[k], cv_alone.se_loss, rtol=1e-5)


def test_an_unpenalised_column_and_an_offset():
    X, Y = data(80, 6)
    given = {**OPTIONS, "penalty_factor": [0, 1, 1, 1, 2, np.inf], "offset": X[:, 5]}
    path = pr.fit_path(X, Y, **given)
    for k in range(3):
        alone = pr.fit_path(X, Y[:, k], **given)
        np.testing.assert_allclose(path.alphas[k], alone.alphas, rtol=1e-7)
        np.testing.assert_allclose(path.coef[k], alone.coef, atol=1e-6 * np.abs(alone.coef).max())
    np.testing.assert_array_equal(path.coef[..., 5], 0)


def test_classes_are_those_of_each_response():
    X, Y = data(80, 4, "logistic")
    labels = np.stack([np.where(Y[:, 0], "yes", "no"), np.where(Y[:, 1], "sweet", "sour")], axis=1)
    path = pr.fit_path(X, labels, loss="logistic", **OPTIONS)
    assert path.classes == (("no", "yes"), ("sour", "sweet"))
    said = path.predict(X, kind="class")
    assert said.shape == (2, 6, 80)
    for k in range(2):
        alone = pr.fit_path(X, labels[:, k], loss="logistic", **OPTIONS)
        np.testing.assert_array_equal(said[k], alone.predict(X, kind="class"))
    mixed = np.array(list(zip(Y[:, 0].astype(int), labels[:, 1])), object)
    said = pr.fit_path(X, mixed, loss="logistic", **OPTIONS).predict(X, kind="class")
    assert set(said[0].ravel()) <= {0, 1}
    assert set(said[1].ravel()) <= {"sour", "sweet"}


@pytest.mark.filterwarnings("ignore:y is constant")
def test_a_constant_response_among_others_and_an_offset_in_cross_validation():
    X, Y = data(80, 4)
    Y[:, 1] = 3.0
    given = {**OPTIONS, "alphas": [1.0, 0.1], "offset": None}
    path = pr.fit_path(X, Y.tolist(), **given)
    np.testing.assert_array_equal(path.coef[1], 0)
    np.testing.assert_allclose(path.intercept[1], 3)
    given["offset"] = X[:, 3]
    cv = pr.cv_path(X, Y, folds=4, **given)
    for k in range(3):
        np.testing.assert_allclose(
            cv.mean_loss[k], pr.cv_path(X, Y[:, k], folds=4, **given).mean_loss, rtol=1e-6, atol=1e-12
        )


def test_tables_name_the_response_and_pictures_ask_for_one():
    X, Y = data(80, 4)
    path, cv = pr.fit_path(X, Y, **OPTIONS), pr.cv_path(X, Y, **OPTIONS)
    assert "Path: 3 x 6 alphas" in repr(path)
    assert [line.split()[0] for line in repr(path).splitlines()[3:]] == [k for k in "012" for _ in range(5)]
    assert [line.split()[:2] for line in repr(cv).splitlines()[2:]] == [
        [k, rule] for k in "012" for rule in ("min", "1se")
    ]
    with pytest.raises(ValueError, match=r"several responses; draw one: .response\(0\)"):
        path.plot()


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_one_of_several_is_as_if_fitted_alone(loss):
    X, Y = data(80, 4, loss)
    given = {**OPTIONS, "l1_ratio": [0.5, 1.0], "loss": loss, "folds": np.arange(80) % 3}
    cv, alone = pr.cv_path(X, Y, **given), pr.cv_path(X, Y[:, 2], **given)
    one = cv.response(2)
    assert one.alpha_min == cv.alpha_min[2]
    assert one.path.classes == alone.path.classes
    np.testing.assert_array_equal(one.fold_loss, cv.fold_loss[:, 2])
    for rule in ("min", "1se"):
        np.testing.assert_array_equal(one.coef(rule), cv.coef(rule)[2])
        np.testing.assert_array_equal(one.predict(X, rule), cv.predict(X, rule)[2])
    assert [line[:20] for line in repr(one).splitlines()] == [line[:20] for line in repr(alone).splitlines()]
    criterion = pr.information_criterion(one.path)
    np.testing.assert_array_equal(criterion.value, pr.information_criterion(cv.path).value[2])
    assert len(one.path.plot(figure=empty_figure())) == len(one.plot(figure=empty_figure())) == 2
    assert not one.path.several
    with pytest.raises(ValueError, match="the path has one response already"):
        one.response(0)
    with pytest.raises(ValueError, match="response must be from 0 to 2, got 3"):
        cv.response(3)


def test_messages_say_which():
    X, Y = data(80, 4)
    with pytest.warns(pr.ConvergenceWarning, match=r"y \d"):
        pr.fit_path(X, Y, **{**OPTIONS, "tol": 1e-13, "max_steps": 2})
    Y[3, 1] = np.nan
    with pytest.raises(ValueError, match="y has 1 NaN or infinite entry in row 3; remove or impute"):
        pr.fit_path(X, Y)
    for function in (pr.alpha_max, lambda X, y: pr.fit(X, y, penalty=pr.L1(1.0))):
        with pytest.raises(ValueError, match=r"y must have shape \(80,\), got \(80, 3\); fit one response at a time"):
            function(X, Y)


@pytest.mark.parametrize("options", [{}, {"l1_ratio": [0.5, 1.0]}])
def test_the_alphas_of_a_path_can_be_passed_back(options):
    X, Y = data(80, 6)
    path = pr.fit_path(X, Y, **options, **OPTIONS)
    assert path.alphas.shape == (3, *(() if not options else (2,)), 6)
    assert len({alphas.max() for alphas in path.alphas}) == 3
    cv = pr.cv_path(X, Y, alphas=path.alphas, folds=3, **options, **OPTIONS)
    np.testing.assert_array_equal(cv.alphas, path.alphas)
    np.testing.assert_allclose(cv.path.coef, path.coef, rtol=1e-10, atol=1e-12)
    with pytest.raises(ValueError, match=r"got \(2, 2, 6\) for .* l1_ratios and 3 responses"):
        pr.fit_path(X, Y, alphas=np.ones((2, 2, 6)), **options)
