"""`polyphase compare`: train models that differ in how they upsample, and compare them."""

import math
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyphase._facts import BATCH_SIZE, COMPARED, DECODERS, PUBLISHED, WIDTH
from polyphase.cli.errors import one_line_errors
from polyphase.cli.options import (
    Discriminator,
    Epochs,
    Grey,
    Loss,
    Minutes,
    Size,
    TaskData,
    epochs_of,
    given,
)

if TYPE_CHECKING:
    from polyphase.workbench import Comparison
    from polyphase.workbench import tasks as workbench
    from polyphase.workbench.cluster import Cluster


class Experiment(StrEnum):
    """What is compared."""

    FAIR = "fair"
    PUBLISHED = "published"


class Match(StrEnum):
    """Which cost is made the same for all decoders."""

    PARAMETERS = "parameters"
    MULTIPLY_ADDS = "multiply-adds"


class Search(StrEnum):
    """What is searched for each decoder."""

    LR = "lr"
    NONE = "none"


class Task(StrEnum):
    """What models are trained to do."""

    RECONSTRUCT = "reconstruct"
    DENOISE = "denoise"
    SUPER_RESOLVE = "super-resolve"
    FIT = "fit"
    GAN = "gan"


class Encoder(StrEnum):
    """What every decoder follows."""

    CENTRED = "centred"
    EVEN = "even"


@one_line_errors
def compare(
    context: typer.Context,
    task: Annotated[
        Task,
        typer.Option(
            help="What is trained. 'reconstruct': autoencoders. 'denoise': U-Nets that remove "
            "Gaussian noise. 'super-resolve': networks that enlarge images whose pixels were "
            "averaged; the page also shows bicubic and Lanczos. 'gan': generators against a "
            "discriminator. 'fit': the same generators learn 256 images by heart."
        ),
    ] = Task.RECONSTRUCT,
    noise: Annotated[
        float | None,
        typer.Option(
            help="For denoise: the noise's standard deviation, where pixels range from 0 to 1.",
            show_default="0.1, 25 grey levels",
        ),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(
            help="For super-resolve: how many times to enlarge, 2 or 4.", show_default="2"
        ),
    ] = None,
    loss: Annotated[
        Loss | None,
        typer.Option(
            help="For gan: what both networks minimise, as in `train gan`.",
            show_default="relativistic",
        ),
    ] = None,
    penalty: Annotated[
        float | None,
        typer.Option(
            help="For gan: weight of the discriminator's gradient penalties, R1 and R2.",
            show_default="2.0",
        ),
    ] = None,
    discriminator: Annotated[
        Discriminator | None,
        typer.Option(
            help="For gan: how the discriminator halves images, as in `train gan`.",
            show_default="strided",
        ),
    ] = None,
    data: TaskData = None,
    size: Size = None,
    grey: Grey = False,
    decoder: Annotated[
        list[str] | None,
        typer.Option(
            help="A decoder to compare; repeat the option for several. One of "
            f"{', '.join(DECODERS)}; or your own as package.module:function, which is called with "
            "(filters, activation, name) and returns a layer that doubles an image's height and "
            "width. EARLIER/LAST, as in nearest/transposed-3, gives the last stage a decoder of "
            "its own.",
            show_default=f"{', '.join(COMPARED[:-1])} and {COMPARED[-1]}",
        ),
    ] = None,
    epochs: Epochs = None,
    minutes: Minutes = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Images per step.",
            show_default=f"{BATCH_SIZE}; fit and gan: 32; published: 25 and 1000",
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1,
            help="How many seeds each decoder is trained with: 0, 1, ... With fewer than three, no "
            "winner is named; five or more are better.",
        ),
    ] = 3,
    experiment: Annotated[
        Experiment,
        typer.Option(
            help="'fair': one network, in which only the upsampling differs. 'published': the two "
            "different networks that the tutorials compare."
        ),
    ] = Experiment.FAIR,
    match: Annotated[
        Match | None,
        typer.Option(
            help="Widen decoders until all cost the same within 3%, in parameters or in "
            "multiply-adds as this backend computes them.",
            show_default="none: all are equally wide",
        ),
    ] = None,
    search: Annotated[
        Search | None,
        typer.Option(
            help="'lr': first try learning rates from 0.0001 to 0.01 for each decoder, with two "
            "other seeds and on training images alone, and take the best. 'none': 0.001 for all.",
            show_default="lr; fit, gan and published: none",
        ),
    ] = None,
    encoder: Annotated[
        Encoder,
        typer.Option(
            help="'centred': each pixel of the code sees the part of the image where upsampling "
            "puts it. 'even': the tutorial's, whose 2x2 convolutions shift the code by 5.5 pixels."
        ),
    ] = Encoder.CENTRED,
    width: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Channels of the encoder, the code and the decoder's stages; for fit and gan, of "
            "the generator.",
            show_default=f"{WIDTH}; fit and gan: 16",
        ),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(
            help="Call two decoders equal if the confidence interval of their difference in loss "
            "lies within this margin: a number above 0, in nats per pixel (super-resolve: in grey "
            "levels of 255). State it before the run; it cannot be changed afterwards.",
            show_default="none: nothing is called equal",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Train in this many processes, with Dask.", show_default="none"),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Train on the workers of the Dask scheduler at this address, tcp://host:port.",
            show_default="none",
        ),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            min=1, help="Divide every batch among this many devices (JAX).", show_default="one"
        ),
    ] = None,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard", help="Also write losses and images for TensorBoard, beside the page."
        ),
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Continue an interrupted run after its last finished epoch. It keeps the options "
            "that it was begun with; only --workers and --scheduler may change.",
            show_default="none",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the results.", show_default="runs/compare-DATE-TIME"),
    ] = None,
) -> None:
    """Train models that differ only in how they upsample, and write a page that compares them.

    All have the same encoder, widths, data order and seeds, and each is trained with its own best
    learning rate. What differs is the decoder: the layers that double the height and width.
    The run folder holds config.json, metrics.jsonl, the trained models, the figures and
    report.html. Until the run is complete, the folder's name ends in .partial.

    If something stops a run (Ctrl-C, a kill, a full disk), `polyphase compare --resume RUN`
    continues it after its last finished epoch. Ctrl-C prints that command.

    Examples:

        polyphase compare

        polyphase compare --decoder nearest --decoder transposed-3 --seeds 5

        polyphase compare --match parameters --epochs auto --seeds 10

        polyphase compare --decoder nearest --decoder mypackage.decoders:mine

        polyphase compare --data photos/ --size 64 --epochs 100

        polyphase compare --task super-resolve --scale 2 --data photos/ --size 64

        polyphase compare --task gan --decoder nearest --decoder nearest/transposed-3

        polyphase compare --resume runs/compare-20260101-120000

        polyphase compare --experiment published --data mnist.npz
    """
    from polyphase.cli.progress import Watcher
    from polyphase.report import write
    from polyphase.workbench import default_folder
    from polyphase.workbench.run import Run
    from polyphase.workbench.tasks import task as chosen_task

    if resume is not None:
        run = Run.unfinished(resume, given(context), "polyphase compare")
    else:
        target, stated = out or default_folder("compare"), _margin(margin, experiment)
        published = experiment is Experiment.PUBLISHED
        _refuse_beside_published(published, given(context))
        passes, most = epochs_of(epochs, minutes)
        how: dict[str, Any] = {"epochs": passes, "batch_size": batch_size, "minutes": most}
        chosen = {"noise": noise, "scale": scale, "loss": loss, "penalty": penalty}
        doing = chosen_task(task.value, **chosen, discriminator=discriminator)
        _refuse(doing, given(context), most)
        searching = search or (Search.LR if doing.searched and not published else Search.NONE)
        if not published:
            how |= {"width": width or doing.width, "encoder": encoder.value, "task": doing}
        run = Run.new(
            target,
            PUBLISHED if published else _decoders(decoder),
            (data or doing.data, size, grey),
            range(seeds),
            command=["polyphase", *sys.argv[1:]],
            experiment=experiment.value,
            match=match.value if match else None,
            search=None if searching is Search.NONE else searching.value,
            how=how,
            options={
                "devices": devices,
                "tensorboard": tensorboard,
                "margin": stated,
                "workers": None,
            },
        )
    pool = _pool(workers, scheduler, devices or run.config.get("devices"))
    _say(run.go(write, Watcher, pool), run.target)


