"""In which respects a problem of the random search can be wild: each changes the arguments that are made already."""

from collections.abc import Callable
from typing import Any

import numpy as np

Change = Callable[[dict[str, Any]], None]


def _power(given: dict[str, Any], size: Any = None) -> Any:
    """Scales from 1e-150 to 1e150, in float32 from 1e-30 to 1e30; half of them within 1e-10 and 1e10."""
    rng, reach = given["rng"], 30.0 if given["dtype"] == "float32" else 150.0
    return 10 ** (rng.uniform(-1, 1, size) * (10.0 if rng.random() < 0.5 else reach))


def _scaled_together(given: dict[str, Any]) -> None:
    given["X"] = given["X"] * _power(given)


def _scaled_apart(given: dict[str, Any]) -> None:
    given["X"] = given["X"] * _power(given, given["X"].shape[1])


def _dummies(given: dict[str, Any]) -> None:
    """Columns of 0 and 1, rare ones among them."""
    rng, (n, p) = given["rng"], given["X"].shape
    chosen = rng.random(p) < 0.7
    given["X"] = np.where(chosen, rng.random((n, p)) < rng.choice([0.05, 0.3, 0.5], size=p), given["X"]).astype(float)


def _collinear(given: dict[str, Any]) -> None:
    """Columns that repeat others, or sums of them, up to a little noise or none."""
    rng, X = given["rng"], given["X"].copy()
    p = X.shape[1]
    noise = 0.0 if rng.random() < 0.4 else 10 ** rng.uniform(-9, -1)
    for j in range(1, p):
        if rng.random() < 0.6:
            parts = X[:, :j] @ np.where(np.arange(j) == rng.integers(j), 1.0, rng.random(j) < 0.2)
            X[:, j] = parts + noise * rng.normal(size=len(X))
    given["X"] = X


def _large_means(given: dict[str, Any]) -> None:
    rng, p = given["rng"], given["X"].shape[1]
    most = 5.0 if given["dtype"] == "float32" else 9.0
    given["X"] = given["X"] + np.where(rng.random(p) < 0.7, 10 ** rng.uniform(1, most, p), 0)


def _constant(given: dict[str, Any]) -> None:
    """A column of one value, zero perhaps."""
    X = given["X"].copy()
    X[:, given["rng"].integers(X.shape[1])] = given["rng"].choice([0.0, 1.0, 0.1, 1e5])
    given["X"] = X


def _scaled_y(given: dict[str, Any]) -> None:
    factor = _power(given)
    given["y"], given["delta"] = given["y"] * factor, given["delta"] * factor


def _mean_of_y(given: dict[str, Any]) -> None:
    most = 7.0 if given["dtype"] == "float32" else 12.0
    given["y"] = given["y"] + 10 ** given["rng"].uniform(0, most)


def _strange_y(given: dict[str, Any]) -> None:
    """Constant, separable, without events, or with few of them."""
    rng, y, X = given["rng"], given["y"], given["X"]
    if given["loss"] in ("squared", "huber"):
        given["y"] = (
            np.full_like(y, rng.choice([0.0, 3.7]))
            if rng.random() < 0.5
            else np.where(rng.random(y.size) < 0.1, 1e3, y)
        )
    elif given["loss"] == "logistic":
        rare = np.arange(y.size) == 0
        with np.errstate(all="ignore"):
            given["y"] = np.where(rare if rng.random() < 0.5 else X[:, 0] > np.median(X[:, 0]), 1.0, 0.0)
        given["y"][:1] = 1 - given["y"].max() if np.ptp(given["y"]) == 0 else given["y"][:1]
    else:
        given["y"] = (
            np.where(np.arange(y.size) == 0, 1.0 - (rng.random() < 0.3), 0.0) if rng.random() < 0.7 else 1e4 * (1 + y)
        )


