"""The page of a comparison: one HTML file that needs no network; a script in it adds controls."""

import base64
import datetime
import functools
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FunctionLoader
from markupsafe import Markup
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from polyphase.report import captions, findings, interactive, table
from polyphase.report.checkerboards import SHOWN, checkerboards, headings, stage_rows
from polyphase.report.figures import (
    error_maps,
    learning_curves,
    neighbours,
    png,
    reconstructions,
    samples,
)
from polyphase.report.operators import factors, operators
from polyphase.report.palette import colours
from polyphase.report.spectra import spectra
from polyphase.report.style import capital
from polyphase.report.table import Column
from polyphase.workbench.kept import samples_path
from polyphase.workbench.results import Comparison
from polyphase.workbench.statistics import Difference, differences

FIGURES = {
    "learning-curves": learning_curves,
    "reconstructions": reconstructions,
    "error-maps": error_maps,
    "checkerboards": checkerboards,
}
OF_GENERATORS = {
    "learning-curves": learning_curves,
    "samples": samples,
    "neighbours": neighbours,
    "spectra": spectra,
    "checkerboards": checkerboards,
}
MOST_SHOWN = 10  # decoders in a figure; the tables have all


@dataclass(frozen=True)
class _Mark:
    """One decoder on the strip of losses; places are percent of its width.

    Attributes:
        decoder: its name.
        mean: its mean loss as text.
        points: the place of each seed.
        low: the place of the least loss.
        high: the place of the greatest loss.
    """

    decoder: str
    mean: str
    points: tuple[float, ...]
    low: float
    high: float


@dataclass(frozen=True)
class _Film:
    """A training as an animated picture; all are data URIs.

    Attributes:
        decoder: what was trained.
        moving: the film.
        last: its last frame, for those who want no motion.
    """

    decoder: str
    moving: str
    last: str


def render(
    comparison: Comparison,
    figures: Mapping[str, bytes],
    curves: Figure | None = None,
    films: Mapping[str, bytes] = MappingProxyType({}),
) -> str:
    """Return the page as HTML.

    Args:
        comparison: the results.
        figures: PNG bytes by name: `learning-curves`, `reconstructions`, `error-maps`,
            `checkerboards`; for generators, `samples`, `neighbours` and `spectra` instead of the
            second and third. A figure that is not given is left out.
        curves: the learning curves as drawn, for the values under the pointer; None: no values.
        films: for generators, the training of a decoder's first seed as an animated WebP file, by
            the decoder's name.
    """
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_file)
    )
    template = environment.get_template("template.html.j2")
    return template.render(
        **_context(comparison, figures),
        script=Markup(_file("page.js")),
        wide=Markup(_file("wide.js")),
        losses=interactive.curves(comparison, curves),
        images=interactive.images(shown(comparison)) if comparison.task.paired else {},
        films=[_film(name, films[name]) for name in comparison.decoders if name in films],
    )


def _film(decoder: str, content: bytes) -> _Film:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        ImageSequence.all_frames(image)[-1].save(buffer, "png")
    return _Film(decoder, _data_uri(content, "webp"), _data_uri(buffer.getvalue()))


def shown(comparison: Comparison) -> Comparison:
    """Return a comparison with as many decoders as figures have room for, the lowest losses."""
    if len(comparison.decoders) <= MOST_SHOWN:
        return comparison
    ranked = sorted(table.rows(comparison), key=findings.order)
    names = {row.decoder for row in ranked[:MOST_SHOWN]}
    kept = tuple(trial for trial in comparison.trials if trial.decoder in names)
    return replace(comparison, trials=kept)


def _file(name: str) -> str:
    return resources.files("polyphase.report").joinpath(name).read_text(encoding="utf-8")


def write(comparison: Comparison, folder: Path) -> Path:
    """Write `figures/*.png` and `report.html` into the folder; return the path of the page.

    Films of the trainings of generators are read from `samples/`, if they exist.
    """
    drawings = FIGURES if comparison.task.paired else OF_GENERATORS
    figures = {name: draw(shown(comparison)) for name, draw in drawings.items()}
    drawn = {name: png(figure) for name, figure in figures.items()}
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for name, content in drawn.items():
        (folder / "figures" / f"{name}.png").write_bytes(content)
    page = folder / "report.html"
    text = render(comparison, drawn, figures["learning-curves"], _films(comparison, folder))
    page.write_text(text, encoding="utf-8", newline="\n")
    return page


