"""What a solver sees of a problem: points, gradients, prox, and a certificate."""

from typing import Any, Literal, NamedTuple, Protocol

from proxreg._pytree import Array, PyTree
from proxreg.models.certificate import Certificate
from proxreg.penalties import Penalty

#: what step lengths come from: the curvature itself, a bound of it, or its value at the start
Curvature = Literal["constant", "bounded", "unknown"]


class Point(NamedTuple):
    """Parameters with whatever is affine in them and dear to compute; points may be averaged and extrapolated."""

    params: PyTree  # in the solver's own coordinates
    image: PyTree  # the linear predictor, and the gradient where that is affine too


class StepProblem(Protocol):
    """What a proximal gradient step asks of a problem."""

    @property
    def penalty(self) -> Penalty:
        """The penalty, of the coefficients alone."""
        ...

    @property
    def curvature(self) -> Curvature:
        """What ``steps`` come from."""
        ...

    def at(self, params: PyTree) -> Point:
        """The point for parameters in the solver's coordinates."""
        ...

    def gradient(self, point: Point) -> PyTree:
        """The gradient of the smooth part, like the parameters."""
        ...

    def divergence(self, new: Point, old: Point, move: PyTree, gradient: PyTree) -> tuple[Array, Array]:
        """``f(new) - f(old) - <gradient, move>`` to second order at least, and what rounding may add to it."""
        ...

    def prox(self, params: PyTree, step: PyTree) -> PyTree:
        """The penalty's prox, with one step per parameter."""
        ...


class Problem(StepProblem, Protocol):
    """A smooth function and a penalty, prepared for a solver; solvers know nothing else about it."""

    @property
    def check_every(self) -> int:
        """Steps between certificates: 1 where they come for free."""
        ...

    def start(self, w0: Any) -> Point:
        """The point for a user's ``w0``, or for the intercept-only model where it is None."""
        ...

    def steps(self, point: Point) -> PyTree:
        """A step per parameter that decreases the smooth part, as far as can be told beforehand."""
        ...

    def certify(self, point: Point) -> Certificate:
        """The certificate of ``solution(point)``."""
        ...

    def solution(self, point: Point) -> Any:
        """The point in the user's coordinates, the intercept at its best."""
        ...
