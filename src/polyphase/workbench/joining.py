"""Join several runs to one comparison, and find how they differ besides their decoders."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from polyphase.workbench.config import ConfigError
from polyphase.workbench.matching import TOLERANCE
from polyphase.workbench.results import Comparison

Run = tuple[str, Comparison]
_IMAGES = ("sha256", "train", "validation", "test", "shape")
_PER_DECODER = ("epochs", "batch_size", "learning_rate", "widths")
_UNCOMPARED = (
    *("command", "started", "decoders", "data", "machine", "versions", "margin", "workers"),
    *_PER_DECODER,
)
_ABSENT = "not recorded"


def joined(folders: Sequence[Path], runs: Sequence[Comparison], command: str) -> Comparison:
    """Return several runs on the same images as one comparison.

    If two runs have a decoder of the same name, it is called `RUN: decoder`. In the configuration,
    `differences` lists how the runs differ besides their decoders, and `names` has the own name of
    each decoder. Where runs have different values, a key has the value of each run.

    Args:
        folders: folders of the runs.
        runs: their results.
        command: the command that joined them.

    Raises:
        ConfigError: if a run is given twice, or if they were not made with the same images.
    """
    named = list(zip(_labels(folders), runs, strict=True))
    _check(named)
    every = [decoder for run in runs for decoder in run.decoders]

    def called(run: str, decoder: str) -> str:
        return decoder if every.count(decoder) == 1 else f"{run}: {decoder}"

    trials = tuple(
        replace(trial, decoder=called(name, trial.decoder))
        for name, run in named
        for trial in run.trials
    )
    names = {called(name, one): one for name, run in named for one in run.decoders}
    config = _together([(name, run.config) for name, run in named]) | {
        key: {
            called(name, decoder): value
            for name, run in named
            for decoder, value in _by_decoder(run, key).items()
        }
        for key in _PER_DECODER
    }
    first = runs[0].config
    config |= {key: first[key] for key in ("data", "started") if key in first}
    config |= {"command": command, "decoders": list(names), "names": names}
    margins = {run.margin for run in runs}
    config["margin"] = margins.pop() if len(margins) == 1 else None  # of one run, not of both
    config["workers"] = "some" if any(run.on_workers for run in runs) else None
    return replace(
        runs[0], config=config | {"differences": _differences(named, config)}, trials=trials
    )


def _labels(folders: Sequence[Path]) -> list[str]:
    """Return the folders' names, with as many of their parents as tell them apart.

    Raises:
        ConfigError: if one is given twice.
    """
    paths = [folder.resolve() for folder in folders]
    for path in paths:
        if paths.count(path) > 1:
            raise ConfigError(f"{path.name} is given twice. Give every run only once.")
    depth = 1
    while len({path.parts[-depth:] for path in paths}) < len(paths):
        depth += 1
    return ["/".join(path.parts[-depth:]) for path in paths]


def _check(runs: Sequence[Run]) -> None:
    """Refuse a run beside its own copy, and runs on different images."""
    (first, one), *others = runs
    for name, other in others:
        mine, theirs = (
            {key: run.config["data"].get(key) for key in _IMAGES} for run in (one, other)
        )
        if mine != theirs:
            raise ConfigError(
                f"{first} and {name} have different data, so they cannot be in one table: "
                f"{_images(one)} and {_images(other)}. Give runs with the same data."
            )
        if one.task != other.task:
            raise ConfigError(
                f"{first} and {name} were trained for different tasks, so they cannot be in one "
                f"table: {_doing(one)} and {_doing(other)}. Give runs of the same task."
            )
    for index, (name, run) in enumerate(runs):
        for earlier, before in runs[:index]:
            if run.config == before.config and _losses(run) == _losses(before):
                raise ConfigError(
                    f"{name} is a copy of {earlier}: the same run would count twice. Give only one."
                )


def _doing(run: Comparison) -> str:
    options = [f"{key} {value}" for key, value in run.task.options.items()]
    return ", ".join([run.task.name, *options])


def _images(run: Comparison) -> str:
    data = run.config["data"]
    counts = ", ".join(f"{data[part]:,} {part}" for part in _IMAGES[1:4] if data.get(part))
    return f"{data.get('source', '?')} ({counts}; SHA-256 {str(data.get('sha256'))[:8]})"


def _losses(run: Comparison) -> list[tuple[str, int, tuple[Any, ...]]]:
    return [(trial.decoder, trial.seed, trial.history) for trial in run.trials]


def _differences(runs: Sequence[Run], together: Mapping[str, Any]) -> list[str]:
    """Name every setting that is not the same in all runs, with its value in each."""
    keys = dict.fromkeys(key for _, run in runs for key in run.config)
    found = [
        _apart(key, [(name, run.config.get(key, _ABSENT)) for name, run in runs])
        for key in keys
        if key not in _UNCOMPARED
    ]
    for key in _PER_DECODER:
        if not _chosen_by_run(key, runs):
            found.append(_apart(key, [(name, _values(run, key)) for name, run in runs]))
    packages = dict.fromkeys(key for _, run in runs for key in run.config.get("versions", {}))
    for package in packages:
        versions = [
            (name, run.config.get("versions", {}).get(package, _ABSENT)) for name, run in runs
        ]
        if not _of_another_backend(package, versions, runs):
            found.append(_apart(package, versions))
    match = together.get("match")
    if match in ("parameters", "multiply-adds"):
        found.append(_unmatched(match, runs))
    return [sentence for sentence in found if sentence]


def _chosen_by_run(key: str, runs: Sequence[Run]) -> bool:
    """Whether every run chose the values of a setting itself, so that they need not agree."""
    reason = {"widths": "match", "learning_rate": "search"}.get(key, "")
    return all(run.config.get(reason) for _, run in runs)


def _of_another_backend(
    package: str, versions: Sequence[tuple[str, Any]], runs: Sequence[Run]
) -> bool:
    """Whether a package is absent where another backend is in use: the backends say so already."""
    backends = {run.config.get("backend") for _, run in runs}
    return package in backends and len(backends) > 1 and any(one == _ABSENT for _, one in versions)


def _by_decoder(run: Comparison, key: str) -> dict[str, Any]:
    """Return a setting for each decoder; old runs have one value for all, or none."""
    value = run.config.get(key)
    if isinstance(value, Mapping):
        return dict(value)
    return {} if value is None else dict.fromkeys(run.decoders, value)


def _values(run: Comparison, key: str) -> str:
    values = [_text(value) for value in _by_decoder(run, key).values()]
    return " and ".join(dict.fromkeys(values)) or _ABSENT


def _unmatched(match: str, runs: Sequence[Run]) -> str:
    """Say it where the runs were matched, each in itself, to different costs."""
    kind = match.replace("-", "_")
    costs = [(name, [getattr(trial, kind) for trial in run.trials]) for name, run in runs]
    every = [cost for _, some in costs for cost in some]
    if max(every) <= (1 + TOLERANCE) * min(every):
        return ""
    return _apart(match, [(name, f"about {max(some):,}") for name, some in costs])


def _apart(key: str, values: Sequence[tuple[str, Any]]) -> str:
    """Return `key (value in run, value in run)`, or nothing where all values are the same.

    A setting that a run of an older format lacks is the same as one that is not in use.
    """
    if all(value == values[0][1] for _, value in values):
        return ""
    if all(value in (None, _ABSENT) for _, value in values):
        return ""
    return f"{key.replace('_', ' ')} ({_each(values)})"


def _each(values: Sequence[tuple[str, Any]]) -> str:
    return ", ".join(f"{_text(value)} in {name}" for name, value in values)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value)


def _together(values: Sequence[tuple[str, Any]]) -> Any:
    """Return what is the same in every run, and the text of what is not."""
    first = values[0][1]
    if all(value == first for _, value in values):
        return first
    if all(isinstance(value, Mapping) for _, value in values):
        keys = dict.fromkeys(key for _, value in values for key in value)
        return {
            key: _together([(name, one.get(key, _ABSENT)) for name, one in values]) for key in keys
        }
    return _each(values)
