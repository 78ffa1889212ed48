"""Paths that are hard for a solver, ours alone: every lane is certified by the judge, or said not to be.

Run it as ``python -m bench.hard``; the README beside this file says what it measures.
"""

import dataclasses
import sys

from bench import ours, report
from bench.problems import HARD, Problem
from bench.workers import Failed, Worker

TOLS = (1e-6, 1e-10)
SLACK = 1.01  # rounding that the judge may see and the solver not


def attempt(problem: Problem, tol: float, budget: float) -> dict:
    """A cold and a warm call at this tolerance, with the steps that a user gets."""
    print(f"{problem.name} ({problem.n} x {problem.p}): {tol:.0e}", file=sys.stderr, flush=True)
    found = {"tol": tol, "status": "ok", "cold_s": None, "warm_s": None, "worst_gap": None, "max_steps": None}
    worker = Worker(ours.build, problem, tol, {"max_steps": None})
    try:
        first = worker.run(budget)
        second = first and worker.run(budget - first["seconds"])
    except Failed as error:
        return found | {"status": f"failed: {error}"}
    finally:
        worker.close()
    if first is None:
        return found | {"status": "> budget"}
    answer = second or first
    within = [gap <= SLACK * tol for gap in answer["gap"]]
    said = answer["converged"]
    return found | {
        "cold_s": first["seconds"],
        "warm_s": second and second["seconds"],
        "worst_gap": answer["worst_gap"],
        "max_steps": answer["max_steps"],
        "lanes": len(within),
        "certified_1e-06": sum(gap <= SLACK * 1e-6 for gap in answer["gap"]),
        "certified_1e-10": sum(gap <= SLACK * 1e-10 for gap in answer["gap"]),
        "said_not_to_be": sum(not claim for claim in said),
        "wrongly_claimed": sum(claim and not true for claim, true in zip(said, within)),
    }


def table(results: list[dict]) -> str:
    """One row per problem and tolerance."""
    header = ["problem", "n x p", "tol", "cold s", "warm s", "worst gap", "lanes at 1e-6", "lanes at 1e-10"]
    header += ["said not to be", "wrongly claimed", "max steps", "status"]
    rows = []
    for result in results:
        for found in result["attempts"]:
            row = [result["name"], f"{result['n']} x {result['p']}", f"{found['tol']:.0e}"]
            row += [report.show(found[key], ".3g") for key in ("cold_s", "warm_s")]
            row += [report.show(found["worst_gap"], ".1e")]
            counts = ("certified_1e-06", "certified_1e-10")
            row += [f"{found[key]} of {found['lanes']}" if key in found else "" for key in counts]
            row += [str(found.get(key, "")) for key in ("said_not_to_be", "wrongly_claimed")]
            rows.append([*row, report.show(found["max_steps"], "d"), found["status"]])
    return report.markdown(header, rows)


def main(argv: list[str] | None = None) -> None:
    """Runs all and prints the table."""
    options = report.arguments("hard", "Hard paths, certified lane by lane.", HARD).parse_args(argv)
    chosen = [HARD[name].scaled(options.size) for name in options.only or HARD]
    results = (
        dataclasses.asdict(problem) | {"attempts": [attempt(problem, tol, options.budget) for tol in TOLS]}
        for problem in chosen
    )
    print(table(report.collect(options, results, tols=TOLS)["problems"]))


if __name__ == "__main__":
    main()
