"""Where commands print: a terminal, or a notebook that claims to be one."""

import os

from rich.console import Console

_NOTEBOOK = "JPY_PARENT_PID"  # commands in the cells of a notebook have it


def console(stderr: bool = False) -> Console:
    """Return the console of stdout or stderr; in a notebook it has no bars and colours.

    A notebook gives its commands a terminal, or asks them for colours. But it shows every state of
    a progress bar, one below the other.
    """
    return Console(stderr=stderr, force_terminal=False if _NOTEBOOK in os.environ else None)
