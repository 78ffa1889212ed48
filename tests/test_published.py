"""Numbers that others have printed: R's glmnet and lars on the diabetes data, to the digits of their print."""

import numpy as np
import pytest

import proxreg as pr
from bench.certificate import relative_gap

X, Y, NAMES = pr.datasets.load_diabetes()
X = X.copy()  # lars has them from before the published file was rounded:
X[:, 3] = np.round(3 * X[:, 3]) / 3  # blood pressures are whole thirds,
X[:, 8] = np.log(np.round(np.exp(X[:, 8])))  # s5 is the logarithm of a whole number
SCALE = X.std(axis=0)
Z = (X - X.mean(axis=0)) / SCALE
TIGHT = {"standardize": True, "dtype": "float64", "tol": 1e-12}

# print(cv.glmnet(x, y)) on the diabetes data of lars: J. B. Arnold, Bayesian Notes, docs/regression-shrinkage.md of
# https://github.com/jrnold/bayesian_notes
LAMBDAS = """
45.1600 41.1481 37.4927 34.1619 31.1271 28.3618 25.8422 23.5465 21.4547 19.5487 17.8120 16.2297 14.7879 13.4742 12.2772
11.1865 10.1927 9.2872 8.4622 7.7104 7.0254 6.4013 5.8326 5.3145 4.8424 4.4122 4.0202 3.6631 3.3377 3.0411 2.7710 2.5248
2.3005 2.0961 1.9099 1.7403 1.5857 1.4448 1.3164 1.1995 1.0929 0.9958 0.9074 0.8268 0.7533 0.6864 0.6254 0.5699 0.5192
0.4731 0.4311 0.3928 0.3579 0.3261 0.2971 0.2707 0.2467 0.2248 0.2048 0.1866 0.1700 0.1549 0.1412 0.1286 0.1172 0.1068
0.0973 0.0887 0.0808 0.0736 0.0671 0.0611 0.0557 0.0507 0.0462 0.0421 0.0384
"""
DF = [(0, 1), (2, 7), (3, 4), (4, 10), (5, 4), (6, 3), (7, 13), (8, 14), (9, 1), (10, 10), (9, 6), (10, 15)]  # in runs
DEVIANCE = """
0.0000 0.0646 0.1320 0.1870 0.2340 0.2720 0.3040 0.3300 0.3520 0.3740 0.3920 0.4070 0.4200 0.4320 0.4420 0.4500 0.4570
0.4630 0.4680 0.4720 0.4750 0.4780 0.4820 0.4870 0.4900 0.4940 0.4960 0.4980 0.5000 0.5030 0.5050 0.5060 0.5080 0.5090
"""
# glmnet stops at changes of 1e-7, and has s3 leave one lambda after it should, and return two after
LATE = [66, 71, 72]

# lars(x, y), its summary and its coefficients, for columns of length one: "DataMining" of 22 June 2019 in
# https://github.com/yanyul987/yanyul987.github.io
MOVES = "bmi s5 bp s3 sex s6 s1 s4 s2 age -s3 s3"  # ltg, map, hdl, glu, tc, tch and ldl there
RSS = [2621009, 2510465, 1700369, 1527165, 1365734, 1324118, 1308932, 1275355, 1270233, 1269390, 1264977, 1264765]
CP = """
453.726255 418.032217 143.801193 86.741078 33.695679 21.505224 18.327003 8.877493 9.131148 10.843547 11.338975 9.266761
"""
STEPS = {
    7: "0 -197.756501135154 522.26484701812 297.15973688909 -103.946248766907 0 -223.926033335305 0 514.749480847553 "
    "54.7676806302465",
    9: "0 -227.175798242917 526.390594350024 314.950467216784 -237.34097311995 33.628274416008 -134.599352051782 "
    "111.384128693504 545.48259721323 64.606670131436",
}


def numbers(text):
    return np.array(text.split(), float)


def squares(path):
    """What a path leaves unexplained."""
    return np.sum((Y - path.predict(X)) ** 2, axis=-1)


