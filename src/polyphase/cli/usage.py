"""Usage errors are printed like all other errors: one line on stderr, exit code 2."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from polyphase.cli.errors import fail

# Typer has no public name for what its usage errors have in common.
_UsageError: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError"
)


class Commands(TyperGroup):
    """The commands of a program, without Typer's boxes around errors."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; say what is wrong with its arguments in one line."""
        if not kwargs.get("standalone_mode", True):
            return super().main(*args, **kwargs)
        try:
            code = super().main(*args, **kwargs | {"standalone_mode": False})
        except _UsageError as error:
            code = _said(error)
        except typer.Abort:
            code = fail("Aborted.").exit_code
        sys.exit(code if isinstance(code, int) else 0)


def _said(error: Any) -> int:
    """Print a usage error; return the exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":  # its help is printed
        return int(error.exit_code)
    where = error.ctx.command_path if error.ctx else "polyphase"
    message = error.format_message().strip().replace("Value error, ", "")  # of its validator
    message += "" if message.endswith((".", "?")) else "."
    return int(fail(f"{message} See `{where} --help`.").exit_code)
