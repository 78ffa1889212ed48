"""The problem as asked, and fits of it: what the sums over rows cannot tell is told by the rows themselves."""

from proxreg.fitting.free_columns import free_of_penalty as free_of_penalty
from proxreg.fitting.free_columns import with_gaps as with_gaps
from proxreg.fitting.free_columns import with_gaps_of_rows as with_gaps_of_rows
from proxreg.fitting.free_columns import with_weak_penalties as with_weak_penalties
from proxreg.fitting.limits import at_limits as at_limits
from proxreg.fitting.limits import limits_in as limits_in
from proxreg.fitting.limits import with_limits_for as with_limits_for
from proxreg.fitting.returned import on_input_scale as on_input_scale
from proxreg.fitting.rows import TaskRows as TaskRows
from proxreg.fitting.rows import centred_rows as centred_rows
from proxreg.fitting.rows import certified_by_rows as certified_by_rows
from proxreg.fitting.span import inverse_of as inverse_of
