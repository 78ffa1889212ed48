"""Many problems at once on shared data: a lane for each, all in one compiled program."""

from proxreg.batch.buckets import column_bucket as column_bucket
from proxreg.batch.buckets import filled as filled
from proxreg.batch.buckets import fine_bucket as fine_bucket
from proxreg.batch.buckets import padded as padded
from proxreg.batch.buckets import row_bucket as row_bucket
from proxreg.batch.buckets import wide_bucket as wide_bucket
from proxreg.batch.continuation import WarmStart as WarmStart
from proxreg.batch.driver import Lanes as Lanes
from proxreg.batch.driver import first_columns as first_columns
from proxreg.batch.driver import solve_on_gram as solve_on_gram
from proxreg.batch.driver import solve_on_rows as solve_on_rows
from proxreg.batch.driver import with_idle_entries as with_idle_entries
from proxreg.batch.penalty_batch import PenaltyBatch as PenaltyBatch
from proxreg.batch.penalty_batch import is_plain as is_plain
from proxreg.batch.penalty_batch import strength as strength
from proxreg.batch.resamples import Rows as Rows
from proxreg.batch.resamples import solve_on_samples as solve_on_samples
from proxreg.batch.solve_path import solve_path as solve_path
