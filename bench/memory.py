"""Peak memory of a fit as a multiple of the data: a process that fits against one that only holds the data.

Run it as ``python -m bench.memory``; the README beside this file says what it measures.
"""

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench import problems, report
from bench.judged import quietly
from bench.problems import PROBLEMS, Problem
from bench.workers import Failed, Solver, Worker

CASES = {  # what is fitted on which problem
    "tall": ("fit_path", "tall"),
    "narrow": ("fit_path", "narrow"),
    "wide": ("fit_path", "wide"),
    "tall cv": ("cv_path", "tall"),
    "tall jaxopt": ("jaxopt", "tall"),
}
JAXOPT_STEPS = 20  # memory does not depend on their number


def write(problem: Problem, tol: float, folder: str) -> Solver:
    """Makes the data, in a process whose peak nobody inherits."""
    del tol

    def solve() -> None:
        for name, array in zip("Xy", problems.make(problem)):
            np.save(f"{folder}/{name}.npy", array)

    return solve, lambda _: {}


def load(problem: Problem, call: str, folder: str) -> Solver:
    """The data and the libraries, and the call that is to be measured."""
    import jax

    X, y = (np.load(f"{folder}/{name}.npy") for name in "Xy")
    if call == "jaxopt":
        jax.config.update("jax_enable_x64", True)
    jax.devices()
    return quietly(_CALLS[call](problem, X, y)), lambda _: {}


def _nothing(problem: Problem, X: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    import proxreg

    del problem, proxreg
    return lambda: (X, y)


def _ours(call: str, problem: Problem, X: np.ndarray, y: np.ndarray, **options: Any) -> Callable[[], Any]:
    import proxreg as pr

    grid: Any = {"n_alphas": problem.n_alphas, "min_ratio": problem.min_ratio} | options
    return lambda: getattr(pr, call)(X, y, **grid, tol=1e-6, dtype="float64")


def _jaxopt(problem: Problem, X: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    """``ProximalGradient`` under vmap over the alphas."""
    import jax
    from jaxopt import ProximalGradient, objective, prox  # pyright: ignore[reportMissingImports]

    alphas = problems.alphas(problem, X, y)

    def solve() -> Any:
        solver = ProximalGradient(objective.least_squares, prox.prox_lasso, maxiter=JAXOPT_STEPS, tol=0.0)
        fit = jax.jit(jax.vmap(lambda alpha: solver.run(np.zeros(X.shape[1]), alpha, (X, y)).params))
        return jax.block_until_ready(fit(alphas))

    return solve


_CALLS = {
    "nothing": _nothing,
    "fit_path": partial(_ours, "fit_path"),
    "cv_path": partial(_ours, "cv_path", folds=5),
    "jaxopt": _jaxopt,
}


def peak(build: Callable[..., Solver], args: tuple, budget: float) -> float | None:
    """Of a fresh process after one call; None if it passed the budget."""
    worker = Worker(build, *args)
    try:
        answer = worker.run(budget)
    finally:
        worker.close()
    return None if answer is None else answer["peak_mb"]


def measure(case: str, options: argparse.Namespace) -> dict:
    """The peaks without and with the fit."""
    call, name = CASES[case]
    problem = PROBLEMS[name].scaled(options.size)
    print(f"{case} ({problem.n} x {problem.p}): {call}", file=sys.stderr, flush=True)
    size = problem.n * problem.p * 8 / 1e6
    found = {
        "case": case,
        "call": call,
        "status": "ok",
        "X_mb": size,
        "data_mb": None,
        "fit_mb": None,
        "multiple": None,
    }
    with tempfile.TemporaryDirectory() as folder:
        try:
            peak(write, (problem, 0.0, folder), options.budget)
            data, fit = (peak(load, (problem, what, folder), options.budget) for what in ("nothing", call))
        except Failed as error:
            return dataclasses.asdict(problem) | found | {"status": f"failed: {error}"}
    if data is None or fit is None:
        return dataclasses.asdict(problem) | found | {"status": "> budget"}
    return dataclasses.asdict(problem) | found | {"data_mb": data, "fit_mb": fit, "multiple": (fit - data) / size}


def table(results: list[dict]) -> str:
    """One row per case."""
    header = ["case", "n x p", "call", "X MB", "peak with data MB", "peak with fit MB", "difference / X", "status"]
    rows = []
    for found in results:
        row = [found["case"], f"{found['n']} x {found['p']}", found["call"]]
        row += [report.show(found[key], ".4g") for key in ("X_mb", "data_mb", "fit_mb")]
        rows.append([*row, report.show(found["multiple"], ".2f"), found["status"] if found["status"] != "ok" else ""])
    return report.markdown(header, rows)


def main(argv: list[str] | None = None) -> None:
    """Measures all and prints the table."""
    options = report.arguments("memory", "Peak memory as a multiple of the data.", CASES).parse_args(argv)

    def results() -> Iterator[dict]:
        for case in options.only or CASES:
            if CASES[case][0] == "jaxopt" and not find_spec("jaxopt"):
                print("jaxopt is not installed: left out", file=sys.stderr)
            else:
                yield measure(case, options)

    print(table(report.collect(options, results())["problems"]))


if __name__ == "__main__":
    main()
