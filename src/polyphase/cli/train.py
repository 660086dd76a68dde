"""`polyphase train autoencoder`: train one model, and draw its reconstructions."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polyphase._facts import BATCH_SIZE, DECODERS, EPOCHS, PUBLISHED, WIDTH
from polyphase.cli.errors import one_line_errors
from polyphase.cli.options import Data, Grey, Resume, Size, Width, given


class Layers(StrEnum):
    """Where the published autoencoders take their upsampling layers from."""

    POLYPHASE = "polyphase"
    KERAS = "keras"


@one_line_errors
def autoencoder(
    context: typer.Context,
    decoder: Annotated[
        str,
        typer.Option(
            help="'upsampling' or 'transposed': one of the tutorials' two autoencoders (28x28 "
            f"images). Or a decoder for any size: {', '.join(DECODERS)}."
        ),
    ] = "upsampling",
    data: Data = "digits",
    size: Size = None,
    grey: Grey = False,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the training images.",
            show_default=f"published: 25, others: {EPOCHS}",
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Images per step.",
            show_default=f"published: 25 and 1000, others: {BATCH_SIZE}",
        ),
    ] = None,
    width: Width = WIDTH,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights and data order.")] = 0,
    layers: Annotated[
        Layers,
        typer.Option(
            help="Upsampling layers of the two published autoencoders: Polyphase's, or Keras' own "
            "to compare with."
        ),
    ] = Layers.POLYPHASE,
    resume: Resume = None,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the results.", show_default="runs/train-DATE-TIME"),
    ] = None,
) -> None:
    """Train an autoencoder, and draw eight test images with their reconstructions.

    The run folder holds config.json, metrics.jsonl, model.keras and reconstructions.png. If
    something stops a run, --resume continues it after its last finished epoch.

    Examples:

        polyphase train autoencoder

        polyphase train autoencoder --decoder transposed --data mnist.npz

        polyphase train autoencoder --data photos/ --size 28 --grey

        polyphase train autoencoder --decoder bilinear --epochs 100

        polyphase train autoencoder --resume runs/train-20260101-120000
    """
    import keras

    from polyphase import layers as polyphase_layers
    from polyphase.cli.progress import Watcher
    from polyphase.report import pairs, png
    from polyphase.workbench import default_folder, shown_images
    from polyphase.workbench.comparison import Trained
    from polyphase.workbench.run import Run
    from polyphase.workbench.runs import TRAIN

    if resume is not None:
        run = Run.unfinished(resume, given(context), "polyphase train autoencoder")
    else:
        if decoder in PUBLISHED and width != WIDTH:
            raise typer.BadParameter(
                f"{decoder!r} has the width it was published with; leave this option out",
                param_hint="--width",
            )
        run = Run.new(
            out or default_folder("train"),
            [decoder],
            (data, size, grey),
            [seed],
            command=["polyphase", *sys.argv[1:]],
            experiment=TRAIN,
            how={
                "epochs": epochs,
                "batch_size": batch_size,
                "width": width,
                "layers": keras.layers if layers is Layers.KERAS else polyphase_layers,
            },
            options={"layers": layers.value},
        )

    def show(trained: Trained, folder: Path) -> None:
        shown = shown_images(run.dataset.test)
        figure = pairs(
            shown.pixels,
            trained.model.predict(shown.pixels, verbose=0),
            shown.labels,
            f"{trained.contender.name}: originals and reconstructions",
        )
        (folder / "reconstructions.png").write_bytes(png(figure))

    history, floor = run.train(show, Watcher), run.config["data"]["floor"]
    typer.echo(
        f"Validation loss: {history[-1].validation_loss:.4f} (floor of the data: {floor:.4f})"
    )
    typer.echo(f"Figure: {run.target / 'reconstructions.png'}")
    typer.echo(f"Model: {run.target / 'model.keras'}")
