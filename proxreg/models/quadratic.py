"""A quadratic in Gram form: least squares from sufficient statistics, without the data."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, pytree_dataclass, static
from proxreg.models.arrays import computable, dense, require_weights
from proxreg.models.certificate import Certificate, column_violation, duality_gap, relative
from proxreg.models.gram import centred_sums
from proxreg.models.linear_problem import Coefficients
from proxreg.models.problem import Curvature, Point
from proxreg.models.spectrum import majoriser
from proxreg.penalties import Penalty


@pytree_dataclass
class Units:
    """How the columns of statistics differ from those of the data."""

    center: Array  # (p,) taken off the columns
    scale: Array  # (p,) what they are divided by after that
    y_center: Array  # () taken off y
    fit_intercept: bool = static()

    def restore(self, w: Array) -> "Array | Coefficients":
        """Return what ``w (..., p)`` are for the data."""
        coef = w / self.scale
        return Coefficients(coef, self.y_center - coef @ self.center) if self.fit_intercept else coef

    def intercept_rounding(self, w: Array, size: Array) -> Array:
        """Return what rounding the intercept and predictors adds to the loss, where its slope is zero, about.

        Data of that ``size`` have predictors about as large beside the intercept.
        """
        terms = jnp.abs(self.y_center) + jnp.abs(w / self.scale) @ jnp.abs(self.center)
        return jnp.square(jnp.finfo(w.dtype).eps * (2 * terms + size)) / 2


@pytree_dataclass
class Quadratic:
    """``w' G w / 2 - c' w + constant``, with G symmetric and positive semi-definite.

    For least squares on centred data and weights that sum to one: ``G = X' S X``, ``c = X' S y``,
    ``constant = y' S y / 2``. ``G (p, p)``, ``c (p,)``. Without the constant (the loss at w = 0) the objective is
    relative to it, and the gap, which needs it, NaN. Gap and violation are relative to ``null_loss``, where that is
    None to the constant. The gap is wrong if ``[[G, c], [c', 2 constant]]`` is not positive semi-definite: no data
    have such statistics.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> smooth = pr.Quadratic(jnp.eye(2), jnp.array([2.0, 0.5]), 3.0)
    >>> print(pr.fista(smooth, pr.L1(1.0), tol=1e-6).w.round(2))
    [1. 0.]

    ``pr.Quadratic.from_data(X, y)`` takes the sums of data, and ``restore`` what solvers return to the data's scale.
    """

    G: ArrayLike
    c: ArrayLike
    constant: ArrayLike | None = None
    units: Units | None = None  # of the columns that G and c are of; None where they are those of w
    null_loss: ArrayLike | None = None  # what gap and violation are relative to; the constant where None

    def __post_init__(self):
        for name in ("G", "c", "constant", "null_loss"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, dense(getattr(self, name), name))
        G, c = np.shape(self.G), np.shape(self.c)
        if len(G) != 2 or G[0] != G[1] or c != G[:1]:
            raise ValueError(f"G must be (p, p) and c (p,), got {G} and {c}")

    @classmethod
    def from_data(
        cls,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        fit_intercept: bool = True,
        standardize: bool = False,
    ) -> "Quadratic":
        """Return least squares on ``X (n, p)`` and ``y (n,)`` as a quadratic in the coefficients.

        ``G = X' S X``, ``c = X' S y``, ``constant = y' S y / 2`` with S the weights ``(n,)`` divided by their sum;
        columns and y less their weighted means with ``fit_intercept``, columns divided by their standard deviations
        with ``standardize`` (without an intercept by the root of their mean square; those of zeros stay). ``restore``
        undoes both.

        Pure: under ``vmap`` over y or weights no lane holds a copy of X; G is computed once where weights are shared.
        float16 and whole numbers become float32 or JAX's float type. Certificates of such a quadratic include what
        rounding may have taken from the sums (Higham 2002, Accuracy and Stability, section 3.1).

        Raises ValueError for other shapes, and for weights below zero or that sum to zero where they are known.

        >>> import jax.numpy as jnp, proxreg as pr
        >>> X, y = jnp.array([[1.0], [2.0], [3.0]]), jnp.array([3.0, 5.0, 7.0])
        >>> smooth = pr.Quadratic.from_data(X, y)
        >>> coef, intercept = smooth.restore(pr.fista(smooth, pr.Zero()).w)
        >>> print(coef.round(3), intercept.round(3))
        [2.] 1.0
        """
        X, y = jnp.asarray(dense(X, "X")), jnp.asarray(dense(y, "y"))
        if X.ndim != 2 or y.shape != X.shape[:1]:
            more = "; map over responses with jax.vmap" if y.ndim == 2 else ""
            raise ValueError(f"X must be (n, p) and y (n,), got {X.shape} and {y.shape}{more}")
        X = computable(X)
        weights = jnp.ones(len(y), X.dtype)
        if sample_weight is not None:
            require_weights(sample_weight, y.shape)
            weights = jnp.asarray(dense(sample_weight, "sample_weight"), X.dtype)
        with jax.default_matmul_precision("highest"):
            sums = centred_sums(X, y.astype(X.dtype), weights / jnp.sum(weights), centre=fit_intercept)
        scale = jnp.ones_like(sums.x)
        if standardize:
            deviation = jnp.sqrt(jnp.diagonal(sums.xx))
            scale = jnp.where(deviation > 0, deviation, 1)
        G, c = sums.xx / (scale * scale[:, None]), sums.xy / scale
        return cls(G, c, sums.yy / 2, Units(sums.x, scale, sums.y, fit_intercept))

    def restore(self, w: ArrayLike) -> "Array | Coefficients":
        """Return what solutions ``w (..., p)`` are on the scale of the data, with their intercepts ``(...)`` if any.

        Raises ValueError for a quadratic that was not made by ``from_data``.
        """
        if self.units is None:
            raise ValueError("only a quadratic made by pr.Quadratic.from_data knows the scale of its data")
        return self.units.restore(jnp.asarray(w))

    def parameters(self, w0: Any) -> Any:
        """Return what the penalty sees, as far as its shape and type go."""
        return jax.ShapeDtypeStruct(np.shape(self.c), jnp.result_type(float))

    def is_valid(self) -> Array:
        """Return True: any numbers make a quadratic."""
        return jnp.asarray(True)

    def value(self, w: ArrayLike) -> Array:
        """The value at ``w (p,)``."""
        w = jnp.asarray(w)
        return w @ (self.G @ w) / 2 - self.c @ w + (0 if self.constant is None else self.constant)

    def with_penalty(self, penalty: Penalty) -> "QuadraticProblem":
        """The problem that solvers work on."""
        G = jnp.asarray(self.G)
        dtype = (
            jnp.result_type(G, self.c, jnp.float32) if jnp.issubdtype(G.dtype, jnp.inexact) else jnp.result_type(float)
        )
        constant = None if self.constant is None else jnp.asarray(self.constant, dtype)
        null_loss = constant if self.null_loss is None else jnp.asarray(self.null_loss, dtype)
        G = G.astype(dtype)
        norms = jnp.sqrt(jnp.maximum(jnp.diagonal(G), 0))
        overlap = jax.lax.stop_gradient(overlap_of(G, norms))
        return QuadraticProblem(G, jnp.asarray(self.c, dtype), constant, null_loss, overlap, penalty, self.units)


@pytree_dataclass
class QuadraticProblem:
    """See ``Problem``; the image of a point is its gradient."""

    G: Array
    c: Array
    constant: Array | None
    null_loss: Array | None  # what errors are relative to
    overlap: Array  # see ``overlap_of``
    penalty: Penalty
    units: Units | None = None

    @property
    def check_every(self) -> int:
        """The certificate needs no product."""
        return 1

    @property
    def curvature(self) -> Curvature:
        """G."""
        return "constant"

    def start(self, w0: ArrayLike | None) -> Point:
        """The point for ``w0 (p,)``, zero where None."""
        if w0 is None:
            return self.at(jnp.zeros_like(self.c))
        w0 = jnp.asarray(w0, self.c.dtype)
        if w0.shape != self.c.shape:
            raise ValueError(f"w0 has shape {w0.shape}, expected {self.c.shape}")
        return self.at(w0)

    def at(self, params: Array) -> Point:
        """One product with G."""
        return Point(params, self.G @ params - self.c)

    def gradient(self, point: Point) -> Array:
        """``G w - c``, which the point carries."""
        return point.image

    def divergence(self, new: Point, old: Point, move: Array, gradient: Array) -> tuple[Array, Array]:
        """``move' G move / 2``."""
        eps = 4 * jnp.finfo(self.c.dtype).eps
        noise = eps * jnp.sum((jnp.abs(new.image) + jnp.abs(old.image) + jnp.abs(self.c)) * jnp.abs(move))
        return (new.image - old.image) @ move / 2, noise

    def prox(self, params: Array, step: Array) -> Array:
        """The penalty's."""
        return self.penalty.prox(params, step)

    def steps(self, point: Point) -> Array:
        """One over a diagonal majoriser of G."""
        curvature = jnp.diagonal(self.G)
        return 1 / majoriser(lambda v: self.G @ v, self.penalty.metric(curvature), self.c.size)

    def certify(self, point: Point) -> Certificate:
        """All from the gradient: no product. What rounding may hide in the sums is added to the gap."""
        w, g = point
        constant = 0.0 if self.constant is None else self.constant
        objective = constant + w @ (g - self.c) / 2 + self.penalty.value(w)
        if self.constant is None or self.null_loss is None:
            gap = jnp.full_like(objective, jnp.nan)
        else:
            residual = jnp.maximum(2 * self.constant - w @ self.c + w @ g, 0)
            gap = duality_gap(self.penalty, w, g, lambda c: jnp.square(1 - c) / 2 * residual)
            gap = relative(gap + self.rounding(w), self.null_loss)
        return Certificate(objective, gap, column_violation(self.penalty, w, g, self.norms, self.null_residual))

    @property
    def norms(self) -> Array:
        """Return the norms of the columns ``(p,)`` under the weights."""
        return jnp.sqrt(jnp.maximum(jnp.diagonal(self.G), 0))

    @property
    def null_residual(self) -> Array:
        """Return the norm of the residual that errors are relative to; where none is known, a number that is no larger
        than that at w = 0.
        """
        if self.null_loss is None:
            return jnp.max(jnp.abs(self.c) / jnp.where(self.norms > 0, self.norms, 1), initial=0.0)
        return jnp.sqrt(2 * self.null_loss)

    def rounding(self, w: Array) -> Array:
        """Return how far rounding of the sums, and of a restored intercept, may put off the objective at ``w``."""
        assert self.constant is not None
        lost = sum_rounding(w, self.c, self.norms, self.null_residual, self.overlap)
        if self.units is not None and self.units.fit_intercept:
            lost += jnp.where(self.constant > 0, self.units.intercept_rounding(w, self.null_residual), 0)
        return jax.lax.stop_gradient(lost)

    def solution(self, point: Point) -> Array:
        """The parameters."""
        return point.params


def sum_rounding(w: Any, c: Any, norms: Any, size: Any, overlap: Any) -> Any:
    """Return how far rounding in G and c may put off the loss at ``w (..., p)``, for data of ``size (...)``, about.

    The sums lose ``eps (|c|' |w| + |w|' |G| |w| / 2)``: columns that nearly cancel have large coefficients, and then
    the difference of two such sums is noise. Of ``|w|' |G| |w|`` two bounds are known, by the sum of the columns'
    lengths ``|w_j| norm_j``, and by the sum of their squares times the ``overlap``. Entries of G and c are off by eps
    times two norms each, in directions of their own: that adds up to the squares alone.
    """
    lengths = abs(w) * norms
    squares = (lengths**2).sum(axis=-1)
    sums = (abs(w) * abs(c)).sum(axis=-1) + (lengths.sum(axis=-1) ** 2).clip(None, overlap * squares) / 2
    return np.finfo(w.dtype).eps * (sums + squares**0.5 * size + squares / 2)


def overlap_of(G: Any, norms: Any) -> Any:
    """Return the largest sum of absolute correlations of a column with all, from ``G (p, p)``: 1 where it is diagonal.

    ``|w|' |G| |w|`` is at most this times the sum of the squares of ``w_j norm_j``.
    """
    unit = 1 / (norms + (norms == 0))
    return ((abs(G) @ unit) * unit).max(initial=0.0)
