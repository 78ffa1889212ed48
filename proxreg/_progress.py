"""Tells whoever listens how far a long call is."""

import contextlib
import contextvars
from collections.abc import Callable, Iterator

Listener = Callable[[int, int], None]
_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("listener", default=None)


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Inside it, ``listener(done, total)`` hears of every part that is done."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(done: int, total: int) -> None:
    """So many parts of all are done."""
    listener = _listener.get()
    if listener is not None:
        listener(done, total)
