"""The figure of what upsampling leaves behind: patterns, mean errors, spectra."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyphase.report.palette import colours
from polyphase.report.style import DPI, GREY, INK, PAGE, Size, bare, plain
from polyphase.workbench.checkerboards import Checkerboard
from polyphase.workbench.results import Comparison

PERIODS = 3


def checkerboards(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw, for every decoder's first seed, its pattern, its mean errors and their spectrum.

    Above: what a constant comes out of the last upsampling layer as. In the middle: the mean error
    at each place of the period, magnified, on one scale. Below: the power of the errors by
    frequency along rows, mean over the seeds; peaks at multiples of one over the period are
    checkerboards.
    """
    names = comparison.decoders
    firsts = [_of(comparison, name)[0] for name in names]
    wide = size.width or 9.6
    figure = Figure(figsize=(wide, 0.77 * wide), dpi=DPI, facecolor="white", layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=(1.15, 1), squeeze=False)
    grid = parts[0, 0].subplots(2, len(names), squeeze=False)
    limit = max(float(np.abs(one.mean_error).max()) for one in firsts) or 1e-6
    for (above, below), name, one in zip(grid.T, names, firsts, strict=True):
        above.set_title(plain(name, 20), fontsize=size.text, color=INK, parse_math=False)
        _tile(above, one.pattern, "gray", (0.0, 2.0))
        _tile(below, one.mean_error, "RdBu_r", (-limit, limit))
        below.set_xlabel(f"periodic bias {one.bias:.1e}", fontsize=size.small, color=GREY)
    grid[0][0].set_ylabel("a constant,\nlast layer", fontsize=size.small, color=INK)
    grid[1][0].set_ylabel(f"mean error,\n±{limit:.1e}", fontsize=size.small, color=INK)
    _spectra(parts[1, 0].subplots(), comparison, size)
    return figure


def _of(comparison: Comparison, name: str) -> Sequence[Checkerboard]:
    return [trial.checkerboard for trial in comparison.of(name)]


def _tile(axes: Axes, tile: np.ndarray, cmap: str, limits: tuple[float, float]) -> None:
    axes.imshow(
        np.tile(tile, (PERIODS, PERIODS)),
        cmap=cmap,
        vmin=limits[0],
        vmax=limits[1],
        interpolation="nearest",
    )
    bare(axes)


def _spectra(axes: Axes, comparison: Comparison, size: Size) -> None:
    width = comparison.originals.shape[2]
    periods = {
        int(one.pattern.shape[1]) for name in comparison.decoders for one in _of(comparison, name)
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
    axes.set_ylabel("power of the errors", fontsize=size.small, color=INK)
    axes.tick_params(labelsize=size.small, colors=INK)
    axes.grid(True, color="#eceef0", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=size.small, frameon=False, loc="upper right")
