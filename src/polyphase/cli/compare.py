"""`polyphase compare`: the main job."""

import math
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyphase._facts import BATCH_SIZE, COMPARED, DECODERS, PUBLISHED, WIDTH
from polyphase.cli.errors import one_line_errors
from polyphase.cli.options import Data, Epochs, Grey, Minutes, Size, Width, epochs_of

if TYPE_CHECKING:
    from polyphase.datasets import Dataset
    from polyphase.workbench import Contender, Progress
    from polyphase.workbench.cluster import Cluster


class Experiment(StrEnum):
    """What is compared."""

    FAIR = "fair"
    PUBLISHED = "published"


class Match(StrEnum):
    """In what decoders are to agree."""

    PARAMETERS = "parameters"
    MULTIPLY_ADDS = "multiply-adds"


class Search(StrEnum):
    """What is searched for each decoder."""

    LR = "lr"
    NONE = "none"


class Encoder(StrEnum):
    """What every decoder follows."""

    CENTRED = "centred"
    EVEN = "even"


@one_line_errors
def compare(
    context: typer.Context,
    data: Data = "digits",
    size: Size = None,
    grey: Grey = False,
    decoder: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A decoder, repeatable: {', '.join(DECODERS)}; or your own as "
            "package.module:function, which is called with (filters, activation, name) and "
            "returns a layer that doubles an image's sides.",
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
            show_default=f"{BATCH_SIZE}; published: 25 and 1000",
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1,
            help="How many seeds each decoder is trained with: 0, 1, ...; fewer than three name no "
            "winner, five or more are better.",
        ),
    ] = 3,
    experiment: Annotated[
        Experiment,
        typer.Option(
            help="'fair': one autoencoder, only its decoder's upsampling differs. 'published': "
            "the two different networks that the tutorials compare."
        ),
    ] = Experiment.FAIR,
    match: Annotated[
        Match | None,
        typer.Option(
            help="Widen decoders until all cost the same within 3%: in parameters, or in "
            "multiply-adds as this backend computes them.",
            show_default="all equally wide",
        ),
    ] = None,
    search: Annotated[
        Search | None,
        typer.Option(
            help="'lr': first try learning rates from 0.0001 to 0.01 for each decoder, with two "
            "seeds of their own and on training images alone, and take the best. 'none': 0.001 for "
            "all.",
            show_default="lr; published: none",
        ),
    ] = None,
    encoder: Annotated[
        Encoder,
        typer.Option(
            help="'centred': its code lies where upsampling puts it. 'even': the tutorial's, whose "
            "2x2 convolutions shift it by 5.5 pixels."
        ),
    ] = Encoder.CENTRED,
    width: Width = WIDTH,
    margin: Annotated[
        float | None,
        typer.Option(
            help="Nats per pixel, above 0: decoders are called equal where the interval of their "
            "difference lies within it. State it before the run; it cannot be changed after.",
            show_default="none: nothing is called equal",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Train in so many processes, by Dask.", show_default="here"),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Train on the workers of a Dask scheduler, tcp://host:port.", show_default="none"
        ),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            min=1, help="Divide every batch among so many devices (JAX).", show_default="one"
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
            help="Go on with an interrupted run after its last finished epoch, with the options "
            "it was begun with; only --workers and --scheduler are free.",
            show_default="none",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to make for the results.", show_default="runs/compare-DATE-TIME"),
    ] = None,
) -> None:
    """Train autoencoders that differ only in how they upsample; leave a page with the evidence.

    Same encoder, widths, data order and seeds, for each its best learning rate; each x2 stage is
    one of the decoders.
    The run folder holds config.json, metrics.jsonl, the trained models, the figures and
    report.html. It has its name only when it is complete; until then it ends in .partial.

    Whatever stops a run (Ctrl-C, a kill, a full disk), `polyphase compare --resume RUN` goes on
    with it after its last finished epoch; Ctrl-C prints that command.

    Examples:

        polyphase compare

        polyphase compare --decoder nearest --decoder transposed-3 --seeds 5

        polyphase compare --match parameters --epochs auto --seeds 10

        polyphase compare --decoder nearest --decoder mypackage.decoders:mine

        polyphase compare --data photos/ --size 64 --epochs 100

        polyphase compare --resume runs/compare-20260101-120000

        polyphase compare --experiment published --data mnist.npz
    """
    from polyphase.workbench import default_folder, record
    from polyphase.workbench.cluster import Cluster
    from polyphase.workbench.devices import devices as several
    from polyphase.workbench.resume import (
        check_options,
        contenders_of,
        dataset_of,
        target_of,
        unfinished,
    )
    from polyphase.workbench.search import held_out

    if resume is not None:
        target = target_of(resume)
        config = unfinished(target)
        check_options(_given(context), config, target)
        contenders, dataset = contenders_of(config), dataset_of(config)
        devices, tensorboard = config.get("devices"), config.get("tensorboard", False)
    else:
        target, stated = out or default_folder("compare"), _margin(margin, experiment)
        published = experiment is Experiment.PUBLISHED
        _refuse_beside_published(published, _given(context))
        searching = search or (Search.NONE if published else Search.LR)
        searched = None if searching is Search.NONE else searching.value
        passes, most = epochs_of(epochs, minutes)
        how: dict[str, Any] = {"epochs": passes, "batch_size": batch_size, "minutes": most}
        if not published:
            how |= {"width": width, "encoder": encoder.value}
        images = (data, size, grey)
        contenders, dataset = _chosen(images, decoder, published, match, searched, how)
        command = ["polyphase", *sys.argv[1:]]
        what = (command, experiment.value, dataset, contenders, range(seeds))
        config = record(*what, match, searched)
        config |= {"devices": devices, "tensorboard": tensorboard}
        config |= {"margin": stated, "workers": None}
    if workers and scheduler:
        raise typer.BadParameter("give --workers or --scheduler", param_hint="--scheduler")
    if devices and (workers or scheduler):
        raise typer.BadParameter("devices are for training here", param_hint="--devices")
    pool = Cluster(workers, scheduler) if workers or scheduler else None
    if pool:
        config["workers"] = str(workers or scheduler)
    used = [dataset, held_out(dataset)] if config["search"] else [dataset]
    with several(devices, contenders, used):
        _run(contenders, dataset, config, target, resume is not None, pool, tensorboard)


