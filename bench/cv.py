"""Cross-validation of the elastic net over alphas and l1_ratios, ours against ``ElasticNetCV`` on all cores.

Run it as ``python -m bench.cv``; the README beside this file says what it measures.
"""

from typing import Any

import numpy as np

from bench import ours, problems, report
from bench.certificate import relative_gap
from bench.contest import OURS, TARGET, Contender, race
from bench.judged import facts, quietly
from bench.peers import PEER
from bench.problems import PROBLEMS, Problem
from bench.workers import Solver

L1_RATIOS = (0.1, 0.5, 0.7, 0.9, 1.0)
FOLDS = 5
Grid = tuple[tuple[float, ...], int]  # l1_ratios, folds


def build_ours(problem: Problem, tol: float, grid: Grid) -> Solver:
    """``proxreg.cv_path``."""
    pr = ours.fresh()
    X, y = problems.make(problem)
    l1_ratios, folds = list(grid[0]), grid[1]
    options = {"l1_ratio": l1_ratios, "n_alphas": problem.n_alphas, "min_ratio": problem.min_ratio, "folds": folds}

    def solve() -> Any:
        return pr.cv_path(X, y, **options, tol=tol, max_steps=10**6, dtype="float64")

    def judge(cv: Any) -> dict:
        path = cv.path
        gap = relative_gap(X, y, path.coef, path.intercept, path.alphas, np.array(l1_ratios)[:, None])
        return facts(gap, path.num_steps) | {"chosen": [cv.alpha_min, cv.l1_ratio_min]}

    return quietly(solve), judge


def build_sklearn(problem: Problem, tol: float, grid: Grid) -> Solver:
    """``ElasticNetCV``; of its fits it keeps the last one alone, which is judged."""
    from sklearn.linear_model import ElasticNetCV

    X, y = problems.make(problem, order="F")
    options: Any = {"l1_ratio": list(grid[0]), "alphas": problem.n_alphas, "eps": problem.min_ratio, "cv": grid[1]}

    def solve() -> ElasticNetCV:
        return ElasticNetCV(**options, tol=tol, max_iter=10**6, n_jobs=-1).fit(X, y)

    def judge(model: ElasticNetCV) -> dict:
        gap = relative_gap(X, y, model.coef_, model.intercept_, model.alpha_, model.l1_ratio_)
        return facts(gap, model.n_iter_) | {"chosen": [model.alpha_, model.l1_ratio_]}

    return quietly(solve), judge


def contenders(problem: Problem, grid: Grid) -> dict[str, Contender]:
    """Both of them."""
    return {
        OURS: Contender(build_ours, problem, grid),
        f"{PEER} on all cores": Contender(build_sklearn, problem, grid),
    }


def main(argv: list[str] | None = None) -> None:
    """Runs the races and prints the table."""
    known = ("tall", "narrow")
    options = report.arguments(
        "cv", "Our cross-validation against scikit-learn's.", known, repeats=3, budget=200.0
    ).parse_args(argv)
    grid = (L1_RATIOS, FOLDS)
    chosen = [PROBLEMS[name].scaled(options.size) for name in options.only or known]
    races = (race(problem, contenders(problem, grid), options.repeats, options.budget) for problem in chosen)
    found = report.collect(options, races, target_gap=TARGET, l1_ratios=L1_RATIOS, folds=FOLDS)
    print(report.table(found["problems"]))


if __name__ == "__main__":
    main()
