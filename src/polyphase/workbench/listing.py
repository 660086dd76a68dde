"""The runs in a folder, and whether each is whole."""

import zipfile
from pathlib import Path
from typing import Any

from polyphase.workbench.config import ConfigError
from polyphase.workbench.evidence import FILE
from polyphase.workbench.runs import TRAIN, read_config, read_metrics

_OWN = ("config.json", "metrics.jsonl", FILE)


def run_folders(folder: Path) -> list[Path]:
    """Return the folders with a file that only a run has, the oldest first."""
    found = {path.parent for name in _OWN for path in folder.glob(f"*/{name}")}
    return sorted(found, key=_began)


def _began(folder: Path) -> tuple[float, str]:
    config = folder / "config.json"
    return (config if config.exists() else folder).stat().st_mtime, folder.name


def read_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a run's configuration and the final measurements of its models.

    Raises:
        ConfigError: if a file of it is missing or damaged. Of the evidence only the end is read.
    """
    config = read_config(folder)
    finals = [line for line in read_metrics(folder) if line["kind"] == "final"]
    if folder.suffix != ".partial" and config["experiment"] != TRAIN:
        if len(finals) != len(config["decoders"]) * len(config["seeds"]):
            raise ConfigError(f"{folder / 'metrics.jsonl'} lacks final measurements.")
        if not zipfile.is_zipfile(folder / FILE):
            raise ConfigError(f"{folder / FILE} is missing or damaged.")
    return config, finals
