"""A run: what is trained and judged in one folder, from its options to its evidence."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

from polyphase.datasets import Dataset, load
from polyphase.workbench import evidence, resume
from polyphase.workbench.adversarial.judging import judge_of
from polyphase.workbench.cluster import Cluster
from polyphase.workbench.comparison import Models, Progress, Trained, compare, train_one
from polyphase.workbench.config import Contender, check, contender, record
from polyphase.workbench.devices import devices
from polyphase.workbench.kept import model_path
from polyphase.workbench.matching import matched_widths
from polyphase.workbench.results import Comparison, Epoch
from polyphase.workbench.runs import TRAIN, require_new, run_folder, write_json
from polyphase.workbench.search import FIRST, held_out, searched
from polyphase.workbench.tensorboard import Board

Watch = Callable[[Progress], None]
Show = Callable[[Comparison, Path], Any]
ShowOne = Callable[[Trained, Path], Any]


class Watching(Protocol):
    """Takes how many trainings and epochs (None: not known) are to come; a search may take more."""

    def __call__(
        self, trainings: int, epochs: int | None, searching: bool = False
    ) -> AbstractContextManager[Watch]:
        """Return what is called after every epoch."""


@dataclass(frozen=True, eq=False)
class Run:
    """What one folder holds: every contender, trained with every seed.

    Attributes:
        target: the folder, once it is complete.
        config: the content of `config.json`: everything that is needed to repeat the run.
        contenders: the models to train, with their learning rates before any search.
        dataset: the images.
        resumed: whether the run was interrupted and is being continued.
    """

    target: Path
    config: dict[str, Any]
    contenders: Sequence[Contender]
    dataset: Dataset
    resumed: bool = False

    @classmethod
    def new(
        cls,
        target: Path,
        names: Sequence[str],
        images: tuple[str, str | None, bool],
        seeds: Sequence[int],
        *,
        command: Sequence[str],
        experiment: str,
        match: str | None = None,
        search: str | None = None,
        how: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> Self:
        """Return a new run; everything about it is checked before anything is done.

        Args:
            target: the folder of the run.
            names: names of the contenders.
            images: what `datasets.load` takes: source, size, and whether images are made grey.
            seeds: seeds of weights and data order.
            command: the command that repeats the run.
            experiment: "fair", "published" or `runs.TRAIN`.
            match: the cost that is made the same for all, one of `matching.MATCHES`; None: all
                have the same widths.
            search: "lr" searches their learning rates; None does not.
            how: other arguments of `contender`.
            options: other entries of `config.json`.

        Raises:
            ConfigError: for anything that cannot be trained.
            OSError: if the folder exists.
        """
        require_new(target)
        contenders = [contender(name, **how) for name in names]
        first = contenders[0]
        dataset = first.task.part(load(*images))
        passes = first.task.epochs(len(dataset.train), first.batch_size)
        if passes and not how.get("epochs"):
            how = {**how, "epochs": passes}
            contenders = [replace(one, epochs=passes) for one in contenders]
        check(contenders, dataset)
        if search:
            check(contenders, held_out(dataset))
        if match is not None:
            widths = matched_widths(contenders, dataset.shape, match)
            contenders = [contender(name, **how, widths=widths[name]) for name in names]
        config = record(command, experiment, dataset, contenders, seeds, match, search)
        if not first.task.paired and experiment != TRAIN:
            config["classifier"] = judge_of(dataset).classifier.facts
        return cls(target, config | dict(options), contenders, dataset)

    @classmethod
    def unfinished(cls, folder: Path, given: Mapping[str, Any], command: str) -> Self:
        """Return an interrupted run, to continue it.

        Args:
            folder: its folder, with or without `.partial`.
            given: options that must be the ones it was begun with; see `resume.check_options`.
            command: the command that must have begun it, as `runs.command_of` returns it.

        Raises:
            ConfigError: if there is no such run, if it is damaged, or if its data, backend or
                versions are not the same as before.
        """
        target = resume.target_of(folder)
        config = resume.unfinished(target, command)
        resume.check_options(given, config, target)
        contenders = resume.contenders_of(config)
        return cls(target, config, contenders, resume.dataset_of(config), resumed=True)

    def go(self, show: Show, watching: Watching, pool: Cluster | None = None) -> Comparison:
        """Search, train and judge, and leave a complete folder.

        Args:
            show: writes the pages and figures of the results into the folder.
            watching: makes what is called after every epoch.
            pool: where to train; None: in this process.

        Raises:
            ConfigError: if files of an interrupted run are damaged, or there are too few devices.
            OSError: if the folder cannot be created or written.
        """
        config = self.config | ({"workers": pool.name} if pool else {})
        used = [self.dataset, held_out(self.dataset)] if config["search"] else [self.dataset]
        with (
            devices(config.get("devices"), self.contenders, used),
            run_folder(self.target, self.resumed) as folder,
        ):
            write_json(folder / "config.json", config)
            shutil.rmtree(folder / "tensorboard", ignore_errors=True)  # every epoch comes again
            board = Board(folder / "tensorboard") if config.get("tensorboard") else None
            comparison = self._compared(config, folder, watching, board, pool)
            if board:
                board.finish(comparison)
            evidence.save(comparison, folder)
            show(comparison, folder)
        return comparison

    def train(self, show: ShowOne, watching: Watching) -> tuple[Epoch, ...]:
        """Train one model with one seed, leave a complete folder, and return the epochs.

        Args:
            show: writes figures of the results into the folder.
            watching: as in `go`.

        Raises:
            ConfigError: if files of an interrupted run are damaged.
            OSError: if the folder cannot be created or written.
        """
        (one,), (seed,) = self.contenders, self.config["seeds"]
        with run_folder(self.target, self.resumed) as folder:
            write_json(folder / "config.json", self.config)
            with watching(*self._counted(1)) as watch:
                trained = train_one(one, self.dataset, seed, folder, watch)
            show(trained, folder)
            shutil.copyfile(model_path(folder, one, seed), folder / one.task.model)
            for name in ("models", "samples"):
                shutil.rmtree(folder / name, ignore_errors=True)
        return trained.history

    def _compared(
        self,
        config: dict[str, Any],
        folder: Path,
        watching: Watching,
        board: Board | None,
        pool: Cluster | None,
    ) -> Comparison:
        """Train and judge, with the best learning rates if they are searched."""
        seeds, models = config["seeds"], Models()
        contenders = self.contenders
        if config["search"]:
            spare = (len(seeds), len(seeds) + 1)
            if pool:
                every = [(one, seed) for one in contenders for seed in (*seeds, *spare)]
                pool.draw(every, self.dataset)
            with watching(*self._counted(len(FIRST) + 2), searching=True) as watch:
                contenders = searched(contenders, self.dataset, spare, folder, watch, pool, models)
            config = config | {"learning_rate": {one.name: one.learning_rate for one in contenders}}
        with watching(*self._counted(len(seeds))) as watch:
            told = _both(board, watch) if board else watch
            return compare(contenders, self.dataset, seeds, config, folder, told, pool, models)

    def _counted(self, each: int) -> tuple[int, int | None]:
        """Return the trainings and the epochs, if they are known, of so many of each contender."""
        epochs = None if self.config["minutes"] else sum(one.epochs for one in self.contenders)
        return each * len(self.contenders), epochs and each * epochs


def _both(first: Watch, second: Watch) -> Watch:
    """Return what tells both of an epoch."""

    def told(progress: Progress) -> None:
        first(progress)
        second(progress)

    return told
