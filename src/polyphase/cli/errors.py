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


def _came_of_an_interrupt(error: BaseException | None) -> bool:
    """Return whether Ctrl-C is what an error was raised in answer to, by a scope that was left."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def one_line_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command: bad input, files and missing packages end it without a traceback."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            _load_package()
            return command(*args, **kwargs)
        except KeyboardInterrupt as error:
            typer.echo(f"Stopped. {error}".strip(), err=True)
            raise typer.Exit(STOPPED) from error
        except Exception as error:
            if _came_of_an_interrupt(error):
                typer.echo("Stopped.", err=True)
                raise typer.Exit(STOPPED) from error
            if isinstance(error, ModuleNotFoundError):
                raise fail(missing(error)) from error
            if isinstance(error, (UserError, ImportError, OSError)):
                raise fail(str(error)) from error
            raise

    return guarded
