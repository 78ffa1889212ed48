"""What every other part of the library stands on; knows nothing of penalties, models and data."""

from proxreg._core.branch import apply_where as apply_where
from proxreg._core.compilation_cache import enable_compilation_cache as enable_compilation_cache
from proxreg._core.compilation_cache import use_compilation_cache as use_compilation_cache
from proxreg._core.fork import require_unforked as require_unforked
from proxreg._core.placement import as_if_on as as_if_on
from proxreg._core.placement import is_at_hand as is_at_hand
from proxreg._core.placement import platform as platform
from proxreg._core.programs import bound_programs as bound_programs
