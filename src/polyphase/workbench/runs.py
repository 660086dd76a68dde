"""Run folders: made whole or not at all, metrics appended as JSON lines."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any


def default_folder(command: str) -> Path:
    """Return `runs/COMMAND-DATE-TIME` below the current folder."""
    return Path("runs") / f"{command}-{datetime.now():%Y%m%d-%H%M%S}"


@contextmanager
def run_folder(target: Path) -> Iterator[Path]:
    """Yield a working folder `TARGET.partial` that becomes `target` when all is done.

    If the work fails, `TARGET.partial` stays where it holds metrics, and is removed otherwise;
    `target` itself never exists half-written.

    Raises:
        OSError: if `target` exists, an earlier unfinished run is in the way, or the folder
            cannot be written.
    """
    partial = target.with_name(target.name + ".partial")
    for there, what in ((target, "exists already"), (partial, "is an unfinished run")):
        if there.exists():
            raise FileExistsError(f"{there} {what}. Choose another --out, or remove it.")
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise type(error)(
            f"Cannot make the folder {partial} ({error.strerror}). Choose another --out."
        ) from error
    try:
        yield partial
        os.replace(partial, target)
    except BaseException:
        if not (partial / "metrics.jsonl").exists():
            shutil.rmtree(partial, ignore_errors=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that the file is there whole or not at all."""
    unfinished = path.with_name(path.name + ".tmp")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(unfinished, path)


def append_metrics(folder: Path, **record: Any) -> None:
    """Append one line to `metrics.jsonl`."""
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(record) + "\n")
