"""The `polyphase` program.

It stands outside the package, whose `__init__` imports Keras, seconds of work: the program imports
the command line beside it. Help, completion and wrong options need no more; a command that runs
loads the package first (`cli/errors.py`).
"""

import importlib.util
import logging
import os
import sys

STOPPED = 130  # what shells call the exit of a program that Ctrl-C ended


def main() -> None:
    """Run the command line, or say what to install.

    What Ctrl-C stopped ends at once: TensorFlow's threads may wait for Python, and Python, while it
    takes itself down, for them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of one graph per model
    _put_off("polyphase")
    try:
        from polyphase.cli.app import app
    except ModuleNotFoundError as error:
        print(f"Error: {missing(error)}", file=sys.stderr)
        sys.exit(2)
    try:
        app(prog_name="polyphase")
    except SystemExit as end:
        if end.code != STOPPED:
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(STOPPED)


def missing(error: ModuleNotFoundError) -> str:
    """Return what to install for a module that was not found."""
    return (
        f"The command line needs {error.name}, which is not installed. "
        "Run: pip install 'polyphase[workbench]'"
    )


def _put_off(package: str) -> None:
    """Let modules of a package be imported before its `__init__` runs.

    A package that is already imported stays as it is.
    """
    if package not in sys.modules:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        sys.modules[package] = importlib.util.module_from_spec(spec)
