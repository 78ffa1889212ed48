"""What goes to stderr: progress while it is a terminal, and warnings in one line each."""

import contextlib
import sys
import threading
import time
import warnings
from collections.abc import Iterator

_PATIENCE = 0.5  # seconds; a shorter stage leaves no trace
_ERASE = "\r\x1b[K"


def one_line(message: object) -> str:
    """A message with every run of white space, line ends among them, as one space."""
    return " ".join(str(message).split())


@contextlib.contextmanager
def progress(stage: str) -> Iterator[None]:
    """Shows the stage and the seconds it has taken, on stderr if that is a terminal; erased at the end."""
    stream = sys.stderr
    if not stream.isatty():
        yield
        return
    done = threading.Event()
    start = time.perf_counter()

    def tick():
        pause = _PATIENCE
        while not done.wait(pause):
            stream.write(f"{_ERASE}{stage} ... {time.perf_counter() - start:.1f} s")
            stream.flush()
            pause = 0.1
        stream.write(_ERASE)
        stream.flush()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextlib.contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Collects warnings meant for users and prints each once at the end: ``proxreg: warning: ...``."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        for category in (UserWarning, RuntimeWarning):
            warnings.simplefilter("always", category)
        try:
            yield
        finally:
            for message in dict.fromkeys(one_line(warning.message) for warning in caught):
                print(f"proxreg: warning: {message}", file=sys.stderr)
