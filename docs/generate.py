"""Write the generated pages of the documentation: the commands, and tables of measured runs.

make docs
"""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import typer.main
from typer.core import TyperGroup

from polyphase.cli.app import app
from polyphase.ops.choice import TABLE
from polyphase.report import answer, choices, learned, markdown, onnx_files, real_models, study
from polyphase.report import performance as tables_of
from polyphase.report.findings import decisions, interval, needed
from polyphase.report.table import (
    cell,
    checkerboard_columns,
    columns,
    markdown_columns,
    rows,
    spread_sentence,
)
from polyphase.workbench import Comparison, fields
from polyphase.workbench.evidence import baseline_of, imitation_of, trial_of
from polyphase.workbench.joining import joined
from polyphase.workbench.results import floor_of
from polyphase.workbench.statistics import differences

DOCS = Path(__file__).parent
ROOT = DOCS.parent
BENCHMARKS = (
    *("peers", "ranks", "memory", "memory-volumes", "precision", "epoch", "allocator"),
    "learned",
)


def commands() -> str:
    """Return the page of all commands, from their own help."""
    lines = ["# Commands", "", "Written by `make docs` from the commands themselves."]
    for path, command in _walk("polyphase", typer.main.get_command(app)):
        lines += ["", f"## `{path}`", "", _text(command.help or "")]
        if command.params:
            lines += ["", "| option | meaning | default |", "|---|---|---|"]
            lines += [_option(parameter) for parameter in command.params]
    return "\n".join(lines) + "\n"


def _walk(path, command):  # type: ignore[no-untyped-def]
    yield path, command
    if isinstance(command, TyperGroup):
        for name, child in command.commands.items():
            yield from _walk(f"{path} {name}", child)


def _option(parameter) -> str:  # type: ignore[no-untyped-def]
    """Return a line of the table, from what the command declares."""
    name = parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.name.upper()
    shown = getattr(parameter, "show_default", None)
    default = shown if isinstance(shown, str) else parameter.default
    known = "" if parameter.required or default is None or default is False else str(default)
    return f"| `{name}` | {_cell(parameter.help or '')} | {_cell(known)} |"


def _text(help_text: str) -> str:
    """Return a command's help; its examples, which are indented, become one block of code."""
    lines = help_text.strip().splitlines()
    indented = [number for number, line in enumerate(lines) if line.startswith("    ")]
    if not indented:
        return "\n".join(lines)
    first, last = indented[0], indented[-1]
    code = [line.strip() for line in lines[first : last + 1] if line.strip()]
    return "\n".join([*lines[:first], "```", *code, "```", *lines[last + 1 :]])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def results(name: str) -> Comparison:
    """Return the numbers of a finished run of `docs/results` from config.json and metrics.jsonl."""
    folder = DOCS / "results" / name
    config = json.loads((folder / "config.json").read_text())
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    trials = (
        trial_of(_UNMEASURED | line, lines, _UNKEPT | _imitation(line))
        for line in lines
        if line["kind"] == "final"
    )
    baselines = (
        baseline_of(line, np.empty(0), imitation_of(line, _imitation(line)))
        for line in lines
        if line["kind"] == "baseline"
    )
    return Comparison(
        config, floor_of(config), np.empty(0), (), tuple(trials), baselines=tuple(baselines)
    )


# Runs from before checkerboards were measured have none; of no run the documentation keeps arrays.
_UNMEASURED = dict.fromkeys(("chi", "periodic_bias", "periodic_variance"), np.nan)
_UNKEPT = {
    "reconstructions": np.empty(0),
    "pattern": np.ones((2, 2)),
    "mean_error": np.zeros((2, 2)),
    "spectrum": np.zeros(1),
}


def _imitation(line: dict) -> dict[str, np.ndarray]:
    """Return the arrays of made images, which no page shows; of other lines none."""
    return {"radial": np.empty(0), "neighbours": np.empty(0)} if "fid" in line else {}


