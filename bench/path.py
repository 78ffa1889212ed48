"""A whole lasso or elastic-net path, ours against scikit-learn's, celer's and skglm's, at an equal certified gap.

Run it as ``python -m bench.path``; the README beside this file says what it measures.
"""

import argparse
import dataclasses
import json
import math
import os
import platform
import sys
import warnings
from importlib import metadata
from importlib.util import find_spec

import numpy as np

from bench import problems
from bench.certificate import relative_gap
from bench.contest import TARGET, Contender, Entry
from bench.problems import DENSE, PROBLEMS, Problem
from bench.workers import Solver

FLOAT32_TOL = 1e-5
OURS, PEER = "proxreg", "scikit-learn"
TIGHT_TOL = 1e-10


def build_ours(problem: Problem, tol: float, dtype: str) -> Solver:
    """``proxreg.fit_path``."""
    import jax

    import proxreg as pr

    jax.config.update("jax_enable_compilation_cache", False)
    X, y = problems.make(problem)
    alphas = problems.alphas(problem, X, y)
    data = X.astype(dtype, copy=False), y.astype(dtype)

    def solve() -> pr.Path:
        return pr.fit_path(
            *data, alphas=alphas, l1_ratio=problem.l1_ratio, fit_intercept=False, tol=tol, max_steps=10**6, dtype=dtype
        )

    def judge(path: pr.Path) -> dict:
        gap = relative_gap(X, y, path.coef, path.intercept, path.alphas, problem.l1_ratio, fit_intercept=False)
        return _facts(gap, path.num_steps) | {"device": jax.devices()[0].device_kind}

    return quietly(solve), judge


def build_sklearn(problem: Problem, tol: float, gram: bool) -> Solver:
    """``enet_path``, which is ``lasso_path`` at l1_ratio 1, on its preferred memory order and without its copy of X."""
    from sklearn.linear_model import enet_path

    X, y = problems.make(problem, order="F")
    alphas = problems.alphas(problem, X, y)
    options = {"l1_ratio": problem.l1_ratio, "alphas": alphas, "precompute": gram, "copy_X": False}

    def solve() -> tuple:
        return enet_path(X, y, **options, tol=tol, max_iter=10**6, return_n_iter=True)

    def judge(answer: tuple) -> dict:
        grid, coef, _, steps = answer
        return _facts(relative_gap(X, y, coef.T, 0.0, grid, problem.l1_ratio, fit_intercept=False), steps)

    return quietly(solve), judge


def build_celer(problem: Problem, tol: float, option: None) -> Solver:
    """``celer_path``: working sets, dual extrapolation; it has the lasso alone."""
    del option
    from celer import celer_path  # pyright: ignore[reportMissingImports]

    X, y = problems.make(problem, order="F")
    alphas = problems.alphas(problem, X, y)

    def solve() -> tuple:
        return celer_path(X, y, "lasso", alphas=alphas, tol=tol, max_iter=200, max_epochs=10**6)

    def judge(answer: tuple) -> dict:
        grid, coef, *_ = answer
        return _facts(relative_gap(X, y, coef.T, 0.0, grid, fit_intercept=False), [0])

    return quietly(solve), judge


def build_skglm(problem: Problem, tol: float, option: None) -> Solver:
    """``AndersonCD.path``: working sets and Anderson acceleration; its tolerance is on subgradients."""
    del option
    from skglm.datafits import Quadratic  # pyright: ignore[reportMissingImports]
    from skglm.penalties import L1_plus_L2  # pyright: ignore[reportMissingImports]
    from skglm.solvers import AndersonCD  # pyright: ignore[reportMissingImports]
    from skglm.utils.jit_compilation import compiled_clone  # pyright: ignore[reportMissingImports]

    X, y = problems.make(problem, order="F")
    alphas = problems.alphas(problem, X, y)
    scale = float(np.max(np.abs(y @ X)) / len(y))

    def solve() -> tuple:
        solver = AndersonCD(tol=tol * scale, fit_intercept=False, max_iter=200, max_epochs=10**6)
        datafit, penalty = compiled_clone(Quadratic()), compiled_clone(L1_plus_L2(1.0, problem.l1_ratio))
        return solver.path(X, y, datafit, penalty, alphas)

    def judge(answer: tuple) -> dict:
        grid, coef, *_ = answer
        return _facts(relative_gap(X, y, coef.T, 0.0, grid, problem.l1_ratio, fit_intercept=False), [0])

    return quietly(solve), judge


def quietly(solve):
    def call():
        with warnings.catch_warnings():  # the certificate decides, not the solver's opinion of itself
            warnings.simplefilter("ignore")
            return solve()

    return call


def _facts(gap: np.ndarray, steps) -> dict:
    worst = float(np.max(np.where(np.isfinite(gap), gap, np.inf)))
    return {"worst_gap": worst, "max_steps": int(np.max(steps)), "mean_steps": float(np.mean(steps))}


