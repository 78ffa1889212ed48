"""The categories of what is worth saying without stopping."""


class ConvergenceWarning(UserWarning):
    """Some problems of a call ended above the tolerance that was asked for."""


class DataWarning(UserWarning):
    """The data or the options make the answer other than the caller may expect."""
