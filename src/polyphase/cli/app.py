"""`polyphase`: the commands, and what they share."""

from typing import Annotated

import typer

from polyphase._version import __version__
from polyphase.cli.bench import bench
from polyphase.cli.compare import compare
from polyphase.cli.demo import demo
from polyphase.cli.errors import fail, one_line_errors
from polyphase.cli.explore import explore
from polyphase.cli.fold import fold
from polyphase.cli.inspect import inspect
from polyphase.cli.runs import report, runs
from polyphase.cli.train import autoencoder
from polyphase.cli.train_gan import gan
from polyphase.cli.usage import Commands

app = typer.Typer(
    cls=Commands,
    name="polyphase",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
train = typer.Typer(
    help="Train one autoencoder, or a generator against a discriminator.", no_args_is_help=True
)
train.command("autoencoder")(autoencoder)
train.command("gan")(gan)
app.command()(compare)
app.command()(demo)
app.command()(explore)
app.command()(bench)
app.command()(fold)
app.command()(inspect)
app.command()(runs)
app.command()(report)
app.add_typer(train, name="train")


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            help="With --version: also print the versions of Python, Keras and the backend, and "
            "the machine. Please include this in a bug report.",
        ),
    ] = False,
) -> None:
    """Upsampling for Keras: see what it does, train with it, compare its variants.

    Start with `polyphase compare`. It takes five minutes and writes a page that shows what each
    kind of upsampling does.
    """
    if verbose and not version:
        raise fail("--verbose goes with --version. Write: polyphase --version --verbose")
    if version:
        typer.echo(_circumstances() if verbose else __version__)
        raise typer.Exit


@one_line_errors
def _circumstances() -> str:
    """Return everything on which a result may depend, a line each."""
    import keras

    from polyphase.workbench.environment import machine, versions

    found = versions() | {"backend": keras.backend.backend()} | machine()
    return "\n".join(f"{name} {value}" for name, value in found.items())
