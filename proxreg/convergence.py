"""What is said of fits that did not converge: how many, how far off the worst is, and what helps."""

import enum
from typing import Protocol

import numpy as np

from proxreg._warnings import ConvergenceWarning, warn


class Cause(enum.IntEnum):
    """Why a fit is not what was asked for, where steps alone are not the reason."""

    NONE = 0
    ROUNDING = 1  # the type has too few digits for its intercept
    UNBOUNDED = 2  # the objective has no minimiser: it falls for ever along some direction


NO_OPTIMUM = "there is no finite optimum"
REMEDY = {
    Cause.ROUNDING: "the intercept is too large for the digits of {dtype}: centre y and the columns of X{wider}",
    Cause.UNBOUNDED: f"{NO_OPTIMUM}: along some unpenalised direction the loss falls for ever (classes "
    "that are separated, counts without events); penalise these columns, or leave them out",
}


class Stopping(Protocol):
    """When a fit was told to stop."""

    @property
    def tol(self) -> float:
        """The largest relative gap, or violation, of a fit that converged."""
        ...

    @property
    def max_steps(self) -> int:
        """The largest number of steps."""
        ...


def warn_unless_converged(found: dict[str, np.ndarray], stop: Stopping, labels: list[str], remedy: str) -> None:
    """Warn once of the fits above the tolerance: how many, the worst of them, and what helps."""
    bad = ~found["converged"].ravel()
    if not bad.any():
        return
    gap, violation = found["gap"].ravel(), found["violation"].ravel()
    overflowed = bad & ~np.isfinite(found["objective"].ravel())
    if overflowed.any():
        _warn_about_lost(int(overflowed.sum()), bad.size, labels[int(np.argmax(overflowed))])
        return
    if np.all(found["num_steps"].ravel()[bad] < stop.max_steps):  # a closed form, or steps that moved nothing more
        remedy = f"rounding decides, not steps: {remedy.replace('max_steps', 'tol')}"
    causes = np.ravel(found.get("cause", np.zeros_like(bad, int)))
    for cause, said in REMEDY.items():
        if np.all(causes[bad] == cause):
            dtype = gap.dtype
            remedy = said.format(dtype=dtype, wider=", or pass dtype='float64'" if dtype == np.float32 else "")
    if np.all(causes[bad] == Cause.UNBOUNDED):
        first = _in_brackets(labels[int(np.argmax(bad))])
        warn(f"{bad.sum()}/{bad.size} problems not converged{first}: {remedy}", ConvergenceWarning)
        return
    what, error = ("gap", gap) if np.any(gap[bad] > stop.tol) else ("violation", violation)
    worst = int(np.nanargmax(np.where(bad, np.nan_to_num(error, nan=-1.0), -np.inf)))
    problem = _in_brackets(labels[worst])
    above = f"worst {what} {error[worst]:.2g} > {stop.tol:.2g}{problem}"
    warn(f"{bad.sum()}/{bad.size} problems above tol: {above}; {remedy}", ConvergenceWarning)


def _in_brackets(label: str) -> str:
    return f" ({label})" if label else ""


def remedy(standardize: bool, dtype: np.dtype) -> str:
    precise = "; or pass dtype='float64'" if dtype == np.float32 else ""
    return "raise max_steps" + ("" if standardize else " or standardize") + precise


def how_many(found: dict[str, np.ndarray]) -> tuple[int, int, int, float]:
    """Fits, those above the tolerance, those of these that are not finite, and the worst error of the rest."""
    bad, lost = ~found["converged"], ~np.isfinite(found["objective"])
    error = np.fmax(found["gap"], found["violation"])[bad & ~lost]
    return bad.size, int(bad.sum()), int(lost.sum()), float(np.max(error, initial=0.0))


def warn_about_samples(found: dict[str, np.ndarray], tol: float, remedy: str) -> None:
    """Warn once of fits on samples of the rows, and once of those among them that have no optimum."""
    fits, above, lost, worst = how_many(found)
    endless = found["cause"] == Cause.UNBOUNDED
    if endless.any() and not lost:
        warn(f"{endless.sum()}/{fits} problems not converged: {REMEDY[Cause.UNBOUNDED]}", ConvergenceWarning)
        _, above, lost, worst = how_many({name: values[~endless] for name, values in found.items()})
    warn_about_many(fits, above, lost, worst, tol, remedy)


def warn_about_many(fits: int, above: int, lost: int, worst: float, tol: float, remedy: str) -> None:
    """The same for fits that are too many to name; ``lost`` are not even finite."""
    if lost:
        _warn_about_lost(lost, fits)
    elif above:
        warn(f"{above}/{fits} problems above tol: worst error {worst:.2g} > {tol:.2g}; {remedy}", ConvergenceWarning)


def _warn_about_lost(lost: int, fits: int, first: str = "") -> None:
    at = f" (the first at {first})" if first else ""
    said = f"{lost}/{fits} problems left the range of numbers{at}; scale X, y and the penalty to about 1"
    warn(said, ConvergenceWarning)
