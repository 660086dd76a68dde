"""Run folders: made whole or not at all, metrics appended as JSON lines."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any


def default_folder(command: str) -> Path:
    """Return `runs/COMMAND-DATE-TIME` below the current folder."""
    return Path("runs") / f"{command}-{datetime.now():%Y%m%d-%H%M%S}"


@contextmanager
def run_folder(target: Path, resume: bool = False) -> Iterator[Path]:
    """Yield a working folder `TARGET.partial` that becomes `target` when all is done.

    If the work fails, `TARGET.partial` stays where it holds metrics, and is removed otherwise;
    `target` itself never exists half-written.

    Args:
        target: the folder of a finished run.
        resume: whether to go on with an unfinished one.

    Raises:
        OSError: if `target` exists, an earlier unfinished run is in the way, or the folder
            cannot be written.
    """
    partial = partial_of(target)
    if not resume:
        _make(target, partial)
    try:
        yield partial
        os.replace(partial, target)
    except BaseException as error:
        if not (partial / "metrics.jsonl").exists():
            shutil.rmtree(partial, ignore_errors=True)
        elif isinstance(error, OSError):
            raise OSError(
                f"Cannot write into {partial} ({error.strerror or error}). What was finished is "
                "kept there: mend that, and go on with --resume."
            ) from error
        raise


def partial_of(target: Path) -> Path:
    """Return where a run is until it is complete."""
    return target.with_name(target.name + ".partial")


def _make(target: Path, partial: Path) -> None:
    """Make the working folder of a new run."""
    if target.exists():
        raise FileExistsError(f"{target} exists already. Choose another --out, or remove it.")
    if partial.exists():
        raise FileExistsError(
            f"{partial} is an unfinished run. Go on with it by `polyphase compare --resume "
            f"{target}`, choose another --out, or remove it."
        )
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise type(error)(
            f"Cannot make the folder {partial} ({error.strerror}). Choose another --out."
        ) from error


def file_name(name: str) -> str:
    """Return a decoder's name as part of a file's name.

    Example:
        >>> file_name("mine.decoders:lanczos")
        'mine.decoders_lanczos'
    """
    return re.sub(r"[^\w.-]", "_", name)


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that the file is there whole or not at all."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(unfinished, path)


def append_metrics(folder: Path, **record: Any) -> None:
    """Append one line to `metrics.jsonl`."""
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of `metrics.jsonl`; a last one that was torn by a kill is left out."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def keep_metrics(folder: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Leave only the wanted lines in `metrics.jsonl`, if there is one."""
    path = folder / "metrics.jsonl"
    if path.exists():
        kept = [json.dumps(line) + "\n" for line in read_metrics(folder) if wanted(line)]
        unfinished = path.with_name(path.name + ".tmp")
        unfinished.write_text("".join(kept))
        os.replace(unfinished, path)
