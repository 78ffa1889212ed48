"""Gap against time: every path solver at falling tolerances, judged from outside.

Run it as ``python -m bench.trace``; the README beside this file says what it measures.
"""

import dataclasses
import math
from typing import Any

from bench import plots, report
from bench.contest import Contender, race
from bench.path import FLOAT32, entrants
from bench.problems import DENSE, PROBLEMS, Problem

TOLS = tuple(10.0**-k for k in range(2, 11))
FLOAT32_TOL = 1e-6  # float32 certifies no smaller gap
BEYOND = (1e-12, 1e-14)  # for celer, whose answers have a larger gap than it asks for


def trace(problem: Problem, tols: tuple[float, ...], repeats: int, budget: float) -> dict:
    """At each tolerance the solvers that have time left, one after the other, each in a fresh process."""
    field = entrants(problem)
    points: dict[str, list[dict]] = {name: [] for name in field}
    left = dict.fromkeys(field, budget)
    for tol in tols:
        for name in field:
            if left[name] <= 0 or (name == FLOAT32 and tol < FLOAT32_TOL) or (name != "celer" and tol in BEYOND):
                continue
            dtype = "float32" if name == FLOAT32 else "float64"
            contender = Contender(field[name][0], problem, field[name][1], dtype=dtype, tols=(tol,), target=math.inf)
            entry = race(problem, {f"{name} at {tol:.0e}": contender}, repeats, left[name])["solvers"].popitem()[1]
            points[name].append(entry)
            spent = (entry["cold_s"] or math.inf) + sum(entry["warm_s"])
            left[name] -= spent if len(entry["warm_s"]) == repeats else math.inf
    return dataclasses.asdict(problem) | {"points": points}


def table(results: list[dict]) -> str:
    """One row per problem, solver and tolerance."""
    rows = []
    for result in results:
        for name, points in result["points"].items():
            for entry in points:
                row = [result["name"], name, f"{entry['tol']:.0e}", report.show(entry["worst_gap"], ".1e")]
                row += [report.show(entry["warm_best_s"], ".3g"), entry["status"] if entry["status"] != "ok" else ""]
                rows.append(row)
    return report.markdown(["problem", "solver", "tol", "worst gap", "best s", "status"], rows)


def draw(results: list[dict], file: str) -> None:
    """One panel per problem, one line per solver; gaps of exactly zero are not drawn."""
    titles = [f"{result['name']}, {result['n']} x {result['p']}" for result in results]
    with plots.panels(titles, file, ylabel="worst relative duality gap") as axes:
        for ax, result in zip(axes, results):
            for name, points in result["points"].items():
                timed = [entry for entry in points if entry["warm_best_s"] and entry["worst_gap"] > 0]
                seconds = [entry["warm_best_s"] for entry in timed]
                ax.plot(seconds, [entry["worst_gap"] for entry in timed], label=name, **plots.style(name))
            ax.set_xlabel("seconds")
        max(axes, key=lambda ax: len(ax.lines)).legend(fontsize=8)


def main(argv: list[str] | None = None) -> None:
    """Traces all, prints the table and draws the figure."""
    parser = report.arguments("trace", "Gap against time.", PROBLEMS, repeats=2, budget=60.0)
    parser.add_argument("--plot", metavar="FILE", help="where to draw the gaps")
    options = parser.parse_args(argv)
    tols = TOLS[::4] if options.size == "tiny" else TOLS + BEYOND
    chosen = [PROBLEMS[name].scaled(options.size) for name in options.only or DENSE]
    results: Any = (trace(problem, tols, options.repeats, options.budget) for problem in chosen)
    found = report.collect(options, results, tols=tols)["problems"]
    print(table(found))
    if options.plot:
        draw(found, options.plot)


if __name__ == "__main__":
    main()