def _films(comparison: Comparison, folder: Path) -> dict[str, bytes]:
    """Read what there is of the trainings of the decoders that figures have room for."""
    paths = {
        name: samples_path(folder, name, comparison.of(name)[0].seed).with_suffix(".webp")
        for name in shown(comparison).decoders
    }
    return {name: path.read_bytes() for name, path in paths.items() if path.exists()}


def _context(comparison: Comparison, figures: Mapping[str, bytes]) -> dict[str, Any]:
    config = comparison.config
    seeds, columns = table.seeds(comparison), table.columns(comparison)
    return {
        "batches_differ": captions.differ(config.get("batch_size")),
        "answer": findings.answer(comparison),
        "apart": findings.apart(comparison),
        "alternatives": _alternatives(comparison),
        "captions": captions.figures(comparison),
        "code": _code_values(config),
        "colours": colours(comparison.decoders),
        "checkerboard_columns": table.checkerboard_columns(comparison),
        "stage_headings": headings(comparison),
        "stages": stage_rows(comparison),
        "columns": columns,
        "tables": _tables(comparison, columns),
        "config": config,
        "decisions": findings.decisions(comparison),
        "differences": judged(comparison),
        "interval": findings.interval,
        "intervals": functools.partial(captions.intervals, measure=comparison.task.measure),
        "measure": capital(comparison.task.measure),
        "penalty": captions.penalty(config),
        "learning": bool(findings.learning(comparison)),
        "margin": comparison.margin,
        "needed": findings.needed,
        "on_workers": comparison.on_workers,
        "limits": [] if findings.published(comparison) else findings.limits(comparison),
        "date": _date(str(config.get("started", ""))),
        "decoders": comparison.decoders,
        "word": "loss" if comparison.task.paired else comparison.task.measure,
        "figures": {name: _data_uri(content) for name, content in figures.items()},
        "floor": _floor(comparison),
        "task": comparison.task,
        "loss": captions.LOSSES.get(comparison.task.loss, comparison.task.loss),
        "unit": comparison.unit,
        "names": table.names(comparison),
        "circumstances": table.circumstances(comparison),
        "factors": functools.partial(factors, comparison),
        "operators": operators(comparison),
        "published": findings.published(comparison),
        "rows": {row.decoder: row for row in table.rows(comparison)},
        "seeds": seeds,
        "settings": captions.settings(comparison),
        "left_out": max(0, len(comparison.decoders) - MOST_SHOWN),
        "spread": table.spread_sentence(comparison),
        "strip": _strip(comparison),
        "rgb": comparison.originals.shape[-1] == 3,
    }


def _tables(comparison: Comparison, columns: Sequence[Column]) -> dict[str, Sequence[Column]]:
    """Return the table of results; for generators, the costs are a table of their own."""
    if comparison.task.paired:
        return {"Table of results": columns}
    costs = [column for column in columns if column.says in table.COSTS]
    found = [column for column in columns if column not in costs]
    count = len(comparison.decoders)
    alone = [replace(column, cells=column.cells[:count]) for column in costs]
    return {"Table of results": found, "Table of costs": alone}


def judged(comparison: Comparison) -> list[Difference]:
    """Return the differences that have an interval, in runs that differ in nothing else."""
    if findings.apart(comparison):
        return []
    return [one for one in differences(comparison) if math.isfinite(one.low)]


def _strip(comparison: Comparison) -> dict[str, Any]:
    """Place every seed's loss on a line from the least to the greatest."""
    trials = comparison.trials
    losses = [t.validation_loss for t in trials if math.isfinite(t.validation_loss)]
    if not losses:
        return {"marks": [], "low": "", "high": ""}
    low, high = min(losses), max(losses)
    width = (high - low) or 1.0
    marks = []
    for row in sorted(table.rows(comparison), key=lambda row: row.loss.mean):
        if math.isfinite(row.loss.mean):
            values = [trial.validation_loss for trial in comparison.of(row.decoder)]
            points = tuple(round(100 * (value - low) / width, 2) for value in values)
            mean = table.number(row.loss.mean, table.LOSS_DECIMALS)
            marks.append(_Mark(row.decoder, mean, points, min(points), max(points)))
    ends = (table.number(end, table.LOSS_DECIMALS) for end in (low, high))
    return dict(zip(("low", "high"), ends, strict=True)) | {"marks": marks}


