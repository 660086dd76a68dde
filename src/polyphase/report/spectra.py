"""The figure of how much fine and coarse detail generated images have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyphase.report.palette import colours
from polyphase.report.style import DPI, INK, PAGE, Size, plain, plotted
from polyphase.report.table import was_judged
from polyphase.workbench.adversarial.spectra import ROUNDING
from polyphase.workbench.results import Baseline, Comparison, Trial


def spectra(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw the radial power of each decoder's images: mean over the seeds, least to greatest.

    The baselines, which are real images, are dashed. Power below that of rounding to 8 bits is
    drawn as that; failed trainings are left out.
    """
    inches = (size.width, 0.6 * size.width) if size.width else (8.0, 4.3)
    figure = Figure(figsize=inches, dpi=DPI, facecolor="none", layout="constrained")
    axes = figure.subplots()
    for name, colour in colours(comparison.decoders).items():
        powers = _powers(comparison.of(name))
        if powers:
            _draw(axes, name, comparison, powers, {"color": colour, "linewidth": 2})
    for one in comparison.baselines:
        style = {"color": INK, "linewidth": 1.4, "linestyle": "--"}
        _draw(axes, one.name, comparison, _powers([one]), style)
    _dress(axes, size)
    return figure


def _powers(judged: Sequence[Trial | Baseline]) -> list[np.ndarray]:
    return [
        np.maximum(one.imitation.spectrum, ROUNDING)
        for one in judged
        if one.imitation is not None and was_judged(one)
    ]


def _draw(
    axes: Axes,
    name: str,
    comparison: Comparison,
    powers: Sequence[np.ndarray],
    style: Mapping[str, Any],
) -> None:
    """Draw one power per seed, `(radii,)`, over their frequencies."""
    side = min(comparison.originals.shape[1:3])
    places = np.arange(1, len(powers[0]) + 1) / side
    axes.plot(places, np.mean(powers, axis=0), label=plain(name, 20), **style)
    if len(powers) > 1:
        low, high = np.min(powers, axis=0), np.max(powers, axis=0)
        axes.fill_between(places, low, high, color=style["color"], alpha=0.2, linewidth=0)


def _dress(axes: Axes, size: Size) -> None:
    axes.set_yscale("log")
    axes.set_xlim(0, 0.505)
    axes.set_xlabel("cycles per pixel", fontsize=size.text, color=INK)
    axes.set_ylabel("power", fontsize=size.text, color=INK)
    plotted(axes, size)
    if axes.lines:
        legend = axes.legend(fontsize=size.small, frameon=False, loc="upper right", labelcolor=INK)
        for text in legend.get_texts():
            text.set_parse_math(False)