def findings() -> dict[Path, str]:
    """Return the pages of the findings, and of the one that is superseded."""
    photographs = results("photographs")
    told = {
        "finding.md": _found(photographs, "photographs ")
        | {"photographs numbers": _without_times(photographs)}
        | _found(results("mnist"), "mnist "),
        "learned.md": _found(results("learned-photographs"), "photographs ")
        | _found(results("learned-mnist"), "mnist ")
        | _found(results("learned-super-resolve"), "super-resolve "),
        "finding-superseded.md": _superseded(),
    }
    pages = {}
    for name, parts in told.items():
        page = (DOCS / name).read_text()
        for mark, content in parts.items():
            page = between_marks(page, mark, content)
        pages[DOCS / name] = page
    return pages


def crop_side() -> str:
    """Return the page on the crop side with the runs of its experiment."""
    runs = {
        (data, encoder): results(f"crop-{encoder}-{data}")
        for data, encoder in itertools.product(("mnist", "photographs"), ("even", "centred"))
    }
    page = (DOCS / "crop-side.md").read_text()
    page = between_marks(page, "numbers", _places(runs))
    page = between_marks(page, "crops", _crops(runs))
    told = [_circumstances(one.config) for one in runs.values()]
    return between_marks(page, "circumstances", "\n".join(told))


def _places(runs: dict[tuple[str, str], Comparison]) -> str:
    """Return where every decoder lies behind every encoder, and its loss."""
    lines = [
        "| data | encoder | decoder | shift, pixels | epochs | above the floor, nats/pixel |",
        "| --- | --- | --- | ---: | ---: | ---: |",
    ]
    for (data, encoder), run in runs.items():
        for row in sorted(rows(run), key=lambda row: abs(row.offset[0])):
            epochs = [len(trial.history) for trial in run.of(row.decoder)]
            lines.append(
                f"| {data} | {encoder} | {row.decoder} | {row.offset[0]:g} "
                f"| {min(epochs)} to {max(epochs)} | {cell(row.above_floor, 4).text} |"
            )
    return "\n".join(lines) + "\n"


def _crops(runs: dict[tuple[str, str], Comparison]) -> str:
    """Return the paired difference of the two crops behind every encoder."""
    lines = [
        "| data | encoder | smaller shift | difference, nats/pixel | decided |",
        "| --- | --- | --- | ---: | --- |",
    ]
    for (data, encoder), run in runs.items():
        crops = tuple(one for one in run.trials if one.decoder.startswith("transposed-3"))
        pair = replace(run, trials=crops)
        (one,) = differences(pair)
        offsets = {trial.decoder: abs(trial.offset[0]) for trial in crops}
        near = [name for name, offset in offsets.items() if offset == min(offsets.values())]
        nearer = near[0] if len(near) == 1 else "both alike"
        lines.append(
            f"| {data} | {encoder} | {nearer} | {one.decoder}: {interval(one)} "
            f"| {decisions(pair)[one.decoder]} |"
        )
    return "\n".join(lines) + "\n"


def _without_times(comparison: Comparison) -> str:
    """Return the table without the seconds of epochs, which JAX's runs of that day did not know."""
    kept = [column for column in columns(comparison) if column.name != "training"]
    return f"{markdown_columns(comparison, kept)}\n{spread_sentence(comparison)}\n"


def _superseded() -> dict[str, str]:
    first, matched = results("first"), results("matched")
    return {
        **_found(first, ""),
        "checkerboards": markdown_columns(first, checkerboard_columns(first)),
        **_found(matched, "matched "),
        "published": markdown(results("published")),
    }


