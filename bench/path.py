"""A whole lasso or elastic-net path, ours against four other libraries', at an equal certified gap.

Run it as ``python -m bench.path``; the README beside this file says what it measures.
"""

import dataclasses
import math
from typing import Any

from bench import ours, peers, peers_adelie, report
from bench.contest import OURS, TARGET, Contender, race
from bench.peers import PEER
from bench.problems import DENSE, PROBLEMS, Problem

FLOAT32, TIGHT, GRAM = f"{OURS} float32", f"{OURS} to 1e-10", f"{PEER} Gram"
PURE = f"{OURS} solve_path"  # inside a jitted function
SOLVERS = (OURS, PURE, PEER, FLOAT32, TIGHT, "celer", "skglm", GRAM, "adelie")
GOALS = {  # of those that aim elsewhere, or whose tolerance means something else
    FLOAT32: {"dtype": "float32", "tols": (1e-5,), "target": math.inf},
    TIGHT: {"tols": (1e-10,), "target": 1e-10},
    "adelie": {"tols": (1e-8, 1e-10, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16)},  # its gap goes with the root of its tolerance
}


def entrants(problem: Problem) -> dict[str, tuple[Any, Any]]:
    """Who can run on this problem: ``build`` and its option."""
    field: dict[str, tuple[Any, Any]] = {
        OURS: (ours.build, {}),
        PEER: (peers.sklearn, False),
        FLOAT32: (ours.build, {"dtype": "float32"}),
    }
    field |= {name: (build, None) for name, build in peers.installed(problem).items()}
    return field | ({GRAM: (peers.sklearn, True)} if problem.n >= problem.p else {})


def contenders(problem: Problem, chosen: tuple[str, ...] | None, adelie: str | None) -> dict[str, Contender]:
    """The entrants with their goals, in the order of the table."""
    field = entrants(problem) | {TIGHT: (ours.build, {}), PURE: (ours.pure, {})}
    if adelie:
        field["adelie"] = (peers_adelie.build, adelie)
    present = tuple(name for name in SOLVERS if name in field and name in (chosen or SOLVERS))
    return {name: Contender(field[name][0], problem, field[name][1], **GOALS.get(name, {})) for name in present}


def main(argv: list[str] | None = None) -> None:
    """Runs the races and prints the table."""
    parser = report.arguments("path", "Our path against scikit-learn's.", PROBLEMS, repeats=5)
    parser.add_argument("--solvers", metavar="NAMES", type=report.names(SOLVERS), help="some of " + ",".join(SOLVERS))
    parser.add_argument("--l1-ratio", type=float, default=1.0, help="above 0, up to 1, the lasso (default)")
    parser.add_argument("--adelie", metavar="PYTHON", help="an interpreter that has adelie (it needs numpy < 2)")
    options = parser.parse_args(argv)
    if not 0 < options.l1_ratio <= 1:
        parser.error("--l1-ratio must be above 0 and at most 1")
    if "adelie" in (options.solvers or ()) and not options.adelie:
        parser.error("adelie runs in an interpreter of its own: give --adelie PYTHON")
    chosen = [PROBLEMS[name].scaled(options.size) for name in options.only or DENSE]
    chosen = [dataclasses.replace(problem, l1_ratio=options.l1_ratio) for problem in chosen]
    races = (
        race(problem, contenders(problem, options.solvers, options.adelie), options.repeats, options.budget)
        for problem in chosen
    )
    print(report.table(report.collect(options, races, target_gap=TARGET)["problems"]))


if __name__ == "__main__":
    main()
