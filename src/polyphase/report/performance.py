"""The tables of the documentation on performance, from the benchmark's JSON files."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from polyphase.inspection.evidence import LEVELS
from polyphase.inspection.words import WORDS

Content = Mapping[str, Any]
NAMES = {"jax": "JAX", "tensorflow": "TensorFlow", "torch": "PyTorch"}
MODES = ("forward", "training")


REPAIRS = {
    "more": "{more} epochs more",
    "repaired": "repaired",
    "repaired, more": "repaired, {more} epochs more with EvenPhases",
}
# Kinds of upsampling + conv, the typical one first; what gains most comes last.
INTERPOLATED = ("nearest", "bilinear", "bicubic")
SHAPES = {
    "typical": "32 to 256 channels, 24 to 72 pixels a side",
    "small": "64 and 128 channels, 7 and 16 pixels a side",
    "few channels": "8 channels, or one output channel",
}
KINDS = {
    **{
        (f"{interpolation} + conv", kind): f"{interpolation} x2 + conv 3x3, {text}"
        for kind, text in SHAPES.items()
        for interpolation in INTERPOLATED
    },
    ("nearest + conv", "larger"): "nearest x2 to x4 + conv 3x3 and 5x5, 64 channels",
}
NEAREST = {kind: text for (group, kind), text in KINDS.items() if group == "nearest + conv"}


def summary(peers: Mapping[str, Content]) -> str:
    """Return Keras' time divided by ours, by kind of layer: geometric mean and worst case.

    Args:
        peers: backend -> content of peers-BACKEND.json.
    """
    rows = [
        [
            f"{text}, {mode}",
            *(
                mean_and_worst([_ratio(record, mode) for record in _kind(one, *kind)])
                for one in peers.values()
            ),
        ]
        for kind, text in KINDS.items()
        for mode in MODES
    ]
    rows += [
        [
            f"{group}, {mode}",
            *(mean_and_worst(_ratios(one, group, mode)) for one in peers.values()),
        ]
        for group in ("Conv2DTranspose", "UpSampling2D")
        for mode in MODES
    ]
    models = [r["name"] for r in next(iter(peers.values()))["results"] if r["group"] == "model"]
    rows += [
        [f"{model}, {mode}", *(f"{_ratio(_named(one, model), mode):.2f}" for one in peers.values())]
        for model in models
        for mode in MODES
    ]
    return table(["what", *(NAMES[backend] for backend in peers)], rows)


def ranks(contents: Mapping[str, Content]) -> str:
    """Return what others' time is divided by ours in signals and volumes: mean and worst case.

    Args:
        contents: backend -> content of ranks-BACKEND.json.
    """
    first = next(iter(contents.values()))
    groups = dict.fromkeys(record["group"] for record in first["results"])
    others = {"keras": "Keras", "eight corners": "eight gathered corners", "plain": "the backend"}
    rows = []
    for group, (who, text), mode in itertools.product(groups, others.items(), MODES):
        cells = [_others(_group(content, group), who, mode) for content in contents.values()]
        if set(cells) != {"-"}:
            rows.append([f"{group}, {text}, {mode}", *cells])
    return table(["theirs / ours", *(NAMES[backend] for backend in contents)], rows)


def _others(records: Sequence[Content], who: str, mode: str) -> str:
    """Return mean and worst of another's time divided by ours, where it was timed."""
    ratios = [
        times["median"] / record[mode]["ours"]["median"]
        for record in records
        for name, times in record[mode].items()
        if name.startswith(who)
    ]
    return mean_and_worst(ratios) if ratios else "-"


