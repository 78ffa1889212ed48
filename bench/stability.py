"""Stability selection: lassos on many halves of the rows, ours in one call against loops over scikit-learn's.

Run it as ``python -m bench.stability``; the README beside this file says what it measures.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench import ours, problems, report
from bench.certificate import relative_gap
from bench.contest import OURS, Contender, race
from bench.judged import facts, quietly
from bench.peers import PEER
from bench.problems import Problem
from bench.workers import Solver

SAMPLES = {"tiny": 12, "small": 100, "full": 1000}
JUDGED = 20  # half-samples whose fits are judged, after the clock has stopped
TARGET = 1e-4  # relative gap of every fit; what is wanted of it is which coefficients are zero
TOLS = (1e-4, 5e-5, 2e-5, 1e-5, 1e-6)
GRID = Problem("grid", 400, 2000, rho=0.3, snr=1.0, signals=20, min_ratio=0.45, n_alphas=10)
PROBLEMS = {"grid": GRID, "one": Problem("one", 400, 2000, rho=0.3, snr=1.0, signals=20, min_ratio=0.45, n_alphas=1)}


def halves(problem: Problem, samples: int) -> np.ndarray:
    """The rows ``(samples, n // 2)`` of complementary halves."""
    orders = (np.random.default_rng(1).permutation(problem.n) for _ in range(samples // 2))
    half = problem.n // 2
    return np.concatenate([[order[:half], order[half : 2 * half]] for order in orders])


def alphas_of(problem: Problem, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """From the smallest with all coefficients zero on all rows down; a grid of one is its smallest."""
    top = np.max(np.abs((X - X.mean(axis=0)).T @ (y - y.mean()))) / len(y)
    return top * np.geomspace(1, problem.min_ratio, max(problem.n_alphas, 2))[-problem.n_alphas :]


def build_ours(problem: Problem, tol: float, samples: int) -> Solver:
    """The lanes that ``proxreg.stability_selection`` fits, counted as it counts them."""
    pr = ours.fresh()
    from proxreg import resampling
    from proxreg.path_problem import answer, pose

    X, y = problems.make(problem)
    rows, alphas = halves(problem, samples), alphas_of(problem, X, y)
    weights = np.zeros((samples, problem.n))
    np.put_along_axis(weights, rows, 1.0, axis=1)

    def lanes(chosen: np.ndarray) -> Any:
        posed = pose(X, y, several=False, alphas=alphas, tol=tol, dtype="float64")
        return resampling.fits(posed, answer(posed), chosen)

    def solve() -> np.ndarray:
        assert pr is not None
        return sum(np.sum(found["coef"] != 0, axis=0) for found in lanes(weights))  # pyright: ignore

    def judge(counts: np.ndarray) -> dict:
        parts = list(lanes(weights[:JUDGED]))
        coef, intercept = (np.concatenate([part[name] for part in parts]) for name in ("coef", "intercept"))
        return _judged(X, y, rows, coef, intercept, alphas) | {"chosen": counts[-1].tolist()}

    return quietly(solve), judge


def _judged(X: np.ndarray, y: np.ndarray, rows: np.ndarray, coef: Any, intercept: Any, alphas: np.ndarray) -> dict:
    pairs = zip(rows[:JUDGED], coef, intercept)
    return facts(np.array([relative_gap(X[own], y[own], w, b, alphas, 1.0) for own, w, b in pairs]))


Loop = Callable[[np.ndarray, np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]


def fit_each(X: np.ndarray, y: np.ndarray, alphas: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """``Lasso``, one alpha after the other: coefficients ``(K, p)`` and intercepts."""
    from sklearn.linear_model import Lasso

    models = [Lasso(alpha=alpha, tol=tol, max_iter=10**5).fit(X, y) for alpha in alphas]
    return np.array([model.coef_ for model in models]), np.array([model.intercept_ for model in models])


def fit_along(X: np.ndarray, y: np.ndarray, alphas: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """``lasso_path``, which starts each alpha at the one before."""
    from sklearn.linear_model import lasso_path

    mean, y_mean, grid = X.mean(axis=0), y.mean(), alphas.tolist()
    options: Any = {"alphas": grid, "tol": tol, "max_iter": 10**5}
    coef = np.asarray(lasso_path(X - mean, y - y_mean, **options)[1]).T
    return coef, y_mean - coef @ mean


def _counted(fit: Loop, X: np.ndarray, y: np.ndarray, alphas: np.ndarray, tol: float, keep: bool) -> Any:
    coef, intercept = fit(np.asfortranarray(X), y, alphas, tol)
    return coef != 0, (coef, intercept) if keep else None


def build_loop(problem: Problem, tol: float, option: tuple[str, int]) -> Solver:
    """A loop over the half-samples on all cores."""
    from joblib import Parallel, delayed

    kind, samples = option
    fit = {"Lasso": fit_each, "lasso_path": fit_along}[kind]
    X, y = problems.make(problem)
    rows, alphas = halves(problem, samples), alphas_of(problem, X, y)
    pool = Parallel(n_jobs=-1)

    def solve() -> Any:
        work = (delayed(_counted)(fit, X[own], y[own], alphas, tol, k < JUDGED) for k, own in enumerate(rows))
        used, kept = zip(*pool(work))
        return np.sum(used, axis=0), [each for each in kept if each is not None]

    def judge(answer: Any) -> dict:
        counts, kept = answer
        coef, intercept = zip(*kept)
        return _judged(X, y, rows, coef, intercept, alphas) | {"chosen": counts[-1].tolist()}

    return quietly(solve), judge


def contenders(problem: Problem, samples: int) -> dict[str, Contender]:
    """Ours and the loops."""
    make = partial(Contender, tols=TOLS, target=TARGET)
    return {
        OURS: make(build_ours, problem, samples),
        f"{PEER} Lasso on all cores": make(build_loop, problem, ("Lasso", samples)),
        f"{PEER} lasso_path on all cores": make(build_loop, problem, ("lasso_path", samples)),
    }


def main(argv: list[str] | None = None) -> None:
    """Runs the races and prints the table."""
    options = report.arguments(
        "stability", "Our half-samples against scikit-learn's.", tuple(PROBLEMS), repeats=3, budget=200.0
    ).parse_args(argv)
    samples = SAMPLES[options.size]
    chosen = [PROBLEMS[name].scaled(options.size) for name in options.only or PROBLEMS]

    races = (race(problem, contenders(problem, samples), options.repeats, options.budget) for problem in chosen)
    found = report.collect(options, races, target_gap=TARGET, half_samples=samples)
    print(report.table(found["problems"]))


if __name__ == "__main__":
    main()
