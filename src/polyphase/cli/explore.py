"""`polyphase explore`: a page on which upsampling layers are tried on small inputs."""

from pathlib import Path
from typing import Annotated

import typer

from polyphase.cli.errors import one_line_errors
from polyphase.cli.writing import Overwrite, unfinished


@one_line_errors
def explore(
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path(
        "polyphase-explorer.html"
    ),
    overwrite: Overwrite = False,
) -> None:
    """Write a page that shows what upsampling layers do: paint an input, see the output change.

    One HTML file, which needs a browser and no network. It shows interpolations, convolutions after
    them, transposed and sub-pixel convolutions, up to four in a row, on signals and small images:

    - which inputs and which taps make each output, written out as a sum;
    - the phases, how many taps each output gets, and what a constant comes out as;
    - the same layer in another form, with its kernel, and the multiply-adds of each;
    - the kernel of a transposed convolution after each epoch of its training;
    - the Keras code of what is shown.

    Its whole state is in its address, after the "#": copy that to show a case to someone else.
    An older explorer is replaced; another file only with --overwrite.

    Examples:

        polyphase explore

        polyphase explore --out lesson/explorer.html
    """
    from polyphase.explorer import is_page, page

    with unfinished(out, overwrite=overwrite or is_page(out), option="--out") as folder:
        (folder / out.name).write_text(page(), encoding="utf-8", newline="\n")
    typer.echo(f"Page: {out}")