def fastest(peers: Mapping[str, Content]) -> str:
    """Return the time of the fastest of all peers divided by ours, on each backend."""
    every = _group(next(iter(peers.values())), "nearest + conv")
    ratios: dict[tuple[str, str, str], list[float]] = {}
    rows = []
    for mode, record in itertools.product(MODES, every):
        peer = _fastest_peer(peers, record["name"], mode)
        cells = []
        for backend, content in peers.items():
            ours = _named(content, record["name"])[mode]["ours"]["median"]
            ratios.setdefault((backend, record["kind"], mode), []).append(peer[0] / ours)
            cells.append(f"{milliseconds(ours)} ({peer[0] / ours:.2f})")
        rows.append([f"{record['name']}, {mode}", _timed(peer), *cells])
    means = [
        [
            f"**{text}: geometric mean, {mode}**",
            "",
            *(f"**{_mean(ratios[backend, kind, mode]):.2f}**" for backend in peers),
        ]
        for kind, text in NEAREST.items()
        for mode in MODES
    ]
    head = ["", "fastest peer, ms", *(f"ours on {NAMES[backend]}, ms" for backend in peers)]
    return table(head, means + rows)


def baselines(peers: Mapping[str, Content]) -> str:
    """Return every peer's time divided by ours on its own backend, typical cases and small ones."""
    columns = list(itertools.product(("typical", "few channels"), MODES))
    rows = []
    for backend, content in peers.items():
        typical = _kind(content, "nearest + conv", "typical")
        names = [name for one in typical for name in one["forward"]]
        rows += [
            [_who(name, backend), *(_peer_ratios(content, name, *column) for column in columns)]
            for name in dict.fromkeys(names)
            if name != "ours"
        ]
    return table(["peer / ours", *(f"{kind}, {mode}" for kind, mode in columns)], rows)


def _peer_ratios(content: Content, peer: str, kind: str, mode: str) -> str:
    ratios = [
        record[mode][peer]["median"] / record[mode]["ours"]["median"]
        for record in _kind(content, "nearest + conv", kind)
        if peer in record[mode]
    ]
    return mean_and_worst(ratios) if ratios else "-"


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
                    milliseconds(record[mode]["keras"]["median"]),
                    milliseconds(record[mode]["ours"]["median"]),
                    f"{_ratio(record, mode):.2f}",
                )
            ),
        ]
        for record in content["results"]
        if "keras" in record["forward"]
    ]
    return table(head, rows)


def memory(contents: Mapping[str, Content]) -> str:
    """Return by how many MiB a process grows at most, others' layers and ours: median, range."""
    rows = []
    for index, first in enumerate(next(iter(contents.values()))["results"]):
        cells = []
        for content in contents.values():
            sizes = content["results"][index]["MiB"]
            cells.append(" / ".join(_middle_and_range(some) for some in sizes.values()))
        *image, filters = first["shape"]
        what = [first["group"]] if "group" in first else []
        label = ", ".join([*what, f"{_sides(image)} -> {filters}", first["mode"]])
        rows.append([label, *cells])
    return table(["theirs / ours, MiB", *(NAMES[backend] for backend in contents)], rows)


def epoch(contents: Mapping[str, Content]) -> str:
    """Return the seconds of an epoch of the tutorial's autoencoder, and Keras' divided by ours."""
    names = {
        "keras": "Keras' layers",
        "ours": "`polyphase.layers.UpSampling2D`",
        "joined": "`UpSampleConv2D` for each pair",
    }
    rows = [
        [
            text,
            *(
                f"{content['medians'][name]:.2f} s"
                f" ({content['medians']['keras'] / content['medians'][name]:.2f})"
                for content in contents.values()
            ),
        ]
        for name, text in names.items()
    ]
    return table(["", *(NAMES[backend] for backend in contents)], rows)


def allocator(contents: Mapping[str, Content]) -> str:
    """Return the milliseconds of our layers with glibc as it is and with memory kept."""
    rows = []
    for index, first in enumerate(next(iter(contents.values()))["results"]):
        cells = []
        for content in contents.values():
            result = content["results"][index]
            default, kept = (median(result[habit]) for habit in ("default", "kept"))
            cells.append(f"{milliseconds(default)} / {milliseconds(kept)} ({default / kept:.2f})")
        rows.append([f"{first['name']}, {first['mode']}", *cells])
    return table(["default / kept, ms", *(NAMES[backend] for backend in contents)], rows)


