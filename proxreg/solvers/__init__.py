"""Solvers: ``init`` and ``step`` in one file each, and one outer loop that they share."""

from proxreg.solvers.coordinate_descent import coordinate_descent as coordinate_descent
from proxreg.solvers.fista import fista as fista
from proxreg.solvers.loop import Result as Result
from proxreg.solvers.loop import Status as Status
