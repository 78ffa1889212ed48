"""Many problems at once on shared data; knows penalties, models and solvers, and nothing of statistics."""

from proxreg.engine.lanes import SOLVERS as SOLVERS
from proxreg.engine.lanes import solve_lanes as solve_lanes
from proxreg.engine.lanes import solve_one as solve_one
from proxreg.engine.lanes import strength as strength
from proxreg.engine.statistics import gram_statistics as gram_statistics
