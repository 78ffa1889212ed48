"""What fitting returns: NumPy arrays on the scale of the input, a certificate per fit, a readable summary."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from proxreg import _precision
from proxreg._core import require_unforked
from proxreg._pytree import replace
from proxreg.feature_names import column_names, select_columns
from proxreg.grid_lookup import listed_numbers, place_of
from proxreg.losses import Loss
from proxreg.penalties import Penalty
from proxreg.tables import feature_table, path_table
from proxreg.validation import Data, check_design, check_per_sample

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
    has_offset: bool = False  # fitted with one: a prediction needs one too

    @property
    def nnz(self) -> np.ndarray:
        """Number of coefficients that are not exactly zero."""
        return np.count_nonzero(self.coef, axis=-1)

    def predict(self, X: Any, *, kind: str = "mean", offset: Any = None) -> np.ndarray:
        """Return predictions for the rows of ``X (n, p)``: shape ``(..., n)``, one row per fit.

        ``kind="mean"`` is the expected response (for a logistic loss the probability of ``classes[1]``), ``"eta"`` the
        linear predictor, ``"class"`` the likelier class. ``offset (n,)`` is added to the linear predictor; a model that
        was fitted with an offset needs one. Columns of a data frame are taken by name where the model has names.
        """
        X = select_columns(X, self.feature_names)
        names = column_names(X)
        same_width = getattr(X, "shape", ())[1:] == self.coef.shape[-1:]
        X = np.asarray(check_design(X, self.feature_names if names is None and same_width else names))
        require_columns(X.shape[1], self)
        offset = check_per_sample(offset, "offset", len(X))
        if offset is None and self.has_offset:
            zeros = f"offset=np.zeros({len(X)}) if none is meant"
            raise ValueError(f"the model was fitted with offset: pass offset=, one entry per row of X; {zeros}")
        eta = self.coef @ X.astype(self.coef.dtype).T + self.intercept[..., None]
        if offset is not None:
            eta = eta + np.asarray(offset, eta.dtype)
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

    def table(self) -> Any:
        """Return intercept and non-zero coefficients by name, the largest first: a DataFrame where pandas is installed.

        For several responses there is a column for each.
        """
        return feature_table(self)

    def save(self, file: Any) -> None:
        """Write everything but the data to an ``.npz`` file, without pickle; see ``proxreg.load``."""
        from proxreg.serialization import save

        save(self, file)

    def __repr__(self) -> str:
        head = f"Fit: {type(self.penalty).__name__}, {self.loss.name} loss, "
        if self.converged.ndim == 0:
            return f"{head}{_outcome(self, (), 2)}"
        count, p = self.coef.shape[0], self.coef.shape[-1]
        lines = [f"{head}{count} responses, {p} features"]
        return "\n".join(lines + [f"  y {k}: {_outcome(self, (k,), 4)}" for k in range(count)])


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Path(Fit):
    """Fits along a grid of alphas: every array has the axis (K,) in front, or (R, K) for R l1_ratios.

    For several responses ``y (n, T)`` there is an axis (T,) before these.
    """

    alphas: np.ndarray = dataclasses.field(kw_only=True)  # (K,) or (R, K)
    l1_ratio: Any = dataclasses.field(kw_only=True, default=None)  # a number, (R,), or None for a given penalty
    origin: Origin = dataclasses.field(kw_only=True, repr=False)
    #: by relax: on its supports without penalty, or partly
    refitted: bool = dataclasses.field(kw_only=True, default=False)
    #: non-zeros at which the grid was to end, if at any
    max_features: int | None = dataclasses.field(kw_only=True, default=None)

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

    def at(self, alpha: float, *, l1_ratio: float | None = None) -> Fit:
        """Return the fit at an alpha of the grid, and an l1_ratio where there are several; nothing is interpolated.

        Numbers may differ from the grid's by rounding, 1e-6 of them. Raises ValueError, with the neighbours, elsewhere.
        """
        return fit_at(self, np.array([place_of(self, alpha, l1_ratio)]))

    def table(self) -> Any:
        """Return a row for each fit, its coefficients by name; a DataFrame where pandas is installed."""
        return path_table(self)

    def plot(self, **options: Any) -> Any:
        """Draws the coefficients against -log10(alpha); see ``proxreg.plotting.plot_path``."""
        from proxreg.plotting import plot_path

        return plot_path(self, **options)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.alphas.shape))
        kind = (
            type(self.penalty).__name__
            if self.l1_ratio is None
            else f"elastic net, l1_ratio {listed_numbers(self.l1_ratio)}"
        )
        done = int(np.sum(self.converged))
        ratios, several = self.ratios, self.several
        lines = [
            f"Path: {shape} alphas, {kind}, {self.loss.name} loss, {self.coef.shape[-1]} features, {self.coef.dtype}",
            f"  {done} of {self.converged.size} converged, "
            f"worst gap {worst(self.gap)}, worst violation {worst(self.violation)}",
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


def require_columns(count: int, model: Fit) -> None:
    """Raise ValueError unless columns are as many as the model's."""
    p = model.coef.shape[-1]
    if count != p:
        raise ValueError(f"X has {count} columns, the model was fitted on {p}")


def fit_at(path: Path, place: np.ndarray) -> Fit:
    """The fit at a place of the grid, counted flat, of each response ``(T,)``; of one response without that axis."""
    count = len(place)
    grid = path.alphas.ndim

    def take(values: np.ndarray) -> np.ndarray:
        found = values.reshape(count, -1, *values.shape[grid:])[np.arange(count), place]
        return found if path.several else found[0]

    own = {name: take(getattr(path, name)) for name in PER_FIT}
    chosen: dict[str, Any] = {"alpha": take(path.alphas)}
    if path.l1_ratio is not None:
        chosen["l1_ratio"] = take(path.ratios)
    # of several responses (T, 1), like their coefficients (T, p)
    parts = {name: value[:, None] if path.several else float(value) for name, value in chosen.items()}
    about = {name: getattr(path, name) for name in ("loss", "feature_names", "classes", "has_offset")}
    return Fit(**own, penalty=replace(path.penalty, **parts), **about)


def _outcome(fit: Fit, place: tuple[int, ...], indent: int) -> str:
    newline = "\n" + " " * indent
    state = "converged" if fit.converged[place] else "NOT converged"
    return (
        f"{fit.nnz[place]} of {fit.coef.shape[-1]} coefficients non-zero{newline}objective {fit.objective[place]:.6g}, "
        f"gap {fit.gap[place]:.1e}, violation {fit.violation[place]:.1e}, {state} after {fit.num_steps[place]} steps"
    )


def worst(values: Any) -> str:
    """Return the largest of errors as text, unknown ones left out."""
    values = np.asarray(values)
    known = values[~np.isnan(values)]
    return f"{known.max():.1e}" if known.size else "unknown"
