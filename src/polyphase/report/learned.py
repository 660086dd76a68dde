"""The tables of learned upsamplers beside what people write, from the benchmark's JSON files."""

from collections.abc import Mapping
from typing import Any

from polyphase.report.performance import NAMES, Content, milliseconds, table

PEERS = {"keras": "Keras' operations", "unfold": "`unfold`", "grid_sample": "`grid_sample`"}


def times(contents: Mapping[str, Content]) -> str:
    """Return ours in milliseconds, and the others' time divided by it, by backend."""
    return _table(contents, _times)


def memory(contents: Mapping[str, Content]) -> str:
    """Return by how many MiB a process grows at most: ours, then the others.

    TensorFlow keeps memory for itself from the first call on, so that its growth says nothing.
    """
    kept = {
        backend: {"results": [row for row in content["results"] if row["MiB"]]}
        for backend, content in contents.items()
        if backend != "tensorflow"
    }
    return _table(kept, _memory)


def _table(contents: Mapping[str, Content], cell: Any) -> str:
    """Return a row for each layer, image and mode, and a column for each backend."""
    rows = []
    for ours in zip(*(content["results"] for content in contents.values()), strict=True):
        batch, *sides, channels = ours[0]["shape"]
        image = f"{batch} x {' x '.join(map(str, sides))} x {channels}"
        rows.append([f"{ours[0]['layer']}, {image}, {ours[0]['mode']}", *map(cell, ours)])
    return table(["", *(NAMES[backend] for backend in contents)], rows)


def _times(row: dict[str, Any]) -> str:
    medians = {name: one["median"] for name, one in row["ms"].items()}
    ours = medians.pop("ours")
    others = [f"{PEERS[name]} {median / ours:.2f}" for name, median in medians.items()]
    return "; ".join([f"{milliseconds(ours)} ms", *others])


def _memory(row: dict[str, Any]) -> str:
    others = [f"{PEERS[name]} {grown:.0f}" for name, grown in row["MiB"].items() if name != "ours"]
    return "; ".join([f"{row['MiB']['ours']:.0f}", *others])
