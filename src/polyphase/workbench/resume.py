"""Continue an interrupted run, from its own configuration."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from polyphase import layers as polyphase_layers
from polyphase._facts import AUTO
from polyphase.datasets import Dataset, load, size_of, source_of
from polyphase.workbench.config import ConfigError, Contender, contender
from polyphase.workbench.environment import versions
from polyphase.workbench.runs import command_of, keep_metrics, partial_of, read_config
from polyphase.workbench.schema import RESUMED
from polyphase.workbench.tasks import TASKS, options_of, task_of


def target_of(run: Path) -> Path:
    """Return the final folder of an unfinished run, given that or its present folder."""
    return Path(str(run if run.name else os.path.abspath(run)).removesuffix(".partial"))


def unfinished(target: Path, command: str) -> dict[str, Any]:
    """Return the configuration of an unfinished run of a command, of `runs.command_of`.

    Raises:
        ConfigError: if there is no such run, if it is complete, damaged or of another command, or
            if it was begun with another backend or other versions, which resuming would mix.
    """
    partial = partial_of(target)
    _require_unfinished(target, partial, command)
    config = read_config(partial, RESUMED)
    now = versions() | {"backend": keras.backend.backend()}
    for name, version in (config["versions"] | {"backend": config["backend"]}).items():
        if now.get(name) != version:
            raise ConfigError(
                f"{target} was begun with {name} {version}, but now it is {now.get(name)}. Use "
                f"{version}, or start a new run."
            )
    keep_metrics(partial, lambda line: True)  # a torn last line would spoil the next one
    return config


def _require_unfinished(target: Path, partial: Path, command: str) -> None:
    """Raise ConfigError unless there is an unfinished run of a command."""
    if not target.exists() and not partial.exists():
        raise ConfigError(
            f"There is no unfinished run {partial}. Give the folder of a run, with or without "
            ".partial; `polyphase runs` lists them."
        )
    if target.exists() and partial.exists():
        raise ConfigError(
            f"Both {target} and {partial} exist. Move or remove {target}, because the finished "
            "run will have that name."
        )
    found = target if target.exists() else partial
    if not (found / "config.json").exists():
        raise ConfigError(f"{found} is not a run: it has no config.json. Start a new run.")
    own = command_of(read_config(found))
    if target.exists():
        more = f" To write its page again: polyphase report {target}" * (own == "polyphase compare")
        raise ConfigError(f"{target} is complete: there is nothing to resume.{more}")
    if own != command:
        raise ConfigError(f"{found} is a run of `{own}`. To continue: {own} --resume {target}")


def check_options(given: Mapping[str, Any], config: dict[str, Any], target: Path) -> None:
    """Refuse options that differ from those with which a run was begun.

    Args:
        given: values on the command line, by the names of its parameters; only those that were
            given.
        config: the configuration of the run.
        target: the folder of the run.

    Raises:
        ConfigError: naming the first that differs.
    """
    stored = {
        "data": config["data"]["source"],
        "size": config["data"].get("size"),
        "grey": config["data"].get("grey", False),
        "decoder": config["decoders"],
        "generator": config["decoders"],
        "epochs": AUTO if config["minutes"] else str(_common(config["epochs"])),
        "minutes": config["minutes"],
        "width": config["width"],
        "encoder": config["encoder"],
        "task": config["task"],
        **{name: None for kind in TASKS for name in options_of(kind)},
        **task_of(config).options,
        "batch_size": _common(config["batch_size"]),
        "seed": config["seeds"][0],
        "seeds": len(config["seeds"]),
        "experiment": config["experiment"],
        "match": config["match"],
        "search": config["search"] or "none",
        "margin": config.get("margin"),
        "devices": config.get("devices"),
        "layers": config.get("layers"),
        "tensorboard": config.get("tensorboard", False),
        "out": os.path.abspath(target),
    }
    alike: dict[str, Callable[[Any], Any]] = {
        "data": source_of,
        "size": size_of,
        "decoder": _names,
        "generator": _names,
        "epochs": str,
        "out": os.path.abspath,
    }
    for name in [one for one in stored if one in given]:
        if alike.get(name, lambda value: value)(given[name]) != stored[name]:
            raise ConfigError(
                f"{target} was begun with {_words(name, stored[name])}. Received: "
                f"{_words(name, given[name])}. A run keeps its options. Leave this one out, or "
                "start a new run."
            )


def _names(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def _common(values: dict[str, int]) -> Any:
    """Return the value of all decoders, or all values where they differ."""
    different = sorted(set(values.values()))
    return different[0] if len(different) == 1 else different


def _words(name: str, value: Any) -> str:
    """Return an option as it is written."""
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return f"no {option}"
    if name in ("decoder", "generator"):
        return " ".join(f"{option} {one}" for one in _names(value))
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return option if value is True else f"{option} {shown}"


def contenders_of(config: dict[str, Any]) -> list[Contender]:
    """Return the contenders that a configuration names, before any search."""
    return [
        contender(
            name,
            config["epochs"][name],
            config["batch_size"][name],
            keras.layers if config.get("layers") == "keras" else polyphase_layers,
            minutes=config["minutes"],
            task=task_of(config),
            **_network(config, name),
        )
        for name in config["decoders"]
    ]


def _network(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what an autoencoder is made with; nothing of a published one."""
    if config["width"] is None:
        return {}
    widths = config["widths"].get(name)
    facts = {"width": config["width"], "encoder": config["encoder"]}
    return facts | {"widths": tuple(widths) if widths else None}


def dataset_of(config: dict[str, Any]) -> Dataset:
    """Return the data that a configuration names.

    Raises:
        ConfigError: if they are not the same as before.
    """
    data = config["data"]
    dataset = load(data["source"], data.get("size"), data.get("grey", False))
    if dataset.sha256 != data["sha256"]:
        raise ConfigError(
            f"The data {data['source']} are not those with which the run was begun: "
            "their SHA-256 differs. Start a new run."
        )
    return task_of(config).part(dataset)
