"""Run folders: made whole or not at all, metrics appended as JSON lines."""

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
    """Yield a working folder `TARGET.partial` that becomes `target` when all is done.

    If the work fails, `TARGET.partial` stays where it is resumed or holds the first epoch, and is
    removed otherwise; `target` itself never exists half-written.

    Args:
        target: the folder of a finished run.
        resume: whether to go on with an unfinished one.

    Raises:
        OSError: if `target` exists, an earlier unfinished run is in the way, or the folder
            cannot be written.
        KeyboardInterrupt: as it came; its message says what was kept, and how to go on.
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
            raise OSError(
                f"Cannot write into {partial} ({error.strerror or error}). What was finished is "
                f"kept there: mend that. {next_step(target)}"
            ) from error
        raise


def partial_of(target: Path) -> Path:
    """Return where a run is until it is complete."""
    return Path(f"{target}.partial")


def next_step(target: Path) -> str:
    """Return the sentence that says how to go on with an unfinished run."""
    try:
        command = command_of(read_config(partial_of(target)))
    except ConfigError:
        return (
            "It cannot be resumed: run the command again, with another --out or after removing it."
        )
    return f"Go on with it: {command} --resume {shlex.quote(str(target))}"


def command_of(config: Mapping[str, Any]) -> str:
    """Return the command that a run is of, without its options."""
    if config["experiment"] != TRAIN:
        return "polyphase compare"
    return f"polyphase train {'gan' if config['task'] == Gan.name else 'autoencoder'}"


def require_new(target: Path) -> None:
    """Find out, before any work, whether a run may become `target`.

    Raises:
        OSError: if it exists, whatever it is, or an earlier unfinished run is in the way.
    """
    if os.path.lexists(target):
        raise FileExistsError(f"{target} exists already. Choose another --out, or remove it.")
    partial = partial_of(target)
    if os.path.lexists(partial):
        raise FileExistsError(
            f"{partial} is an unfinished run; choose another --out, or remove it. "
            f"{next_step(target)}"
        )


def _make(partial: Path) -> None:
    """Make the working folder of a new run."""
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise type(error)(
            f"Cannot make the folder {partial} ({error.strerror}). Choose another --out."
        ) from error


def file_name(name: str) -> str:
    """Return a decoder's name as part of a file's name, different for different names.

    Letters, digits and `_.-` stay, but for a dot at the start; of all else the bytes are written.

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
    """Write JSON so that the file is there whole or not at all."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(unfinished, path)


def append_metrics(folder: Path, **record: Any) -> None:
    """Append one line to `metrics.jsonl`."""
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")


@contextmanager
def readable(path: Path, cure: str) -> Iterator[None]:
    """Turn any failure of reading a file into one sentence that names it.

    Damaged files fail in too many ways to list (zip, JSON, HDF5, NumPy); whichever it was, the
    file is to blame.
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
        ConfigError: if it is not there, damaged, or holds something else.
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
            raise ValueError(f"it is no configuration of a run, {wrong}")
        config["task"] = task_of(config).name  # runs of before do not say it
    return config


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of `metrics.jsonl`; a last one that was torn by a kill is left out.

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
    """Leave only the wanted lines in `metrics.jsonl`, if there is one."""
    path = folder / "metrics.jsonl"
    if path.exists():
        kept = [json.dumps(line) + "\n" for line in read_metrics(folder) if wanted(line)]
        unfinished = path.with_name(path.name + ".tmp")
        unfinished.write_text("".join(kept))
        os.replace(unfinished, path)
