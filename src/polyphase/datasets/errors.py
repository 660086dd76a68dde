"""The error of all that reads data."""

from polyphase._facts import UserError


class DataError(UserError):
    """Data that cannot be used: what was received, what is expected, how to mend it."""
