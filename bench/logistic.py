"""A path of L1-penalised logistic regressions, ours against liblinear, celer and skglm, at an equal certified gap.

Run it as ``python -m bench.logistic``; the README beside this file says what it measures.
"""

from bench import ours, peers, report
from bench.contest import OURS, TARGET, Contender, race
from bench.path import PURE
from bench.problems import LOGISTIC, Problem

LIBLINEAR_TARGET = 1e-5  # it stalls above the common target on some problems: its own gap is in the table
LIBLINEAR_TOLS = (1e-5, 1e-6, 1e-7, 1e-8)
LIBLINEAR = "scikit-learn liblinear"


def contenders(problem: Problem) -> dict[str, Contender]:
    """All that are installed."""
    field = {
        OURS: Contender(ours.build, problem, {}),
        PURE: Contender(ours.pure, problem, {}),
        LIBLINEAR: Contender(peers.liblinear, problem, None, tols=LIBLINEAR_TOLS, target=LIBLINEAR_TARGET),
    }
    return field | {name: Contender(build, problem, None) for name, build in peers.installed(problem).items()}


def main(argv: list[str] | None = None) -> None:
    """Runs the races and prints the table."""
    options = report.arguments("logistic", "Our logistic path against others.", LOGISTIC, repeats=3).parse_args(argv)
    chosen = [LOGISTIC[name].scaled(options.size) for name in options.only or LOGISTIC]
    races = (race(problem, contenders(problem), options.repeats, options.budget) for problem in chosen)
    found = report.collect(options, races, target_gap=TARGET, target_gap_liblinear=LIBLINEAR_TARGET)
    print(report.table(found["problems"]))


if __name__ == "__main__":
    main()