def race(problem: Problem, repeats: int, budget: float) -> dict:
    """All solvers on one problem, and the ratio of ours to the fastest of the others."""
    field = {
        OURS: Contender(build_ours, problem, "float64"),
        PEER: Contender(build_sklearn, problem, False),
        f"{OURS} float32": Contender(
            build_ours, problem, "float32", dtype="float32", tols=(FLOAT32_TOL,), target=math.inf
        ),
    }
    field[f"{OURS} to {TIGHT_TOL:.0e}"] = Contender(build_ours, problem, "float64", tols=(TIGHT_TOL,), target=TIGHT_TOL)
    for name, build in {"celer": build_celer, "skglm": build_skglm}.items():
        if find_spec(name) and (problem.l1_ratio == 1 or name != "celer"):
            field[name] = Contender(build, problem, None)
    if problem.n >= problem.p:
        field[f"{PEER} Gram"] = Contender(build_sklearn, problem, True)
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


def compare(entries: dict[str, Entry]) -> dict:
    """The faster peer and our time over its: above 1, ours is the slower one; None where either has no valid time."""
    valid = {name: entry for name, entry in entries.items() if entry.status == "ok" and entry.warm_s}
    ranked = sorted((name for name in valid if not name.startswith(OURS)), key=lambda name: min(valid[name].warm_s))
    found = {"peer": ranked[0] if ranked else None, "ratio_warm": None, "ratio_best": None, "ratio_cold": None}
    if not ranked or OURS not in valid:
        return found
    ours, theirs = dataclasses.asdict(valid[OURS]), dataclasses.asdict(valid[ranked[0]])
    fields = {"ratio_warm": "warm_median_s", "ratio_best": "warm_best_s", "ratio_cold": "cold_s"}
    return found | {ratio: ours[field] / theirs[field] for ratio, field in fields.items()}


def table(races: list[dict]) -> str:
    """One row per problem and solver, as Markdown."""
    measured = ["tol", "worst gap", "cold s", "warm s", "best s", "steps max / mean", "peak MB"]
    header = ["problem", "n x p", "solver", *measured, "verdict"]
    rows = [header, ["---"] * len(header)]
    for result in races:
        for name, entry in result["solvers"].items():
            rows.append(_row(result, name, entry))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _row(result: dict, name: str, entry: dict) -> list[str]:
    def show(key: str, form: str) -> str:
        return "" if entry[key] is None else format(entry[key], form)

    note = entry["status"] if entry["status"] != "ok" else ""
    if name == OURS and result["ratio_warm"] is not None:
        warm, best, cold = (_times(result[key]) for key in ("ratio_warm", "ratio_best", "ratio_cold"))
        undecided = (result["ratio_warm"] > 1) != (result["ratio_best"] > 1)
        note = f"warm {warm}, best {best}, cold {cold} than {result['peer']}" + ("; undecided" if undecided else "")
    steps = "" if entry["max_steps"] is None else f"{entry['max_steps']} / {entry['mean_steps']:.0f}"
    return [
        result["name"],
        f"{result['n']} x {result['p']}",
        name,
        show("tol", ".0e"),
        show("worst_gap", ".1e"),
        show("cold_s", ".3g"),
        show("warm_median_s", ".3g") or ("> budget" if entry["status"] == "ok" else ""),
        show("warm_best_s", ".3g"),
        steps,
        show("peak_mb", ".0f"),
        note,
    ]


def _times(ratio: float) -> str:
    return f"{ratio:.3g}x slower" if ratio > 1 else f"{1 / ratio:.3g}x faster"


def machine() -> dict:
    """What the times depend on, without saying whose machine it is."""
    names = ("numpy", "jax", "jaxlib", "scikit-learn", "celer", "skglm", "proxreg")
    versions = {
        name: metadata.version(name) for name in names if find_spec(name.replace("-", "_")) or name == "scikit-learn"
    }
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load_at_start": os.getloadavg()[0],  # well above 0 means that others were using the cores
        "python": platform.python_version(),
        "versions": versions,
    }


def main(argv: list[str] | None = None) -> None:
    """Runs the races and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.path", description="Our path against scikit-learn's.")
    parser.add_argument("--size", choices=("tiny", "small", "full"), default="full")
    parser.add_argument("--only", metavar="NAME", choices=tuple(PROBLEMS), help=", ".join(PROBLEMS))
    parser.add_argument("--l1-ratio", type=float, default=1.0, help="above 0, up to 1, the lasso (default)")
    parser.add_argument("--repeats", type=int, default=5, help="warm calls of each solver, alternating")
    parser.add_argument("--budget", type=float, default=120.0, metavar="SECONDS", help="per solver and problem")
    parser.add_argument("--json", metavar="FILE", help="where to write everything measured")
    options = parser.parse_args(argv)
    if not 0 < options.l1_ratio <= 1:
        parser.error("--l1-ratio must be above 0 and at most 1")

    described = machine()
    chosen = [PROBLEMS[name].scaled(options.size) for name in ([options.only] if options.only else DENSE)]
    chosen = [dataclasses.replace(problem, l1_ratio=options.l1_ratio) for problem in chosen]
    races = [race(problem, options.repeats, options.budget) for problem in chosen]
    print(table(races))
    if options.json:
        settings = {name: getattr(options, name) for name in ("size", "repeats", "budget")} | {"target_gap": TARGET}
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": described, "settings": settings, "problems": races}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
