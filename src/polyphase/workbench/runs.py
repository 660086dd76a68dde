"""Run folders: complete or not there at all; metrics are appended as JSON lines."""

import json
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from polyphase.datasets.checks import one_line
from polyphase.workbench import schema
from polyphase.workbench.config import ConfigError
from polyphase.workbench.tasks import task_of
from polyphase.workbench.tasks.gan import Gan

TRAIN = "train"  # the experiment of `polyphase train`


def default_folder(command: str) -> Path:
    """Return `runs/COMMAND-DATE-TIME` below the current folder."""
    return Path("runs") / f"{command}-{datetime.now():%Y%m%d-%H%M%S}"


@contextmanager
def run_folder(target: Path, resume: bool = False) -> Iterator[Path]:
    """Yield a working folder `TARGET.partial`, which becomes `target` when all is done.

    If the work fails, `TARGET.partial` stays if the run was resumed or the first epoch is finished;
    otherwise it is removed. `target` itself never exists half-written.

    Args:
        target: the folder of a finished run.
        resume: whether to continue an unfinished run.

    Raises:
        OSError: if `target` exists, if there is an earlier unfinished run of that name, or if the
            folder cannot be written.
        KeyboardInterrupt: passed on; its message says what was kept, and how to continue.
    """
    if not resume:
        require_new(target)
    partial = partial_of(target)
    if not resume:
        _make(partial)
    try:
        yield partial
        os.replace(partial, target)
    except BaseException as error:
        metrics = partial / "metrics.jsonl"
        kept = resume or metrics.exists() or any(partial.glob("training-*"))
        if not kept:
            shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, KeyboardInterrupt):
            found = f"What was finished is kept in {partial}. {next_step(target)}"
            raise KeyboardInterrupt(found if kept else "No epoch was finished.") from error
        if kept and isinstance(error, OSError):
            why = f"Cannot write into {partial} ({error.strerror or error}). Mend this first."
            if isinstance(error, TimeoutError):
                why = "Workers did not answer in time."
            kept_there = f"What was finished is kept in {partial}."
            raise OSError(f"{why} {kept_there} {next_step(target)}") from error
        raise


def partial_of(target: Path) -> Path:
    """Return where a run is until it is complete."""
    return Path(f"{target}.partial")


def next_step(target: Path) -> str:
    """Return the sentence that says how to continue an unfinished run."""
    try:
        command = command_of(read_config(partial_of(target)))
    except ConfigError:
        return "It cannot be resumed. Run the command again with another --out, or remove it first."
    return f"To continue: {command} --resume {shlex.quote(str(target))}"


def command_of(config: Mapping[str, Any]) -> str:
    """Return the command that began a run, without its options."""
    if config["experiment"] != TRAIN:
        return "polyphase compare"
    return f"polyphase train {'gan' if config['task'] == Gan.name else 'autoencoder'}"


def require_new(target: Path) -> None:
    """Check before any work that a run may become `target`.

    Raises:
        OSError: if it exists, whatever it is, or there is an earlier unfinished run of that name.
    """
    if os.path.lexists(target):
        raise FileExistsError(f"{target} exists already. Choose another --out, or remove it.")
    partial = partial_of(target)
    if os.path.lexists(partial):
        raise FileExistsError(
            f"{partial} is an unfinished run. Choose another --out, or remove it. "
            f"{next_step(target)}"
        )


def _make(partial: Path) -> None:
    """Make the working folder of a new run."""
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise type(error)(
            f"Cannot create the folder {partial} ({error.strerror}). Choose another --out."
        ) from error


def file_name(name: str) -> str:
    """Return a decoder's name as part of a file's name, different for different names.

    Letters, digits and `_.-` stay, except a dot at the start; all else is written as bytes.

    Example:
        >>> file_name("mine.decoders:lanczos")
        'mine.decoders%3Alanczos'
        >>> file_name("../mine")
        '%2E.%2Fmine'
    """
    return re.sub(r"^\.|[^\w.-]", _escaped, name)


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that the file is complete or not there at all."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(unfinished, path)


def append_metrics(folder: Path, **record: Any) -> None:
    """Append one line to `metrics.jsonl`."""
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")


@contextmanager
def readable(path: Path, cure: str) -> Iterator[None]:
    """Turn any failure to read a file into one sentence that names the file.

    Damaged files fail in too many ways to list (zip, JSON, HDF5, NumPy). In every case the file is
    the cause.
    """
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{path} cannot be read: {one_line(error)}. {cure}") from error


@contextmanager
def readable_arrays(path: Path, cure: str) -> Iterator[Any]:
    """Yield the arrays of an `.npz` file, without pickles; see `readable`."""
    # NumPy leaves a damaged file open that it has opened itself.
    with readable(path, cure), path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        yield arrays


def read_config(folder: Path, shape: dict[str, Any] = schema.CONFIG) -> dict[str, Any]:
    """Return what `config.json` holds.

    Raises:
        ConfigError: if it is missing or damaged, or holds something else.
    """
    path = folder / "config.json"
    with readable(path, "Put back a copy of it, or start a new run."):
        config: dict[str, Any] = json.loads(path.read_text())
        wrong = schema.misfit(config, shape, "config") or schema.misfit(
            {key: config.get(key) for key in schema.OPTIONAL}, schema.OPTIONAL, "config"
        )
        if not wrong:
            datetime.fromisoformat(config["started"])
            kinds = [key for key in ("epochs", "batch_size") if key in shape]
            lacking = [
                f"config.{key}.{name} is missing or below 1"
                for key in kinds
                for name in config["decoders"]
                if config[key].get(name, 0) < 1
            ]
            wrong = "".join(lacking[:1])
        if wrong:
            raise ValueError(f"it is not the configuration of a run: {wrong}")
        config["task"] = task_of(config).name  # runs of before do not say it
    return config


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of `metrics.jsonl`, without a last line that a kill left incomplete.

    Raises:
        ConfigError: if a line is damaged.
    """
    path = folder / "metrics.jsonl"
    with readable(path, "Put back a copy of it, or start a new run."):
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [
            _record(line, number) for number, line in enumerate(lines, 1) if line.endswith("\n")
        ]


def _record(line: str, number: int) -> dict[str, Any]:
    """Return one line of metrics, checked."""
    record: dict[str, Any] = json.loads(line)
    kind = record.get("kind") if isinstance(record, dict) else None
    shape = schema.LINES.get(str(kind), schema.WHO)
    if kind == "epoch" and isinstance(record, dict) and schema.GAN.keys() & record.keys():
        shape = shape | schema.GAN
    if kind in ("final", "baseline") and schema.IMITATION.keys() & record.keys():
        shape = shape | schema.IMITATION
    if kind == "final":
        shape = shape | {k: v for k, v in schema.LATER.items() if record.get(k) is not None}
    wrong = schema.misfit(record, shape, f"line {number}")
    if wrong:
        raise ValueError(wrong)
    return record


def keep_metrics(folder: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Keep only the wanted lines of `metrics.jsonl`, if the file exists."""
    path = folder / "metrics.jsonl"
    if path.exists():
        kept = [json.dumps(line) + "\n" for line in read_metrics(folder) if wanted(line)]
        unfinished = path.with_name(path.name + ".tmp")
        unfinished.write_text("".join(kept))
        os.replace(unfinished, path)
