"""`polyphase compare`: the main job."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polyphase.cli.errors import one_line_errors
from polyphase.cli.options import Data
from polyphase.cli.progress import Watcher
from polyphase.cli.tables import print_table
from polyphase.datasets import load
from polyphase.models import DECODERS
from polyphase.report import spread_sentence, text_columns, write
from polyphase.workbench import ConfigError, check, contender, default_folder, record, run_folder
from polyphase.workbench import compare as compare_contenders
from polyphase.workbench.config import BATCH_SIZE, EPOCHS, PUBLISHED


class Experiment(StrEnum):
    """What is compared."""

    FAIR = "fair"
    PUBLISHED = "published"


@one_line_errors
def compare(
    data: Data = "digits",
    decoder: Annotated[
        list[str] | None,
        typer.Option(help=f"A decoder, repeatable: {', '.join(DECODERS)}.", show_default="all"),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Passes over the training images.", show_default=f"{EPOCHS}; published: 25"
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Images per step.",
            show_default=f"{BATCH_SIZE}; published: 25 and 1000",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="How many seeds each decoder is trained with: 0, 1, ...")
    ] = 2,
    experiment: Annotated[
        Experiment,
        typer.Option(
            help="'fair': one autoencoder, only its decoder's upsampling differs. 'published': "
            "the two different networks that the tutorials compare."
        ),
    ] = Experiment.FAIR,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder to make for the results.", show_default="runs/compare-DATE-TIME"),
    ] = None,
) -> None:
    """Train autoencoders that differ only in how they upsample; leave a page with the evidence.

    Same encoder, widths, data order, seeds and training; each x2 stage is one of the decoders.
    The run folder holds config.json, metrics.jsonl, the trained models, the figures and
    report.html. It has its name only when it is complete; until then it ends in .partial.

    Examples:

        polyphase compare

        polyphase compare --decoder nearest --decoder transposed-3 --seeds 5

        polyphase compare --data photos/ --epochs 100

        polyphase compare --experiment published --data mnist.npz
    """
    published = experiment is Experiment.PUBLISHED
    if published and decoder:
        raise typer.BadParameter(
            "the published experiment has its own two decoders; leave it out",
            param_hint="--decoder",
        )
    names = PUBLISHED if published else tuple(decoder or DECODERS)
    for name in set(names) - set(DECODERS) if not published else ():
        raise ConfigError(
            f"Unknown decoder {name!r}. Choose from: {', '.join(DECODERS)}. The tutorials' own two "
            "networks are --experiment published."
        )
    contenders = [contender(name, epochs, batch_size) for name in names]
    dataset = load(data)
    check(contenders, dataset)
    all_seeds = range(seeds)
    target = out or default_folder("compare")
    command = ["polyphase", *sys.argv[1:]]
    config = record(command, experiment.value, dataset, contenders, all_seeds)
    total = seeds * sum(one.epochs for one in contenders)
    with run_folder(target) as folder:
        with Watcher(seeds * len(contenders), total) as watcher:
            comparison = compare_contenders(contenders, dataset, all_seeds, config, folder, watcher)
        write(comparison, folder)
    note = f"{spread_sentence(comparison)} Floor of the data: {comparison.floor:.4f} nats/pixel."
    print_table(*text_columns(comparison), note)
    typer.echo(f"Page: {target / 'report.html'}")
