"""What fitting returns: NumPy arrays on the scale of the input, a certificate per fit, a readable summary."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from proxreg import _precision
from proxreg._core import require_unforked
from proxreg._pytree import replace
from proxreg.losses import Loss
from proxreg.penalties import Penalty
from proxreg.validation import Data, check_design, check_per_sample, column_names

PER_FIT = (
    "coef",
    "intercept",
    "objective",
    "gap",
    "violation",
    "converged",
    "num_steps",
)  # fields with the grid's axes


class Origin(NamedTuple):
    """What a path was fitted on: what needs the data later finds them here."""

    data: tuple[Data, ...]  # one for each response; none after pickling
    weighted: bool
    has_offset: bool
    fit_intercept: bool
    standardize: bool
    scale: np.ndarray  # (p,) that columns were divided by, on the input's scale
    factor: np.ndarray | None  # (p,) strength per column


@dataclasses.dataclass(frozen=True, eq=False)
class Fit:
    """One fitted model."""

    coef: np.ndarray  # (p,)
    intercept: np.ndarray  # ()
    objective: np.ndarray  # loss + penalty; the penalty of the scaled coefficients if standardize=True
    gap: np.ndarray  # duality gap / loss of the intercept-only model; NaN where no dual is known
    violation: np.ndarray  # relative KKT violation
    converged: np.ndarray  # gap, where it is known, and violation are <= tol
    num_steps: np.ndarray
    penalty: Penalty
    loss: Loss
    feature_names: tuple[str, ...] | None = None
    classes: tuple | None = None  # (class of y = 0, class of y = 1) of a classification; a pair for each of y (n, T)

    @property
    def nnz(self) -> np.ndarray:
        """Number of coefficients that are not exactly zero."""
        return np.count_nonzero(self.coef, axis=-1)

    def predict(self, X: Any, *, kind: str = "mean", offset: Any = None) -> np.ndarray:
        """Predictions for the rows of ``X (n, p)``: shape ``(..., n)``, one row per fit.

        ``kind="mean"`` is the expected response (for a logistic loss the probability of ``classes[1]``), ``"eta"`` the
        linear predictor, ``"class"`` the likelier class. ``offset (n,)`` is added to the linear predictor.
        """
        given = column_names(X)
        as_many = getattr(X, "shape", ())[1:] == self.coef.shape[-1:]
        X = np.asarray(check_design(X, self.feature_names if given is None and as_many else given))
        require_columns(X.shape[1], given, self)
        eta = self.coef @ X.astype(self.coef.dtype).T + self.intercept[..., None]
        if offset is not None:
            eta = eta + np.asarray(check_per_sample(offset, "offset", len(X)), eta.dtype)
        if kind == "eta":
            return eta
        if kind == "mean":
            require_unforked()
            with _precision.scope(eta.dtype):
                return np.asarray(self.loss.mean(eta))
        if kind == "class" and self.classes is not None:
            if not isinstance(self.classes[0], tuple):
                return np.asarray(self.classes)[(eta > 0).astype(int)]
            pairs = [np.asarray(pair) for pair in self.classes]
            found = [pair[own.astype(int)] for pair, own in zip(pairs, eta > 0)]
            return np.array(found) if len({pair.dtype.kind for pair in pairs}) == 1 else np.array(found, object)
        raise ValueError(f"kind must be 'mean', 'eta' or, for a classification, 'class', got {kind!r}")

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return (
            f"Fit: {type(self.penalty).__name__}, {self.loss.name} loss, {self.nnz} of {self.coef.size} "
            f"coefficients non-zero\n  objective {self.objective:.6g}, gap {self.gap:.1e}, violation "
            f"{self.violation:.1e}, {state} after {self.num_steps} steps"
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Path(Fit):
    """Fits along a grid of alphas: every array has the axis (K,) in front, or (R, K) for R l1_ratios.

    For several responses ``y (n, T)`` there is an axis (T,) before these.
    """

    alphas: np.ndarray = dataclasses.field(kw_only=True)  # (K,) or (R, K)
    l1_ratio: Any = dataclasses.field(kw_only=True, default=None)  # a number, (R,), or None for a given penalty
    origin: Origin = dataclasses.field(kw_only=True, repr=False)
    refitted: bool = dataclasses.field(
        kw_only=True, default=False
    )  # by relax: on its supports without penalty, or partly

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the data, which are not the path's to write to a file."""
        return {**self.__dict__, "origin": self.origin._replace(data=())}

    def __deepcopy__(self, memo: Any) -> "Path":
        """With the same data, which nobody changes."""
        return dataclasses.replace(
            self, **{name: getattr(self, name).copy() for name in ("coef", "intercept", "alphas")}
        )

    @property
    def several(self) -> bool:
        """Whether y had several columns."""
        return self.alphas.ndim - 1 > np.ndim(0 if self.l1_ratio is None else self.l1_ratio)

    @property
    def ratios(self) -> np.ndarray:
        """The l1_ratio of each fit, in the shape of alphas; NaN for a penalty that was given."""
        ratios = np.asarray(np.nan if self.l1_ratio is None else self.l1_ratio, float)
        return np.broadcast_to(ratios[..., None] if ratios.ndim else ratios, self.alphas.shape)

    def response(self, number: int) -> "Path":
        """The path of one of several responses, as if it had been fitted alone."""
        if not self.several:
            raise ValueError("the path has one response already")
        if not -len(self.alphas) <= number < len(self.alphas):
            raise ValueError(f"response must be from 0 to {len(self.alphas) - 1}, got {number}")
        own = {name: getattr(self, name)[number] for name in (*PER_FIT, "alphas")}
        classes = None if self.classes is None else self.classes[number]
        origin = self.origin._replace(data=self.origin.data and (self.origin.data[number],))
        return dataclasses.replace(self, **own, classes=classes, origin=origin)

    def plot(self, **options: Any) -> Any:
        """Draws the coefficients against -log10(alpha); see ``proxreg.plotting.plot_path``."""
        from proxreg.plotting import plot_path

        return plot_path(self, **options)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.alphas.shape))
        kind = (
            type(self.penalty).__name__ if self.l1_ratio is None else f"elastic net, l1_ratio {_listed(self.l1_ratio)}"
        )
        done = int(np.sum(self.converged))
        ratios, several = self.ratios, self.several
        lines = [
            f"Path: {shape} alphas, {kind}, {self.loss.name} loss, {self.coef.shape[-1]} features, {self.coef.dtype}",
            f"  {done} of {self.converged.size} converged, "
            f"worst gap {_worst(self.gap)}, worst violation {_worst(self.violation)}",
            f"  {'y ' if several else ''}{'l1_ratio':>8} {'alpha':>10} {'non-zeros':>9} {'objective':>11} "
            f"{'gap':>8} {'steps':>6}",
        ]
        rows = np.unique(np.linspace(0, self.alphas.shape[-1] - 1, 5).round().astype(int))
        for at in [(*lead, k) for lead in np.ndindex(self.alphas.shape[:-1]) for k in rows]:
            ratio = "" if np.isnan(ratios[at]) else f"{ratios[at]:g}"
            response = f"{at[0]:<2d}" if several else ""
            lines.append(
                f"  {response}{ratio:>8} {self.alphas[at]:10.4g} {self.nnz[at]:9d} {self.objective[at]:11.5g} "
                f"{self.gap[at]:8.1e} {self.num_steps[at]:6d}" + ("" if self.converged[at] else "  not converged")
            )
        return "\n".join(lines)


