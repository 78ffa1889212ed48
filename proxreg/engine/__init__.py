"""Many problems at once on shared data; knows penalties, models and solvers, and nothing of statistics."""

from proxreg.engine.buckets import column_bucket as column_bucket
from proxreg.engine.buckets import filled as filled
from proxreg.engine.buckets import padded as padded
from proxreg.engine.buckets import row_bucket as row_bucket
from proxreg.engine.certify import Certified as Certified
from proxreg.engine.certify import Scales as Scales
from proxreg.engine.family import Family as Family
from proxreg.engine.family import strength as strength
from proxreg.engine.glm import solve_glm as solve_glm
from proxreg.engine.grid import solve_grid as solve_grid
from proxreg.engine.host import OneBlasThread as OneBlasThread
from proxreg.engine.host import cores as cores
from proxreg.engine.host import in_parallel as in_parallel
from proxreg.engine.lanes import SOLVERS as SOLVERS
from proxreg.engine.lanes import solve_lanes as solve_lanes
from proxreg.engine.lanes import solve_one as solve_one
from proxreg.engine.plan import FEW as FEW
from proxreg.engine.resamples import ResampleSource as ResampleSource
from proxreg.engine.source import DataSource as DataSource
from proxreg.engine.source import GramSource as GramSource
from proxreg.engine.source import Source as Source
from proxreg.engine.statistics import Moments as Moments
from proxreg.engine.statistics import determines as determines
from proxreg.engine.statistics import gram_statistics as gram_statistics
from proxreg.engine.statistics import moments as moments
from proxreg.engine.working_set import Solution as Solution
