"""Figures written whole or not at all."""

import os
from pathlib import Path

from matplotlib.figure import Figure

from polyphase.report import png


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG.

    Raises:
        OSError: in one sentence, if it cannot be written; nothing is left then.
    """
    content = png(figure)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except OSError as error:
        raise OSError(f"Cannot write {path} ({error.strerror}). Choose another place.") from error