def _margin(margin: float | None, experiment: Experiment) -> float | None:
    """Return a margin of equivalence, checked."""
    if margin is None:
        return None
    if experiment is Experiment.PUBLISHED:
        raise typer.BadParameter(
            "the published experiment is confounded and calls nothing equal; leave it out",
            param_hint="--margin",
        )
    if not 0 < margin < math.inf:
        raise typer.BadParameter(
            f"received {margin}; give nats per pixel above 0, for example 0.001",
            param_hint="--margin",
        )
    return margin


def _given(context: typer.Context) -> dict[str, Any]:
    """Return the options that were given, by the names of their parameters."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {
        name: context.params[name]
        for name, source in sources.items()
        if source is not None and source.name != "DEFAULT"
    }


def _refuse_beside_published(published: bool, given: dict[str, Any]) -> None:
    for name in ("decoder", "match", "encoder", "width"):
        if published and name in given:
            raise typer.BadParameter(
                "the published experiment has its own two networks; leave it out",
                param_hint=f"--{name}",
            )


def _chosen(
    images: tuple[str, str | None, bool],
    decoder: list[str] | None,
    published: bool,
    match: Match | None,
    search: str | None,
    how: dict[str, Any],
) -> "tuple[list[Contender], Dataset]":
    """Return what is to be compared, and on which data; all checked."""
    from polyphase.datasets import load
    from polyphase.workbench import ConfigError, check, contender
    from polyphase.workbench.matching import matched_widths
    from polyphase.workbench.search import held_out

    names = PUBLISHED if published else tuple(decoder or COMPARED)
    for name in names if not published else ():
        if name in PUBLISHED:
            raise ConfigError(
                f"{name!r} is one of the tutorials' own two networks: use --experiment published. "
                f"Decoders are {', '.join(DECODERS)}, or package.module:function."
            )
    contenders = [contender(name, **how) for name in names]
    dataset = load(*images)
    check(contenders, dataset)
    if search:
        check(contenders, held_out(dataset))
    if match is not None:
        widths = matched_widths(contenders, dataset.shape, match.value)
        contenders = [contender(name, **how, widths=widths[name]) for name in names]
    return contenders, dataset


def _run(
    contenders: "list[Contender]",
    dataset: "Dataset",
    config: dict[str, Any],
    target: Path,
    resume: bool,
    pool: "Cluster | None",
    tensorboard: bool,
) -> None:
    """Train, measure, write the page, and say what was found."""
    from polyphase.cli.progress import Watcher
    from polyphase.cli.tables import print_table
    from polyphase.report import answer, spread_sentence, text_columns, write
    from polyphase.workbench import compare as compare_contenders
    from polyphase.workbench import run_folder
    from polyphase.workbench.comparison import Models
    from polyphase.workbench.evidence import save
    from polyphase.workbench.runs import write_json
    from polyphase.workbench.search import FIRST, searched
    from polyphase.workbench.tensorboard import Board

    seeds = config["seeds"]
    trials = len(seeds) + (len(FIRST) + 2 if config["search"] else 0)  # or more
    total = None if config["minutes"] else trials * sum(one.epochs for one in contenders)
    with run_folder(target, resume) as folder:
        write_json(folder / "config.json", config)
        shutil.rmtree(folder / "tensorboard", ignore_errors=True)  # every epoch comes again
        models: Models = {}
        board = Board(folder / "tensorboard") if tensorboard else None
        with Watcher(trials * len(contenders), total) as watcher:

            def watch(progress: "Progress") -> None:
                if board and progress.seed in seeds:  # a search has seeds of its own
                    board(progress)
                watcher(progress)

            if config["search"]:
                spare = (len(seeds), len(seeds) + 1)
                if pool:
                    every = [(one, seed) for one in contenders for seed in (*seeds, *spare)]
                    pool.draw(every, dataset)
                contenders = searched(contenders, dataset, spare, folder, watch, pool, models)
                config["learning_rate"] = {one.name: one.learning_rate for one in contenders}
            comparison = compare_contenders(
                contenders, dataset, seeds, config, folder, watch, pool, models
            )
        if board:
            board.finish(comparison)
        save(comparison, folder)
        write(comparison, folder)
    note = f"{spread_sentence(comparison)} Floor of the data: {comparison.floor:.4f} nats/pixel."
    print_table(*text_columns(comparison), "\n\n".join([note, " ".join(answer(comparison))]))
    typer.echo(f"Page: {target / 'report.html'}")
