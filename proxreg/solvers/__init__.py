"""Solvers: ``init`` and ``step`` in one file each, and one outer loop that they share."""

from proxreg.solvers.coordinate_descent import coordinate_descent as coordinate_descent
from proxreg.solvers.fista import GREED as GREED
from proxreg.solvers.fista import SHRINK as SHRINK
from proxreg.solvers.fista import fista as fista
from proxreg.solvers.fista import fista_init as fista_init
from proxreg.solvers.fista import fista_step as fista_step
from proxreg.solvers.loop import Result as Result
from proxreg.solvers.loop import Status as Status
from proxreg.solvers.loop import check_penalty as check_penalty
from proxreg.solvers.loop import run as run
from proxreg.solvers.loop import stopping as stopping
