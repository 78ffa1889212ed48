"""What the scripts share beside the races: their command line, the machine, the tables and the JSON."""

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterable
from importlib import metadata
from importlib.util import find_spec

from bench.contest import OURS

SIZES = ("tiny", "small", "full")


def arguments(
    script: str, description: str, known: Iterable[str], *, repeats: int | None = None, budget: float = 120.0
) -> argparse.ArgumentParser:
    """The options of every script; ``known`` are the names that ``--only`` takes."""
    parser = argparse.ArgumentParser(prog=f"python -m bench.{script}", description=description)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--only", metavar="NAMES", type=names(known), help="some of " + ",".join(known))
    if repeats is not None:
        parser.add_argument("--repeats", type=int, default=repeats, help="warm calls of each solver, alternating")
    parser.add_argument("--budget", type=float, default=budget, metavar="SECONDS", help="per solver and problem")
    parser.add_argument("--json", metavar="FILE", help="where to write everything measured, race by race")
    return parser


def names(known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """The type of an option that takes some of the known names, separated by commas."""
    known = tuple(known)

    def parse(text: str) -> tuple[str, ...]:
        chosen = tuple(name.strip() for name in text.split(","))
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not among {', '.join(known)}")
        return chosen

    return parse


def collect(options: argparse.Namespace, races: Iterable[dict], **settings) -> dict:
    """Runs the races, an iterator; what there is after each is written, so that an interruption loses nothing."""
    given = {name: getattr(options, name) for name in ("size", "repeats", "budget") if hasattr(options, name)}
    found = {"machine": machine(), "settings": given | settings, "problems": []}
    for result in races:
        found["problems"].append(result)
        save(options.json, found)
    return found


def save(file: str | None, found: dict) -> None:
    """Writes JSON; an old file stays whole until the new one is."""
    if not file:
        return
    with open(f"{file}.part", "w", encoding="utf-8") as part:
        json.dump(found, part, indent=1)
        part.write("\n")
    os.replace(f"{file}.part", file)


def machine() -> dict:
    """What the times depend on, without saying whose machine it is."""
    packages = ("numpy", "jax", "jaxlib", "scikit-learn", "celer", "skglm", "proxreg")
    versions = {
        name: metadata.version(name) for name in packages if find_spec(name.replace("-", "_")) or name == "scikit-learn"
    }
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "load_at_start": os.getloadavg()[0],  # well above 0 means that others were using the cores
        "python": platform.python_version(),
        "versions": versions,
    }


def markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows])


def show(value: float | None, form: str) -> str:
    """The number in this format, nothing where there is none."""
    return "" if value is None else format(value, form)


def table(races: list[dict]) -> str:
    """One row per problem and solver, as Markdown."""
    measured = ["tol", "worst gap", "cold s", "warm s", "best s", "steps max / mean", "peak MB"]
    rows = [_row(result, name, entry) for result in races for name, entry in result["solvers"].items()]
    return markdown(["problem", "n x p", "solver", *measured, "verdict"], rows)


def _row(result: dict, name: str, entry: dict) -> list[str]:
    note = entry["status"] if entry["status"] != "ok" else ""
    if name == OURS and result["ratio_warm"] is not None:
        warm, best, cold = (_times(result[key]) for key in ("ratio_warm", "ratio_best", "ratio_cold"))
        undecided = (result["ratio_warm"] > 1) != (result["ratio_best"] > 1)
        note = f"warm {warm}, best {best}, cold {cold} than {result['peer']}" + ("; undecided" if undecided else "")
    return [
        result["name"],
        f"{result['n']} x {result['p']}",
        name,
        show(entry["tol"], ".0e"),
        show(entry["worst_gap"], ".1e"),
        show(entry["cold_s"], ".3g"),
        show(entry["warm_median_s"], ".3g") or ("> budget" if entry["status"] == "ok" else ""),
        show(entry["warm_best_s"], ".3g"),
        "" if entry["max_steps"] is None else f"{entry['max_steps']} / {entry['mean_steps']:.0f}",
        show(entry["peak_mb"], ".0f"),
        note,
    ]


def _times(ratio: float) -> str:
    return f"{ratio:.3g}x slower" if ratio > 1 else f"{1 / ratio:.3g}x faster"
