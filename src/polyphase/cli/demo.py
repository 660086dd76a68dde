"""`polyphase demo NAME`: the tutorials' worked examples."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polyphase.cli.errors import one_line_errors
from polyphase.cli.writing import unfinished


class Name(StrEnum):
    """The worked examples."""

    UPSAMPLING = "upsampling"
    SMOOTHING = "smoothing"
    TRANSPOSED = "transposed"
    UPSAMPLING_GENERATOR = "upsampling-generator"
    TRANSPOSED_GENERATOR = "transposed-generator"
    CHECKERBOARD = "checkerboard"


@one_line_errors
def demo(
    name: Annotated[Name, typer.Argument(help="Which worked example.")],
    out: Annotated[Path, typer.Option(help="Folder for the figure.")] = Path("runs"),
) -> None:
    """Run a worked example: print its arrays and its model, and save its figure.

    - **upsampling**: UpSampling2D repeats the pixels of a 2x2 image.
    - **smoothing**: a 2x2 image, enlarged 32 times by bilinear interpolation.
    - **transposed**: Conv2DTranspose puts a 2x2 image on a 4x4 grid.
    - **upsampling-generator**, **transposed-generator**: two GAN generators, untrained.
    - **checkerboard**: what transposed convolutions make of a constant, kernels 2 to 5, strides 2
      and 3.

    Example:

        polyphase demo smoothing
    """
    from polyphase.cli.examples import EXAMPLES
    from polyphase.report import png

    path = out / f"demo-{name}.png"
    # Of the same name, the same figure => it may be replaced.
    with unfinished(path, overwrite=True, option="--out") as folder:
        (folder / path.name).write_bytes(png(EXAMPLES[name]()))
    typer.echo(f"Figure: {path}")
