"""Several classes: estimators' parameters as lanes of a multinomial model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from proxreg import _precision
from proxreg.batch import PenaltyBatch
from proxreg.convergence import remedy, warn_unless_converged
from proxreg.engine import OneBlasThread, solve_multinomial
from proxreg.models import MultinomialModel
from proxreg.penalties import ElasticNet
from proxreg.response import require_squares
from proxreg.sklearn.base import ScikitLearnsWarnings, Start, options
from proxreg.sklearn.closeness import Fits
from proxreg.solvers import Status
from proxreg.task import make_options
from proxreg.validation import check_vector


@OneBlasThread()
def fit_multinomial(
    estimator: Any,
    X: np.ndarray,
    codes: np.ndarray,
    count: int,
    weights: np.ndarray | None,
    parts: Sequence[np.ndarray],
    alphas: np.ndarray,
    l1_ratios: Any,
    tol: float | None = None,
    start: Start | None = None,
) -> list[Fits]:
    """For each of F lots of rows, ``parts`` of their numbers, its fits with strengths ``alphas (F, S)``; they begin at
    ``start``, if there is one: coefficients ``(K, p)`` and intercepts ``(K,)``.

    ``weights (n,)`` are how much each row counts, ``codes (n,)`` its class, of ``count``.
    """
    given = options(estimator, X, weights, l1_ratios, tol)
    ratios = np.atleast_1d(check_vector(l1_ratios, "l1_ratio", high=1.0))
    check_vector(alphas.ravel(), "alpha")
    stop = make_options(given["tol"], given["max_steps"], "auto", ElasticNet(1.0, 1.0), X.dtype)
    shape = len(parts), ratios.size, alphas.shape[1]
    own = np.stack([np.bincount(part, minlength=len(X)) for part in parts]) * (1.0 if weights is None else weights)
    own = own / own.sum(axis=1, keepdims=True)  # they count relatively, and may be beyond float32
    lanes = np.repeat(np.arange(len(parts)), ratios.size * alphas.shape[1])
    alpha = np.broadcast_to(alphas[:, None, :], shape).ravel().astype(X.dtype)
    ratio = np.broadcast_to(ratios[:, None], shape).ravel().astype(X.dtype)
    center = X.mean(axis=0, dtype=np.float64) if estimator.fit_intercept else np.zeros(X.shape[1])
    centred = X - center
    size = np.max(np.abs(centred), axis=0)
    require_squares(f"column {int(np.argmax(size))}", float(size.max()), X.dtype)
    y = (codes[:, None] == np.arange(count)).astype(X.dtype)
    with _precision.scope(X.dtype):
        model = MultinomialModel(centred.astype(X.dtype), y, fit_intercept=estimator.fit_intercept)
        family = PenaltyBatch(ElasticNet(1.0, 1.0), None, alpha, ratio)
        begin = None if start is None else (start[0], start[1] + start[0] @ center)
        stopping = {"tol": stop.tol, "max_steps": stop.max_steps, "start": begin}
        found: Any = solve_multinomial(model, family, own[lanes].astype(X.dtype), **stopping)
    if estimator.fit_intercept:
        coef, intercept = found.w.coef, found.w.intercept - found.w.coef @ center.astype(X.dtype)
        intercept = intercept - intercept.mean(axis=-1, keepdims=True)  # a shift of all changes no probability
    else:
        coef, intercept = found.w, np.zeros((*alpha.shape, count), X.dtype)
    # nor does one of all coefficients of a column; without a penalty no other is smaller
    coef = np.where(alpha[:, None, None] == 0, coef - coef.mean(axis=1, keepdims=True), coef)
    known = found._asdict() | {"converged": found.status == Status.CONVERGED}
    with ScikitLearnsWarnings():
        labels = [f"alpha={a:.3g}" for a in alpha]
        warn_unless_converged(known, stop, labels, remedy(False, X.dtype))
    parts_of = [coef.reshape(*shape, count, -1), intercept.reshape(*shape, count)]
    error = np.fmax(found.gap, found.violation)
    parts_of += [x.reshape(shape) for x in (found.num_steps, found.objective, error, known["converged"])]
    return [Fits(*each) for each in zip(*parts_of)]
