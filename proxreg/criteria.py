"""Information criteria along a path: which model to take when there are no rows to hold out."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.special import gammaln

from proxreg import _precision
from proxreg.cv_result import CVPath
from proxreg.engine import OneBlasThread
from proxreg.fitting import limits_in
from proxreg.losses import Huber, Loss, Squared
from proxreg.penalties import L1, L2, BoundedElasticNet, ElasticNet
from proxreg.results import Fit, Path, fit_at
from proxreg.rules import best, warn_at_the_edge
from proxreg.source_data import Rows, data_of, path_of
from proxreg.tables import criterion_table
from proxreg.validation import check_positive

KINDS = ("aic", "bic", "ebic")
CROWDED = 0.5  # degrees of freedom per row, beyond which a criterion falls because the model fits noise
FEWER = "it has a degree of freedom for every other row or more: pass max_features=, or hold rows out with pr.cv_path"
RANK = 1e-12  # of the largest eigenvalue, below which there is none


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Criterion:
    """A criterion for every model of a path; the smallest wins."""

    path: Path
    kind: str
    value: np.ndarray  # like path.alphas
    df: np.ndarray  # like path.alphas; effective degrees of freedom, the intercept not counted
    place: np.ndarray  # (T,) where the smallest is, flat, of each response

    @property
    def alpha(self) -> Any:
        """That of the model with the smallest value; ``(T,)`` for ``y (n, T)``."""
        return self._at(self.path.alphas)

    @property
    def l1_ratio(self) -> Any:
        """Likewise; None for a penalty that was given."""
        return None if self.path.l1_ratio is None else self._at(self.path.ratios)

    def model(self) -> Fit:
        """That model."""
        return fit_at(self.path, self.place)

    @property
    def coef(self) -> np.ndarray:
        """Its coefficients ``(p,)``, or ``(T, p)``."""
        return self.model().coef

    @property
    def intercept(self) -> np.ndarray:
        """Its intercept."""
        return self.model().intercept

    def predict(self, X: Any, *, kind: str = "mean", offset: Any = None) -> np.ndarray:
        """Its predictions for the rows of X."""
        return self.model().predict(X, kind=kind, offset=offset)

    def table(self) -> Any:
        """Return a row for each fit with its criterion; a DataFrame where pandas is installed."""
        return criterion_table(self)

    def _at(self, values: np.ndarray) -> Any:
        count = len(self.place)
        found = values.reshape(count, -1)[np.arange(count), self.place]
        return found if self.path.several else float(found[0])

    def __repr__(self) -> str:
        model, value, df = self.model(), self._at(self.value), self._at(self.df)
        lines = [f"Criterion: smallest {self.kind.upper()} of {self.value.size} models"]
        for k, (a, v, d, nnz) in enumerate(zip(*map(np.atleast_1d, (self.alpha, value, df, model.nnz)))):
            name = f"y {k}: " if self.path.several else ""
            lines.append(f"  {name}{v:.6g} at alpha {a:.4g}, {nnz} non-zeros, {d:.4g} degrees of freedom")
        return "\n".join(lines)


def information_criterion(
    path: Path | CVPath,
    X: Any = None,
    y: Any = None,
    *,
    kind: str = "bic",
    noise_variance: float | None = None,
    gamma: float = 1.0,
    sample_weight: Any = None,
    offset: Any = None,
) -> Criterion:
    """``-2 log-likelihood + c df`` for every model of a path, ``c = 2`` (AIC) or ``log n`` (BIC).

    EBIC adds ``2 gamma log binomial(p, non-zeros)``, for many columns (Chen and Chen 2008). The degrees of freedom of a
    lasso are its non-zeros (Zou, Hastie and Tibshirani 2007), with a ridge part the trace of the fit on them
    (Tibshirani and Taylor 2012, theorem 1). Weights count as numbers of equal rows, n being their sum.

    Args:
      path: what ``fit_path`` returned, or the path of a ``CVPath``, of an elastic net. A loss of your own is taken for
        minus the log-likelihood of a row, up to a constant.
      X, y, sample_weight, offset: the data; by default those that the path was fitted on.
      kind: "aic", "bic" or "ebic".
      noise_variance: of the squared loss; by default each model's own mean squared residual, which suits n well above
        the degrees of freedom. ``sum(residuals^2) / (n - p - 1)`` of least squares is what scikit-learn's
        ``LassoLarsIC`` takes.
      gamma: of EBIC, in [0, 1].

    With as many degrees of freedom as rows a model fits perfectly, and wins: end the path before, or hold rows out.
    Warns where the best model is at the end of the grid, unless ``max_features`` ended it.

    >>> import proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> path = pr.fit_path(X, y, standardize=True, tol=1e-8, dtype="float64")
    >>> best = pr.information_criterion(path, X, y, kind="bic")
    >>> print([name for name, w in zip(names, best.coef) if w])
    ['sex', 'bmi', 'bp', 's1', 's3', 's5', 's6']
    """
    path = path_of(path)
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(map(repr, KINDS))}, got {kind!r}")
    if not 0 <= gamma <= 1:
        raise ValueError(f"gamma must lie in [0, 1], got {gamma!r}")
    if isinstance(path.loss, Huber):
        raise ValueError(
            "the huber loss is no likelihood unless the scale of y is known to be 1; then fit pr.Custom(loss.value), "
            "else hold rows out: pr.cv_path"
        )
    if not isinstance(path.penalty, (ElasticNet, BoundedElasticNet, L1, L2)):
        raise ValueError(f"degrees of freedom of {type(path.penalty).__name__} are not known; use pr.cv_path")
    variance = None if noise_variance is None else check_positive(noise_variance, "noise_variance")
    parts = data_of(path, X, y, sample_weight, offset)
    shape, lead, p = path.alphas.shape, (len(parts), -1), path.coef.shape[-1]
    coefs, intercepts = path.coef.reshape(*lead, p), path.intercept.reshape(lead)
    l2 = np.broadcast_to(_ridge(path), shape).reshape(lead)
    values, dfs = [], []
    for data, coef, intercept, strength in zip(parts, coefs, intercepts, l2):
        misfit, df = _told(path, data, coef.astype(np.float64), intercept, strength, variance)
        nnz = np.count_nonzero(coef, axis=1)
        price = (2.0 if kind == "aic" else np.log(data.total)) * df
        if kind == "ebic":
            price = price + 2 * gamma * (gammaln(p + 1) - gammaln(nnz + 1) - gammaln(p - nnz + 1))
        values.append(misfit + price)
        dfs.append(df)
    alphas = path.alphas.reshape(lead)
    place = np.array([best(value, alpha) for value, alpha in zip(values, alphas)])
    value, df = np.stack(values), np.stack(dfs)
    if path.max_features is None:  # else the grid may end where it was told to
        crowded = any(df[k, where] > CROWDED * data.total for k, (where, data) in enumerate(zip(place, parts)))
        remedy = {"remedy": FEWER} if crowded else {}
        warn_at_the_edge(path.alphas, value.reshape(shape), path.nnz, place, kind.upper(), **remedy)
    return Criterion(path, kind, value.reshape(shape), df.reshape(shape), place)


@OneBlasThread()
def _told(
    path: Path, data: Rows, coef: np.ndarray, intercept: np.ndarray, strength: np.ndarray, variance: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Minus twice the log-likelihood of one response's models ``(K,)``, and their degrees of freedom."""
    eta = coef @ data.X.astype(np.float64).T + intercept[:, None]
    eta = eta if data.offset is None else eta + data.offset
    df = np.array([_degrees(path.loss, data, *each) for each in zip(_free(path, coef), eta, strength)])
    return _misfit(path.loss, data, eta, variance), df


