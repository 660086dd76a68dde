"""`polyphase train autoencoder`: one model, and its reconstructions."""

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polyphase._facts import BATCH_SIZE, DECODERS, EPOCHS, PUBLISHED, WIDTH
from polyphase.cli.errors import one_line_errors
from polyphase.cli.options import Data, Grey, Size, Width


class Layers(StrEnum):
    """Where the published autoencoders take their upsampling layers from."""

    POLYPHASE = "polyphase"
    KERAS = "keras"


@one_line_errors
def autoencoder(
    decoder: Annotated[
        str,
        typer.Option(
            help="'upsampling' and 'transposed': the tutorials' two autoencoders (28x28 images). "
            f"Or one for any size: {', '.join(DECODERS)}."
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
            help="Layers of the two published autoencoders: ours, or Keras' own to compare with."
        ),
    ] = Layers.POLYPHASE,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to make for the results.", show_default="runs/train-DATE-TIME"),
    ] = None,
) -> None:
    """Train an autoencoder; draw eight test images beside their reconstructions.

    The run folder holds config.json, metrics.jsonl, model.keras and reconstructions.png.

    Examples:

        polyphase train autoencoder

        polyphase train autoencoder --decoder transposed --data mnist.npz

        polyphase train autoencoder --data photos/ --size 28 --grey

        polyphase train autoencoder --decoder bilinear --epochs 100
    """
    import keras

    from polyphase import layers as polyphase_layers
    from polyphase.cli.progress import Watcher
    from polyphase.datasets import load
    from polyphase.report import pairs, png
    from polyphase.workbench import (
        Epoch,
        Progress,
        check,
        contender,
        default_folder,
        record,
        run_folder,
        shown_images,
        train,
    )
    from polyphase.workbench.runs import TRAIN, append_metrics, require_new, write_json

    if decoder in PUBLISHED and width != WIDTH:
        raise typer.BadParameter(
            f"{decoder!r} is as wide as it was published; leave it out", param_hint="--width"
        )
    target = out or default_folder("train")
    require_new(target)
    source = keras.layers if layers is Layers.KERAS else polyphase_layers
    one = contender(decoder, epochs, batch_size, source, width=width)
    dataset = load(data, size, grey)
    check([one], dataset)
    config = record(["polyphase", *sys.argv[1:]], TRAIN, dataset, [one], [seed])
    with run_folder(target) as folder, Watcher(1, one.epochs) as watcher:
        write_json(folder / "config.json", config | {"layers": layers.value})

        def on_epoch(epoch: int, result: Epoch, last: bool) -> None:
            append_metrics(
                folder, kind="epoch", decoder=decoder, seed=seed, epoch=epoch, **asdict(result)
            )
            watcher(Progress.of(one, seed, epoch, result, last))

        model, history = train(one, dataset, seed, on_epoch)
        model.save(folder / "model.keras")
        shown = shown_images(dataset.test)
        figure = pairs(
            shown.pixels,
            model.predict(shown.pixels, verbose=0),
            shown.labels,
            f"{decoder}: originals and reconstructions",
        )
        (folder / "reconstructions.png").write_bytes(png(figure))
    floor = config["data"]["floor"]
    typer.echo(
        f"Validation loss: {history[-1].validation_loss:.4f} (floor of the data: {floor:.4f})"
    )
    typer.echo(f"Figure: {target / 'reconstructions.png'}")
    typer.echo(f"Model: {target / 'model.keras'}")
