"""``python -m proxreg``: elastic-net paths and their cross-validation on the diabetes data, or on a CSV file."""

import argparse
import os
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

import proxreg as pr
from proxreg._cli.cross_validation import write_choices, write_everything
from proxreg._cli.options import UserError, read_options, version
from proxreg._cli.report import convergence, count, path_table, spread, write_coefficients
from proxreg._cli.table import Table, TableError, read_table
from proxreg._cli.terminal import in_options, one_line, progress, warnings_in_one_line
from proxreg._core import use_compilation_cache
from proxreg.datasets import load_diabetes
from proxreg.plotting import empty_figure, plot_cv, plot_path

_TOL = {"float64": 1e-8, "float32": 1e-5}  # tight: what is shown and written is the coefficients, not the objective


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code: 0, or 2 after an error that was said on stderr."""
    try:
        options = read_options(argv)
        use_compilation_cache()
        _run(options)
        sys.stdout.flush()
    except UserError as error:
        print(f"proxreg: error: {one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("proxreg: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    table, source = _load(args)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UserError(f"--out {args.out}: this is a file, not a directory") from None
    except OSError as error:
        raise UserError(f"--out {args.out}: {error.strerror}") from None

    with warnings_in_one_line():
        path = None if args.cv else _fit(table, args)
        cv = _cross_validate(table, args) if args.cv or args.csv is None else None
    scale = "own scale" if args.no_standardize else "standardised, coefficients on the scale of the input"
    print(f"proxreg {version()}, JAX {jax.__version__} on {_device()}, {args.dtype}")
    print(f"data   {source}: {count(len(table.y), 'row')}, {count(table.X.shape[1], 'feature')}, {scale}")
    for note in table.notes:
        print(f"       {note}")
    if table.classes:
        print(f"target {args.target!r}: 1 is {table.classes[1]!r}, 0 is {table.classes[0]!r}")
    if path is not None:
        _report_path(*path, table, args)
    if cv is not None:
        _report_cv(*cv, table, source, args)


def _report_path(path: Any, times: str, table: Table, args: argparse.Namespace) -> None:
    grid = f"{count(path.alphas.shape[1], 'alpha')} x {count(path.alphas.shape[0], 'l1_ratio')}"
    print(f"fits   {path.loss.name} loss, {grid} in one call: {convergence(path)}")
    print(f"time   {times}\n")
    print(path_table(path, table.X, table.y, width=shutil.get_terminal_size((110, 24)).columns), end="\n\n")
    if args.csv is not None:
        _save(args.out / "coefficients.csv", lambda file: write_coefficients(path, file))
    _save_pictures(table, args, path=path)


def _report_cv(cv: Any, seconds: float, table: Table, source: str, args: argparse.Namespace) -> None:
    every = f"{count(cv.fold_loss.size + cv.alphas.size, 'fit')} in {seconds:.3f} s, compilation included"
    if not args.cv:
        print()
    print(f"cv     {count(len(cv.fold_loss), 'fold')} and all rows: {every}\n\n{cv}\n")
    _save(args.out / "cv_coefficients.csv", lambda file: write_choices(cv, file))
    asked = {name: getattr(args, name) for name in ("target", "folds", "repeats", "seed", "dtype")}
    asked |= {"classes": table.classes, "standardize": not args.no_standardize, "tol": _tol(args)}
    _save(args.out / "cv.json", lambda file: write_everything(cv, {"data": source, **asked}, file))
    _save_pictures(table, args, cv=cv, path=cv.path if args.cv else None)


def _load(args: argparse.Namespace) -> tuple[Table, str]:
    """The data, and how to call them."""
    if args.csv is None:
        data = load_diabetes()
        return Table(data.X, data.y, data.feature_names), "diabetes (Efron et al. 2004)"
    try:
        with progress(f"reading {args.csv}"):
            table = read_table(
                args.csv,
                args.target,
                drop=args.drop,
                categorical=args.categorical,
                classes=args.loss == "logistic",
                counts=args.loss == "poisson",
                separator=args.sep,
                decimal=args.decimal,
                thousands=args.thousands,
            )
            return table, args.csv
    except TableError as error:
        raise UserError(f"{args.csv}: {error}") from None


def _fit(table: Table, args: argparse.Namespace) -> tuple[Any, str]:
    """The path, and the seconds it took; of the embedded data a second time, when all is compiled."""
    with progress(f"fitting {count(args.n_alphas * len(args.l1_ratio), 'problem')}"):
        path, seconds = _timed(pr.fit_path, table, args)
        times = f"{seconds:.3f} s cold, compilation included"
        if args.csv is None:
            path, seconds = _timed(pr.fit_path, table, args)
            times += f"; {seconds:.3f} s warm"
        return path, times


def _cross_validate(table: Table, args: argparse.Namespace) -> tuple[Any, float]:
    """The fits of all rows and of all folds, and the seconds they took."""
    key = None if args.seed is None else jax.random.key(args.seed)
    own = {"folds": args.folds, "repeats": args.repeats, "key": key, "metric": args.metric}
    problems = args.n_alphas * len(args.l1_ratio) * (args.folds * args.repeats + 1)
    with progress(f"fitting {count(problems, 'problem')}"):
        return _timed(pr.cv_path, table, args, **own)


def _timed(function: Callable[..., Any], table: Table, args: argparse.Namespace, **own: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    try:
        found = function(
            table.X,
            table.y,
            n_alphas=args.n_alphas,
            min_ratio=args.min_ratio,
            l1_ratio=args.l1_ratio,
            loss=args.loss,
            standardize=not args.no_standardize,
            tol=_tol(args),
            max_steps=args.max_steps,
            dtype=np.dtype(args.dtype),
            feature_names=table.feature_names,
            **own,
        )
    except ValueError as error:
        raise UserError(in_options(str(error))) from None
    return found, time.perf_counter() - start


def _tol(args: argparse.Namespace) -> float:
    return _TOL[args.dtype] if args.tol is None else args.tol


def _device() -> str:
    """The device that JAX computes on, as its maker calls it."""
    device = jax.devices()[0]
    return device.platform if device.device_kind == device.platform else f"{device.platform} ({device.device_kind})"


def _save_pictures(table: Table, args: argparse.Namespace, *, path: Any = None, cv: Any = None) -> None:
    """Pictures of what is given, where matplotlib is there to draw them."""
    scale = None if args.no_standardize else spread(table.X)
    try:
        if path is not None:
            _save(args.out / "path.png", lambda file: _draw_path(path, scale, file))
        if cv is not None:
            _save(args.out / "cv.png", lambda file: _store(plot_cv(cv, figure=empty_figure()), file))
    except ImportError as error:
        print(f"no picture: {error}")


def _save(file: Path, write: Callable[[Path], None]) -> None:
    """Writes a file and says so."""
    try:
        with progress(f"writing {file}"):
            write(file)
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    print(f"wrote {file}")


def _draw_path(path: Any, scale: np.ndarray | None, file: Path) -> None:
    """Draws without pyplot: neither a display nor the state of whoever calls ``main`` is touched."""
    axes = plot_path(path, scale=scale, figure=empty_figure())
    for ax in axes:
        if scale is not None and ax.get_ylabel():
            ax.set_ylabel("coefficient per std. deviation")
    _store(axes, file)


def _store(axes: Any, file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name in a script that the font lacks is drawn as boxes, that is all
        np.ravel(axes)[0].figure.savefig(file, dpi=200)


if __name__ == "__main__":
    raise SystemExit(main())
