"""A reduced random search: fits of random small problems say of themselves what exact optima confirm, and the judge of
that search finds planted faults.
"""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from bench import exact, exact_objective, random_search, search_judge, search_problems, search_shrink

LONG = np.longdouble
#: the full search runs by ``python -m bench.random_search``; these seeds meet every loss, type and respect
SEEDS = range(150)
#: some that had found a fault
FOUND = [4681, 10397, 12152, 17030, 1000139, 1000268, 1000747, 1000854, 2000110, 2000164, 2000235, 3000106]
FOUND += [17816, 19211, 7016, 4563, 6017, 430, 12465, 15985, 5936, 708, 9800, 3223, 8433, 4368, 11289, 1336, 12298]
FOUND += [5009907, 9403, 5003234, 5001472]


@pytest.mark.parametrize("first", range(0, len(SEEDS), 30))
def test_no_fit_of_a_random_problem_claims_what_is_not_so(first):
    records = [random_search.examine(seed) for seed in SEEDS[first : first + 30]]
    assert [(r.seed, r.failures) for r in records if r.failures] == []
    assert sum(r.converged for r in records) > 0.8 * sum(r.fits for r in records)
    assert sum(r.unsure for r in records) < 0.02 * sum(r.fits for r in records)
    assert sum(bool(r.refused) for r in records) <= 6


@pytest.mark.parametrize("seed", FOUND)
def test_faults_that_were_found_stay_mended(seed):
    assert random_search.examine(seed).failures == ()


def test_the_reduced_search_meets_everything():
    problems = [search_problems.make(seed) for seed in SEEDS]
    assert {p.loss for p in problems} == set(search_problems.LOSSES)
    assert {p.dtype for p in problems} == {"float32", "float64"}
    assert {name for p in problems for name in p.wild} == {*search_problems.COLUMNS_WILD, *search_problems.REST_WILD}
    assert {p.X.shape[0] for p in problems} == set(search_problems.ROWS)
    assert {p.X.shape[1] for p in problems} == set(search_problems.COLUMNS)