def fold(contents: Mapping[str, Content]) -> str:
    """Return what folding gains: time before divided by after, forward, training and deployed.

    In brackets the products before divided by those after: what the forward pass cannot exceed by
    saving products alone.
    """
    rows = []
    for index, first in enumerate(next(iter(contents.values()))["results"]):
        cells = []
        for content in contents.values():
            result = content["results"][index]
            gains = [
                result[mode]["before"]["median"] / result[mode][after]["median"]
                for mode, after in (*((mode, "folded") for mode in MODES), ("forward", "deployed"))
            ]
            before, after = result["multiply_adds"]
            times = " / ".join(f"{gain:.2f}" for gain in gains)
            cells.append(f"{times} ({before / after:.2f})")
        rows.append([first["name"], *cells])
    head = ["forward / training / deployed (products)", *(NAMES[backend] for backend in contents)]
    return table(head, rows)


def fold_memory(contents: Mapping[str, Content]) -> str:
    """Return by how many MiB a process grows at most, before and after folding."""
    rows = []
    for index, first in enumerate(next(iter(contents.values()))["results"]):
        for mode in MODES:
            sizes = [content["results"][index]["MiB"][mode] for content in contents.values()]
            cells = [f"{size['before']:.0f} / {size['folded']:.0f}" for size in sizes]
            rows.append([f"{first['name']}, {mode}", *cells])
    return table(["before / folded, MiB", *(NAMES[backend] for backend in contents)], rows)


def tuned(contents: Mapping[str, Content]) -> str:
    """Return the milliseconds of models as they were, folded, and tuned; and what layers got."""
    rows = []
    for index, first in enumerate(next(iter(contents.values()))["results"]):
        for mode in MODES:
            cells = []
            for content in contents.values():
                result = content["results"][index]
                medians = " / ".join(milliseconds(one["median"]) for one in result[mode].values())
                gain = result[mode]["folded"]["median"] / result[mode]["tuned"]["median"]
                given = Counter(result[f"{mode} layers"].values())
                names = ", ".join(f"{count} {name}" for name, count in given.most_common())
                cells.append(f"{medians} ({gain:.2f}): {names}")
            rows.append([f"{first['name']}, {mode}", *cells])
    return table(["before / folded / tuned, ms", *(NAMES[backend] for backend in contents)], rows)


def course(content: Content) -> str:
    """Return loss and last layer's pattern of decoders after some epochs, plain and even."""
    rows = []
    for decoder, seeds in _by_decoder(content).items():
        for epoch in seeds[0]["course"]["plain"]:
            plain, even = (
                [_at(one, one["course"][way][epoch]) for one in seeds] for way in ("plain", "even")
            )
            lower = sum(e["loss"] < p["loss"] for p, e in zip(plain, even, strict=True))
            share = f"{lower} of {len(seeds)}"
            rows.append([decoder, epoch, *_states(plain), *_states(even), share])
    measured = ("above the floor, nats/pixel", "pattern, levels", "seen")
    even_ones = (*(f"EvenPhases: {one}" for one in measured), "EvenPhases lower in")
    return table(["decoder", "epochs", *measured, *even_ones], rows)


def repairs(content: Content) -> str:
    """Return loss and last layer's pattern with a repair and without, and what the loss differs."""
    rows = []
    for decoder, seeds in _by_decoder(content).items():
        for epoch in seeds[0]["repairs"]:
            states = {
                name: [_at(one, one["repairs"][epoch][name]) for one in seeds] for name in REPAIRS
            }
            for name, text in REPAIRS.items():
                pairs = zip(states[name], states["more"], strict=True)
                costs = [one["loss"] - other["loss"] for one, other in pairs]
                cost = "" if name == "more" else _median_and_range(costs, 4)
                rows.append([decoder, epoch, text.format(**content), *_states(states[name]), cost])
    head = ["decoder", "after epochs", "state", "above the floor, nats/pixel"]
    head += ["pattern, levels", "seen", "costs, nats/pixel"]
    return table(head, rows, text=3)


