"""`polyphase explore`: a page for trying upsampling layers on small inputs."""

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

    The page is one HTML file; it needs a browser and no network. It shows interpolations, the
    convolutions after them, and transposed and sub-pixel convolutions, up to four layers in a row,
    on signals and small images:

    - which inputs and which taps of the kernel make each output, written out as a sum;
    - the phases, how many taps each output gets, and what the layer makes of a constant;
    - the same layer in another form, with its kernel, and the multiply-adds of each;
    - the kernel of a transposed convolution after each epoch of its training;
    - the Keras code of what is shown.

    The page keeps its whole state in its address, after the "#": copy the address to show a case
    to someone else. A page of an older explorer is replaced; any other file is replaced only with
    --overwrite.

    Examples:

        polyphase explore

        polyphase explore --out lesson/explorer.html
    """
    from polyphase.explorer import is_page, page

    with unfinished(out, overwrite=overwrite or is_page(out), option="--out") as folder:
        (folder / out.name).write_text(page(), encoding="utf-8", newline="\n")
    typer.echo(f"Page: {out}")
