"""Expected failures become one line on stderr and exit code 2."""

import functools
import sys
from collections.abc import Callable
from typing import Any

import typer

from polyphase._facts import UserError
from polyphase_command import STOPPED, missing


def fail(message: str) -> typer.Exit:
    """Print one line to stderr and return the exit to raise."""
    typer.secho("Error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(" ".join(message.split()), err=True)
    return typer.Exit(2)


def _load_package() -> None:
    """Run the package's `__init__`, which the program puts off until a command needs Keras."""
    package = sys.modules["polyphase"]
    if not hasattr(package, "__version__"):
        assert package.__spec__ is not None
        assert package.__spec__.loader is not None
        package.__spec__.loader.exec_module(package)


def one_line_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command: bad input, files and missing packages end it without a traceback."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            _load_package()
            return command(*args, **kwargs)
        except ModuleNotFoundError as error:
            raise fail(missing(error)) from error
        except (UserError, ImportError, OSError) as error:
            raise fail(str(error)) from error
        except KeyboardInterrupt as error:
            typer.echo(f"Stopped. {error}".strip(), err=True)
            raise typer.Exit(STOPPED) from error

    return guarded
