"""Fitting: one problem, or a whole grid of strengths as lanes of the same compiled programs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg import _precision
from proxreg._pytree import replace
from proxreg.alpha_grid import critical_alphas, unpenalised_fit
from proxreg.batch import strength
from proxreg.convergence import remedy, warn_unless_converged
from proxreg.dispatch import solve_batch
from proxreg.engine import solve_one
from proxreg.fitting import on_input_scale, with_limits_for
from proxreg.path_problem import as_path, check_ratios, labels, pose, solved, template_of
from proxreg.penalties import L1, BoundedElasticNet, Penalty, Zero
from proxreg.results import Fit, Path
from proxreg.task import make_options, make_task, require_alpha, require_factor, require_fit, require_type


def fit(
    X: Any,
    y: Any,
    *,
    penalty: Penalty,
    loss: Any = "squared",
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    tol: float = 1e-4,
    max_steps: int | None = None,
    solver: str = "auto",
    dtype: Any = None,
    feature_names: Any = None,
) -> Fit:
    """Fits one penalised linear model: ``(1/S) sum_i s_i loss(y_i, o_i + b + x_i . w) + penalty(w)``.

    The arguments are those of ``fit_path``; ``penalty`` is any penalty, strength included.

    >>> import numpy as np, proxreg as pr
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2.0, 4.0, 6.0, 8.0])
    >>> model = pr.fit(X, y, penalty=pr.L1(0.5), tol=1e-8, dtype="float64")
    >>> print(model.coef.round(2), model.intercept.round(2))
    [1.6] 1.0
    """
    if not isinstance(penalty, Penalty):
        raise ValueError(f"penalty must be a penalty such as pr.L1(0.1), got {penalty!r}")
    task = make_task(
        X,
        y,
        loss=loss,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
        offset=offset,
        penalty_factor=penalty_factor,
        dtype=dtype,
        feature_names=feature_names,
    )
    options = make_options(tol, max_steps, solver, penalty, task.dtype)
    require_fit(penalty, task)
    require_type(penalty, task.dtype)
    with _precision.scope(task.dtype):
        template = L1(0.0) if isinstance(penalty, Zero) else penalty  # the same, with a strength
        if task.factor is not None:
            require_factor(penalty)
        if np.ndim(getattr(template, "alpha", np.zeros(1))) == 0:
            alpha = np.atleast_1d(np.asarray(template.alpha, task.dtype))  # pyright: ignore[reportAttributeAccessIssue]
            start = unpenalised_fit(task, template)
            result: Any = solve_batch([task], template, np.zeros(1, int), alpha, None, [start], options)
        else:
            solver = "fista" if options.solver == "auto" else options.solver
            result = solve_one(task.smooth, penalty, options.tol, options.max_steps, solver)
            result = jax.tree.map(lambda leaf: np.asarray(leaf)[None], result)
        found = {name: values[0] for name, values in on_input_scale(task, result, options.tol).items()}
        if task.factor is not None:
            scalar = jnp.asarray(template.alpha, task.dtype)  # pyright: ignore[reportAttributeAccessIssue]
            penalty = replace(template, alpha=strength(scalar, task.factor))
    warn_unless_converged(found, options, [""], remedy(standardize, task.dtype))
    del found["cause"]
    data = task.data
    about = {"feature_names": data.names, "classes": data.classes, "has_offset": data.offset is not None}
    return Fit(**found, penalty=penalty, loss=task.loss, **about)


def fit_path(
    X: Any,
    y: Any,
    *,
    alphas: Any = None,
    n_alphas: int = 100,
    min_ratio: float | None = None,
    l1_ratio: Any = 1.0,
    loss: Any = "squared",
    penalty: Penalty | None = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    exclude: Any = None,
    positive: bool = False,
    lower: Any = None,
    upper: Any = None,
    max_features: int | None = None,
    tol: float = 1e-4,
    max_steps: int | None = None,
    solver: str = "auto",
    dtype: Any = None,
    feature_names: Any = None,
) -> Path:
    """Fits a whole grid of strengths at once, each with its duality gap.

    Minimises ``(1/S) sum_i s_i loss(y_i, o_i + b + x_i . w) + alpha (l1_ratio ||w||_1 + (1 - l1_ratio)/2 ||w||^2)``
    for every alpha (and every l1_ratio, if that is a vector) as lanes of the same compiled programs, on shared
    statistics. For the squared loss this is scikit-learn's objective, number for number.

    Args:
      X: ``(n, p)``, an array or a data frame. y: ``(n,)``, any two classes for the logistic loss; or ``(n, T)``, that
        many responses, each fitted for itself: then every array gains a leading axis T.
      alphas: ``(K,)`` in any order, or a row for each l1_ratio and response. By default ``n_alphas`` from
        ``alpha_max``, the smallest with all coefficients zero, down to ``min_ratio`` times that (1e-3, or 1e-2 if
        n < p), evenly on the log scale. For ridge, which has no ``alpha_max``, the grid is that of l1_ratio = 1e-3. At
        alpha = 0, without limits, the coefficients are those of least norm (of the columns that ``standardize`` has
        scaled) among all that give the smallest loss: unique where columns depend on each other, or n < p.
      l1_ratio: a number in [0, 1], or a vector ``(R,)``: then every array gains a leading axis R.
      loss: "squared", "logistic", "huber", "poisson", a loss object, or a function ``(eta, y) -> loss of each sample``.
      penalty: any penalty with an ``alpha``, whose place the grid takes; by default the elastic net.
      standardize: penalise coefficients of columns scaled to unit standard deviation. Coefficients always come back on
        the scale of the input.
      sample_weight, offset: ``(n,)``. penalty_factor: ``(p,)`` multiplies alpha per column; 0 leaves it unpenalised,
        inf leaves it out, and so does ``exclude``: numbers or names of columns.
      positive, lower, upper: limits of the coefficients on the scale of the input, ``lower <= 0 <= upper``, numbers or
        one per column.
      max_features: ends the path before the first alpha with more non-zeros; several paths all end with the first.
      tol: bounds each fit's duality gap relative to the loss of the intercept-only model, and its relative KKT
        violation; the latter alone where no dual is known (unpenalised columns, alpha = 0, custom losses). A gap of tol
        bounds the objective's error, not the coefficients': ask for 1e-8 or less where those matter.
      solver: "fista", "coordinate_descent" or "auto".
      dtype: float32 or float64, whatever JAX is set to; by default that of X, as JAX holds it.

    Raises:
      ValueError: where an argument is no good, saying what to pass instead.
      RuntimeError: in a process that was forked after a fit, where JAX's threads are missing; spawn it instead.

    >>> import proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> path = pr.fit_path(X, y, standardize=True, n_alphas=20)
    >>> print(path.coef.shape, path.nnz[0], bool(path.converged.all()))
    (20, 10) 0 True
    """
    problem = pose(
        X,
        y,
        alphas=alphas,
        n_alphas=n_alphas,
        min_ratio=min_ratio,
        l1_ratio=l1_ratio,
        loss=loss,
        penalty=penalty,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
        offset=offset,
        penalty_factor=penalty_factor,
        exclude=exclude,
        positive=positive,
        lower=lower,
        upper=upper,
        max_features=max_features,
        tol=tol,
        max_steps=max_steps,
        solver=solver,
        dtype=dtype,
        feature_names=feature_names,
    )
    problem, found = solved(problem)
    warn_unless_converged(found, problem.options, labels(problem), remedy(standardize, problem.task.dtype))
    return as_path(problem, found)


def alpha_max(
    X: Any,
    y: Any,
    *,
    l1_ratio: Any = 1.0,
    loss: Any = "squared",
    penalty: Penalty | None = None,
    fit_intercept: bool = True,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    exclude: Any = None,
    positive: bool = False,
    lower: Any = None,
    upper: Any = None,
    dtype: Any = None,
) -> float | np.ndarray:
    """The smallest alpha at which all penalised coefficients are exactly zero; infinite for ridge.

    ``max_j |x_j' S loss'(null)| / (l1_ratio penalty_factor_j)`` with the loss at the intercept-only model (or the
    model of the unpenalised columns). The arguments are those of ``fit_path``; a vector l1_ratio gives a vector.

    >>> import numpy as np, proxreg as pr
    >>> X, y = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2.0, 4.0, 6.0, 8.0])
    >>> print(round(pr.alpha_max(X, y), 4))
    2.5
    """
    template = template_of(penalty, positive, lower, upper, X)
    ratios = check_ratios(l1_ratio, penalty)
    require_alpha(template, "alpha_max")
    task = make_task(
        X,
        y,
        loss=loss,
        fit_intercept=fit_intercept,
        standardize=standardize,
        sample_weight=sample_weight,
        offset=offset,
        penalty_factor=penalty_factor,
        exclude=exclude,
        dtype=dtype,
    )
    require_fit(template, task)
    if penalty is None and isinstance(template, BoundedElasticNet):
        template = with_limits_for(task, template)
    with _precision.scope(task.dtype):
        found = critical_alphas(task, template, np.atleast_1d(ratios) if penalty is None else None)
    return found if ratios.ndim else float(found[0])
