"""A quadratic in Gram form: least squares from sufficient statistics, without the data."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from proxreg._pytree import Array, ArrayLike, pytree_dataclass
from proxreg.models.arrays import dense
from proxreg.models.certificate import Certificate, column_violation, duality_gap, relative
from proxreg.models.problem import Curvature, Point
from proxreg.models.spectrum import majoriser
from proxreg.penalties import Penalty


@pytree_dataclass
class Quadratic:
    """``w' G w / 2 - c' w + constant``, with G symmetric and positive semi-definite.

    For least squares on centred data and weights that sum to one: ``G = X' S X``, ``c = X' S y``,
    ``constant = y' S y / 2``. ``G (p, p)``, ``c (p,)``. Without the constant (the loss at w = 0) the objective is
    relative to it, and the gap, which needs it, NaN. The gap is wrong if ``[[G, c], [c', 2 constant]]`` is not
    positive semi-definite: no data have such statistics.

    >>> import jax.numpy as jnp, proxreg as pr
    >>> smooth = pr.Quadratic(jnp.eye(2), jnp.array([2.0, 0.5]), 3.0)
    >>> print(pr.fista(smooth, pr.L1(1.0), tol=1e-6).w.round(2))
    [1. 0.]
    """

    G: ArrayLike
    c: ArrayLike
    constant: ArrayLike | None = None

    def __post_init__(self):
        for name in ("G", "c", "constant"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, dense(getattr(self, name), name))
        G, c = np.shape(self.G), np.shape(self.c)
        if len(G) != 2 or G[0] != G[1] or c != G[:1]:
            raise ValueError(f"G must be (p, p) and c (p,), got {G} and {c}")

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
        G = G.astype(dtype)
        norms = jnp.sqrt(jnp.maximum(jnp.diagonal(G), 0))
        overlap = jax.lax.stop_gradient(overlap_of(G, norms))
        return QuadraticProblem(G, jnp.asarray(self.c, dtype), constant, overlap, penalty)


@pytree_dataclass
class QuadraticProblem:
    """See ``Problem``; the image of a point is its gradient."""

    G: Array
    c: Array
    constant: Array | None
    overlap: Array  # see ``overlap_of``
    penalty: Penalty

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
        norms = jnp.sqrt(jnp.maximum(jnp.diagonal(self.G), 0))
        if self.constant is None:
            gap = jnp.full_like(objective, jnp.nan)
            # no larger than the norm of the residual, which is not known
            size = jnp.max(jnp.abs(self.c) / jnp.where(norms > 0, norms, 1), initial=0.0)
        else:
            residual = jnp.maximum(2 * self.constant - w @ self.c + w @ g, 0)
            gap = duality_gap(self.penalty, w, g, lambda c: jnp.square(1 - c) / 2 * residual)
            size = jnp.sqrt(2 * self.constant)
            lost = jax.lax.stop_gradient(sum_rounding(w, self.c, norms, size, self.overlap))
            gap = relative(gap + lost, self.constant)
        return Certificate(objective, gap, column_violation(self.penalty, w, g, norms, size))

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
