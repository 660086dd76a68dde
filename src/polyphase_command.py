"""The `polyphase` program.

It stands outside the package, so that a package that cannot be imported, because Keras' chosen
backend is missing, ends with one line and not with a traceback.
"""

import logging
import os
import sys


def main() -> None:
    """Run the command line, or say what to install."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of one graph per model
    try:
        from polyphase.cli.app import app
    except ModuleNotFoundError as error:
        _exit(
            f"The command line needs {error.name}, which is not installed. "
            "Run: pip install 'polyphase[workbench]'"
        )
    except ImportError as error:
        _exit(str(error))
    app()


def _exit(message: str) -> None:
    print(f"Error: {message}", file=sys.stderr)
    sys.exit(2)
