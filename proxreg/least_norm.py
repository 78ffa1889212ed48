"""The shortest of the coefficients that predict alike, where a fit has no penalty to choose among them."""

import jax
import numpy as np

from proxreg.batch import PenaltyBatch, filled, fine_bucket
from proxreg.engine import certify_lanes, row_space
from proxreg.losses import Squared
from proxreg.models import Coefficients, LinearModel
from proxreg.penalties import L1, L2, ElasticNet
from proxreg.solvers import Result, Status
from proxreg.task import Task


def least_norm(task: Task, family: PenaltyBatch, found: Result, tol: float) -> Result:
    """Return the lanes, those with alpha = 0 at the coefficients of least norm among all with the same predictions.

    The linear predictor of a loss that is strictly convex in it is unique; on columns that depend on each other its
    coefficients are not. They are projected onto what the rows of positive weight span; certificates are taken anew.
    """
    model, factor = task.smooth, family.factor
    plain = type(family.template) in (L1, L2, ElasticNet) and not getattr(family.template, "positive", False)
    lanes = np.flatnonzero((np.asarray(family.alpha) == 0) & (np.asarray(found.status) != Status.NON_FINITE))
    if not (plain and lanes.size and isinstance(model, LinearModel)) or isinstance(task.loss, Squared):
        return found
    X = np.asarray(model.X)
    used = np.ones(X.shape[1], bool) if factor is None else np.isfinite(factor)
    counted = np.ones(len(X), bool) if model.sample_weight is None else np.asarray(model.sample_weight) > 0
    V = row_space(X[np.ix_(counted, used)].astype(np.float64), float(np.finfo(task.dtype).eps))
    if V is None:
        return found
    found = jax.tree.map(np.array, found)
    w = found.w.coef if isinstance(found.w, Coefficients) else found.w
    coef = w[lanes].astype(np.float64)
    coef[:, used] = coef[:, used] @ V.T @ V
    w[lanes] = coef
    full = filled(lanes, fine_bucket(lanes.size))
    start = Coefficients(w[full], found.w.intercept[full]) if isinstance(found.w, Coefficients) else w[full]
    known, polished = certify_lanes(model, family.lanes(full), start)
    for old, new in zip(jax.tree.leaves(found.w), jax.tree.leaves(polished)):
        old[lanes] = np.asarray(new)[: lanes.size]
    objective, gap, violation = (np.asarray(values)[: lanes.size] for values in known)
    error = np.asarray(known.error)[: lanes.size]
    found.objective[lanes], found.gap[lanes], found.violation[lanes] = objective, gap, violation
    lost = (found.status[lanes] == Status.CONVERGED) & ~(error <= tol)
    found.status[lanes[lost]] = Status.MAX_STEPS
    return found