def require_columns(count: int, names: tuple[str, ...] | None, model: Fit) -> None:
    """Raises unless columns are as many as the model's, and called the same where both have names."""
    p, own = model.coef.shape[-1], model.feature_names
    if count != p:
        raise ValueError(f"X has {count} columns, the model was fitted on {p}")
    if own is not None and names is not None and names != own:
        at = next(j for j in range(p) if names[j] != own[j])
        raise ValueError(f"column {at} of X is {names[at]!r}, the model was fitted on {own[at]!r}")


def fit_at(path: Path, place: np.ndarray) -> Fit:
    """The fit at a place of the grid, counted flat, of each response ``(T,)``; of one response without that axis."""
    count = len(place)
    grid = path.alphas.ndim

    def take(values: np.ndarray) -> np.ndarray:
        found = values.reshape(count, -1, *values.shape[grid:])[np.arange(count), place]
        return found if path.several else found[0]

    own = {name: take(getattr(path, name)) for name in PER_FIT}
    given: dict[str, Any] = {} if path.several else {"alpha": float(take(path.alphas))}
    if path.l1_ratio is not None and not path.several:
        given["l1_ratio"] = float(take(path.ratios))
    penalty = replace(path.penalty, **given)
    return Fit(**own, penalty=penalty, loss=path.loss, feature_names=path.feature_names, classes=path.classes)


def names_of(features: tuple[str, ...] | None, p: int) -> tuple[str, ...]:
    """What to call each of p features in tables and pictures."""
    return features or tuple(f"x{j}" for j in range(p))


def _worst(values: np.ndarray) -> str:
    known = values[~np.isnan(values)]
    return f"{known.max():.1e}" if known.size else "unknown"


def _listed(values: Any) -> str:
    return ", ".join(f"{v:g}" for v in np.atleast_1d(values))
