"""``python -m proxreg``: a whole elastic-net grid on the diabetes data, or on a CSV file."""

import argparse
import importlib.metadata
import os
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import jax
import numpy as np

import proxreg as pr
from proxreg._cli.report import convergence, count, path_table, spread, write_coefficients
from proxreg._cli.table import Table, TableError, read_table
from proxreg._cli.terminal import one_line, progress, warnings_in_one_line
from proxreg.datasets import load_diabetes
from proxreg.plotting import empty_figure, plot_path

_L1_RATIOS = (0.1, 0.5, 0.9, 0.95, 1.0)
_TOL = {"float64": 1e-8, "float32": 1e-5}  # tight: what is shown and written is the coefficients, not the objective


class _UserError(Exception):
    """A mistake that the user can mend: one line and exit code 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Says what is wrong in one line, where argparse prints the usage as well."""
        raise _UserError(f"{message} (python -m proxreg --help lists the options)")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0, or 2 after an error that was said on stderr."""
    try:
        _run(_parser().parse_args(argv))
        sys.stdout.flush()
    except _UserError as error:
        print(f"proxreg: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("proxreg: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="proxreg",
        usage="python -m proxreg [data.csv --target NAME] [options]",
        description="Fit elastic-net paths: all alphas and l1_ratios in one compiled call, with a duality gap for each "
        "fit. Without a file, the diabetes data of Efron, Hastie, Johnstone and Tibshirani (2004).",
    )
    parser.add_argument("csv", nargs="?", metavar="data.csv", help="a table with a header; every other column is used")
    parser.add_argument("--target", metavar="NAME", help="the column to predict")
    parser.add_argument("--drop", nargs="+", default=[], metavar="NAME", help="columns to leave out")
    parser.add_argument("--loss", choices=("squared", "logistic", "huber", "poisson"), default="squared")
    parser.add_argument(
        "--l1-ratio", nargs="+", type=float, default=_L1_RATIOS, metavar="R", help="(0.1 0.5 0.9 0.95 1)"
    )
    parser.add_argument("--n-alphas", type=int, default=100, metavar="N", help="alphas per l1_ratio (100)")
    parser.add_argument("--tol", type=float, help="the relative duality gap to reach (1e-8, in float32 1e-5)")
    parser.add_argument("--max-steps", type=int, metavar="N", help="steps at most, for fits that do not get there")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--no-standardize", action="store_true", help="penalise all columns on their own scale")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to write (this directory)")
    parser.add_argument("--version", action="version", version=f"proxreg {_version()}")
    return parser


def _version() -> str:
    try:
        return importlib.metadata.version("proxreg")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _run(args: argparse.Namespace) -> None:
    table, source = _load(args)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise _UserError(f"--out {args.out}: this is a file, not a directory") from None
    except OSError as error:
        raise _UserError(f"--out {args.out}: {error.strerror}") from None

    with warnings_in_one_line():
        path, seconds = _fit(table, args)
        times = f"{seconds:.3f} s cold, compilation included"
        if args.csv is None:
            path, seconds = _fit(table, args)
            times += f"; {seconds:.3f} s warm"
    scale = "own scale" if args.no_standardize else "standardised, coefficients on the scale of the input"
    grid = f"{count(path.alphas.shape[1], 'alpha')} x {count(path.alphas.shape[0], 'l1_ratio')}"
    print(f"proxreg {_version()}, JAX {jax.__version__} on {_device()}, {path.coef.dtype}")
    print(f"data   {source}: {count(len(table.y), 'row')}, {count(table.X.shape[1], 'feature')}, {scale}")
    if table.classes:
        print(f"target {args.target!r}: 1 is {table.classes[1]!r}, 0 is {table.classes[0]!r}")
    print(f"fits   {path.loss.name} loss, {grid} in one call: {convergence(path)}")
    print(f"time   {times}\n")
    print(path_table(path, table.X, table.y, width=shutil.get_terminal_size((110, 24)).columns), end="\n\n")
    _write(path, table, args)


def _load(args: argparse.Namespace) -> tuple[Table, str]:
    """The data, and how to call them."""
    if args.csv is None:
        if args.target is not None or args.drop:
            raise _UserError("--target and --drop need a CSV file: python -m proxreg data.csv --target NAME")
        data = load_diabetes()
        return Table(data.X, data.y, data.feature_names, None), "diabetes (Efron et al. 2004)"
    try:
        with progress(f"reading {args.csv}"):
            return read_table(args.csv, args.target, drop=args.drop, classes=args.loss == "logistic"), args.csv
    except TableError as error:
        raise _UserError(f"{args.csv}: {error}") from None


def _fit(table: Table, args: argparse.Namespace) -> tuple[Any, float]:
    """The path, and the seconds it took."""
    with progress(f"fitting {count(args.n_alphas * len(args.l1_ratio), 'problem')}"):
        start = time.perf_counter()
        try:
            path = pr.fit_path(
                table.X,
                table.y,
                n_alphas=args.n_alphas,
                l1_ratio=list(args.l1_ratio),
                loss=args.loss,
                standardize=not args.no_standardize,
                tol=_TOL[args.dtype] if args.tol is None else args.tol,
                max_steps=args.max_steps,
                dtype=np.dtype(args.dtype),
                feature_names=table.feature_names,
            )
        except ValueError as error:
            raise _UserError(error) from None
        return path, time.perf_counter() - start


def _device() -> str:
    """The device that JAX computes on, as its maker calls it."""
    device = jax.devices()[0]
    return device.platform if device.device_kind == device.platform else f"{device.platform} ({device.device_kind})"


def _write(path: Any, table: Table, args: argparse.Namespace) -> None:
    """The coefficients, for a CSV file, and the picture, where matplotlib is there to draw it."""
    scale = None if args.no_standardize else spread(table.X)
    if args.csv is not None:
        _save(args.out / "coefficients.csv", lambda file: write_coefficients(path, file))
    try:
        _save(args.out / "path.png", lambda file: _draw(path, scale, file))
    except ImportError as error:
        print(f"no picture: {error}")


def _save(file: Path, write: Callable[[Path], None]) -> None:
    """Writes a file and says so."""
    try:
        with progress(f"writing {file}"):
            write(file)
    except OSError as error:
        raise _UserError(f"{file}: {error.strerror}") from None
    print(f"wrote {file}")


def _draw(path: Any, scale: np.ndarray | None, file: Path) -> None:
    """Draws without pyplot: neither a display nor the state of whoever calls ``main`` is touched."""
    axes = plot_path(path, scale=scale, figure=empty_figure())
    for ax in axes:
        if scale is not None and ax.get_ylabel():
            ax.set_ylabel("coefficient per std. deviation")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name in a script that the font lacks is drawn as boxes, that is all
        axes[0].figure.savefig(file, dpi=200)


if __name__ == "__main__":
    raise SystemExit(main())
