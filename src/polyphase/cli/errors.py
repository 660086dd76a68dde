"""Expected failures become one line on stderr and exit code 2."""

import functools
from collections.abc import Callable
from typing import Any

import typer

from polyphase.datasets import DataError
from polyphase.workbench import ConfigError


def fail(message: str) -> typer.Exit:
    """Print one line to stderr and return the exit to raise."""
    typer.secho("Error: ", fg="red", bold=True, nl=False, err=True)
    typer.echo(" ".join(message.split()), err=True)
    return typer.Exit(2)


def one_line_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command: bad input, files and missing packages end it without a traceback."""

    @functools.wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (ConfigError, DataError, ImportError, OSError) as error:
            raise fail(str(error)) from error
        except KeyboardInterrupt as error:
            typer.echo(
                "Stopped. Finished epochs, if any, lie in the .partial folder; `polyphase compare "
                "--resume RUN` goes on from there.",
                err=True,
            )
            raise typer.Exit(130) from error

    return guarded
