"""What cross-validation returns: a path, how well each of its models predicts, and the one that a rule takes."""

import dataclasses
from typing import Any

import numpy as np

from proxreg.results import Fit, Path, fit_at
from proxreg.rules import RULES, check_rule
from proxreg.tables import cv_table


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CVPath:
    """A path and its losses on rows that were held out."""

    path: Path  # fitted on all rows
    alphas: np.ndarray  # (K,) or (R, K), the same for all folds; with an axis (T,) in front for y (n, T)
    mean_loss: np.ndarray  # like alphas; the metric, over folds
    se_loss: np.ndarray  # like alphas; standard error of that mean
    fold_loss: np.ndarray  # (folds, ...)
    fold_gap: np.ndarray  # (folds, ...) of the fits that were judged; NaN where no dual is known
    metric: str  # what mean_loss is: "loss", the objective's own, or what was asked for
    place: dict[str, np.ndarray]  # by rule, the number of the chosen alpha, flat, of each response (T,)

    @property
    def alpha_min(self) -> Any:
        """Where the mean is best, the largest such alpha; ``(T,)`` for ``y (n, T)``."""
        return self._chosen(self.alphas, "min")

    @property
    def alpha_1se(self) -> Any:
        """The largest alpha, for the same l1_ratio, whose mean is within a standard error of the best."""
        return self._chosen(self.alphas, "1se")

    @property
    def l1_ratio_min(self) -> Any:
        """That of ``alpha_min``, and of ``alpha_1se``; None for a penalty that was given."""
        return None if self.path.l1_ratio is None else self._chosen(self.path.ratios, "min")

    def model(self, rule: str = "min") -> Fit:
        """The fit on all rows that a rule takes, "min" or "1se"; for ``y (n, T)`` arrays have ``(T,)`` in front."""
        return fit_at(self.path, self.place[check_rule(rule)])

    def coef(self, rule: str = "min") -> np.ndarray:
        """Coefficients ``(p,)``, or ``(T, p)``, on the scale of the input."""
        return self.model(rule).coef

    def intercept(self, rule: str = "min") -> np.ndarray:
        """The intercept, or ``(T,)`` of them."""
        return self.model(rule).intercept

    def predict(self, X: Any, rule: str = "min", *, kind: str = "mean", offset: Any = None) -> np.ndarray:
        """Predictions ``(n,)``, or ``(T, n)``, for the rows of X; kinds are those of ``Path.predict``."""
        return self.model(rule).predict(X, kind=kind, offset=offset)

    def response(self, number: int) -> "CVPath":
        """The cross-validation of one of several responses, as if it had been fitted alone."""
        return dataclasses.replace(
            self,
            path=self.path.response(number),
            **{name: getattr(self, name)[number] for name in ("alphas", "mean_loss", "se_loss")},
            **{name: getattr(self, name)[:, number] for name in ("fold_loss", "fold_gap")},
            place={rule: place[[number]] for rule, place in self.place.items()},
        )

    def table(self, rule: str | None = None) -> Any:
        """Return a row for each alpha, or the model that a rule takes: intercept and non-zero coefficients by name.

        The table is a DataFrame where pandas is installed, else a readable ``Table`` of the same content.
        """
        return cv_table(self) if rule is None else self.model(rule).table()

    def save(self, file: Any) -> None:
        """Write everything but the data to an ``.npz`` file, without pickle; see ``proxreg.load``."""
        from proxreg.serialization import save

        save(self, file)

    def plot(self, **options: Any) -> Any:
        """Draws the mean and its standard errors against alpha; see ``proxreg.plotting.plot_cv``."""
        from proxreg.plotting import plot_cv

        return plot_cv(self, **options)

    def __repr__(self) -> str:
        path = self.path
        head = (
            f"CVPath: {len(self.fold_loss)} folds x {' x '.join(map(str, self.alphas.shape))} alphas, {path.loss.name} "
            f"loss, {path.coef.shape[-1]} features, {path.coef.dtype}"
        )
        label = "mean loss" if self.metric == "loss" else f"mean {self.metric}"
        first = f"{'y':>4} " if self.path.several else ""
        titles = f"{'rule':<4} {'alpha':>10} {'l1_ratio':>8} {label + ' +- SE':>24} {'non-zeros':>9} {'worst gap':>9}"
        lines = [head, f"  {first}{titles}"]
        for k in range(len(self.place["min"])):
            for rule in RULES:
                lines.append("  " + (f"{k:>4} " if self.path.several else "") + self._line(k, rule))
        return "\n".join(lines)

    def _chosen(self, values: np.ndarray, rule: str) -> Any:
        """Of an array like alphas what the rule takes."""
        place = self.place[rule]
        found = values.reshape(len(place), -1)[np.arange(len(place)), place]
        return found if self.path.several else float(found[0])

    def _line(self, k: int, rule: str) -> str:
        def at(values: np.ndarray, lead: tuple[int, ...] = ()) -> Any:
            return values.reshape(*lead, len(self.place["min"]), -1)[..., k, self.place[rule][k]]

        ratio = "" if self.path.l1_ratio is None else f"{at(self.path.ratios):g}"
        gaps = np.append(at(self.fold_gap, (len(self.fold_gap),)), at(self.path.gap))
        known = gaps[~np.isnan(gaps)]  # of the fit on all rows and of those on which the choice rests
        worst = f"{known.max():.1e}" if known.size == gaps.size else "unknown"
        loss = f"{at(self.mean_loss):.6g} +- {at(self.se_loss):.3g}"
        return f"{rule:<4} {at(self.alphas):>10.4g} {ratio:>8} {loss:>24} {at(self.path.nnz):>9d} {worst:>9}"