def _free(path: Path, coef: np.ndarray) -> np.ndarray:
    """The coefficients without those that a limit holds where they are."""
    penalty: Any = path.penalty
    if not isinstance(penalty, BoundedElasticNet):
        return coef
    lower, upper = limits_in(path.coef.dtype, penalty)
    return np.where((coef <= lower) | (coef >= upper), 0.0, coef)


def _ridge(path: Path) -> np.ndarray:
    """The strength of the squared norm of each fit; none is left where it was refitted without."""
    if path.refitted:
        return np.zeros_like(path.alphas)
    if isinstance(path.penalty, (L1, L2)):
        return path.alphas * float(isinstance(path.penalty, L2))
    ratio = path.ratios if path.l1_ratio is not None else np.asarray(getattr(path.penalty, "l1_ratio", 1.0))
    return path.alphas * (1 - ratio)


def _row_values(loss: Loss, eta: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with _precision.scope(np.dtype(np.float64)):
        given = jnp.asarray(eta), jnp.asarray(y, jnp.float64)
        return np.asarray(loss.value(*given)), np.asarray(loss.second_derivative(*given))


def _misfit(loss: Loss, data: Rows, eta: np.ndarray, variance: float | None) -> np.ndarray:
    """Minus twice the log-likelihood, of the saturated model less for the losses that are half a deviance."""
    mean = _row_values(loss, eta, data.y)[0] @ data.weights
    if not isinstance(loss, Squared):
        return 2 * data.total * mean
    with np.errstate(divide="ignore"):  # of a perfect fit it is minus infinity
        if variance is None:
            return data.total * (np.log(2 * np.pi * 2 * mean) + 1)
    return data.total * (np.log(2 * np.pi * variance) + 2 * mean / variance)


def _degrees(loss: Loss, data: Rows, coef: np.ndarray, eta: np.ndarray, l2: float) -> float:
    """Of one fit: ``trace (X_A (X_A' D X_A + l2)^-1 X_A' D)`` on its support A, D the weights times the curvature."""
    used = np.flatnonzero(coef)
    if l2 == 0 or not used.size:
        return float(used.size)
    weights = data.weights * _row_values(loss, eta, data.y)[1]
    X = data.X[:, used].astype(np.float64)
    if data.fit_intercept:
        X = X - weights @ X / weights.sum()
    X /= data.scale[used]  # the columns that the penalty is about
    strength = np.full(used.size, l2) if data.factor is None else l2 * data.factor[used]
    hessian = (X.T * weights) @ X
    system = hessian + np.diag(strength)
    if np.all(strength > 0):
        return float(np.trace(np.linalg.solve(system, hessian)))
    return float(np.trace(np.linalg.pinv(system, rcond=RANK, hermitian=True) @ hessian))  # free columns may be alike
