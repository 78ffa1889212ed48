"""Reproducible problems: a name stands for the same numbers everywhere."""

import dataclasses
from typing import Literal

import numpy as np

from bench import designs


@dataclasses.dataclass(frozen=True)
class Problem:
    """A sparse linear signal behind a design.

    "ar1": columns i and j correlate by ``rho^|i - j|``; "equicorrelated": by rho; "triangular" and "diabetes" are fixed
    (``bench/designs.py``), and n and p describe them. With the logistic loss, y holds the labels -1 and 1, drawn from
    log-odds whose standard deviation is snr.
    """

    name: str
    n: int
    p: int
    rho: float = 0.6
    snr: float = 5.0  # ||X w|| / ||noise||; the standard deviation of the log-odds
    signals: int = 100  # non-zero true coefficients, normal, at random places
    min_ratio: float = 1e-3  # smallest alpha / alpha_max
    n_alphas: int = 100
    l1_ratio: float = 1.0
    seed: int = 0
    design: str = "ar1"
    loss: str = "squared"

    def scaled(self, size: str) -> "Problem":
        """The same shape of problem at another size: "tiny" for tests, "small" for a look, "full" as named."""
        if size == "full":
            return self
        divisor, n_alphas = {"tiny": (20, 10), "small": (4, self.n_alphas)}[size]
        if self.design in designs.FIXED:
            return dataclasses.replace(self, n_alphas=n_alphas)
        n, p = max(self.n // divisor, 20), max(self.p // divisor, 10)
        return dataclasses.replace(self, n=n, p=p, signals=max(self.signals // divisor, 3), n_alphas=n_alphas)


def _named(*problems: Problem) -> dict[str, Problem]:
    return {problem.name: problem for problem in problems}


DENSE = ("wide", "square", "tall", "narrow")
PROBLEMS = _named(
    Problem("wide", 500, 5000, min_ratio=1e-2),
    Problem("square", 2000, 2000),
    Problem("tall", 20_000, 500),
    Problem("narrow", 200_000, 200),
    Problem("very-wide", 200, 10_000, min_ratio=1e-2, signals=20),
    Problem("near-square", 500, 600, rho=0.0, snr=3.0),
    Problem("easy", 10_000, 100, rho=0.0, snr=3.0, signals=20),
)
HARD = _named(
    Problem("few-rows", 50, 50_000, signals=10),
    Problem("triangular", 12, 12, min_ratio=1e-6, design="triangular"),
    Problem("diabetes-cubic", 442, 285, design="diabetes"),
    Problem("equicorrelated", 400, 40_000, rho=0.8, signals=20, min_ratio=1e-2, design="equicorrelated"),
    PROBLEMS["near-square"],
    PROBLEMS["easy"],
)
LOGISTIC = _named(
    Problem("logistic-wide", 500, 5000, snr=2.0, signals=50, min_ratio=1e-2, n_alphas=50, loss="logistic"),
    Problem("logistic-tall", 5000, 200, snr=2.0, signals=50, min_ratio=1e-2, n_alphas=50, loss="logistic"),
)


def make(problem: Problem, order: Literal["C", "F"] = "C") -> tuple[np.ndarray, np.ndarray]:
    """``X (n, p)`` and ``y (n,)``, float64, centred but for labels and the triangular design.

    The numbers are the same in both memory orders. Column by column, so that nothing larger than X is held.
    """
    if problem.design in designs.FIXED:
        X, y = designs.FIXED[problem.design](problem.p)
        return np.asarray(X, order=order), y
    rng = np.random.default_rng(problem.seed)
    n, p, rho = problem.n, problem.p, problem.rho
    w = np.zeros(p)
    w[rng.choice(p, problem.signals, replace=False)] = rng.standard_normal(problem.signals)
    X, signal, column = np.empty((n, p), order=order), np.zeros(n), np.zeros(n)
    common = _centred(rng.standard_normal(n)) if problem.design == "equicorrelated" else None
    for j in range(p):
        fresh = _centred(rng.standard_normal(n))
        if common is not None:
            column = np.sqrt(rho) * common + np.sqrt(1 - rho) * fresh
        else:
            column = fresh if j == 0 else rho * column + np.sqrt(1 - rho**2) * fresh
        X[:, j] = column
        signal += w[j] * column
    if problem.loss == "logistic":
        odds = np.exp(signal * (problem.snr / np.std(signal)))
        return X, np.where(rng.random(n) * (1 + odds) < odds, 1.0, -1.0)
    noise = _centred(rng.standard_normal(n))
    return X, signal + noise * (np.linalg.norm(signal) / np.linalg.norm(noise) / problem.snr)


def alphas(problem: Problem, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The grid ``(n_alphas,)``, descending from the smallest alpha with all coefficients zero."""
    slope = y / 2 if problem.loss == "logistic" else y  # minus the loss's derivative at zero
    top = np.max(np.abs(slope @ X)) / (problem.n * problem.l1_ratio)
    return top * np.geomspace(1, problem.min_ratio, problem.n_alphas)


def _centred(v: np.ndarray) -> np.ndarray:
    return v - v.mean()
