"""Material for a paper from a comparison: figures, tables, captions and references."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from polyphase.report import captions, findings, latex
from polyphase.report.checkerboards import checkerboards
from polyphase.report.figures import (
    error_maps,
    learning_curves,
    neighbours,
    reconstructions,
    samples,
)
from polyphase.report.page import MOST_SHOWN, judged, shown
from polyphase.report.references import bibtex
from polyphase.report.spectra import spectra
from polyphase.report.style import ONE_COLUMN, TWO_COLUMNS, Size, pdf, plain
from polyphase.report.table import (
    DASH,
    IMITATION,
    LOSS_DECIMALS,
    Cell,
    Column,
    Spread,
    checkerboard_columns,
    circumstances,
    columns,
    filled,
    imitated,
    names,
    number,
)
from polyphase.workbench import fields
from polyphase.workbench.evidence import baseline_measures, measures
from polyphase.workbench.fields import LOSS, METRICS
from polyphase.workbench.results import Baseline, Comparison, Trial
from polyphase.workbench.statistics import Difference

_Figures = dict[str, tuple[str, Callable[[Comparison, Size], Figure], Size]]
_FIGURES: _Figures = {
    "curves.pdf": ("learning-curves", learning_curves, ONE_COLUMN),
    "reconstructions.pdf": ("reconstructions", reconstructions, TWO_COLUMNS),
    "errors.pdf": ("error-maps", error_maps, TWO_COLUMNS),
    "checkerboards.pdf": ("checkerboards", checkerboards, TWO_COLUMNS),
}
_OF_GENERATORS: _Figures = {
    "curves.pdf": _FIGURES["curves.pdf"],
    "samples.pdf": ("samples", samples, TWO_COLUMNS),
    "neighbours.pdf": ("neighbours", neighbours, TWO_COLUMNS),
    "spectra.pdf": ("spectra", spectra, ONE_COLUMN),
    "checkerboards.pdf": _FIGURES["checkerboards.pdf"],
}
_OF_PAIRS = ("offset", "psnr", "ssim", "decoder_seconds", "periodic_variance")
_SPREAD = {"mean": "mean", "low": "least", "high": "greatest"}


def write_paper(comparison: Comparison, folder: Path) -> None:
    """Write figures, tables, captions and references into a new folder.

    1. `curves.pdf`, 3.3 inches wide; `reconstructions.pdf`, `errors.pdf` and `checkerboards.pdf`,
       7 inches wide at most. No text is smaller than 7 points. For generators there are
       `spectra.pdf`, 3.3 inches wide, `samples.pdf` and `neighbours.pdf` instead of
       `reconstructions.pdf` and `errors.pdf`.
    2. `table.tex`, for the package booktabs; `table.csv`, a line per decoder; `trials.csv`, a line
       per trained model: all digits, in the units of `metrics.jsonl`.
    3. `caption.txt` and `references.bib`.

    Args:
        comparison: the results.
        folder: the folder to create.

    Raises:
        OSError: if it exists or cannot be written.
    """
    folder.mkdir()
    for name, (_, draw, size) in _figures(comparison).items():
        (folder / name).write_bytes(pdf(draw(shown(comparison), size)))
    for name, text in texts(comparison).items():
        (folder / name).write_text(text, encoding="utf-8", newline="")


def _figures(comparison: Comparison) -> _Figures:
    return _FIGURES if comparison.task.paired else _OF_GENERATORS


def texts(comparison: Comparison) -> dict[str, str]:
    """Return the files that are text, by their names."""
    return {
        "table.tex": _latex(comparison),
        "table.csv": _csv(_decoders(comparison)),
        "trials.csv": _csv([_trial(trial, comparison) for trial in comparison.trials]),
        "caption.txt": _captions(comparison),
        "references.bib": bibtex(comparison),
    }


def _latex(comparison: Comparison) -> str:
    """Return the table of all columns, and of the differences to the best decoder."""
    loss, *others = columns(comparison)
    table = [loss, *_behind(comparison), *others, *checkerboard_columns(comparison)]
    head = "% It needs \\usepackage{booktabs}.\n"
    caption = " ".join(_table_caption(comparison))
    whole = names(comparison)
    table = [filled(column, len(whole)) for column in table]
    return head + latex.table(whole, table, caption, "tab:polyphase")


def _behind(comparison: Comparison) -> list[Column]:
    """Return the column of differences to the best decoder; none where none is judged."""
    found = {one.decoder: one for one in judged(comparison)}
    if not found:
        return []
    best = next(iter(found.values())).best
    cells = tuple(_difference(found.get(name), name == best) for name in comparison.decoders)
    return [Column(f"behind {best}", comparison.unit, cells)]


def _difference(one: Difference | None, best: bool) -> Cell:
    if one is None:
        return Cell(DASH if best else "not finite")
    low, high = number(one.low, LOSS_DECIMALS), number(one.high, LOSS_DECIMALS)
    return Cell(number(one.mean, LOSS_DECIMALS), f"{low} to {high}")


def _table_caption(comparison: Comparison) -> list[str]:
    data = comparison.config.get("data", {}).get("name", "")
    said = [f"Decoders on the {comparison.task.validation}{f' of {data}' if data else ''}."]
    said.append(circumstances(comparison))
    found = judged(comparison)
    if found:
        seeds = len(comparison.of(found[0].decoder))
        said.append(f"Behind: {captions.intervals(found[0].best, seeds, comparison.task.measure)}")
    return said


def _captions(comparison: Comparison) -> str:
    """Return the caption of each file, what was found, and the circumstances, in plain text."""
    every = captions.figures(shown(comparison))
    parts = {name: every[key] for name, (key, _, _) in _figures(comparison).items()}
    loss = "loss" if comparison.task.paired else comparison.task.measure
    if len(comparison.decoders) > MOST_SHOWN:
        parts["Figures"] = (
            f"They show the {MOST_SHOWN} decoders with the lowest {loss}; the table shows all."
        )
    parts["table.tex"] = " ".join(_table_caption(comparison))
    parts["What was found"] = " ".join(findings.answer(comparison))
    if not findings.apart(comparison):
        parts["What was held fixed"] = captions.held_fixed(comparison)
    settings = [*captions.settings(comparison), ("Command", comparison.config.get("command", ""))]
    parts["Settings"] = "\n".join(f"{name}: {text}" for name, text in settings if text)
    return "\n".join(_printable(f"{name}\n{text}\n") for name, text in parts.items())


def _printable(text: str) -> str:
    return "\n".join(plain(line, len(line)) for line in text.split("\n"))


def _csv(lines: Sequence[dict[str, Any]]) -> str:
    """Return lines, which have the same keys, as RFC 4180 says."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _trial(trial: Trial, comparison: Comparison) -> dict[str, Any]:
    """Return what was measured of a trained model, by name and unit."""
    found = {
        _with_unit(name, comparison.unit): _written(value)
        for name, value in _measures(trial, comparison.task.paired).items()
    }
    return {"decoder": trial.decoder, "seed": trial.seed} | found


