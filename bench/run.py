"""Runs the benchmarks one after the other and keeps what they write.

``python -m bench.run [--size full] [names...]``; the README beside this file says where to.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from bench.report import SIZES, machine

SIZED = ("path", "cv", "stability", "logistic", "hard", "growth", "trace", "memory", "gpu")
DRAWN = ("growth", "trace")
OTHER = {  # their arguments at each size
    "transforms": {"tiny": ["--size", "tiny", "--repeats", "1"], "small": ["--repeats", "5"], "full": []},
    "digits": {"tiny": ["--tiny"], "small": ["--seeds", "2"], "full": []},
}
SCRIPTS = (*SIZED, *OTHER)


def command(name: str, size: str, budget: float | None = None, adelie: str | None = None) -> list[str]:
    """What a user would type after ``python``, but for the files."""
    if name in OTHER:
        return ["-m", f"bench.{name}", *OTHER[name][size]]
    peer = ["--adelie", adelie] if adelie and name == "path" else []
    return ["-m", f"bench.{name}", "--size", size, *([] if budget is None else ["--budget", f"{budget:g}"]), *peer]


def header(typed: str) -> str:
    """The command, the machine and the versions."""
    described = machine()
    versions = ", ".join(f"{name} {version}" for name, version in described["versions"].items())
    where = f"{described['cores']} cores ({described['architecture']}, {described['system']})"
    load = f"load at start {described['load_at_start']:.1f}"
    return f"# One run of `{typed}`\n\n{where}, Python {described['python']}, {versions}; {load}.\n"


def run(name: str, size: str, budget: float | None, adelie: str | None, folder: Path) -> int:
    """One script: its JSON, table and figure in the folder; its exit code."""
    arguments = command(name, size, budget, adelie)
    top = header(" ".join(["python", *command(name, size, budget, adelie and "PYTHON")]))
    files = ["--json", str(folder / f"{name}.json")]
    files += ["--plot", str(folder / f"{name}.png")] if name in DRAWN else []
    print(f"{name}: {' '.join(arguments)}", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, *arguments, *files], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 0:
        (folder / f"{name}.md").write_text(f"{top}\n{done.stdout}", encoding="utf-8")
    return done.returncode


def main(argv: list[str] | None = None) -> None:
    """Runs the scripts that are named, or all; one that fails does not stop the others."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description="Runs the benchmarks in turn.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCRIPTS))
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--budget", type=float, metavar="SECONDS", help="per solver and problem; each script's own")
    parser.add_argument("--adelie", metavar="PYTHON", help="an interpreter that has adelie, for the paths")
    parser.add_argument("--folder", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args(argv)
    for name in options.names:
        if name not in SCRIPTS:
            parser.error(f"{name!r} is not among {', '.join(SCRIPTS)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    failed = [
        name
        for name in options.names or SCRIPTS
        if run(name, options.size, options.budget, options.adelie, options.folder)
    ]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
