"""`polyphase train gan`: a generator, and the pictures it makes."""

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from polyphase._facts import DECODERS
from polyphase.cli.errors import one_line_errors
from polyphase.cli.options import Data, Grey, Size


class Loss(StrEnum):
    """What generator and discriminator minimise."""

    RELATIVISTIC = "relativistic"
    NON_SATURATING = "non-saturating"


class Discriminator(StrEnum):
    """How the discriminator halves images."""

    STRIDED = "strided"
    BLURRED = "blurred"


@one_line_errors
def gan(
    generator: Annotated[
        str,
        typer.Option(
            help=f"How it upsamples: {', '.join(DECODERS)}. Or 'upsampling' and 'transposed': the "
            "tutorials' two generators, of 10x10 images."
        ),
    ] = "nearest",
    data: Data = "digits",
    size: Size = None,
    grey: Grey = False,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the training images.",
            show_default="as many as give 1,800 steps",
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = 32,
    width: Annotated[
        int, typer.Option(min=1, help="Channels of the generator at half size, and the other's.")
    ] = 16,
    loss: Annotated[
        Loss,
        typer.Option(help="What both minimise: pairs of a real and a made image, or each alone."),
    ] = Loss.RELATIVISTIC,
    penalty: Annotated[
        float, typer.Option(help="Weight of the discriminator's gradient penalties, R1 and R2.")
    ] = 0.05,
    discriminator: Annotated[
        Discriminator,
        typer.Option(help="How the discriminator halves images: 'blurred' sees no aliases."),
    ] = Discriminator.STRIDED,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, latents and data order.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to make for the results.", show_default="runs/gan-DATE-TIME"),
    ] = None,
) -> None:
    """Train a generator against a discriminator; watch it learn in an animated picture.

    The run folder holds config.json, metrics.jsonl, generator.keras (the moving average of its
    weights), samples.png, and training.webp: what the same 64 latents became, epoch by epoch.

    A training that fails (a loss that is not a number, one image for all latents) ends there, and
    says so; what it made is kept.

    Examples:

        polyphase train gan

        polyphase train gan --generator transposed-4 --data mnist.npz --epochs 8

        polyphase train gan --data photos/ --size 32

        polyphase train gan --generator upsampling --size 10 --grey
    """
    from polyphase.cli.progress import Watcher
    from polyphase.datasets import load
    from polyphase.report import samples
    from polyphase.workbench import ConfigError, default_folder, record, run_folder
    from polyphase.workbench.adversarial.training import (
        GanProgress,
        Round,
        contender_of,
        networks_of,
        train,
    )
    from polyphase.workbench.runs import TRAIN, append_metrics, require_new, write_json
    from polyphase.workbench.tasks.gan import Gan

    target = out or default_folder("gan")
    require_new(target)
    task = Gan(loss.value, penalty, discriminator.value)
    dataset = load(data, size, grey)
    one = contender_of(generator, task, dataset, epochs, batch_size, width)
    config = record(["polyphase", *sys.argv[1:]], TRAIN, dataset, [one], [seed])
    frames = []
    with run_folder(target) as folder, Watcher(1, one.epochs) as watcher:
        write_json(folder / "config.json", config)
        networks = networks_of(one, task, dataset, seed)

        def on_epoch(epoch: int, found: Round, images: Any) -> None:
            last = epoch + 1 == one.epochs
            append_metrics(
                folder, kind="round", decoder=generator, seed=seed, epoch=epoch, **asdict(found)
            )
            frames.append(samples.grid(images))
            watcher(GanProgress(generator, seed, epoch, one.epochs, found, last))

        trouble = train(networks, task, dataset, seed, one.epochs, batch_size, on_epoch)
        networks.average.save(folder / "generator.keras")
        (folder / "samples.png").write_bytes(samples.png(frames[-1]))
        (folder / "training.webp").write_bytes(samples.animation(frames))
    typer.echo(f"Samples: {target / 'samples.png'}")
    typer.echo(f"Training: {target / 'training.webp'}")
    typer.echo(f"Generator: {target / 'generator.keras'}")
    if trouble:
        raise ConfigError(
            f"The training failed after {len(frames)} of {one.epochs} epochs: {trouble}. What it "
            "made is kept. Try a larger --penalty, or another --seed."
        )
