"""The patterns that upsampling leaves: the table of its stages, and the figure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyphase.inspection.evidence import LEVELS
from polyphase.report.palette import colours
from polyphase.report.style import DPI, GREY, INK, PAGE, Size, bare, plain, plotted
from polyphase.report.table import DASH, Cell, Spread, cell, number
from polyphase.workbench.checkerboards import Checkerboard, Stage
from polyphase.workbench.results import Comparison

SHOWN = 4  # grey levels at the ends of the fixed scales; one is invisible
PERIODS = 3


def headings(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Return the names and units of the columns of `StageRow.cells`."""
    return (
        ("layer", "period"),
        ("chi", "trained"),
        ("chi", "untrained"),
        ("pattern", "levels of 255"),
        ("interval", "of the images"),
        ("neighbours", "times"),
        ("originals" if comparison.task.paired else "real images", "levels of 255"),
        ("seen", "seeds"),
    )


@dataclass(frozen=True)
class StageRow:
    """One upsampling layer of a decoder, over its seeds.

    Attributes:
        decoder: its name.
        cells: as `headings`.
    """

    decoder: str
    cells: tuple[Cell, ...]


def stage_rows(comparison: Comparison) -> list[StageRow]:
    """Return the stages of every decoder; none of runs that did not measure them."""
    return [
        StageRow(name, _cells(stages))
        for name in comparison.decoders
        for stages in zip(*(one.stages for one in _of(comparison, name)), strict=False)
    ]


def _cells(stages: Sequence[Stage]) -> tuple[Cell, ...]:
    first, count = stages[0], len(stages)
    errors = [one.errors for one in stages]
    rows, columns = first.period
    low, high = (min(one.low for one in errors), max(one.high for one in errors))
    return (
        Cell(first.layer, str(rows) if rows == columns else f"{rows}x{columns}"),
        _over([one.chi for one in stages], 2),
        _over([math.nan if one.untrained is None else one.untrained for one in stages], 2),
        _over([LEVELS * one.amplitude for one in errors], 1),
        Cell(DASH if math.isnan(low) else f"{LEVELS * low:.1f} to {number(LEVELS * high, 1)}"),
        _over([one.ratio for one in errors], 1),
        _over([LEVELS * one.originals.amplitude for one in stages], 1),
        Cell(f"{sum(one.seen for one in stages)} of {count}"),
    )


def _over(values: Sequence[float], decimals: int) -> Cell:
    return Cell(DASH) if math.isnan(sum(values)) else cell(Spread.over(values), decimals)


def checkerboards(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw what every decoder's first seed makes of a constant, and the patterns in its errors.

    1. What the last upsampling layer makes of a constant.
    2. The mean error at each position in that layer's period, on a fixed scale.
    3. The amplitude of the errors at each harmonic of the longest period, on a fixed scale.
    4. The power of the errors by frequency along rows, mean over the seeds.

    Generators have no errors: 2. is the mean of generated images minus that of the validation
    images, and 3. and 4. are of the generated images.
    """
    names = comparison.decoders
    firsts = [_of(comparison, name)[0] for name in names]
    drawn = [_constants, _mean_errors if comparison.task.paired else _mean_differences]
    if all(one.harmonics is not None for one in firsts):
        drawn.append(_harmonics)
    wide = size.width or 9.6
    above, below = 0.2 * wide * len(drawn), 0.35 * wide
    figure = Figure(figsize=(wide, above + below), dpi=DPI, facecolor="none", layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=(above, below), squeeze=False)
    grid = parts[0, 0].subplots(len(drawn), len(names), squeeze=False)
    for axes, name in zip(grid[0], names, strict=True):
        axes.set_title(plain(name, 20), fontsize=size.text, color=INK, parse_math=False)
    for row, draw in zip(grid, drawn, strict=True):
        row[0].set_ylabel(draw(row, firsts, size), fontsize=size.small, color=INK)
    _spectra(parts[1, 0].subplots(), comparison, size)
    return figure


def _of(comparison: Comparison, name: str) -> Sequence[Checkerboard]:
    return [trial.checkerboard for trial in comparison.of(name)]


def _constants(row: Sequence[Axes], found: Sequence[Checkerboard], size: Size) -> str:
    for axes, one in zip(row, found, strict=True):
        _image(axes, np.tile(one.pattern, (PERIODS, PERIODS)), "gray", 0.0, 2.0)
    return "a constant,\nlast layer"


def _mean_errors(row: Sequence[Axes], found: Sequence[Checkerboard], size: Size) -> str:
    for axes, one in zip(row, found, strict=True):
        levels = LEVELS * np.tile(one.mean_error, (PERIODS, PERIODS))
        _image(axes, levels, "RdBu_r", -float(SHOWN), float(SHOWN))
        largest = number(np.abs(levels).max(), 1)
        axes.set_xlabel(f"largest {largest}", fontsize=size.small, color=GREY)
    return f"mean error,\n\N{PLUS-MINUS SIGN}{SHOWN} grey levels"


def _mean_differences(row: Sequence[Axes], found: Sequence[Checkerboard], size: Size) -> str:
    return _mean_errors(row, found, size).replace("error", "difference")


def _harmonics(row: Sequence[Axes], found: Sequence[Checkerboard], size: Size) -> str:
    for axes, one in zip(row, found, strict=True):
        assert one.harmonics is not None
        centre = [side // 2 for side in one.harmonics.shape]
        levels = LEVELS * np.roll(one.harmonics, centre, axis=(0, 1))
        _image(axes, levels, "Greys", 0.0, float(SHOWN))
        largest = f"largest {levels.max():.1f}" if np.isfinite(levels).all() else "too small"
        axes.set_xlabel(largest, fontsize=size.small, color=GREY)
    return f"harmonics,\n0 to {SHOWN} grey levels"


def _image(axes: Axes, image: np.ndarray, cmap: str, low: float, high: float) -> None:
    axes.imshow(image, cmap=cmap, vmin=low, vmax=high, interpolation="nearest")
    bare(axes)


def _spectra(axes: Axes, comparison: Comparison, size: Size) -> None:
    width = comparison.originals.shape[2]
    periods = {
        period
        for name in comparison.decoders
        for one in _of(comparison, name)
        for period in (one.pattern.shape[1], *(stage.period[1] for stage in one.stages))
    }
    for multiple in sorted({k / s for s in periods for k in range(1, s // 2 + 1)}):
        axes.axvline(multiple, color=GREY, linewidth=0.8, linestyle=":")
    for name, colour in colours(comparison.decoders).items():
        power = np.mean([one.spectrum for one in _of(comparison, name)], axis=0)
        axes.plot(np.arange(len(power)) / width, power, color=colour, label=plain(name, 20))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlim(0, 0.505)
    axes.set_xlabel(
        "cycles per pixel along rows (dotted: multiples of 1/period)",
        fontsize=size.small,
        color=INK,
    )
    of_what = "errors" if comparison.task.paired else "generated images"
    axes.set_ylabel(f"power of the {of_what}", fontsize=size.small, color=INK)
    plotted(axes, size)
    axes.legend(fontsize=size.small, frameon=False, loc="upper right", labelcolor=INK)
