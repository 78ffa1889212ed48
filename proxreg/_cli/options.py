"""The options of the command line, and which word on it is the file."""

import argparse
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from proxreg.metrics import METRICS

_L1_RATIOS = (0.1, 0.5, 0.9, 0.95, 1.0)
_LISTS = ("drop", "categorical", "l1_ratio")  # options that take every word up to the next option, the file's too
_TABLES = (".csv", ".tsv", ".txt", ".dat", ".data", ".gz", ".bz2", ".xz", ".zip", ".parquet", ".xlsx")
_OF_FILES = ("target", "drop", "categorical", "sep", "decimal", "thousands")
_SEE_HELP = "(python -m proxreg --help lists the options)"


class UserError(Exception):
    """A mistake that the user can mend: one line and exit code 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Says what is wrong in one line, where argparse prints the usage as well."""
        raise UserError(f"{message} {_SEE_HELP}")


def read_options(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked for, ``cv`` and the file (``csv``, or None) among it; raise ``UserError``."""
    args = _parser().parse_intermixed_args(argv)
    args.cv = args.words[:1] == ["cv"]
    files = args.words[args.cv :]
    if not files:
        files = _swallowed(args)
    if len(files) > 1:
        raise UserError(f"one file at a time, got {', '.join(files)} {_SEE_HELP}")
    args.csv = files[0] if files else None
    args.l1_ratio = [_ratio(word) for word in args.l1_ratio]
    asked = [f"--{name}" for name in _OF_FILES if getattr(args, name)]
    if asked and args.csv is None:
        verb = "needs" if len(asked) == 1 else "need"
        example = "python -m proxreg data.csv --target NAME"
        raise UserError(f"{' and '.join(asked)} {verb} a file: {example}")
    args.sep = _separator(args.sep, "--sep")
    args.thousands = _separator(args.thousands, "--thousands")
    args.decimal = _separator(args.decimal, "--decimal") or "."
    if args.decimal == args.thousands:
        raise UserError(f"--decimal and --thousands are both {args.decimal!r}; pass --decimal , for a comma")
    return args


def _swallowed(args: argparse.Namespace) -> list[str]:
    """Takes the file from the end of a list into which argparse has put it."""
    for name in _LISTS:
        words = getattr(args, name)
        if words and isinstance(words[-1], str) and _is_file(words[-1]) and not _is_number(words[-1]):
            *rest, file = words
            option = f"--{name.replace('_', '-')}"
            if rest[-1:] == ["cv"]:  # or is it the name of a column
                raise UserError(f"cv stands in front, and the file behind it: python -m proxreg cv {file} {option} ...")
            if not rest:
                raise UserError(f"{option} needs a value before the file {file}")
            setattr(args, name, rest)
            return [file]
    return []


def _is_file(word: str) -> bool:
    try:
        return word.lower().endswith(_TABLES) or Path(word).is_file()
    except OSError:  # too long for a name
        return False


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _ratio(word: str | float) -> float:
    if isinstance(word, str) and not _is_number(word):
        raise UserError(f"argument --l1-ratio: invalid float value: {word!r} {_SEE_HELP}")
    return float(word)


def _separator(text: str | None, option: str) -> str | None:
    """A single character; the tab, hard to type, also by its name or escaped."""
    if text is None:
        return None
    character = "\t" if text in ("\\t", "tab") else text
    if len(character) != 1 or character in '"\r\n' or character.isalnum():
        raise UserError(f"{option} takes one character, such as , or ; or \\t, got {text!r}")
    return character


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="proxreg",
        usage="python -m proxreg [cv] [data.csv --target NAME] [options]",
        description="Fit elastic-net paths: all alphas and l1_ratios in one compiled call, with a duality gap for each "
        "fit. With cv, cross-validate them and choose. Without a file, both, on the diabetes data of Efron, Hastie, "
        "Johnstone and Tibshirani (2004).",
        epilog="Files are CSV, also as .gz, .bz2 or .xz, or Parquet (with pyarrow). True and False are read as 1 and "
        "0, dates like 2024-12-31 as days since 1970-01-01.",
    )
    parser.add_argument("words", nargs="*", metavar="[cv] [data.csv]", help="a table with a header, and what to do")
    parser.add_argument("--target", metavar="NAME", help="the column to predict")
    parser.add_argument("--drop", nargs="+", default=[], metavar="NAME", help="columns to leave out")
    parser.add_argument(
        "--categorical", nargs="+", default=[], metavar="NAME", help="columns that become a 0/1 column for each level"
    )
    parser.add_argument("--sep", metavar="C", help="between cells (, ; or tab, as in the header)")
    parser.add_argument("--decimal", metavar="C", help="the decimal point (.)")
    parser.add_argument("--thousands", metavar="C", help="between thousands (none)")
    parser.add_argument("--loss", choices=("squared", "logistic", "huber", "poisson"), default="squared")
    parser.add_argument("--l1-ratio", nargs="+", default=_L1_RATIOS, metavar="R", help="(0.1 0.5 0.9 0.95 1)")
    parser.add_argument("--n-alphas", type=int, default=100, metavar="N", help="alphas per l1_ratio (100)")
    parser.add_argument(
        "--min-ratio", type=float, metavar="R", help="the smallest alpha over the largest (1e-3; 1e-2 if n < p)"
    )
    parser.add_argument("--folds", type=int, default=5, metavar="K", help="of cv (5)")
    parser.add_argument("--repeats", type=int, default=1, metavar="N", help="of cv, shuffled anew (1)")
    parser.add_argument(
        "--seed", type=int, metavar="N", help="shuffles the rows of cv; not given, they keep their order"
    )
    parser.add_argument("--metric", choices=tuple(METRICS), default="loss", help="of cv (loss)")
    parser.add_argument("--tol", type=float, help="the relative duality gap to reach (1e-8, in float32 1e-5)")
    parser.add_argument("--max-steps", type=int, metavar="N", help="steps at most, for fits that do not get there")
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--no-standardize", action="store_true", help="penalise all columns on their own scale")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to write (this directory)")
    parser.add_argument("--version", action="version", version=f"proxreg {version()}")
    return parser


def version() -> str:
    """Return the version of the installed package."""
    try:
        return importlib.metadata.version("proxreg")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
