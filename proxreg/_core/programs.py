"""A bound on the compiled programs that the library keeps: every size of data that it meets may add some.

A program takes some 70 to 450 maps of memory on a CPU, and Linux kills a process that asks for more than
``vm.max_map_count`` of them. JAX keeps programs as long as the functions that they belong to.
"""

import contextlib
import ctypes
import functools
import gc
import sys
from pathlib import Path
from typing import Any

import jax

#: programs of one function. A program takes about 8 MB; sizes are rounded to buckets, so that few jobs need so many.
MAX_PROGRAMS = 64
#: share of the memory maps that a process may have, from which on programs are dropped: the rest is for others.
MAX_SHARE = 0.5
#: programs after which maps are counted again: counting 30,000 of them takes 20 ms.
COUNT_EVERY = 8

MAPS = Path("/proc/self/maps")
MAX_MAPS = Path("/proc/sys/vm/max_map_count")

_JITTED = type(jax.jit(lambda: None))


class _Counted:
    programs = 0  # when maps were counted last


def bound_programs() -> int:
    """Drop compiled programs where the library keeps too many, and return how many it has dropped.

    Those of a function with more than ``MAX_PROGRAMS``; all of the library's where the process has used up a share
    ``MAX_SHARE`` of its memory maps. Programs of the user's own functions stay. What is needed again is compiled again.
    """
    kept = {function: _size(function) for function in _jitted()}
    large = [function for function, size in kept.items() if size > MAX_PROGRAMS]
    if not large and abs(sum(kept.values()) - _Counted.programs) >= COUNT_EVERY:
        _Counted.programs = sum(kept.values())
        large = [function for function, size in kept.items() if size] if _maps_run_out() else []
    if not large:
        return 0
    for function in large:
        function.clear_cache()
    _return_memory()
    return sum(kept[function] for function in large)


def _jitted() -> list[Any]:
    """The jitted functions of the library's modules: read from these, so that none is left off a list."""
    return _jitted_among(len(sys.modules))


@functools.lru_cache(maxsize=1)
def _jitted_among(modules_loaded: int) -> list[Any]:
    """The same, read again only when more modules have been loaded."""
    package = __name__.partition(".")[0]
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == package]
    return list({value for module in modules for value in vars(module).values() if isinstance(value, _JITTED)})


def _size(function: Any) -> int:
    return function._cache_size()


def _maps_run_out() -> bool:
    """Whether the process has come near the number of memory maps that the system allows; never where it has none."""
    try:
        return MAPS.read_bytes().count(b"\n") > MAX_SHARE * int(MAX_MAPS.read_text())
    except (OSError, ValueError):
        return False


def _return_memory() -> None:
    """Let the allocator give back what programs held, where it has a call for that (glibc)."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
