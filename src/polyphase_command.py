"""The `polyphase` program.

This module lies outside the package, because the package's `__init__` imports Keras, which takes
seconds. Help, completion and messages about wrong options need only the modules of the command
line. A command that runs loads the whole package first (`cli/errors.py`).
"""

import importlib.util
import logging
import os
import sys

STOPPED = 130  # what shells call the exit of a program that Ctrl-C ended


def main() -> None:
    """Run the command line, or say what to install.

    After Ctrl-C the process ends at once: while Python shuts down, it and TensorFlow's threads may
    wait for each other.
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
