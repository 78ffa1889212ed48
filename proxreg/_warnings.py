"""The categories of what is worth saying without stopping, and how to say it."""

import os
import sys
import warnings

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class ConvergenceWarning(UserWarning):
    """Some problems of a call ended above the tolerance that was asked for."""


class DataWarning(UserWarning):
    """The data or the options make the answer other than the caller may expect."""


def warn(message: str, category: type[Warning]) -> None:
    """Warns at the user's line: the innermost one outside this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