def made(loss, fit_intercept=True, seed=0, n=20, p=6):
    """A plain problem, and an elastic net with limits."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + 2.0
    eta = X[:, 0] - X[:, 1] + rng.normal(size=n)
    y = {"squared": eta, "huber": eta + rng.standard_t(1, size=n)}
    y |= {"logistic": (eta > 0).astype(float), "poisson": np.floor(np.exp(eta))}
    smooth = exact_objective.smooth_of(
        X, y[loss], loss, weights=rng.random(n), offset=rng.normal(size=n), delta=1.0, fit_intercept=fit_intercept
    )
    return X, y[loss], smooth


def penalty(p, l1, l2, lower=-np.inf, upper=np.inf):
    return exact_objective.Penalty(*(np.full(p, value, LONG) for value in (l1, l2, lower, upper)))


def test_the_oracle_is_least_squares_where_nothing_is_penalised():
    for n, p in ((20, 6), (8, 12)):
        X, y, smooth = made("squared", n=n, p=p)
        best = exact.solve(smooth, penalty(p, 0, 0))
        root = np.sqrt(smooth.weights.astype(float))
        A = root[:, None] * np.column_stack([np.ones(n), X])
        w = np.linalg.lstsq(A, root * (y - smooth.offset.astype(float)))[0]
        total = exact_objective.objective(smooth, penalty(p, 0, 0), w[1:], w[0]).total
        np.testing.assert_allclose(float(best.objective), float(total), rtol=1e-12, atol=1e-25)


def test_the_oracle_is_bounded_least_squares_within_limits():
    X, y, smooth = made("squared", fit_intercept=False)
    root = np.sqrt(smooth.weights.astype(float))
    scipy = lsq_linear(root[:, None] * X, root * (y - smooth.offset.astype(float)), (-0.3, 0.1), tol=1e-14)
    best = exact.solve(smooth, penalty(6, 0, 0, -0.3, 0.1))
    np.testing.assert_allclose(float(best.objective), scipy.cost, rtol=1e-10)
    np.testing.assert_allclose(best.coef.astype(float), scipy.x, atol=1e-6)


@pytest.mark.parametrize("loss", search_problems.LOSSES)
def test_the_judge_s_losses_are_those_of_the_textbook_and_their_derivatives(loss):
    y = np.array([0.0, 1.0, 1.0, 0.0, 0.25], LONG)
    eta = np.array([-3.0, 0.5, 30.0, -30.0, 1.0], LONG)
    right = {
        "squared": (eta - y) ** 2 / 2,
        "huber": np.where(abs(eta - y) <= 2, (eta - y) ** 2 / 2, 2 * abs(eta - y) - 2),
        "logistic": np.log1p(np.exp(eta)) - y * eta,
        "poisson": np.exp(eta) - y * eta + np.where(y > 0, y * np.log(np.where(y > 0, y, 1)) - y, 0),
    }[loss]
    np.testing.assert_allclose(exact_objective.values(loss, eta, y, 2.0), right, rtol=1e-15, atol=1e-17)
    step = LONG(1e-6)
    low, high = (exact_objective.values(loss, eta + sign * step, y, 2.0) for sign in (-1, 1))
    np.testing.assert_allclose(
        exact_objective.slopes(loss, eta, y, 2.0), (high - low) / (2 * step), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("loss", search_problems.LOSSES)
@pytest.mark.parametrize(("l1", "l2"), [(0.05, 0.0), (0.0, 0.1), (0.01, 0.03)])
def test_the_oracle_satisfies_the_optimality_conditions_which_for_convex_problems_suffice(loss, l1, l2):
    smooth = made(loss)[2]
    best = exact.solve(smooth, penalty(6, l1, l2, -0.5, 2.0))
    assert best.finite
    assert best.doubt < 1e-20
    eta = smooth.offset + best.intercept + smooth.X @ best.coef
    slope = smooth.weights * exact_objective.slopes(loss, eta, smooth.y)
    gradient = slope @ smooth.X + l2 * best.coef
    up = gradient + np.where(best.coef >= 0, l1, -l1)  # to the right of each coefficient, and to the left
    down = gradient + np.where(best.coef > 0, l1, -l1)
    size = np.abs(slope) @ np.abs(smooth.X)
    assert abs(slope.sum()) <= 1e-10 * np.abs(slope).sum()
    assert np.all((up >= -1e-10 * size) | (best.coef >= 2.0))
    assert np.all((down <= 1e-10 * size) | (best.coef <= -0.5))


def test_an_optimum_at_infinity_is_found_and_one_that_is_far_is_not_taken_for_it():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    common = {"weights": None, "offset": None, "delta": 1.0, "fit_intercept": True}
    for loss, y in (
        ("logistic", [0, 0, 1, 1]),
        ("logistic", [1, 1, 1, 1]),
        ("poisson", [0, 0, 0, 3]),
        ("poisson", [0] * 4),
    ):
        smooth = exact_objective.smooth_of(X, y, loss, **common)
        assert not exact.solve(smooth, penalty(1, 0, 0)).finite
        assert exact.solve(smooth, penalty(1, 0, 1e-12)).finite == (max(y) > min(y))
    for loss, y in (("logistic", [0, 1, 0, 1]), ("poisson", [1, 0, 0, 3]), ("squared", [0, 0, 1, 1])):
        assert exact.solve(exact_objective.smooth_of(X, y, loss, **common), penalty(1, 0, 0)).finite


def plain(**changes):
    """A problem that is not wild, and an honest answer to it."""
    X, y, _ = made("squared")
    problem = search_problems.Problem(
        0, X, y, "squared", "float64", (), alphas=np.array([0.3, 0.03]), upper=np.full(6, 5.0), tol=1e-6
    )
    problem = dataclasses.replace(problem, **changes)
    return problem, search_judge.ask(problem)


def kinds(problem, answer):
    return {failure.kind for failure in search_judge.judge(problem, answer).failures}


def test_the_judge_finds_planted_faults():
    problem, answer = plain()
    assert kinds(problem, answer) == set()
    path = answer.path

    def planted(**changes):
        return kinds(problem, answer._replace(path=dataclasses.replace(path, **changes)))

    assert planted(coef=path.coef * 1.01) >= {"wrong", "gap", "objective"}
    assert planted(coef=path.coef * 1.01, gap=np.full(2, np.nan)) == {"wrong", "objective"}
    assert planted(coef=path.coef * 1.01, converged=np.zeros(2, bool), gap=np.ones(2)) == {"silent", "objective, open"}
    assert planted(objective=path.objective * (1 + 1e-6)) == {"objective"}
    assert planted(coef=np.full((2, 6), np.nan)) == {"not finite"}
    assert planted(coef=path.coef + 6.0) == {"limits"}
    error = ZeroDivisionError("division by zero")
    assert kinds(problem, search_judge.Answer(error=error)) == {"raised"}
    assert kinds(problem, search_judge.Answer(error=ValueError("raised elsewhere"))) == {"raised"}


def test_the_judge_finds_a_held_out_loss_that_is_not_the_optimum_s():
    problem, answer = plain(folds=np.arange(20) % 4)
    assert kinds(problem, answer) == set()
    wrong = dataclasses.replace(answer.cv, fold_loss=answer.cv.fold_loss * 1.1)
    assert kinds(problem, answer._replace(cv=wrong)) == {"fold loss"}


def test_a_refusal_is_no_fault_and_is_kept_without_its_numbers():
    problem, answer = plain(alphas=np.array([-1.0]))
    record = search_judge.judge(problem, answer)
    assert record.failures == ()
    assert record.refused == "alphas must be >= # and finite, got #"


def test_a_problem_with_a_fault_is_made_smaller(monkeypatch):
    honest = search_judge.ask

    def lying(problem):
        answer = honest(problem)
        return answer._replace(path=dataclasses.replace(answer.path, objective=answer.path.objective * 2))

    monkeypatch.setattr(search_shrink, "ask", lying)
    problem, _ = plain(standardize=True, sample_weight=np.arange(1.0, 21.0))
    small = search_shrink.shrink(problem, "objective")
    assert small.X.size <= 4
    assert (small.upper, small.sample_weight, small.standardize) == (None, None, False)
    text = search_shrink.snippet(small, "objective")
    assert text.startswith("# seed 0: objective")
    names = {}
    exec(text.replace("print(", "path = ("), names)
    assert names["path"].coef.shape == (1, small.X.shape[1])


def test_the_runner_counts_and_says_where_to_look(capsys):
    assert random_search.main(["--problems", "2", "--seed", "7"]) in (0, 1)
    out = capsys.readouterr().out
    assert "| all | 2 |" in out
    assert "2 problems" in out
