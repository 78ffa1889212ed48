"""The smooth part of a problem: a linear model on data, a quadratic from statistics, or any function."""

from collections.abc import Callable
from typing import Any

from proxreg.models.arrays import require_dense as require_dense
from proxreg.models.certificate import Certificate as Certificate
from proxreg.models.certificate import column_violation as column_violation
from proxreg.models.certificate import duality_gap as duality_gap
from proxreg.models.certificate import least_squares_certificate as least_squares_certificate
from proxreg.models.certificate import relative as relative
from proxreg.models.function import Function as Function
from proxreg.models.function import as_parameters as as_parameters
from proxreg.models.gram import weighted_gram as weighted_gram
from proxreg.models.intercept import derivative_rounding as derivative_rounding
from proxreg.models.intercept import weighed as weighed
from proxreg.models.linear import LinearModel as LinearModel
from proxreg.models.linear_problem import Coefficients as Coefficients
from proxreg.models.linear_problem import Image as Image
from proxreg.models.linear_problem import LinearProblem as LinearProblem
from proxreg.models.multinomial import MultinomialModel as MultinomialModel
from proxreg.models.problem import Curvature as Curvature
from proxreg.models.problem import Point as Point
from proxreg.models.problem import Problem as Problem
from proxreg.models.problem import StepProblem as StepProblem
from proxreg.models.quadratic import Quadratic as Quadratic
from proxreg.models.quadratic import QuadraticProblem as QuadraticProblem
from proxreg.models.quadratic import overlap_of as overlap_of
from proxreg.models.quadratic import sum_rounding as sum_rounding
from proxreg.models.spectrum import majoriser as majoriser

Smooth = LinearModel | MultinomialModel | Quadratic | Function


def as_smooth(smooth: Smooth | Callable[..., Any], args: tuple = ()) -> Smooth:
    """A model as it is, a function with its further arguments as a ``Function``."""
    if not isinstance(args, tuple):
        raise ValueError(f"args must be a tuple, such as (X, y), got {type(args).__name__}")
    if isinstance(smooth, Smooth):
        if args:
            raise ValueError(f"args are for functions; {type(smooth).__name__} holds its own data")
        return smooth
    if callable(smooth):
        return Function(smooth, args)
    raise ValueError(f"smooth must be pr.LinearModel, pr.Quadratic or a function params -> scalar, got {smooth!r}")
