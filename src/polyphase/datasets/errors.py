"""The error of all that reads data."""


class DataError(ValueError):
    """Data that cannot be used: what was received, what is expected, how to mend it."""
