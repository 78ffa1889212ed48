"""How time grows with rows, columns, lanes and folds: slopes on logarithmic axes, ours and scikit-learn's.

Run it as ``python -m bench.growth``; the README beside this file says what it measures.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from bench import cv, ours, peers, plots, problems, report
from bench.certificate import relative_gap
from bench.contest import OURS, TARGET, Contender, race
from bench.judged import facts, quietly
from bench.peers import PEER
from bench.problems import Problem
from bench.workers import Solver

AXES = {
    "rows": (12_500, 25_000, 50_000, 100_000, 200_000),
    "columns": (125, 250, 500, 1000, 2000),
    "lanes": (1, 2, 4, 8, 16),  # l1_ratios, each with the same number of alphas
    "folds": (2, 4, 8, 16),
}


def setting(axis: str, size: int, scale: str) -> tuple[Problem, float, dict[str, Contender]]:
    """The problem, the number that grows, and who solves it."""
    shape = {"rows": (size, 200), "columns": (4000, size), "lanes": (5000, 200), "folds": (20_000, 200)}[axis]
    problem = Problem(f"{axis} {size}", *shape, signals=50, n_alphas=50).scaled(scale)
    if axis == "folds":
        return problem, size, cv.contenders(problem, ((1.0,), size))
    if axis == "lanes":
        ratios = np.linspace(1, 0.5, size)
        field = {OURS: Contender(ours_grid, problem, ratios), f"{PEER} Gram": Contender(sklearn_grid, problem, ratios)}
        return problem, size * problem.n_alphas, field
    field = {OURS: Contender(ours.build, problem, {}), f"{PEER} Gram": Contender(peers.sklearn, problem, True)}
    return problem, problem.n if axis == "rows" else problem.p, field


def ours_grid(problem: Problem, tol: float, l1_ratios: np.ndarray) -> Solver:
    """All l1_ratios in one call."""
    pr = ours.fresh()
    X, y = problems.make(problem)
    grid: Any = {"l1_ratio": l1_ratios, "n_alphas": problem.n_alphas, "min_ratio": problem.min_ratio}

    def solve() -> Any:
        return pr.fit_path(X, y, **grid, fit_intercept=False, tol=tol, max_steps=10**6, dtype="float64")

    def judge(path: Any) -> dict:
        gap = relative_gap(X, y, path.coef, 0.0, path.alphas, l1_ratios[:, None], fit_intercept=False)
        return facts(gap, path.num_steps)

    return quietly(solve), judge


def sklearn_grid(problem: Problem, tol: float, l1_ratios: np.ndarray) -> Solver:
    """One ``enet_path`` after the other, on a Gram matrix that is computed once."""
    from sklearn.linear_model import enet_path

    X, y = problems.make(problem, order="F")
    grid: Any = {"alphas": problem.n_alphas, "eps": problem.min_ratio, "copy_X": False}

    def solve() -> list:
        gram = X.T @ X
        common = grid | {"precompute": gram, "tol": tol, "max_iter": 10**6, "return_n_iter": True}
        return [enet_path(X, y, l1_ratio=ratio, **common) for ratio in l1_ratios]

    def judge(paths: list) -> dict:
        alphas, coef, _, steps = (np.stack(part) for part in zip(*paths))
        gap = relative_gap(X, y, coef.swapaxes(1, 2), 0.0, alphas, l1_ratios[:, None], fit_intercept=False)
        return facts(gap, steps)

    return quietly(solve), judge


def races(options: Any) -> Iterator[dict]:
    """One per axis and size."""
    for axis in options.only or AXES:
        for size in AXES[axis][:2] if options.size == "tiny" else AXES[axis]:
            problem, grows, field = setting(axis, size, options.size)
            yield {"axis": axis, "size": grows} | race(problem, field, options.repeats, options.budget)


def series(results: list[dict]) -> dict[str, dict[str, dict]]:
    """Per axis and solver: sizes, median warm seconds where the gap was reached, and their log-log slope."""
    found: dict[str, dict[str, dict]] = {}
    for result in results:
        for name, entry in result["solvers"].items():
            if entry["status"] == "ok" and entry["warm_median_s"]:
                label = OURS if name == OURS else PEER
                line = found.setdefault(result["axis"], {}).setdefault(label, {"sizes": [], "seconds": []})
                line["sizes"].append(result["size"])
                line["seconds"].append(entry["warm_median_s"])
    for line in (line for lines in found.values() for line in lines.values()):
        points = np.log(line["sizes"]), np.log(line["seconds"])
        line["slope"] = float(np.polyfit(*points, 1)[0]) if len(line["sizes"]) > 1 else None
    return found


def table(found: dict[str, dict[str, dict]]) -> str:
    """One row per axis and solver."""
    rows = []
    for axis, lines in found.items():
        for name, line in lines.items():
            times = ", ".join(f"{size}: {seconds:.3g}" for size, seconds in zip(line["sizes"], line["seconds"]))
            rows.append([axis, name, report.show(line["slope"], ".2f"), times])
    return report.markdown(["axis", "solver", "slope", "size: median warm s"], rows)


def draw(found: dict[str, dict[str, dict]], file: str) -> None:
    """One panel per axis, one line per solver."""
    with plots.panels(list(found), file, ylabel="median warm seconds") as axes:
        for ax, (axis, lines) in zip(axes, found.items()):
            for name, line in lines.items():
                slope = report.show(line["slope"], ".2f")
                ax.plot(line["sizes"], line["seconds"], label=f"{name}, slope {slope}", **plots.style(name))
            sizes = sorted({size for line in lines.values() for size in line["sizes"]})
            ax.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30)
            ax.set_xticks([], minor=True)
            ax.set_xlabel(f"number of {axis}")
            ax.legend(fontsize=8)


def main(argv: list[str] | None = None) -> None:
    """Runs the races, prints the table and draws the figure."""
    parser = report.arguments("growth", "How time grows with the size of a problem.", AXES, repeats=3)
    parser.add_argument("--plot", metavar="FILE", help="where to draw the times")
    options = parser.parse_args(argv)
    found = report.collect(options, races(options), target_gap=TARGET)
    found["series"] = series(found["problems"])
    report.save(options.json, found)
    print(table(found["series"]))
    if options.plot:
        draw(found["series"], options.plot)


if __name__ == "__main__":
    main()
