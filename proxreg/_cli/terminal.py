"""What goes to stderr: progress while it is a terminal, and warnings in one line each."""

import contextlib
import sys
import threading
import time
import warnings
from collections.abc import Iterator

from proxreg._progress import bar_of, listening

_PATIENCE = 0.5  # seconds; a shorter stage leaves no trace
_ERASE = "\r\x1b[K"


_OPTIONS = {  # what functions ask for, as options of the command
    "pass key=jax.random.key(0)": "pass --seed N",
    "Pass standardize=True": "Leave out --no-standardize",
    "raise max_steps or standardize": "raise --max-steps or leave out --no-standardize",
    "raise max_steps": "raise --max-steps",
    "pass dtype='float64', or jax.config.update('jax_enable_x64', True)": "leave out --dtype float32",
    "; or pass dtype='float64'": "; or leave out --dtype float32",
    "raise tol or standardize": "raise --tol or leave out --no-standardize",
    "raise tol": "raise --tol",
    "shuffle the rows (key=jax.random.key(0)), pass a splitter that stratifies, or degenerate_folds='infinite' or "
    "'drop'": "pass --seed N to shuffle the rows, or fewer --folds",
    "pass rows of both kinds, or fit_intercept=False": "pass rows of both kinds",
    "pass smaller alphas, or a smaller min_ratio": "pass a smaller --min-ratio",
}


def in_options(message: str) -> str:
    """A message of the library with the names of the command's options for those of arguments."""
    for argument, option in _OPTIONS.items():
        message = message.replace(argument, option)
    return message


def one_line(message: object) -> str:
    """A message with every run of white space, line ends among them, as one space."""
    return " ".join(str(message).split())


@contextlib.contextmanager
def progress(stage: str) -> Iterator[None]:
    """Shows the stage, how much of it is done and the seconds it has taken, on stderr if that is a terminal.

    It is erased at the end.
    """
    stream = sys.stderr
    if not stream.isatty():
        yield
        return
    done = threading.Event()
    start = time.perf_counter()
    parts = [0, 0]  # done, and all; none where nobody counts

    def heard(count: int, total: int) -> None:
        parts[:] = count, total

    def tick():
        pause = _PATIENCE
        while not done.wait(pause):
            bar = bar_of(*parts) if parts[1] else "..."
            stream.write(f"{_ERASE}{stage} {bar} {time.perf_counter() - start:.1f} s")
            stream.flush()
            pause = 0.1
        stream.write(_ERASE)
        stream.flush()

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        with listening(heard):
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
                print(f"proxreg: warning: {in_options(message)}", file=sys.stderr)
