"""`polyphase train gan`: train a generator, and show the images that it makes."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from polyphase._facts import DECODERS
from polyphase.cli.errors import one_line_errors
from polyphase.cli.options import Data, Discriminator, Grey, Loss, Resume, Size, given


@one_line_errors
def gan(
    context: typer.Context,
    generator: Annotated[
        str,
        typer.Option(
            help=f"How it upsamples: {', '.join(DECODERS)}. Or 'upsampling' or 'transposed': one "
            "of the tutorials' two generators of 10x10 images."
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
            show_default="enough for 1,800 steps",
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=2, help="Images per step.")] = 32,
    width: Annotated[
        int,
        typer.Option(
            min=1, help="Channels of the generator at half size, and of the discriminator at full."
        ),
    ] = 16,
    loss: Annotated[
        Loss,
        typer.Option(
            help="What both networks minimise: 'relativistic' scores pairs of a real and a "
            "generated image, 'non-saturating' each image alone."
        ),
    ] = Loss.RELATIVISTIC,
    penalty: Annotated[
        float, typer.Option(help="Weight of the discriminator's gradient penalties, R1 and R2.")
    ] = 2.0,
    discriminator: Annotated[
        Discriminator,
        typer.Option(
            help="How the discriminator halves images: 'strided' by convolutions with strides, "
            "'blurred' after a blur, so that it sees no aliases."
        ),
    ] = Discriminator.STRIDED,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights, latents and data order.")] = 0,
    resume: Resume = None,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the results.", show_default="runs/gan-DATE-TIME"),
    ] = None,
) -> None:
    """Train a generator against a discriminator, and show in an animated picture how it learns.

    The run folder holds config.json, metrics.jsonl, generator.keras (with the moving average of its
    weights), samples.png, and training.webp, which shows epoch by epoch what the generator makes of
    the same 64 latents.

    A training that fails (a loss is not a number, or all latents give one image) ends with a
    message, and what it made is kept. If something else stops a run, --resume continues it after
    its last finished epoch.

    Examples:

        polyphase train gan

        polyphase train gan --generator transposed-4 --data mnist.npz --epochs 8

        polyphase train gan --data photos/ --size 32

        polyphase train gan --generator upsampling --size 10 --grey

        polyphase train gan --resume runs/gan-20260101-120000
    """
    from polyphase.cli.progress import Watcher
    from polyphase.workbench import ConfigError, default_folder
    from polyphase.workbench.comparison import Trained
    from polyphase.workbench.kept import samples_path
    from polyphase.workbench.run import Run
    from polyphase.workbench.runs import TRAIN
    from polyphase.workbench.tasks.gan import Gan

    if resume is not None:
        run = Run.unfinished(resume, given(context), "polyphase train gan")
    else:
        task = Gan(loss.value, penalty, discriminator.value)
        run = Run.new(
            out or default_folder("gan"),
            [generator],
            (data, size, grey),
            [seed],
            command=["polyphase", *sys.argv[1:]],
            experiment=TRAIN,
            how={"epochs": epochs, "batch_size": batch_size, "width": width, "task": task},
            options={},
        )

    def show(trained: Trained, folder: Path) -> None:
        made = samples_path(folder, trained.contender.name, trained.seed)
        shutil.copyfile(made, folder / "samples.png")
        shutil.copyfile(made.with_suffix(".webp"), folder / "training.webp")

    history = run.train(show, Watcher)
    typer.echo(f"Samples: {run.target / 'samples.png'}")
    typer.echo(f"Training: {run.target / 'training.webp'}")
    typer.echo(f"Generator: {run.target / 'generator.keras'}")
    if trouble := history[-1].trouble:
        raise ConfigError(
            f"The training failed after {len(history)} of {run.contenders[0].epochs} epochs: "
            f"{trouble}. What it made is kept. Try a larger --penalty, or another --seed."
        )