def test_the_path_of_glmnet():
    printed, df = numbers(LAMBDAS), np.concatenate([np.full(length, value) for value, length in DF])
    top = pr.alpha_max(X, Y, standardize=True, dtype="float64")
    alphas = top * np.geomspace(1, 1e-4, 100)[: len(df)]
    np.testing.assert_allclose(alphas[: len(printed)], printed, atol=0.51e-4, rtol=0)
    path = pr.fit_path(X, Y, alphas=alphas, **TIGHT)
    np.testing.assert_array_equal(np.flatnonzero(path.nnz != df), LATE)
    gap = relative_gap(Z, Y, path.coef * SCALE, path.intercept + path.coef @ X.mean(axis=0), alphas)
    assert gap.max() < 1e-11
    explained, printed = 1 - squares(path) / np.sum((Y - Y.mean()) ** 2), numbers(DEVIANCE)
    np.testing.assert_allclose(explained[: len(printed)], printed, atol=0.51e-3, rtol=0)  # three digits, not four


@pytest.mark.parametrize(
    ("loss", "X", "y", "intercept", "coef"),
    [
        (
            "logistic",
            np.array([range(-4, 5), [0, 0, 1, 0, 1, 1, 1, 0, 0]]).T,
            np.array([0, 0, 0, 1, 1, 1, 1, 1, 1]),
            0.89230405539,
            [0.44464569182, 0.01457563448],
        ),
        (
            "poisson",
            np.array([[-2, -1, 1, 2], [0, 0, 1, 1]]).T,
            np.array([0, 1, 1, 2]),
            -0.12889386979,
            [0.29019207995, 0.03741173122],
        ),
    ],
)
def test_ridge_likelihoods_of_glmnet(loss, X, y, intercept, coef):
    """For lambda = 1, as printed in scikit-learn's test_logistic_glmnet and test_poisson_glmnet."""
    model = pr.fit(X, y, loss=loss, penalty=pr.L2(1.0), dtype="float64", tol=1e-13)
    np.testing.assert_allclose(model.intercept, intercept, atol=1e-6)
    np.testing.assert_allclose(model.coef, coef, atol=1e-6)


@pytest.mark.parametrize("step", STEPS)
def test_the_coefficients_of_lars(step):
    printed = numbers(STEPS[step])
    alpha = np.abs(Z.T @ (Y - Y.mean() - Z @ printed / np.sqrt(len(Y)))).max() / len(Y)  # what is optimal for
    path = pr.fit_path(X, Y, alphas=[alpha], **TIGHT)
    # rounding in x, of 1e-10, is a thousand times that in the coefficients of s1 and s2
    np.testing.assert_allclose(path.coef[0] * SCALE * np.sqrt(len(Y)), printed, rtol=3e-7)
    np.testing.assert_allclose(squares(path), RSS[step], atol=0.51)


def test_the_moves_of_lars_and_what_they_leave():
    """Where features enter and leave, by halving between alphas that differ in their support."""
    grid = pr.alpha_max(X, Y, standardize=True, dtype="float64") * np.geomspace(1.001, 1e-3, 200)
    used = pr.fit_path(X, Y, alphas=grid, **TIGHT).coef != 0
    at = np.flatnonzero(np.any(used[1:] != used[:-1], axis=1))
    before, after, high, low = used[at], used[at + 1], grid[at], grid[at + 1]
    for _ in range(40):
        middle = (high + low) / 2
        same = np.all((pr.fit_path(X, Y, alphas=middle, **TIGHT).coef != 0) == before, axis=1)
        high, low = np.where(same, middle, high), np.where(same, low, middle)
    assert np.all(np.sum(before != after, axis=1) == 1)
    moved = np.argmax(before != after, axis=1)
    assert " ".join(("-" if old[j] else "") + NAMES[j] for j, old in zip(moved, before)) == MOVES
    left = squares(pr.fit_path(X, Y, alphas=high, **TIGHT))
    np.testing.assert_allclose(left, RSS, atol=0.51, rtol=0)
    residual = squares(pr.fit_path(X, Y, alphas=[0.0], **TIGHT))[0] / (len(Y) - 11)
    df = 1 + np.count_nonzero(before, axis=1)
    np.testing.assert_allclose(left / residual - len(Y) + 2 * df, numbers(CP), atol=1e-5, rtol=0)