def _by_decoder(content: Content) -> dict[str, list[Content]]:
    found: dict[str, list[Content]] = {}
    for one in content["results"]:
        found.setdefault(one["decoder"], []).append(one)
    return found


def _at(one: Content, state: Content) -> dict[str, float]:
    """Return loss above the floor, and the pattern of the last layer in grey levels."""
    last = state["stages"][-1]
    return {
        "loss": state["loss"] - one["floor"],
        "levels": last["errors"]["amplitude"] * LEVELS,
        "seen": last["seen"],
    }


def _states(states: Sequence[Mapping[str, float]]) -> list[str]:
    losses, levels = ([one[name] for one in states] for name in ("loss", "levels"))
    seen = sum(one["seen"] for one in states)
    return [_median_and_range(losses, 4), _median_and_range(levels, 1), f"{seen} of {len(states)}"]


def _median_and_range(values: Sequence[float], decimals: int) -> str:
    low, high = min(values), max(values)
    return f"{median(values):.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})"


def precision(contents: Mapping[str, Content]) -> str:
    """Return the largest error of every lowering, in multiples of direct's on the same input."""
    rows: dict[tuple[str, str, str, str], dict[str, list[float]]] = {}
    for backend, content in contents.items():
        for record in content["rows"]:
            for lowering, error in record["errors"].items():
                of = f"{WORDS[record['rank']].image}s"
                key = (record["operation"], of, lowering, record["dtype"])
                multiple = error / max(record["errors"]["direct"], 1e-12)
                cell = rows.setdefault(key, {}).setdefault(backend, [0.0, 0.0])
                rows[key][backend] = [max(cell[0], error), max(cell[1], multiple)]
    lines = [
        [*key, *(f"{c[b][0]:.1e} ({c[b][1]:.1f}x)" if b in c else "-" for b in contents)]
        for key, c in rows.items()
    ]
    head = ["operation", "of", "lowering", "dtype", *(NAMES[b] for b in contents)]
    return table(head, lines, text=4)


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


def _kind(content: Content, group: str, kind: str) -> list[Content]:
    return [record for record in _group(content, group) if record.get("kind") == kind]


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


def mean_and_worst(ratios: Sequence[float]) -> str:
    """Return the geometric mean of ratios and, in brackets, the smallest."""
    return f"{_mean(ratios):.2f} ({min(ratios):.2f})"


def _fastest_peer(peers: Mapping[str, Content], name: str, mode: str) -> tuple[float, str]:
    """Return `(milliseconds, who)` of the fastest of all peers on all backends."""
    return min(
        (times["median"], _who(contender, backend))
        for backend, content in peers.items()
        for contender, times in _named(content, name)[mode].items()
        if contender != "ours"
    )


def _who(contender: str, backend: str) -> str:
    """Name a contender: those of Keras run on each backend, the plain ones say theirs."""
    if contender == "keras":
        return f"Keras on {NAMES[backend]}"
    return f"{contender} on {NAMES[backend]}" if contender.startswith("Keras") else contender


def _middle_and_range(sizes: Sequence[float]) -> str:
    return f"{median(sizes):.0f} ({min(sizes):.0f}\N{EN DASH}{max(sizes):.0f})"


def _timed(one: tuple[float, str]) -> str:
    return f"{milliseconds(one[0])} ({one[1]})"


def milliseconds(value: float) -> str:
    """Return a time in three digits, without an exponent."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _sides(image: Sequence[int]) -> str:
    return "x".join(map(str, image))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], text: int = 1) -> str:
    """Return a Markdown table; the first `text` columns are text."""
    marks = [*["---"] * text, *["---:"] * (len(head) - text)]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, marks, *rows]) + "\n"