def _pool(workers: int | None, scheduler: str | None, devices: int | None) -> "Cluster | None":
    """Return where to train, if not here."""
    from polyphase.workbench.cluster import Cluster

    if workers and scheduler:
        raise typer.BadParameter(
            "received --workers too; give one of the two", param_hint="--scheduler"
        )
    if devices and (workers or scheduler):
        raise typer.BadParameter(
            "received --workers or --scheduler too; devices are for training in this process",
            param_hint="--devices",
        )
    return Cluster(workers, scheduler) if workers or scheduler else None


def _margin(margin: float | None, experiment: Experiment) -> float | None:
    """Return a margin of equivalence, checked."""
    if margin is None:
        return None
    if experiment is Experiment.PUBLISHED:
        raise typer.BadParameter(
            "the published experiment is confounded, so it calls nothing equal; leave this option "
            "out",
            param_hint="--margin",
        )
    if not 0 < margin < math.inf:
        raise typer.BadParameter(
            f"received {margin}; give a difference of losses above 0, for example 0.001",
            param_hint="--margin",
        )
    return margin


def _refuse_beside_published(published: bool, given: dict[str, Any]) -> None:
    for name in ("task", "decoder", "match", "encoder", "width"):
        if published and name in given:
            raise typer.BadParameter(
                "the published experiment has its own two networks; leave this option out",
                param_hint=f"--{name}",
            )


def _refuse(doing: "workbench.Task", given: dict[str, Any], minutes: float | None) -> None:
    """Refuse options that a task does not have."""
    if not doing.searched and given.get("search") is Search.LR:
        raise typer.BadParameter(
            f"the task {doing.name} holds out no images to search with; leave this option out",
            param_hint="--search",
        )
    if not doing.paired and minutes:
        raise typer.BadParameter(
            "a generator reaches no plateau; give a number", param_hint="--epochs"
        )
    if not doing.encoders and "encoder" in given:
        raise typer.BadParameter(
            f"the task {doing.name} has no other encoder; leave this option out",
            param_hint="--encoder",
        )


def _decoders(names: list[str] | None) -> Sequence[str]:
    """Return the decoders to compare; the tutorials' own networks are none."""
    from polyphase.workbench import ConfigError

    for name in names or ():
        if name in PUBLISHED:
            raise ConfigError(
                f"{name!r} is one of the tutorials' own two networks, not a decoder. To train "
                "both, use --experiment published. Decoders are "
                f"{', '.join(DECODERS)}, or package.module:function."
            )
    return names or COMPARED


def _say(comparison: "Comparison", target: Path) -> None:
    """Print what was found, and where the page is."""
    from polyphase.cli.tables import print_table
    from polyphase.report import answer, circumstances, text_columns

    note = circumstances(comparison)
    print_table(*text_columns(comparison), "\n\n".join([note, " ".join(answer(comparison))]))
    typer.echo(f"Page: {target / 'report.html'}")
