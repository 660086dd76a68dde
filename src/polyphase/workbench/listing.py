"""The runs in a folder, and whether each one is complete."""

import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from polyphase.workbench.config import ConfigError
from polyphase.workbench.evidence import FILE
from polyphase.workbench.learning import fall, pairs
from polyphase.workbench.runs import TRAIN, read_config, read_metrics

_OWN = ("config.json", "metrics.jsonl", FILE)


def run_folders(folder: Path) -> list[Path]:
    """Return the folders that have a file of a run, the oldest first."""
    found = {path.parent for name in _OWN for path in folder.glob(f"*/{name}")}
    return sorted(found, key=_began)


def _began(folder: Path) -> tuple[float, str]:
    config = folder / "config.json"
    return (config if config.exists() else folder).stat().st_mtime, folder.name


def read_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
    """Return a run's configuration, the final measurements of its models, and if they still learn.

    They still learn if longer training may change the order of the decoders (`learning.pairs`).

    Raises:
        ConfigError: if one of its files is missing or damaged. Only the end of the evidence is
            read.
    """
    config = read_config(folder)
    lines = read_metrics(folder)
    finals = [line for line in lines if line["kind"] == "final"]
    if folder.suffix != ".partial" and config["experiment"] != TRAIN:
        if len(finals) != len(config["decoders"]) * len(config["seeds"]):
            raise ConfigError(f"{folder / 'metrics.jsonl'} lacks final measurements.")
        if not zipfile.is_zipfile(folder / FILE):
            raise ConfigError(f"{folder / FILE} is missing or damaged.")
    fair = config["experiment"] != "published"  # whose two networks are not ranked
    return config, finals, fair and _learning(lines, finals)


def _learning(lines: list[dict[str, Any]], finals: list[dict[str, Any]]) -> bool:
    histories: dict[tuple[str, int], list[float]] = defaultdict(list)
    for line in lines:
        if line["kind"] == "epoch":
            histories[line["decoder"], line["seed"]].append(line["validation_loss"])
    losses, falls = defaultdict(list), defaultdict(list)
    for line in finals:
        losses[line["decoder"]].append(line["validation_loss"])
        falls[line["decoder"]].append(fall(histories[line["decoder"], line["seed"]]))
    whole = len({len(one) for one in losses.values()}) == 1
    return whole and bool(pairs(losses, falls))
