"""Cross-validation of the elastic net over alphas and l1_ratios, ours against ``ElasticNetCV`` on all cores.

Run it as ``python -m bench.cv``; the README beside this file says what it measures.
"""

import argparse
import dataclasses
import json
import sys
from typing import Any

import numpy as np

from bench import problems
from bench.certificate import relative_gap
from bench.contest import Contender
from bench.path import OURS, PEER, compare, machine, quietly, table
from bench.problems import PROBLEMS, Problem
from bench.workers import Solver

L1_RATIOS: Any = [0.1, 0.5, 0.7, 0.9, 1.0]
FOLDS = 5


def build_ours(problem: Problem, tol: float, option: None) -> Solver:
    """``proxreg.cv_path``."""
    del option
    import jax

    import proxreg as pr

    jax.config.update("jax_enable_compilation_cache", False)
    X, y = problems.make(problem)
    options = {"l1_ratio": L1_RATIOS, "n_alphas": problem.n_alphas, "min_ratio": problem.min_ratio, "folds": FOLDS}

    def solve() -> pr.CVPath:
        return pr.cv_path(X, y, **options, tol=tol, max_steps=10**6, dtype="float64")

    def judge(cv: pr.CVPath) -> dict:
        path = cv.path
        gap = relative_gap(X, y, path.coef, path.intercept, path.alphas, np.array(L1_RATIOS)[:, None])
        steps = {"max_steps": int(path.num_steps.max()), "mean_steps": float(path.num_steps.mean())}
        return {"worst_gap": float(gap.max()), **steps, "chosen": [cv.alpha_min, cv.l1_ratio_min]}

    return quietly(solve), judge


def build_sklearn(problem: Problem, tol: float, option: None) -> Solver:
    """``ElasticNetCV``; of its fits it keeps the last one alone, which is judged."""
    del option
    from sklearn.linear_model import ElasticNetCV

    X, y = problems.make(problem, order="F")

    def solve() -> ElasticNetCV:
        model = ElasticNetCV(
            l1_ratio=L1_RATIOS,
            alphas=problem.n_alphas,
            eps=problem.min_ratio,
            cv=FOLDS,
            tol=tol,
            max_iter=10**6,
            n_jobs=-1,
        )
        return model.fit(X, y)

    def judge(model: ElasticNetCV) -> dict:
        gap = relative_gap(X, y, model.coef_, model.intercept_, model.alpha_, model.l1_ratio_)
        steps = {"max_steps": int(model.n_iter_), "mean_steps": float(model.n_iter_)}
        return {"worst_gap": float(np.max(gap)), **steps, "chosen": [model.alpha_, model.l1_ratio_]}

    return quietly(solve), judge


def race(problem: Problem, repeats: int, budget: float) -> dict:
    """Both on one problem, in turn."""
    field = {
        OURS: Contender(build_ours, problem, None),
        f"{PEER} on all cores": Contender(build_sklearn, problem, None),
    }
    try:
        for name, contender in field.items():
            print(f"{problem.name} ({problem.n} x {problem.p}): {name}", file=sys.stderr, flush=True)
            contender.cold(budget)
        for _ in range(repeats):
            for contender in field.values():
                contender.warm(budget)
    finally:
        for contender in field.values():
            contender.close()
    entries = {name: contender.entry for name, contender in field.items()}
    solvers = {name: dataclasses.asdict(entry) for name, entry in entries.items()}
    return dataclasses.asdict(problem) | {"solvers": solvers} | compare(entries)


def main(argv: list[str] | None = None) -> None:
    """Runs the races and prints the table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.cv", description="Our cross-validation against scikit-learn's."
    )
    parser.add_argument("--size", choices=("tiny", "small", "full"), default="full")
    parser.add_argument("--repeats", type=int, default=3, help="warm calls of each, alternating")
    parser.add_argument("--budget", type=float, default=200.0, metavar="SECONDS", help="per solver and problem")
    parser.add_argument("--json", metavar="FILE", help="where to write everything measured")
    options = parser.parse_args(argv)
    described = machine()
    chosen = [PROBLEMS[name].scaled(options.size) for name in ("tall", "narrow")]
    races = [race(problem, options.repeats, options.budget) for problem in chosen]
    print(table(races))
    if options.json:
        settings = {name: getattr(options, name) for name in ("size", "repeats", "budget")}
        settings |= {"l1_ratios": L1_RATIOS, "folds": FOLDS}
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": described, "settings": settings, "problems": races}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
