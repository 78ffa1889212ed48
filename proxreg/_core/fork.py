"""The refusal to compute in a forked child: JAX's threads are not copied, and their locks may be held for ever."""

import os
import sys

MESSAGE = (
    "this process was forked from one in which JAX was at work, and a computation here would wait for ever for threads "
    "that were not copied. Start workers afresh: multiprocessing.get_context('spawn') or 'forkserver', "
    "concurrent.futures.ProcessPoolExecutor(mp_context=...), or joblib with its default backend 'loky'"
)


class _Process:
    used = False  # the library has computed here
    orphaned = False  # the parent had computed when it forked


def require_unforked() -> None:
    """Raise RuntimeError in the forked child of a process in which JAX was at work; note that it is here.

    A child of a process that has computed nothing yet is as good as any other.
    """
    if _Process.orphaned:
        raise RuntimeError(MESSAGE)
    _Process.used = True


def _after_fork_in_child() -> None:
    _Process.orphaned = _Process.orphaned or _Process.used or _jax_is_at_work()


def _jax_is_at_work() -> bool:
    """Whether JAX has started its threads, as far as this version of it tells."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    started = getattr(bridge, "backends_are_initialized", None)
    return bool(started()) if callable(started) else False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
