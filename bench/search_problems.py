"""The problems of the random search: each a seed, mild in most respects and wild in a few."""

import dataclasses
from typing import Any

import numpy as np

from bench.exact_objective import Smooth, slopes, smooth_of
from bench.search_wild import COLUMNS_WILD, OF_AMOUNTS, REST_WILD

ROWS, COLUMNS = (8, 20, 40), (1, 3, 6, 12, 30)  # few shapes: what is compiled serves them all
LOSSES = ("squared", "logistic", "huber", "poisson")


@dataclasses.dataclass(frozen=True)
class Problem:
    """The arguments of ``fit_path`` or ``cv_path``, and in which respects they are wild."""

    seed: int
    X: np.ndarray
    y: np.ndarray
    loss: str
    dtype: str
    wild: tuple[str, ...]
    delta: float = 1.345  # of Huber's loss
    alphas: np.ndarray | None = None
    n_alphas: int = 100
    min_ratio: float | None = None
    l1_ratio: float = 1.0
    fit_intercept: bool = True
    standardize: bool = False
    sample_weight: np.ndarray | None = None
    offset: np.ndarray | None = None
    penalty_factor: np.ndarray | None = None
    exclude: list[int] | None = None
    positive: bool = False
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    tol: float = 1e-4
    max_steps: int | None = None
    solver: str = "auto"
    folds: np.ndarray | None = None  # the label of each row

    def smooth(self, rows: Any = slice(None)) -> Smooth:
        """The loss on some of the rows."""
        return smooth_of(
            self.X[rows],
            self.y[rows],
            self.loss,
            weights=None if self.sample_weight is None else self.sample_weight[rows],
            offset=None if self.offset is None else self.offset[rows],
            delta=self.delta,
            fit_intercept=self.fit_intercept,
        )

    def options(self) -> dict[str, Any]:
        """What differs from the defaults, by the name of the argument; without the data and the loss."""
        skipped = ("seed", "X", "y", "loss", "delta", "wild", "dtype", "folds")
        named = {field.name: field for field in dataclasses.fields(self) if field.name not in skipped}
        given = {name: getattr(self, name) for name in named}
        return {k: v for k, v in given.items() if isinstance(v, np.ndarray) or v != named[k].default}


def make(seed: int) -> Problem:
    """Return the problem of a seed."""
    rng = np.random.default_rng(seed)
    loss, dtype = str(rng.choice(LOSSES)), str(rng.choice(["float32", "float64"]))
    n, p = int(rng.choice(ROWS)), int(rng.choice(COLUMNS))
    count = int(rng.choice([0, 1, 2, 3, 4], p=[0.1, 0.3, 0.3, 0.2, 0.1]))
    wild = [name for name in (*COLUMNS_WILD, *REST_WILD) if loss in ("squared", "huber") or name not in OF_AMOUNTS]
    chosen = sorted(map(str, rng.choice(wild, size=count, replace=False)), key=wild.index)
    given: dict[str, Any] = {"loss": loss, "dtype": dtype, "wild": tuple(chosen), "rng": rng}
    given["X"], given["signal"], given["noise"] = rng.normal(size=(n, p)), 1.0, float(rng.choice([0, 0.1, 1, 3]))
    given["fit_intercept"], given["standardize"] = bool(rng.random() < 0.8), bool(rng.random() < 0.4)
    given["l1_ratio"] = float(rng.choice([1, 1, 1, 0.5, 0.9, 1e-3, 0]))
    given["tol"] = float(10 ** rng.uniform(-5, -3) if dtype == "float32" else 10 ** rng.uniform(-10, -3))
    given["max_steps"] = None if rng.random() < 0.1 else 1000
    for name in chosen:
        if name in COLUMNS_WILD:
            COLUMNS_WILD[name](given)
    _respond(given)
    for name in chosen:
        if name in REST_WILD:
            REST_WILD[name](given)
    if dtype == "float32":  # the numbers that both sides see are the same
        for name, value in given.items():
            if isinstance(value, np.ndarray) and name != "folds":
                given[name] = _single(value)
            elif name in ("l1_ratio", "delta"):
                given[name] = float(_single(value))
    _strengths(given)
    names = {field.name for field in dataclasses.fields(Problem)}
    return Problem(seed=seed, **{name: value for name, value in given.items() if name in names})


def _single(value: Any) -> Any:
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(value).astype(np.float32).astype(np.float64)


def _respond(given: dict[str, Any]) -> None:
    """Make y from a sparse signal in the standardised columns."""
    rng, X, loss = given["rng"], given["X"], given["loss"]
    n, p = X.shape
    with np.errstate(all="ignore"):
        Z = np.nan_to_num((X - X.mean(axis=0)) / X.std(axis=0), posinf=0, neginf=0)
    eta = Z @ (rng.normal(size=p) * (rng.random(p) < 0.4)) * given["signal"]
    if loss in ("squared", "huber"):
        error = rng.normal(size=n) if loss == "squared" else rng.standard_t(1.5, size=n)
        given["y"] = eta + given["noise"] * error
        given["delta"] = float(rng.choice([0.1, 1.345, 10.0]))
    elif loss == "logistic":
        y = (eta + rng.logistic(size=n) * given["noise"] > 0).astype(float)
        y[:2] = 0, 1
        given["y"] = y
    else:
        rate = np.exp(np.clip(eta + float(rng.choice([-2, 0, 2, 8])), -8, 12))
        given["y"] = rng.poisson(rate).astype(float) if rng.random() < 0.8 else np.round(rate, 2)


def _strengths(given: dict[str, Any]) -> None:
    """Choose alphas: the default grid, or some relative to the largest gradient of the null model."""
    rng = given["rng"]
    kind = str(rng.choice(["grid", "moderate", "small", "zero", "odd"], p=[0.3, 0.35, 0.15, 0.15, 0.05]))
    if "alpha" in given["wild"]:
        kind = str(rng.choice(["tiny", "zero", "odd"]))
    if kind == "grid":
        given["n_alphas"], given["min_ratio"] = 3, float(rng.choice([1e-1, 1e-2, 1e-4]))
        return
    smooth = smooth_of(
        given["X"],
        given["y"],
        given["loss"],
        weights=given.get("sample_weight"),
        offset=given.get("offset"),
        delta=given.get("delta", 1.0),
        fit_intercept=given["fit_intercept"],
    )
    X, null = smooth.X, smooth.null
    with np.errstate(all="ignore"):
        slope = smooth.weights * slopes(given["loss"], smooth.offset + null, smooth.y, smooth.delta)
        sizes = np.abs((X - smooth.weights @ X * given["fit_intercept"]).T @ slope)
        sizes = sizes / (X.std(axis=0) if given["standardize"] else 1)
        top = float(np.max(sizes[np.isfinite(sizes)], initial=0)) / max(given["l1_ratio"], 1e-3)
    top = top if 0 < top < np.inf else 1.0
    ratios = {
        "moderate": [0.9, 0.3, 0.03],
        "small": [1e-2, 1e-4, 1e-6],
        "tiny": [1e-6, 1e-9, 1e-12],
        "zero": [0.1, 1e-3, 0.0],
        "odd": [3.0, 1e-2, 0.1],
    }[kind]
    alphas = top * np.array(ratios)
    if kind == "odd":
        alphas[1] = 1e-300 if given["dtype"] == "float64" else 1e-37
        alphas[2] = 1e300 if given["dtype"] == "float64" else 1e37
    alphas = np.minimum(alphas, float(np.finfo(given["dtype"]).max) / 16)
    given["alphas"] = _single(alphas) if given["dtype"] == "float32" else alphas
