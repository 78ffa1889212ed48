"""What the command ``cv`` writes: coefficients for both rules, and everything as JSON."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from proxreg.rules import RULES

PER_FIT = ("intercept", "coef", "nnz", "objective", "gap", "violation", "converged", "num_steps")


def write_choices(cv: Any, file: Path) -> None:
    """A line per feature, the intercept first, with its coefficient under each rule."""
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["feature", *RULES])
        writer.writerow(["(intercept)", *(cv.intercept(rule) for rule in RULES)])
        coefs = [cv.coef(rule) for rule in RULES]
        for name, *values in zip(cv.path.feature_names, *coefs):
            writer.writerow([name, *values])


def write_everything(cv: Any, asked: dict[str, Any], file: Path) -> None:
    """What was asked, the grid, what was measured on it, every coefficient and the models of both rules; NaN as null.

    Classes are those that y = 0 and y = 1 stand for.
    """
    path = cv.path
    names = list(path.feature_names)
    rules = {}
    for rule in RULES:
        model = cv.model(rule)
        rules[rule] = {
            "alpha": cv.alpha_min if rule == "min" else cv.alpha_1se,
            "l1_ratio": cv.l1_ratio_min,
            "intercept": model.intercept,
            "coef": dict(zip(names, model.coef.tolist())),
        }
    fields = {name: getattr(cv, name) for name in ("alphas", "mean_loss", "se_loss", "fold_loss", "fold_gap")}
    fields |= {name: getattr(path, name) for name in PER_FIT}
    about = {**asked, "loss": path.loss.name, "metric": cv.metric, "features": names, "l1_ratio": path.l1_ratio}
    file.write_text(json.dumps(_plain({**about, "rules": rules, **fields}), allow_nan=False), encoding="utf-8")


def _plain(value: Any) -> Any:
    """Lists and numbers for arrays; None for what is no number."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
