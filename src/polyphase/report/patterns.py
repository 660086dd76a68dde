"""Figures of checkerboards: what layers make of a constant, and its spectrum."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyphase.algebra.checkerboard import checkerboard_gain, conv_transpose_gains, overlap_counts
from polyphase.algebra.checkerboard import pattern as pattern_of
from polyphase.inspection import Inspection
from polyphase.report.style import DPI, GREY, INK, bare, plain

PERIODS = 3  # that are drawn of a pattern
RANGE = (0.0, 2.0)  # of grey: black 0, mid-grey the mean, white twice the mean


def patterns(inspection: Inspection) -> Figure | None:
    """Draw, for every layer with a pattern, what it makes of a constant, and its spectrum.

    Returns:
        A figure with a row per layer, the worst first; None where there is no pattern.
    """
    stages = [stage for stage in inspection.stages if stage.pattern is not None]
    if not stages:
        return None
    tall = 0.75 + 2.3 * len(stages)
    figure = Figure(figsize=(7.4, tall), dpi=DPI, facecolor="none", layout="constrained")
    figure.suptitle(
        "A constant goes in; this comes out of each layer\n(grey: its mean; black: 0; white: twice "
        "the mean, or more)",
        color=INK,
        fontsize=11,
        x=0.02,
        ha="left",
    )
    grid = figure.subplots(len(stages), 3, squeeze=False, width_ratios=(1.5, 1, 1))
    for (words, image, spectrum), stage in zip(grid, stages, strict=True):
        assert stage.pattern is not None
        reach = "" if stage.reaches is None else f"\n{100 * stage.reaches:.0f}% reaches the output"
        kind = "\nof its gradient" if stage.gradient else ""
        words.axis("off")
        words.text(
            0,
            0.5,
            f"{plain(stage.layer, 34)}\n{_two_lines(stage.what)}\nchi {stage.chi:.3g}{kind}{reach}",
            va="center",
            fontsize=9.5,
            linespacing=1.5,
            color=INK,
            parse_math=False,
        )
        _image(image, stage.pattern)
        _spectrum(spectrum, stage.pattern)
    grid[0][1].set_title("image", fontsize=10, color=INK)
    grid[0][2].set_title("spectrum", fontsize=10, color=INK)
    return figure


def kernel_sizes(sizes: Sequence[int] = (2, 3, 4, 5), strides: Sequence[int] = (2, 3)) -> Figure:
    """Draw what transposed convolutions of ones make of a constant, by kernel size and stride."""
    figure = Figure(figsize=(8.2, 6.0), dpi=DPI, facecolor="none", layout="constrained")
    figure.suptitle(
        "Transposed convolution with a kernel of ones: a constant goes in, this comes out",
        color=INK,
        fontsize=12,
    )
    grid = figure.subplots(len(strides), len(sizes), squeeze=False)
    for row, stride in zip(grid, strides, strict=True):
        for axes, k in zip(row, sizes, strict=True):
            gains = conv_transpose_gains(np.ones((k, k, 1, 1)), (stride, stride))
            _image(axes, pattern_of(gains), periods=4)
            counts = overlap_counts((k, k), (stride, stride))
            axes.set_title(f"kernel {k}, stride {stride}", fontsize=10, color=INK)
            axes.set_xlabel(
                f"{counts.min()} to {counts.max()} taps a pixel\nchi {checkerboard_gain(gains):.2f}"
                if counts.min() < counts.max()
                else f"{counts.max()} {'taps' if counts.max() > 1 else 'tap'} a pixel\nchi 0: even",
                fontsize=9,
                color=GREY,
            )
    return figure


def _image(axes: Axes, pattern: np.ndarray, periods: int = PERIODS) -> None:
    axes.imshow(
        np.tile(pattern, (periods, periods)),
        cmap="gray",
        vmin=RANGE[0],
        vmax=RANGE[1],
        interpolation="nearest",
    )
    bare(axes)


def _spectrum(axes: Axes, pattern: np.ndarray) -> None:
    """Draw the amplitude at every multiple of one over the period, without the mean."""
    amplitude = np.abs(np.fft.fft2(pattern)) / pattern.size
    amplitude[0, 0] = 0
    shifted = np.fft.fftshift(amplitude)
    axes.imshow(shifted, cmap="Blues", vmin=0, vmax=max(shifted.max(), 1e-12))
    for (row, column), value in np.ndenumerate(shifted):
        if shifted.size <= 25:
            dark = value > 0.6 * shifted.max()
            axes.text(
                column,
                row,
                f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if dark else INK,
            )
    for side, ticks, labels in (
        (shifted.shape[1], axes.set_xticks, axes.set_xticklabels),
        (shifted.shape[0], axes.set_yticks, axes.set_yticklabels),
    ):
        frequencies = np.fft.fftshift(np.fft.fftfreq(side, 1 / side)).astype(int)
        few = range(side) if side <= 5 else (0, side // 2, side - 1)
        ticks(list(few))
        labels([_fraction(int(frequencies[index]), side) for index in few])
    axes.tick_params(labelsize=8, colors=GREY, length=0)


def _fraction(number: int, side: int) -> str:
    """Write a frequency in cycles per pixel; the highest of an even period has no sign."""
    if 2 * number == -side:
        number = -number
    return f"{number}/{side}" if number else "0"


def _two_lines(what: str) -> str:
    return what.replace(", ", ",\n", 1)
