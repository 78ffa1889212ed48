"""Results with chosen numbers, for pictures; and what tests read off a picture."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np

RATIOS = (0.5, 0.9, 1.0)
LONG = "a measurement with a name of some sixty characters, number {}"


@dataclasses.dataclass(frozen=True)
class Stability:
    """What stability selection returns."""

    alphas: np.ndarray
    probability: np.ndarray
    max_probability: np.ndarray
    threshold: float
    selected: np.ndarray
    num_subsamples: int
    feature_names: tuple[str, ...] | None


def made_up_path(coef: Any, alphas: Any = None, names: Any = None) -> SimpleNamespace:
    """A path with these coefficients ``(K, p)``, of which nothing else matters."""
    coef = np.asarray(coef, dtype=float)
    return SimpleNamespace(
        alphas=np.logspace(0, -2, len(coef)) if alphas is None else np.asarray(alphas),
        coef=coef,
        nnz=(coef != 0).sum(axis=1),
        l1_ratio=1.0,
        feature_names=names,
        loss=SimpleNamespace(name="squared"),
    )


def made_up_gaps(gap: Any, violation: Any, ratios: Any = None) -> SimpleNamespace:
    """A path with these certificates ``(K,)``, or ``(R, K)`` for R l1_ratios."""
    gap = np.asarray(gap, dtype=float)
    return SimpleNamespace(
        alphas=np.broadcast_to(np.logspace(0, -2, gap.shape[-1]), gap.shape),
        gap=gap,
        violation=np.broadcast_to(np.asarray(violation, dtype=float), gap.shape),
        l1_ratio=1.0 if ratios is None else np.asarray(ratios),
        loss=SimpleNamespace(name="squared"),
    )


def made_up_stability(probability: Any, threshold: float = 0.6, alphas: Any = None, names: Any = None) -> Stability:
    """Stability selection with these probabilities ``(K, p)``."""
    probability = np.asarray(probability, dtype=float)
    largest = probability.max(axis=0)
    return Stability(
        alphas=np.logspace(0, -2, len(probability)) if alphas is None else np.asarray(alphas),
        probability=probability,
        max_probability=largest,
        threshold=threshold,
        selected=largest >= threshold,
        num_subsamples=50,
        feature_names=names,
    )


def curves(ax: Any) -> dict[str, Any]:
    """The labelled lines by their labels."""
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def look(line: Any) -> tuple[Any, Any]:
    """Colour and dashes; of the latter the public attribute tells no more than that there are some."""
    offset, dashes = line._unscaled_dash_pattern
    return line.get_color(), (offset, dashes and tuple(dashes))


def names_in(ax: Any) -> dict[str, Any]:
    """The names at the right, by their text."""
    return {text.get_text(): text for text in ax.texts if text.arrow_patch is not None}


def upper_labels(ax: Any) -> dict[float, str]:
    """What the upper axis says, by place."""
    ax.figure.draw_without_rendering()
    top = ax.child_axes[0]
    assert top.get_xlabel() == "number of non-zeros"
    return {x: label.get_text() for x, label in zip(top.get_xticks(), top.get_xticklabels()) if label.get_text()}
