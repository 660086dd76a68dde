"""The error that all functions raise that read data."""

from polyphase._facts import UserError


class DataError(UserError):
    """Raised for unusable data; says what was received, what is expected, how to mend it."""
