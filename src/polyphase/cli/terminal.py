"""Where commands print: a terminal, or what is no terminal though it says so."""

import os

from rich.console import Console

_NOTEBOOK = "JPY_PARENT_PID"  # commands in the cells of a notebook have it


def console(stderr: bool = False) -> Console:
    """Return the console of stdout or stderr: in a notebook without bars and colours.

    A notebook gives its commands a terminal, or tells them to colour; what it shows of bars is
    every state of them, one below the other.
    """
    return Console(stderr=stderr, force_terminal=False if _NOTEBOOK in os.environ else None)
