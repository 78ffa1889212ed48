"""Reproducible regression problems: a name stands for the same numbers everywhere."""

import dataclasses
from typing import Literal

import numpy as np


@dataclasses.dataclass(frozen=True)
class Problem:
    """A sparse linear signal behind an AR(1) design: columns i and j correlate by ``rho^|i - j|``."""

    name: str
    n: int
    p: int
    rho: float = 0.6
    snr: float = 5.0  # ||X w|| / ||noise||
    signals: int = 100  # non-zero true coefficients, normal, at random places
    min_ratio: float = 1e-3  # smallest alpha / alpha_max
    n_alphas: int = 100
    l1_ratio: float = 1.0
    seed: int = 0

    def scaled(self, size: str) -> "Problem":
        """The same shape of problem at another size: "tiny" for tests, "small" for a look, "full" as named."""
        if size == "full":
            return self
        divisor, n_alphas = {"tiny": (20, 10), "small": (4, self.n_alphas)}[size]
        n, p = max(self.n // divisor, 20), max(self.p // divisor, 10)
        return dataclasses.replace(self, n=n, p=p, signals=max(self.signals // divisor, 3), n_alphas=n_alphas)


DENSE = ("wide", "square", "tall", "narrow")
PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem("wide", 500, 5000, min_ratio=1e-2),
        Problem("square", 2000, 2000),
        Problem("tall", 20_000, 500),
        Problem("narrow", 200_000, 200),
        Problem("very-wide", 200, 10_000, min_ratio=1e-2, signals=20),
        Problem("near-square", 500, 600, rho=0.0, snr=3.0),
        Problem("easy", 10_000, 100, rho=0.0, snr=3.0, signals=20),
    )
}


def make(problem: Problem, order: Literal["C", "F"] = "C") -> tuple[np.ndarray, np.ndarray]:
    """``X (n, p)`` and ``y (n,)``, centred, float64; the numbers are the same in both memory orders.

    Column by column, so that nothing larger than X is held.
    """
    rng = np.random.default_rng(problem.seed)
    n, p, rho = problem.n, problem.p, problem.rho
    w = np.zeros(p)
    w[rng.choice(p, problem.signals, replace=False)] = rng.standard_normal(problem.signals)
    X, signal, column = np.empty((n, p), order=order), np.zeros(n), np.zeros(n)
    for j in range(p):
        fresh = _centred(rng.standard_normal(n))
        column = fresh if j == 0 else rho * column + np.sqrt(1 - rho**2) * fresh
        X[:, j] = column
        signal += w[j] * column
    noise = _centred(rng.standard_normal(n))
    return X, signal + noise * (np.linalg.norm(signal) / np.linalg.norm(noise) / problem.snr)


def alphas(problem: Problem, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The grid ``(n_alphas,)``, descending from the smallest alpha with all coefficients zero."""
    top = np.max(np.abs(y @ X)) / (problem.n * problem.l1_ratio)
    return top * np.geomspace(1, problem.min_ratio, problem.n_alphas)


def _centred(v: np.ndarray) -> np.ndarray:
    return v - v.mean()
