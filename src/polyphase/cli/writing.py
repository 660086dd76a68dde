"""The files that a command writes: checked before work starts, then all written whole or none."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace existing files, but never the file that is read."),
]


@contextmanager
def unfinished(
    *targets: Path, source: Path | None = None, overwrite: bool = False, option: str = "name"
) -> Iterator[Path]:
    """Yield a folder for new files with the targets' names; in the end they become the targets.

    If the work fails or is interrupted, everything stays as it was. If a target is a symbolic link,
    the link itself is replaced, and the file that it points to stays.

    Args:
        targets: files in one folder, which is created if it does not exist.
        source: the file that is read; it is never overwritten, under whatever name.
        overwrite: whether existing targets may be replaced.
        option: the option or argument that the user is asked to choose anew.

    Raises:
        OSError: before any work, with one sentence, if a target may not or cannot be written.
    """
    _require_free(targets, source, overwrite, option)
    parent = targets[0].parent
    missing = [one for one in (parent, *parent.parents) if not one.exists()]
    try:
        with _folder(parent, option) as folder:
            yield folder
            _require_free(targets, source, overwrite, option)
            _place(folder, [one for one in targets if (folder / one.name).exists()])
    finally:
        for made in missing:
            if made.is_dir() and not any(made.iterdir()):
                made.rmdir()


def _require_free(
    targets: Sequence[Path], source: Path | None, overwrite: bool, option: str
) -> None:
    """Say which target may not be written, and why.

    Raises:
        OSError: naming it.
    """
    for target in targets:
        if source is not None and target.exists() and source.exists() and target.samefile(source):
            raise FileExistsError(
                f"{target} is the file that is read, which is never overwritten. Choose another "
                f"{option}."
            )
        if target.is_dir():
            raise IsADirectoryError(f"{target} is a folder. Choose another {option}.")
        if os.path.lexists(target) and not overwrite:
            raise FileExistsError(
                f"{target} exists already. Choose another {option}, or replace it with --overwrite."
            )


@contextmanager
def _folder(parent: Path, option: str) -> Iterator[Path]:
    """Yield a temporary folder in `parent`: what it holds can be renamed to its place."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".polyphase-", dir=parent))
    except OSError as error:
        raise OSError(
            f"Cannot write into {parent} ({error.strerror}). Choose another {option}."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place(folder: Path, targets: Sequence[Path]) -> None:
    """Rename the new files to their places; if one cannot be, put back what was there."""
    older = Path(tempfile.mkdtemp(dir=folder))
    for target in targets if len(targets) > 1 else ():  # one rename is whole by itself
        if os.path.lexists(target):
            shutil.copy2(target, older / target.name, follow_symlinks=False)
    placed: list[Path] = []
    try:
        for target in targets:
            placed.append(target)
            os.replace(folder / target.name, target)
    except BaseException as error:
        for target in placed if len(targets) > 1 else ():
            if os.path.lexists(older / target.name):
                os.replace(older / target.name, target)
            elif not (folder / target.name).exists():
                target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(
                f"Cannot write {placed[-1]} ({error.strerror}); nothing was written."
            ) from error
        raise
