"""Progress of trainings: a live display on a terminal, plain lines otherwise; on stderr."""

import signal
import sys
import time
from types import FrameType, TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Display

from polyphase.cli.terminal import console
from polyphase.workbench import Progress

_SECONDS_BETWEEN_LINES = 15


class Watcher:
    """Shows every finished epoch of `trainings` trainings; a search may take more.

    Its bar counts the `epochs` of all of them, or the trainings if these end at a plateau.

    Python drops a KeyboardInterrupt that is raised inside a destructor, and prints a traceback on
    stderr; trainings have many destructors. So the watcher remembers Ctrl-C, suppresses that
    traceback, and raises the KeyboardInterrupt again at the next finished epoch. It also raises it
    in place of another error that the interrupt causes, as when it hits TensorFlow on its way out
    of a device scope.
    """

    def __init__(self, trainings: int, epochs: int | None, searching: bool = False) -> None:
        self._console = console(stderr=True)
        self._live = self._console.is_terminal
        self._trainings = trainings
        self._what = "search " if searching else ""
        self._finished = 0
        self._began = self._spoke = time.monotonic()
        self._display = Display(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("epochs" if epochs else "trainings"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._live,
        )
        self._total = epochs or trainings
        self._task = self._display.add_task("Compiling the first model", total=self._total)
        self._by_epoch = epochs is not None
        self._interrupted = False

    def __enter__(self) -> Self:
        self._handler = signal.getsignal(signal.SIGINT)
        if self._handler is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._dropped
        self._display.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._display.stop()
        if self._handler is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handler)
        sys.unraisablehook = self._unraisable
        if self._interrupted and isinstance(error, Exception):
            raise KeyboardInterrupt from error

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        raise KeyboardInterrupt

    def _dropped(self, what: "sys.UnraisableHookArgs") -> None:
        if not issubclass(what.exc_type, KeyboardInterrupt):
            self._unraisable(what)

    def __call__(self, progress: Progress) -> None:
        """Show one finished epoch."""
        if self._interrupted:
            raise KeyboardInterrupt
        if self._finished == self._trainings:
            self._trainings += 1
            self._total += progress.epochs or 1
        place = f"{self._what}[{self._finished + 1}/{self._trainings}]"
        place += f" {progress.decoder}, seed {progress.seed}"
        loss = progress.result.words
        advance = 1 if self._by_epoch else int(progress.last)
        description = f"{_plain(place)}: {loss}"
        self._display.update(
            self._task, advance=advance, total=self._total, description=description
        )
        now = time.monotonic()
        if progress.last or (not self._live and now - self._spoke > _SECONDS_BETWEEN_LINES):
            self._spoke = now
            epoch = f"epoch {progress.epoch + 1}"
            epoch += f"/{progress.epochs}" if progress.epochs else ""
            elapsed = f"{now - self._began:.0f} s"
            self._console.print(
                f"{place}: {epoch}, {loss}, {elapsed}", markup=False, highlight=False
            )
        self._finished += progress.last


def _plain(text: str) -> str:
    """Escape rich's markup."""
    return text.replace("[", r"\[")
