"""What a cell of a table stands for: a number in some notation, a truth value, a date, or nothing."""

import datetime
import functools
import math
import re
import shlex
from typing import NamedTuple

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none"))
_TRUTH = {"true": 1.0, "false": 0.0}
_EPOCH = datetime.datetime(1970, 1, 1)
_DATE = re.compile(r"\d{1,4}([./-])\d{1,2}(\1\d{1,4})?([T ].*)?")  # 31.12.2024, 12/31/24, 2024-12


class TableError(ValueError):
    """Something in the file that keeps it from being read, in one line, without the file's name."""


class Missing(ValueError):
    """A cell without a value."""


class Notation(NamedTuple):
    """How numbers are written."""

    decimal: str = "."
    thousands: str | None = None

    def options(self, other: "Notation") -> str:
        """Return the options of the command that change the ``other`` notation into this one."""
        changed = [] if self.decimal == other.decimal else [f"--decimal {_quoted(self.decimal)}"]
        if self.thousands and self.thousands != other.thousands:
            changed.append(f"--thousands {_quoted(self.thousands)}")
        return " ".join(changed)


def _quoted(character: str) -> str:
    return f"'{character}'" if character != "'" else f'"{character}"'


PLAIN = Notation()
_NOTATIONS = [Notation(","), PLAIN, *(Notation(d, t) for d in ".," for t in (",", ".", " ", "'") if d != t)]


def number(text: str, notation: Notation = PLAIN) -> float | None:
    """Return the number that a text without space around it stands for, infinite perhaps; None if it is none.

    Separators of thousands have to stand where they belong: two or three digits between them, three after the last.
    """
    if notation != PLAIN:
        if notation.thousands == " ":
            text = text.replace("\xa0", " ").replace("\u202f", " ")
        if not _pattern(notation).fullmatch(text):
            return None
        text = text.replace(notation.thousands or "", "").replace(notation.decimal, ".")
    try:
        value = math.nan if "_" in text else float(text)  # float() takes 1_000, which no other reader does
    except ValueError:
        return None
    return None if math.isnan(value) else value


@functools.lru_cache(maxsize=16)
def _pattern(notation: Notation) -> re.Pattern[str]:
    point = re.escape(notation.decimal)
    whole = r"\d+"
    if notation.thousands:
        comma = re.escape(notation.thousands)
        whole = rf"(?:\d{{1,3}}(?:{comma}\d{{2,3}})*{comma}\d{{3}}|\d+)"
    return re.compile(rf"[-+]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?|[-+]?inf(?:inity)?", re.I | re.A)


def date(text: str) -> tuple[float, bool] | None:
    """Return the days since the beginning of 1970 of an ISO 8601 date, and whether it names a time zone; else None."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    zone = moment.tzinfo is not None
    if zone:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return (moment - _EPOCH) / datetime.timedelta(days=1), zone


def present(cell: str) -> str:
    """Return the cell without the space around it; raise ``Missing`` where nothing is left, or a word for nothing."""
    text = cell.strip()
    if text.lower() in MISSING:
        raise Missing(f"missing value{f' ({text})' if text else ''}")
    return text


class Labels:
    """Reads the cells of a column of classes or levels as numbers, in the order in which they first appear."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def read(self, cell: str) -> float:
        """Return the code of a label; raise ``Missing`` for a missing one."""
        return float(self.codes.setdefault(present(cell), len(self.codes)))


class Measure:
    """Reads the cells of a column of numbers, of True and False, or of dates: of whichever kind its first value is.

    A target holds numbers only, and counts are not negative.
    """

    def __init__(self, name: str, notation: Notation = PLAIN, *, target: bool = False, counts: bool = False) -> None:
        self.name, self.notation, self.target, self.counts = name, notation, target, counts
        self.kind = "number" if target else None
        self.zone: bool | None = None

    def read(self, cell: str) -> float:
        """Return the number, 1 or 0 for True or False, or days since 1970; raise ValueError with the remedy."""
        text = present(cell)
        if self.kind in (None, "number"):
            value = number(text, self.notation)
            if value is not None:
                self.kind = "number"
                return self.checked(value, text)
        if self.kind in (None, "truth") and text.lower() in _TRUTH:
            self.kind = "truth"
            return _TRUTH[text.lower()]
        if self.kind in (None, "date") and (moment := date(text)):
            days, zone = moment
            self.kind = "date"
            self.zone = zone if self.zone is None else self.zone
            if self.zone == zone:
                return days
            raise ValueError(f"{text!r} and the dates above: write all with a time zone, or none")
        if self.kind in ("truth", "date"):
            above = "neither True nor False" if self.kind == "truth" else "no date, such as 2024-12-31"
            raise ValueError(f"{text!r} is {above}, as the cells above are; {self._leave()}")
        raise ValueError(f"{text!r} is not a number; {self._remedy(text)}")

    def checked(self, value: float, text: str) -> float:
        """Return a number that the column may hold; raise ValueError, which shows ``text``, for another."""
        if math.isinf(value):
            raise ValueError(f"{text!r} is not finite")
        if self.counts and value < 0:
            raise ValueError(f"{text!r} is negative; Poisson loss needs counts, 0 or more")
        return value

    def _remedy(self, text: str) -> str:
        """What to do about a cell that is no number."""
        readings = [
            other
            for other in _NOTATIONS
            if (not other.thousands or other.thousands in text) and number(text, other) is not None
        ]
        if readings:
            separators = " or ".join(dict.fromkeys(reading.options(self.notation) for reading in readings))
            return f"pass {separators}{', whichever is meant' if ' or ' in separators else ''}"
        if self.target:
            if date(text) or _DATE.fullmatch(text):
                return "a date cannot be the target; write numbers for it"
            return "pass --loss logistic for two classes"
        if _DATE.fullmatch(text) and self.kind is None:
            return f"write dates as 2024-12-31; {self._leave()}"
        if self.kind is None:
            column = shlex.quote(self.name)
            return f"pass --categorical {column} for a 0/1 column per level, or --drop {column} to leave it out"
        return self._leave()

    def _leave(self) -> str:
        return f"leave the column out with --drop {shlex.quote(self.name)}, or write numbers for it"
