"""The tables of the documentation on performance, from the benchmark's JSON files."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Content = Mapping[str, Any]
NAMES = {"jax": "JAX", "tensorflow": "TensorFlow", "torch": "PyTorch"}
MODES = ("forward", "training")


def summary(peers: Mapping[str, Content]) -> str:
    """Return Keras' time divided by ours, by kind of layer: geometric mean and worst case.

    Args:
        peers: backend -> content of peers-BACKEND.json.
    """
    groups = ["nearest + conv", "bilinear + conv", "Conv2DTranspose", "UpSampling2D"]
    rows = [
        [
            f"{group}, {mode}",
            *(_mean_and_worst(_ratios(one, group, mode)) for one in peers.values()),
        ]
        for group in groups
        for mode in MODES
    ]
    models = [r["name"] for r in next(iter(peers.values()))["results"] if r["group"] == "model"]
    rows += [
        [f"{model}, {mode}", *(f"{_ratio(_named(one, model), mode):.2f}" for one in peers.values())]
        for model in models
        for mode in MODES
    ]
    return _table(["what", *(NAMES[backend] for backend in peers)], rows)


def fastest(peers: Mapping[str, Content]) -> str:
    """Return, for nearest + conv, the fastest backend of ours beside the fastest of the peers."""
    rows, all_ratios = [], []
    for mode in MODES:
        ratios = []
        for record in _group(next(iter(peers.values())), "nearest + conv"):
            ours, theirs = _fastest(peers, record["name"], mode)
            ratios.append(theirs[0] / ours[0])
            rows.append(
                [f"{record['name']}, {mode}", _timed(ours), _timed(theirs), f"{ratios[-1]:.2f}"]
            )
        all_ratios.append([f"**geometric mean, {mode}**", "", "", f"**{_mean(ratios):.2f}**"])
    return _table(["nearest + conv", "ours, ms", "peer, ms", "peer / ours"], rows + all_ratios)


def cases(content: Content) -> str:
    """Return every case of one backend: medians in ms, and Keras' divided by ours."""
    head = ["case", "Keras, ms", "ours, ms", "forward", "Keras, ms", "ours, ms", "training"]
    rows = [
        [
            f"{record['group']} {record['name']}",
            *(
                text
                for mode in MODES
                for text in (
                    _milliseconds(record[mode]["keras"]["median"]),
                    _milliseconds(record[mode]["ours"]["median"]),
                    f"{_ratio(record, mode):.2f}",
                )
            ),
        ]
        for record in content["results"]
    ]
    return _table(head, rows)


def memory(contents: Mapping[str, Content]) -> str:
    """Return by how many MiB a process grows at most, Keras' layers and ours."""
    rows = []
    for index, first in enumerate(next(iter(contents.values()))["results"]):
        cells = []
        for content in contents.values():
            sizes = content["results"][index]["MiB"]
            cells.append(f"{sizes['keras']:.0f} / {sizes['ours']:.0f}")
        *image, filters = first["shape"]
        rows.append([f"{_sides(image)} -> {filters}, {first['mode']}", *cells])
    return _table(["Keras / ours, MiB", *(NAMES[backend] for backend in contents)], rows)


def precision(contents: Mapping[str, Content]) -> str:
    """Return the largest error of every lowering, in multiples of direct's on the same input."""
    rows: dict[tuple[str, str, str], dict[str, list[float]]] = {}
    for backend, content in contents.items():
        for record in content["rows"]:
            for lowering, error in record["errors"].items():
                key = (record["operation"], lowering, record["dtype"])
                multiple = error / max(record["errors"]["direct"], 1e-12)
                cell = rows.setdefault(key, {}).setdefault(backend, [0.0, 0.0])
                rows[key][backend] = [max(cell[0], error), max(cell[1], multiple)]
    lines = [
        [*key, *(f"{c[b][0]:.1e} ({c[b][1]:.1f}x)" if b in c else "-" for b in contents)]
        for key, c in rows.items()
    ]
    return _table(["operation", "lowering", "dtype", *(NAMES[b] for b in contents)], lines)


def circumstances(contents: Iterable[Content]) -> str:
    """Return machines, versions and dates, a line each."""
    lines = []
    for content in contents:
        machine, versions = content["machine"], content["versions"]
        listed = ", ".join(f"{name} {version}" for name, version in versions.items())
        lines.append(
            f"- {content['date']}: {machine['cpus']} cores, {machine['processor']}; {listed}"
        )
    return "\n".join(lines) + "\n"


def _ratios(content: Content, group: str, mode: str) -> list[float]:
    return [_ratio(record, mode) for record in _group(content, group)]


def _group(content: Content, group: str) -> list[Content]:
    return [record for record in content["results"] if record["group"] == group]


def _named(content: Content, name: str) -> Content:
    return next(record for record in content["results"] if record["name"] == name)


def _ratio(record: Content, mode: str) -> float:
    return float(record[mode]["keras"]["median"] / record[mode]["ours"]["median"])


def _mean(ratios: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def _mean_and_worst(ratios: Sequence[float]) -> str:
    return f"{_mean(ratios):.2f} ({min(ratios):.2f})"


def _fastest(
    peers: Mapping[str, Content], name: str, mode: str
) -> tuple[tuple[float, str], tuple[float, str]]:
    """Return `(milliseconds, who)` of our fastest backend and of the fastest peer."""
    ours: list[tuple[float, str]] = []
    theirs: list[tuple[float, str]] = []
    for backend, content in peers.items():
        record = next(r for r in _group(content, "nearest + conv") if r["name"] == name)
        for contender, times in record[mode].items():
            who = "plain PyTorch" if contender.startswith("plain") else NAMES[backend]
            (ours if contender == "ours" else theirs).append((times["median"], who))
    return min(ours), min(theirs)


def _timed(one: tuple[float, str]) -> str:
    return f"{_milliseconds(one[0])} ({one[1]})"


def _milliseconds(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _sides(image: Sequence[int]) -> str:
    return "x".join(map(str, image))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, marks, *rows]) + "\n"