def _weights(given: dict[str, Any]) -> None:
    """Zeros, unequal ones, on any scale."""
    rng, n = given["rng"], len(given["y"])
    kind = rng.integers(4)
    weights = np.exp(rng.normal(size=n) * float(rng.choice([0.5, 3.0]))) if kind else np.ones(n)
    if kind != 1:
        weights = weights * (rng.random(n) < rng.choice([0.3, 0.7]))
        weights[:2] = np.maximum(weights[:2], 0.1)
    given["sample_weight"] = weights * (_power(given) if rng.random() < 0.2 else 1.0)


def _idle_rows(given: dict[str, Any]) -> None:
    """A column that varies on rows of weight zero only."""
    rng, X = given["rng"], given["X"].copy()
    rows = rng.random(len(X)) < 0.3
    rows[:2] = False
    X[:, rng.integers(X.shape[1])] = np.where(rows, 100 * rng.normal(size=len(X)), rng.choice([0.0, 1.0]))
    given["X"], given["sample_weight"] = X, np.where(rows, 0.0, 1.0)


def _offset(given: dict[str, Any]) -> None:
    rng, n = given["rng"], len(given["y"])
    kind, unit = rng.integers(3), np.std(given["y"]) if given["loss"] in ("squared", "huber") else 1.0
    if kind == 0:
        given["offset"] = rng.normal(size=n) * unit
    elif kind == 1:
        given["offset"] = np.where(np.arange(n) < 2, float(rng.choice([-20, 20, -40])) * unit, 0.0)
    else:
        given["offset"] = np.round(10 ** rng.uniform(0, 2.5, n))  # days, where their log was meant


def _factor(given: dict[str, Any]) -> None:
    p = given["X"].shape[1]
    given["penalty_factor"] = given["rng"].choice([0.0, np.inf, 0.3, 1.0, 5.0], size=p, p=[0.25, 0.1, 0.15, 0.35, 0.15])


def _exclude(given: dict[str, Any]) -> None:
    p = given["X"].shape[1]
    if p > 1:
        given["exclude"] = sorted(map(int, given["rng"].choice(p, size=max(1, p // 4), replace=False)))


def _limits(given: dict[str, Any]) -> None:
    rng, X = given["rng"], given["X"]
    kind, p = rng.integers(3), X.shape[1]
    if kind == 0:
        given["positive"] = True
        return
    with np.errstate(all="ignore"):
        unit = (np.std(given["y"]) or 1.0) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    unit = np.clip(unit, *((1e-35, 1e35) if given["dtype"] == "float32" else (1e-300, 1e300)))
    given["upper"] = np.where(
        rng.random(p) < 0.5, unit * 10 ** rng.uniform(-3, 0, p), np.where(rng.random(p) < 0.2, 0, np.inf)
    )
    if kind == 2:
        given["lower"] = np.where(rng.random(p) < 0.5, -unit * 10 ** rng.uniform(-3, 0, p), 0.0)


def _alpha(given: dict[str, Any]) -> None:
    """What ``search_problems`` reads from the name: tiny strengths and none."""


def _folds(given: dict[str, Any]) -> None:
    """Labels: rows as they come, cut, or shuffled."""
    rng, n = given["rng"], len(given["y"])
    folds = np.arange(n) * int(rng.choice([2, 4])) // n
    given["folds"] = folds if rng.random() < 0.5 else rng.permutation(folds)


def _solver(given: dict[str, Any]) -> None:
    given["solver"] = str(given["rng"].choice(["fista", "coordinate_descent"]))


#: before y is made of the columns
COLUMNS_WILD: dict[str, Change] = {
    "dummies": _dummies,
    "collinear": _collinear,
    "constant column": _constant,
    "large means": _large_means,
    "scale of X": _scaled_together,
    "scales of columns": _scaled_apart,
}
#: after that
REST_WILD: dict[str, Change] = {
    "strange y": _strange_y,
    "mean of y": _mean_of_y,
    "scale of y": _scaled_y,
    "weights": _weights,
    "idle rows": _idle_rows,
    "offset": _offset,
    "factor": _factor,
    "exclude": _exclude,
    "limits": _limits,
    "alpha": _alpha,
    "folds": _folds,
    "solver": _solver,
}
#: for the losses of amounts, not for classes and counts
OF_AMOUNTS = ("mean of y", "scale of y")
