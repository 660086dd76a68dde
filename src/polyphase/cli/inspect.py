"""`polyphase inspect`: which layers of a saved model make checkerboards."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyphase.cli.errors import fail, one_line_errors
from polyphase.cli.writing import Overwrite, unfinished

if TYPE_CHECKING:
    import numpy as np

    from polyphase.inspection import Inspection


@one_line_errors
def inspect(
    source: Annotated[
        Path,
        typer.Argument(metavar="MODEL.keras", help="The model to inspect: .keras, .h5 or .hdf5."),
    ],
    fail_over: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Exit with code 1 if a layer's chi is over this value and its pattern reaches the "
            "output, or if a part that cannot be read might upsample. 0.05 is a good start.",
            show_default="never",
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Images to run the model on: 'photographs', 'mnist', an .npz or .npy file, or a "
            "folder of images, as in `polyphase compare`. They are cropped and resized to the "
            "model's input. Where they show a pattern, a repair is advised.",
            show_default="none",
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            help="Draw the patterns and their spectra into this PNG file.", show_default="none"
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Show which layers of a model make checkerboards, how strong they are, and what to do.

    Every layer that upsamples is examined, trained or not. Its chi is its checkerboard gain: 0 if a
    constant image stays constant, 1 if the pattern is as strong as the image. The model runs with
    and without each pattern to see how much of it reaches the output. The worst layer comes first.
    Parts that might upsample but cannot be read are named. chi describes flat areas; whether your
    images show the pattern is measured with --images.

    Examples:

        polyphase inspect generator.keras

        polyphase inspect generator.h5 --fail-over 0.05

        polyphase inspect autoencoder.keras --images photographs

        polyphase inspect generator.keras --figure patterns.png
    """
    if figure is not None and figure.suffix != ".png":
        raise fail(f"The figure's file must end in .png. Received: {figure}.")
    from polyphase.cli.models import load_model
    from polyphase.cli.tables import print_sentences, print_table
    from polyphase.inspection import inspect as inspect_model
    from polyphase.report import patterns, png

    with ExitStack() as stack:
        if figure is not None:
            writing = unfinished(figure, source=source, overwrite=overwrite, option="--figure")
            folder = stack.enter_context(writing)
        try:
            model = load_model(source)
            shown = None if images is None else _fitting(images, model)
            inspection = inspect_model(model, shown)
        except (ValueError, MemoryError) as error:
            raise fail(str(error)) from error
        drawn = patterns(inspection) if figure is not None else None
        if figure is not None and drawn is not None:
            (folder / figure.name).write_bytes(png(drawn))
    note = "\n\n".join(inspection.sentences())
    if inspection.stages:
        print_table(*inspection.rows(), note, text=2)
    else:
        print_sentences(note)
    if figure is not None:
        missing = "No layer has a pattern, so no figure was drawn."
        typer.echo(f"Figure: {figure}" if drawn else missing)
    if fail_over is not None:
        _judge(inspection, fail_over)


def _fitting(source: str, model: Any) -> "np.ndarray":
    """Return images of the size of a model's input, and grey if it takes grey ones."""
    from polyphase.datasets import load

    inputs = getattr(model, "inputs", None)
    shape: tuple[Any, ...] = inputs[0].shape if inputs else ()
    known = len(shape) == 4 and None not in shape[1:] and shape[-1] in (1, 3)
    return load(source, shape[1:3] if known else None, grey=known and shape[-1] == 1).train.pixels


def _judge(inspection: "Inspection", limit: float) -> None:
    """Exit with code 1, and the reasons, if a chi is over a limit or might be."""
    over = [f"{one.layer} ({one.chi:.3g})" for one in inspection.stages if one.exceeds(limit)]
    if over:
        typer.echo(f"chi over {limit:g}: {', '.join(over)}", err=True)
    if inspection.unread:
        named = ", ".join(map(str, inspection.unread))
        typer.echo(f"Not read, so the chi is not known: {named}", err=True)
    if over or inspection.unread:
        raise typer.Exit(1)