def _alternatives(comparison: Comparison) -> dict[str, str]:
    """Describe each figure in words, for readers who cannot see it."""
    names = findings.listed(comparison.decoders)
    ends = ", ".join(
        f"{row.decoder} {table.number(row.loss.mean, table.LOSS_DECIMALS)}"
        for row in table.rows(comparison)
    )
    if not comparison.task.paired:
        return _of_generators(comparison, names, ends)
    floor = _floor(comparison)
    dashed = f" A dashed line marks the floor of the data, {floor}." if floor else ""
    given = f", then what the models are given ({comparison.task.given})"
    untrained = findings.listed([one.name for one in comparison.baselines] or [""])
    labels = [label for label in comparison.labels if label]
    count = len(comparison.originals)
    classes = f" (classes {', '.join(labels)})" if labels else ""
    return {
        "learning-curves": f"Line chart of the {comparison.task.measure} per epoch for {names}. "
        f"Losses after the last epoch: {ends}.{dashed}",
        "reconstructions": f"A grid of images: {count} originals{classes} in the first row"
        f"{given if comparison.task.given else ''}, and below them their reconstructions, one row "
        f"each for {names}{f', then {untrained}' if untrained else ''}.",
        "error-maps": f"A grid of images: the same {count} originals in the first row, and below "
        f"them the signed error of each reconstruction, one row each for {names}; blue where it "
        "is too dark, red where it is too bright.",
        "checkerboards": f"For each of {names}: what its last layer makes of a constant; below it "
        f"the mean error at every position in the period, from minus {SHOWN} to {SHOWN} grey "
        "levels; the strength of the errors at every harmonic of the longest period; below these a "
        "line chart of the power of the errors by frequency. The tables above have the numbers.",
    }


def _of_generators(comparison: Comparison, names: str, ends: str) -> dict[str, str]:
    """Say the same of the figures of generators."""
    count = len(comparison.originals)
    return {
        "learning-curves": f"Line chart of the KID per epoch for {names}. After the last epoch: "
        f"{ends}.",
        "samples": f"A grid of images: {count} test images in the first row, and below them "
        f"{count} generated images, one row each for {names}.",
        "neighbours": f"A grid of images: for each of {names} a row of {count} generated images, "
        "and below it a row of the training images that are nearest to them.",
        "spectra": f"Line chart of the power of generated images over their frequency for {names}, "
        "and of training images, dashed. The table has the distances of the spectra.",
        "checkerboards": f"For each of {names}: what its last layer makes of a constant; below it "
        "the mean of the generated images minus that of the validation images at every position in "
        f"the period, from minus {SHOWN} to {SHOWN} grey levels; the strength of the generated "
        "images at every harmonic of the longest period; below these a line chart of their power "
        "by frequency. The tables above have the numbers.",
    }


def _floor(comparison: Comparison) -> str:
    """Write what no loss can go below; an empty text if that is 0."""
    if comparison.floor is None:
        return ""
    return table.number(comparison.floor, table.LOSS_DECIMALS)


def _code_values(config: Mapping[str, Any]) -> dict[str, int] | None:
    """Count the values of an image and of the two published models' codes."""
    shape = config.get("data", {}).get("shape", ())
    if len(shape) != 3:
        return None
    height, width, channels = shape
    return {
        "image": height * width * channels,
        "upsampling": math.ceil(height / 8) * math.ceil(width / 8) * 8,
        "transposed": (height - 6) * (width - 6) * 8,
    }


def _date(started: str) -> str:
    """Write an ISO date for people; anything else stays as it is."""
    try:
        day = datetime.datetime.fromisoformat(started)
    except ValueError:
        return started
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _data_uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
