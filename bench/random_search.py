"""Random small problems against exact solvers: what fits say of themselves, checked one by one.

    python -m bench.random_search --problems 20000 --seed 0 --processes 1
    python -m bench.random_search --only 17,42          # these seeds, with everything that is wrong
    python -m bench.random_search --only 17 --shrink    # and the smallest problem with the same fault, as Python

Each problem is a seed: loss, type, shape, options, and up to four respects in which it is wild (``search_wild``). Every
fit is compared with its exact optimum (``exact``), and its message, status, gap and objective with what they claim
(``search_judge``, which lists what can be wrong). Ends with 1 where anything is.
"""

import argparse
import json
import queue
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from bench.search_judge import KINDS, Failure, Record, ask, judge
from bench.search_problems import make
from bench.search_shrink import shrink, snippet
from bench.workers import Failed, Solver, Worker

LIMIT = 300.0  # seconds for a call of the library, compilation included
RECYCLED = 3000  # problems after which a process makes place for a new one


def examine(seed: int) -> Record:
    """Return what comes out of a seed's problem, in this process."""
    problem = make(seed)
    return judge(problem, ask(problem))


def solver(seeds: list[int]) -> Solver:
    """Return what a worker does: it asks the library about the next seed, and judges the answer."""
    problems = map(make, seeds)

    def solve() -> Any:
        problem = next(problems)
        return problem, ask(problem)

    def verdict(asked: Any) -> dict:
        return {"record": tuple(judge(*asked))}

    return solve, verdict


def search(seeds: Iterable[int], limit: float = LIMIT) -> Iterator[Record]:
    """Yield the record of each seed, from a process that is replaced where it hangs or dies."""
    left = list(seeds)
    while left:
        batch, worker = left[:RECYCLED], Worker(solver, left[:RECYCLED])
        try:
            for seed in batch:
                lost = ""
                try:
                    found = worker.run(limit)
                except Failed as error:
                    if "process ended" not in str(error):  # the judge's own fault
                        raise RuntimeError(f"seed {seed}") from error
                    found, lost = None, str(error)
                left.pop(0)
                if found is None:
                    yield _lost(seed, lost, limit)
                    break
                yield _record(found["record"])
        finally:
            worker.close()


def in_order_of_programs(seeds: list[int]) -> list[int]:
    """Return the seeds with those next to each other that the same compiled programs serve: most of the time is theirs.

    As the library bounds the programs that it keeps, problems in any order would compile the same ones again and again.
    """

    def needs(seed: int) -> tuple:
        p = make(seed)
        given = [getattr(p, name) is None for name in ("folds", "penalty_factor", "offset", "sample_weight")]
        limits = p.lower is None and p.upper is None, p.positive
        return p.loss, p.dtype, p.solver, limits, p.fit_intercept, p.l1_ratio in (0, 1), *given, p.X.shape[::-1]

    return sorted(seeds, key=needs)


def _lost(seed: int, error: str, limit: float) -> Record:
    problem = make(seed)
    failure = Failure("crash", np.nan, error) if error else Failure("hang", np.nan, f"more than {limit:g} s")
    return Record(seed, problem.loss, problem.dtype, problem.wild, failures=(failure,))


def _record(fields: tuple) -> Record:
    record = Record(*fields)
    return record._replace(failures=tuple(Failure(*failure) for failure in record.failures))


def table(records: list[Record]) -> str:
    """Return the counts: by loss and type, by respect, by what is wrong, by message."""
    lines = ["| | problems | refused | fits | converged | no optimum | unsure | faulty problems |", "|" + "---|" * 8]
    rows: dict[str, list[Record]] = {"all": records}
    for record in records:
        for name in (f"{record.loss} {record.dtype}", *(record.wild or ("nothing wild",))):
            rows.setdefault(name, []).append(record)
    for name in ["all", *sorted(set(rows) - {"all"})]:
        own = rows[name]
        sums = [sum(getattr(r, field) for r in own) for field in ("fits", "converged", "infinite", "unsure")]
        counts = len(own), sum(bool(r.refused) for r in own), *sums, sum(bool(r.failures) for r in own)
        lines.append(f"| {name} | " + " | ".join(map(str, counts)) + " |")
    lines += ["", "| wrong | problems | fits | seeds | |", "|" + "---|" * 5]
    for kind, meaning in KINDS.items():
        seeds = [r.seed for r in records if any(f.kind == kind for f in r.failures)]
        fits = sum(f.kind == kind for r in records for f in r.failures)
        if seeds:
            shown = ", ".join(map(str, seeds[:12])) + (", ..." if len(seeds) > 12 else "")
            lines.append(f"| {kind} | {len(seeds)} | {fits} | {shown} | {meaning} |")
    lines += ["", "| refused | problems | a seed |", "|" + "---|" * 3]
    messages = Counter(r.refused for r in records if r.refused)
    for message, count in messages.most_common():
        lines.append(f"| {message} | {count} | {next(r.seed for r in records if r.refused == message)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the search, print its table and return 1 where anything is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.random_search", description="Compares fits of random small problems with exact ones."
    )
    parser.add_argument("--problems", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", help="seeds, separated by commas")
    parser.add_argument("--shrink", action="store_true", help="with --only: the smallest problem with the same fault")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for a problem")
    parser.add_argument("--json", type=Path, help="a line for each problem with a fault or a refusal, as they come")
    options = parser.parse_args(arguments)
    only = [int(seed) for seed in options.only.split(",")] if options.only else None
    if only and options.shrink:
        for seed in only:
            print(_smallest(seed))
        return 0
    seeds = only or in_order_of_programs(list(range(options.seed, options.seed + options.problems)))
    start, records = time.perf_counter(), []
    for record in _together(seeds, min(options.processes, len(seeds)), options.limit):
        records.append(record)
        if only:
            print(json.dumps(record._asdict(), indent=1, default=str))
        elif options.json and (record.failures or record.refused):
            with options.json.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record._asdict()) + "\n")
        if sys.stderr.isatty() and len(records) % 20 == 0:
            print(f"\r{len(records)}/{len(seeds)}", end="", file=sys.stderr)
    seconds = time.perf_counter() - start
    print(table(records))
    print(f"\n{len(records)} problems, {seconds:.0f} s, {len(records) / seconds:.1f} per second")
    return int(any(record.failures for record in records))


def _together(seeds: list[int], processes: int, limit: float) -> Iterator[Record]:
    """The records of all seeds, as they come from so many processes."""
    found: queue.Queue[Record] = queue.Queue()

    size = -(-len(seeds) // processes)

    def share(number: int) -> None:
        for record in search(seeds[number * size : (number + 1) * size], limit):
            found.put(record)

    with ThreadPoolExecutor(processes) as pool:
        shares = [pool.submit(share, number) for number in range(processes)]
        for _ in seeds:
            while True:
                try:
                    yield found.get(timeout=1.0)
                    break
                except queue.Empty:
                    for ended in filter(Future.done, shares):
                        ended.result()  # raises what ended it


def _smallest(seed: int) -> str:
    problem = make(seed)
    kinds = list(dict.fromkeys(failure.kind for failure in examine(seed).failures))
    if not kinds:
        return f"# seed {seed}: nothing wrong"
    return "\n\n".join(snippet(shrink(problem, kind), kind) for kind in kinds)


if __name__ == "__main__":
    sys.exit(main())