def _found(comparison: Comparison, which: str) -> dict[str, str]:
    """Return what a page says of a comparison, by its marks."""
    said = decisions(comparison)
    behind = [
        f"| {one.decoder} | {interval(one)} | {said[one.decoder]} | "
        f"{needed(one) if said[one.decoder] == 'no' else ''} |"
        for one in differences(comparison)
    ]
    head = [
        f"| decoder | behind, {comparison.unit} | decided | seeds needed |",
        "| --- | ---: | --- | --- |",
    ]
    return {
        f"{which}answer": "".join(f"> {sentence}\n" for sentence in answer(comparison)),
        f"{which}numbers": markdown(comparison),
        f"{which}differences": "\n".join([*head, *behind]) + "\n",
        f"{which}circumstances": _circumstances(comparison.config),
    }


def _circumstances(config: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in config["versions"].items())
    return (
        f"`{config['command']}`, {config['started'][:10]}; {versions}; "
        f"{config['machine']['cpus']} CPU cores, shared with other work.\n"
    )


def intervals() -> str:
    """Return what every rule for a winner does in the simulation, a line each."""
    content = json.loads((ROOT / "benchmarks" / "results" / "intervals.json").read_text())
    lines = [
        "| decoders, seeds | rule | any error | skewed, unequal | power | one diverged |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for one in sorted(content["cells"], key=lambda one: (one["decoders"], one["seeds"])):
        for rule, found in one["rules"].items():
            errors = dict(found["error"])
            apart = errors.pop("skewed and unequal")
            shares = (max(errors.values()), apart, found["power"], found.get("spoiled"))
            texts = ["" if share is None else f"{100 * share:.0f}%" for share in shares]
            lines.append(f"| {one['decoders']}, {one['seeds']} | {rule} | {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


def detail() -> str:
    """Return what fine detail every data set has, a line each."""
    content = json.loads((ROOT / "benchmarks" / "results" / "detail.json").read_text())
    lines = ["| data | images | size | fine detail |", "| --- | ---: | --- | ---: |"]
    for one in content["sets"]:
        size = "x".join(map(str, one["shape"]))
        lines.append(f"| {one['name']} | {one['count']:,} | {size} | {100 * one['share']:.2g}% |")
    return "\n".join(lines) + "\n"


def published() -> str:
    """Return the table and the circumstances of the published comparison."""
    comparison = results("published")
    return f"{markdown(comparison)}\n{_circumstances(comparison.config)}"


def same_seeds() -> str:
    """Return the tutorials' losses with our layers and with Keras' own, same seed."""
    epochs = (1, 2, 5, 10, 25)
    rows = []
    for folder in (DOCS / "results" / "same-seeds").iterdir():
        config = json.loads((folder / "config.json").read_text())
        records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for decoder in config["decoders"]:
            losses = {
                record["epoch"] + 1: f"{record['validation_loss']:.5f}"
                for record in records
                if record["kind"] == "epoch" and record["decoder"] == decoder
            }
            name = [decoder, config["backend"], config.get("layers", "polyphase")]
            rows.append(name + [losses.get(epoch, "not run") for epoch in epochs])
    head = ["model", "backend", "layers", *(f"epoch {epoch}" for epoch in epochs)]
    lines = [head, ["---"] * 3 + ["---:"] * len(epochs), *sorted(rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def measured(kind: str) -> dict[str, dict]:
    """Return the benchmark's results of one kind, by backend."""
    found = ROOT / "benchmarks" / "results"
    return {
        backend: json.loads((found / f"{kind}-{backend}.json").read_text())
        for backend in ("jax", "tensorflow", "torch")
    }


def readme() -> str:
    """Return README with the typical lines of the tables on performance."""
    speed = "\n".join(_typical(measured("peers"))) + "\n"
    return between_marks((ROOT / "README.md").read_text(), "speed", speed)


def _typical(contents: dict[str, dict]) -> list[str]:
    """Return the first lines of the summary: of the layers that most decoders have."""
    return tables_of.summary(contents).splitlines()[: 2 + 2 * len(tables_of.INTERPOLATED)]


def performance() -> str:
    """Return the page on performance with the tables of benchmarks/results."""
    contents = {kind: measured(kind) for kind in BENCHMARKS}
    page = (DOCS / "performance.md").read_text()
    tables = {
        "typical": "\n".join(_typical(contents["peers"])) + "\n",
        "summary": tables_of.summary(contents["peers"]),
        "baselines": tables_of.baselines(contents["peers"]),
        "fastest": tables_of.fastest(contents["peers"]),
        **{kind: tables_of.memory(contents[kind]) for kind in ("memory", "memory-volumes")},
        "precision": tables_of.precision(contents["precision"]),
        "choices": choices.choices(
            {row.measurement: json.loads((ROOT / row.measurement).read_text()) for row in TABLE}
        ),
        "half": choices.half(measured("lowerings")),
        "epoch": tables_of.epoch(contents["epoch"]),
        "allocator": tables_of.allocator(contents["allocator"]),
        "circumstances": tables_of.circumstances(contents["peers"].values()),
        **{f"cases {name}": tables_of.cases(one) for name, one in contents["peers"].items()},
        **_ranks(contents["ranks"]),
        "learned": learned.times(contents["learned"]),
        "learned memory": learned.memory(contents["learned"]),
        "learned circumstances": tables_of.circumstances(contents["learned"].values()),
    }
    for name, table in tables.items():
        page = between_marks(page, name, table)
    return page


def _ranks(contents: dict[str, dict]) -> dict[str, str]:
    """Return the tables of signals and volumes, by their marks."""
    models = {backend: {"results": content["models"]} for backend, content in contents.items()}
    return {
        "ranks": tables_of.ranks(contents),
        "ranks models": tables_of.fold(models),
        "ranks circumstances": tables_of.circumstances(contents.values()),
        **{f"ranks {name}": tables_of.cases(one) for name, one in contents.items()},
    }


def folding() -> str:
    """Return the page on folding with the tables of its benchmark."""
    contents = measured("fold")
    page = between_marks((DOCS / "folding.md").read_text(), "gains", tables_of.fold(contents))
    page = between_marks(page, "memory", tables_of.fold_memory(contents))
    page = between_marks(page, "tuned", tables_of.tuned(measured("tuned")))
    real = measured("real-models")
    page = between_marks(page, "real summary", real_models.summary(real))
    page = between_marks(page, "real", real_models.table(real))
    files = json.loads((ROOT / "benchmarks" / "results" / "onnx-torch.json").read_text())
    page = between_marks(page, "onnx", onnx_files.table(files))
    page = between_marks(page, "real circumstances", tables_of.circumstances(real.values()))
    return between_marks(page, "circumstances", tables_of.circumstances(contents.values()))


def checkerboards() -> str:
    """Return the page on checkerboards with the table of its experiment."""
    found = ROOT / "benchmarks" / "results" / "checkerboards-jax.json"
    content = json.loads(found.read_text())
    page = (DOCS / "checkerboards.md").read_text()
    page = between_marks(page, "course", tables_of.course(content))
    page = between_marks(page, "repair", tables_of.repairs(content))
    page = between_marks(page, "absent", absent())
    page = between_marks(page, "present", present())
    return between_marks(page, "circumstances", tables_of.circumstances([content]))


STUDY = ("strided", "blurred", "remedies", "fit")
CHANGED = ("nearest", "transposed-3")  # beside which the remedies are shown


def generators() -> str:
    """Return the page on the checkerboards of generators with the runs of its study."""
    page = (DOCS / "generators.md").read_text()
    for name in STUDY:
        run = results(f"generators/{name}")
        told = {
            "answer": "".join(f"> {sentence}\n" for sentence in answer(run)),
            "numbers": markdown(run),
            "biases": study.biases(run),
            "pairs": _told_apart(run),
            "circumstances": _circumstances(run.config),
        }
        for mark, content in told.items():
            page = between_marks(page, f"{name} {mark}", content)
    beside = _remedies_beside_others()
    page = between_marks(page, "beside biases", study.biases(beside))
    page = between_marks(page, "beside pairs", _told_apart(beside))
    found = json.loads((ROOT / "benchmarks" / "results" / "generators-jax.json").read_text())
    page = between_marks(page, "correlations", study.correlations(found["generators"]))
    page = between_marks(page, "repairs", study.repairs(found["generators"]))
    page = between_marks(page, "planted", study.planted(found))
    return between_marks(page, "circumstances", tables_of.circumstances([found]))


def _remedies_beside_others() -> Comparison:
    """Return the run of the remedies beside what was trained before."""
    names = [f"generators/{name}" for name in ("strided", "remedies")]
    both = joined([DOCS / "results" / name for name in names], [*map(results, names)], "")
    shown = (*CHANGED, *results(names[1]).decoders)
    return replace(both, trials=tuple(one for one in both.trials if one.decoder in shown))


def _told_apart(run: Comparison) -> str:
    """Return by how much every pair of decoders differs."""
    adversarial = (study.BIAS, study.KID, study.SPECTRAL)
    return study.pairs(run, *((study.LEVELS, study.LOSS) if run.task.paired else adversarial))


def absent() -> str:
    """Return what the measure of patterns reads where none is."""
    lines = [
        "| data, period | greatest reading, levels | excludes zero | seen |",
        "| --- | ---: | ---: | ---: |",
    ]
    cells: dict[tuple[str, int], list[dict]] = {}
    for one in _simulated_patterns()["absent"]:
        cells.setdefault((one["data"], one["period"]), []).append(one)
    for (data, period), kinds in cells.items():
        most = [max(one[name] for one in kinds) for name in ("amplitude", "above zero", "seen")]
        shares = " | ".join(f"{100 * share:.0f}%" for share in most[1:])
        lines.append(f"| {data}, {period} | {most[0]:.1f} | {shares} |")
    return "\n".join(lines) + "\n"


def present() -> str:
    """Return what the measure of patterns reads of planted ones."""
    cells: dict[tuple[str, str], list[dict]] = {}
    for one in _simulated_patterns()["present"]:
        cells.setdefault((one["data"], one["case"]), []).append(one)
    strengths = [one["strength"] for one in next(iter(cells.values()))]
    lines = [
        f"| data, pattern | {' | '.join(f'{strength} levels' for strength in strengths)} |",
        f"| --- |{' ---: |' * len(strengths)}",
    ]
    for (data, case), found in cells.items():
        texts = [f"{one['amplitude']:.1f}, {100 * one['seen']:.0f}%" for one in found]
        lines.append(f"| {data}: {case} | {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


def _simulated_patterns() -> dict:
    return json.loads((ROOT / "benchmarks" / "results" / "patterns.json").read_text())


def between_marks(page: str, name: str, content: str) -> str:
    """Replace what stands between `<!-- NAME -->` and `<!-- end -->`."""
    start = page.index(f"<!-- {name} -->") + len(f"<!-- {name} -->")
    end = page.index("<!-- end -->", start)
    return f"{page[:start]}\n{content}{page[end:]}"


def comparing() -> str:
    """Return the page on comparing: simulated rules, the data, the fields of a run's files."""
    page = between_marks((DOCS / "comparing.md").read_text(), "intervals", intervals())
    page = between_marks(page, "detail", detail())
    return between_marks(page, "fields", fields.markdown())


def pages() -> dict[Path, str]:
    """Return every generated page with its content."""
    page = (DOCS / "published.md").read_text()
    page = between_marks(page, "published", published())
    page = between_marks(page, "same seeds", same_seeds())
    return {
        DOCS / "cli.md": commands(),
        DOCS / "comparing.md": comparing(),
        DOCS / "published.md": page,
        DOCS / "performance.md": performance(),
        **findings(),
        DOCS / "crop-side.md": crop_side(),
        DOCS / "folding.md": folding(),
        DOCS / "checkerboards.md": checkerboards(),
        DOCS / "generators.md": generators(),
        ROOT / "README.md": readme(),
    }


if __name__ == "__main__":
    for path, content in pages().items():
        path.write_text(content)
        print(path)
