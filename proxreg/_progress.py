"""How far a long call is: told to whoever listens, and shown on one line of the terminal or notebook."""

import contextlib
import contextvars
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

Listener = Callable[[int, int], None]
WIDTH = 24  # characters of the bar
PAUSE = 0.1  # seconds between two looks of the line, so that writing it costs nothing
_listener: contextvars.ContextVar[Listener | None] = contextvars.ContextVar("listener", default=None)


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call ``listener(done, total)`` inside the context for every part that is done."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report(done: int, total: int) -> None:
    """Tell the listener that so many parts of all are done; all of them means the call is about to end."""
    listener = _listener.get()
    if listener is not None:
        listener(done, total)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Keep parts of a part from the listener: what is counted outside is not counted again inside."""
    with listening(lambda done, total: None):
        yield


def bar_of(done: int, total: int) -> str:
    """Return ``[######      ] 3/6``."""
    full = WIDTH * done // total
    return f"[{'#' * full}{' ' * (WIDTH - full)}] {done}/{total}"


@contextlib.contextmanager
def show_progress(stream: Any = None) -> Iterator[None]:
    """Show how far a call of ``fit_path``, ``cv_path``, ``bootstrap`` or ``stability_selection`` is, on one line.

    The line counts fits, folds or samples, and disappears when the call ends; without this context nothing is shown.
    ``stream`` is where to write: by default standard error, which notebooks show too. A call that compiles or solves
    all its fits in one program says nothing until that is done.

    >>> import sys, proxreg as pr
    >>> X, y, names = pr.datasets.load_diabetes()
    >>> with pr.show_progress():
    ...     cv = pr.cv_path(X, y, standardize=True, n_alphas=20, min_ratio=1e-2, dtype="float64")
    >>> print(cv.alphas.shape)
    (20,)
    """
    line = _Line(sys.stderr if stream is None else stream)
    try:
        with listening(line.heard):
            yield
    finally:
        line.erase()


class _Line:
    """One line of text that is written over again."""

    def __init__(self, stream: Any):
        self._stream = stream
        self._start = self._last = 0.0
        self._width = 0  # of the text that is there

    def heard(self, done: int, total: int) -> None:
        """Write the bar and the seconds since the first part, or erase them where all is done."""
        now = time.perf_counter()
        if done >= total:
            self.erase()
            return
        if not self._width:
            self._start = now
        elif now - self._last < PAUSE:
            return
        text = f"{bar_of(done, total)} {now - self._start:.1f} s"
        self._stream.write(f"\r{text:<{self._width}}")
        self._stream.flush()
        self._last, self._width = now, len(text)

    def erase(self) -> None:
        """Leave nothing of the line; spaces, as not every notebook knows a terminal's codes."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0
