"""Take up a run that was interrupted: what it was to do, from its own configuration."""

import json
from pathlib import Path
from typing import Any

import keras

from polyphase.datasets import Dataset, load
from polyphase.workbench.config import ConfigError, Contender, contender
from polyphase.workbench.environment import versions
from polyphase.workbench.runs import partial_of


def unfinished(target: Path) -> dict[str, Any]:
    """Return the configuration of an unfinished run.

    Raises:
        ConfigError: if there is none, it was complete, or it was begun with another backend or
            other versions, so that going on would mix them.
    """
    path = partial_of(target) / "config.json"
    if target.exists():
        raise ConfigError(f"{target} is complete: there is nothing to resume.")
    if not path.exists():
        raise ConfigError(
            f"There is no unfinished run {partial_of(target)} with a config.json. Give the folder "
            "of a run, without .partial."
        )
    config: dict[str, Any] = json.loads(path.read_text())
    now = versions() | {"backend": keras.backend.backend()}
    for name, version in (config["versions"] | {"backend": config["backend"]}).items():
        if now.get(name) != version:
            raise ConfigError(
                f"{target} was begun with {name} {version}; now it is {now.get(name)}. Use that "
                "one, or start a new run."
            )
    return config


def contenders_of(config: dict[str, Any]) -> list[Contender]:
    """Return the contenders that a configuration names, before any search."""
    return [
        contender(
            name,
            config["epochs"][name],
            config["batch_size"][name],
            widths=tuple(config["widths"].get(name, (8, 8))),
        )
        for name in config["decoders"]
    ]


def dataset_of(config: dict[str, Any]) -> Dataset:
    """Return the data that a configuration names.

    Raises:
        ConfigError: if they are not the same as then.
    """
    dataset = load(config["data"]["source"])
    if dataset.sha256 != config["data"]["sha256"]:
        raise ConfigError(
            f"The data {config['data']['source']} are not those with which the run was begun: "
            "their SHA-256 differs. Start a new run."
        )
    return dataset
