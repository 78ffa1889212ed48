"""Solvers on one problem: cold and warm times at the tolerance that reaches a certified gap, within a budget."""

import dataclasses
import statistics
import sys
from collections.abc import Callable

from bench.problems import Problem
from bench.workers import Failed, Solver, Worker

OURS = "proxreg"  # what the names of our own contenders begin with
TARGET = 1e-6  # every gap of a path must be this small for its time to count
TOLS = (1e-6, 5e-7, 2e-7, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)  # tried in turn until it is


@dataclasses.dataclass
class Entry:
    """What one solver did on one problem; the times are seconds."""

    dtype: str
    tol: float | None = None  # the tolerance that reached the target gap, or the last one tried
    status: str = "ok"  # or "> budget", "gap not reached", "failed: ..."
    cold_s: float | None = None  # first call of a fresh process, compilation included, imports not
    warm_s: list[float] = dataclasses.field(default_factory=list)  # later calls, alternating with the other solvers
    warm_median_s: float | None = None
    warm_best_s: float | None = None  # beside the median, the sturdier number where others use the machine
    worst_gap: float | None = None  # over the alphas and the calls, by bench/certificate.py
    max_steps: int | None = None  # over the alphas
    mean_steps: float | None = None
    peak_mb: float | None = None  # of the process after the first call, data and interpreter included
    device: str = "cpu"


class Contender:
    """One solver on one problem: its worker, its entry and what it has used of its budget."""

    def __init__(
        self,
        build: Callable[..., Solver],  # (problem, tol, option) -> solver
        problem: Problem,
        option: object,
        *,
        dtype: str = "float64",
        tols: tuple[float, ...] = TOLS,
        target: float = TARGET,
    ):
        self.entry = Entry(dtype)
        self._make = lambda tol: Worker(build, problem, tol, option)
        self._tols, self._target, self._used = tols, target, 0.0
        self._worker: Worker | None = self._make(tols[0])

    def cold(self, budget: float) -> None:
        """First calls, each in a fresh process, at falling tolerances until the target gap is reached."""
        for tol in self._tols:
            if self._worker is None:
                self._worker = self._make(tol)
            self.entry.tol = tol
            answer = self._call(budget)
            if answer is None:  # what an easier tolerance gave does not stand for this one
                self.entry = Entry(self.entry.dtype, tol, self.entry.status)
                return
            self.entry.cold_s, self.entry.peak_mb = answer["seconds"], answer["peak_mb"]
            if answer["worst_gap"] <= self._target:
                return
            self.close()  # the same gap as before proves nothing: the next tolerance may need the same steps
        self.entry.status = "gap not reached"

    def warm(self, budget: float) -> None:
        """One more call, if the budget has room for it."""
        expected = self.entry.warm_s[-1] if self.entry.warm_s else 0.0
        if self._worker is None or self._used + expected > budget:
            return
        before = self.entry.worst_gap
        answer = self._call(budget)
        if answer is None:
            return
        self.entry.warm_s.append(answer["seconds"])
        self.entry.warm_median_s = statistics.median(self.entry.warm_s)
        self.entry.warm_best_s = min(self.entry.warm_s)
        self.entry.worst_gap = max(answer["worst_gap"], before or 0.0)
        if self.entry.worst_gap > self._target:
            self.entry.status = "gap not reached"

    def close(self) -> None:
        """Ends the worker, if there is one."""
        if self._worker is not None:
            self._worker.close()
        self._worker = None

    def _call(self, budget: float) -> dict | None:
        assert self._worker is not None
        try:
            answer = self._worker.run(budget - self._used)
        except Failed as error:
            self.entry.status = f"failed: {error}"
            answer = None
        else:
            if answer is None and not self.entry.warm_s:
                self.entry.status = "> budget"
        if answer is None:
            self.close()
            return None
        self._used += answer["seconds"]
        for name in ("worst_gap", "max_steps", "mean_steps"):
            setattr(self.entry, name, answer[name])
        self.entry.device = answer.get("device", self.entry.device)
        return answer


def race(problem: Problem, field: dict[str, Contender], repeats: int, budget: float) -> dict:
    """All contenders on one problem, first alone and then in turns; closes them."""
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
