"""adelie as a contender: it needs numpy < 2, so that another interpreter runs it (``bench/adelie_worker.py``)."""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from bench.judged import path_solver
from bench.problems import Problem
from bench.workers import Failed, Solver

SCRIPT = Path(__file__).with_name("adelie_worker.py")


def build(problem: Problem, tol: float, python: str) -> Solver:
    """``adelie.grpnet`` by the interpreter ``python``; arrays go through files, outside the time of a call."""
    folder = tempfile.TemporaryDirectory()  # lives as long as the solver, which reads from it

    def prepare(X: np.ndarray, y: np.ndarray, alphas: np.ndarray) -> tuple:
        for name, array in {"X": X, "y": y, "alphas": alphas}.items():
            np.save(f"{folder.name}/{name}.npy", array)
        settings = {"tol": tol, "l1_ratio": problem.l1_ratio}
        process = subprocess.Popen(
            [python, str(SCRIPT), folder.name, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        def ask(what: str) -> None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(what + "\n")
            process.stdin.flush()
            if process.stdout.readline() != "done\n":
                raise Failed(f"adelie's process ended with code {process.wait()}")

        def read(_: None) -> tuple:
            ask("save")
            return np.load(f"{folder.name}/coef.npy"), {}

        ask("load")
        return lambda: ask("solve"), read

    return path_solver(problem, prepare)