def _measures(trial: Trial, paired: bool) -> dict[str, Any]:
    """Return what was measured of a whole model; its layers are in `metrics.jsonl`.

    Of generators instead of what needs originals how near their images are to real ones.
    """
    found = {name: value for name, value in measures(trial).items() if name != "stages"}
    return found if paired else _imitating(found, trial)


def _imitating(found: dict[str, Any], one: Trial | Baseline) -> dict[str, Any]:
    kept = {name: value for name, value in found.items() if name not in _OF_PAIRS}
    return kept | {name: imitated(one, name) for name in IMITATION}


def _written(value: Any) -> Any:
    """Return what a cell holds: numbers, two of them with a space between, nothing for None."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else value


def _decoders(comparison: Comparison) -> list[dict[str, Any]]:
    """Return a line per decoder: what was measured, over its seeds, and the difference to the best.

    Counts of a model are the same for every seed.
    """
    differences = {one.decoder: one for one in judged(comparison)}
    unit, paired, lines = comparison.unit, comparison.task.paired, []
    for decoder in comparison.decoders:
        trials = [_measures(trial, paired) for trial in comparison.of(decoder)]
        line: dict[str, Any] = {"decoder": decoder, "seeds": len(trials)}
        for name, value in trials[0].items():
            if not isinstance(value, float):
                line[_with_unit(name, unit)] = _written(value)
                continue
            spread = Spread.over([trial[name] for trial in trials])
            line |= {_with_unit(name, unit, _SPREAD[key]): getattr(spread, key) for key in _SPREAD}
        if paired:
            line[f"floor [{unit}]"] = "" if comparison.floor is None else comparison.floor
        one = differences.get(decoder)
        line |= {_heading(f"behind {key}", unit): getattr(one, key, "") for key in _SPREAD}
        lines.append(line)
    for baseline in comparison.baselines:
        measured = baseline_measures(baseline)
        measured = measured if paired else _imitating(measured, baseline)
        known = {_with_unit(name, unit, _SPREAD["mean"]): value for name, value in measured.items()}
        lines.append(dict.fromkeys(lines[0], "") | {"decoder": baseline.name} | known)
    return lines


def _with_unit(name: str, of_loss: str, kind: str = "") -> str:
    unit = (METRICS["final"] | fields.IMITATION)[name].unit
    return _heading(f"{name} {kind}".rstrip(), of_loss if unit == LOSS else unit)


def _heading(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
