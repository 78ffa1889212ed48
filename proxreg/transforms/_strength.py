"""How a strength is given: a penalty, or plain numbers and schedules ``l1=``, ``l2=``, all times ``strength=``."""

from typing import Any, NamedTuple

import optax

from proxreg.penalties import L1, ElasticNet, Penalty
from proxreg.penalties import _numerics as nm


def at(value: Any, count: Any) -> Any:
    """A number, or a schedule's value at ``count``."""
    return value(count) if callable(value) else value


class Strength(NamedTuple):
    """A penalty whose parts may follow schedules."""

    penalty: Penalty | None  # None: l1 and l2 instead
    l1: Any  # number or schedule
    l2: Any  # number or schedule
    factor: optax.ScalarOrSchedule  # on all of it

    def parts(self, count: Any) -> tuple[Any, ...]:
        """The numbers that follow schedules, after ``count`` updates: one factor, or the two strengths."""
        factor = at(self.factor, count)
        return (factor,) if self.penalty is not None else (factor * at(self.l1, count), factor * at(self.l2, count))

    def of(self, parts: tuple[Any, ...]) -> tuple[Penalty, Any]:
        """The penalty with these parts, and a factor on it."""
        if self.penalty is not None:
            return self.penalty, parts[0]
        if isinstance(self.l2, int | float) and self.l2 == 0:  # a division less per weight
            return L1(parts[0]), 1.0
        return ElasticNet.from_strengths(*parts), 1.0

    def at(self, count: Any) -> tuple[Penalty, Any]:
        """The penalty after ``count`` updates, and the factor on it."""
        return self.of(self.parts(count))


def strength_of(penalty: Any, l1: Any = None, l2: Any = None, factor: Any = 1.0) -> Strength:
    """What an alias was given, or an error that says what to give."""
    if penalty is None and l1 is None and l2 is None:
        raise ValueError("pass a penalty such as proxreg.L1(1e-4), or its strengths l1= and l2=")
    if penalty is not None and not (l1 is None and l2 is None):
        raise ValueError("pass a penalty or the strengths l1= and l2=, not both")
    require_penalty(penalty, optional=True)
    l1, l2 = (0.0 if value is None else value for value in (l1, l2))
    require_nonnegative(l1=l1, l2=l2, strength=factor)
    return Strength(penalty, l1, l2, factor)


def require_penalty(penalty: Any, optional: bool = False) -> None:
    """Raises for anything that is not a penalty."""
    if not (isinstance(penalty, Penalty) or (optional and penalty is None)):
        raise ValueError(f"penalty must be a penalty such as proxreg.L1(1e-4), got {penalty!r}")


def require_nonnegative(**values: Any) -> None:
    """Raises where a known number is negative or no number; schedules and traced values pass."""
    for name, value in values.items():
        if isinstance(value, Penalty):
            raise ValueError(f"{name} must be a number or a schedule, got {value!r}: are the arguments swapped?")
        if not callable(value):
            nm.require_nonnegative(**{name: value})
