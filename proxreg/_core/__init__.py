"""What every other part of the library stands on; knows nothing of penalties, models and data."""

from proxreg._core.branch import apply_where as apply_where
from proxreg._core.compilation_cache import enable_compilation_cache as enable_compilation_cache
from proxreg._core.compilation_cache import use_compilation_cache as use_compilation_cache
from proxreg._core.fork import require_unforked as require_unforked
from proxreg._core.programs import bound_programs as bound_programs
