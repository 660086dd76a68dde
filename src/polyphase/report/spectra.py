"""The figure of how much detail made images have, by its fineness."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from polyphase.report.palette import colours
from polyphase.report.style import DPI, GREY, INK, PAGE, Size, plain
from polyphase.workbench.adversarial.spectra import ROUNDING
from polyphase.workbench.results import Comparison


def spectra(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw the radial power of each decoder's images: mean over the seeds, least to greatest.

    Dashed that of the baselines, which are real images. Power below that of rounding to 8 bits
    is drawn as this.
    """
    inches = (size.width, 0.6 * size.width) if size.width else (8.0, 4.3)
    figure = Figure(figsize=inches, dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.subplots()
    for name, colour in colours(comparison.decoders).items():
        powers = [
            one.imitation.spectrum for one in comparison.of(name) if one.imitation is not None
        ]
        if powers:
            _draw(axes, plain(name, 20), np.maximum(powers, ROUNDING), comparison, colour)
    for one in comparison.baselines:
        if one.imitation is not None:
            power = np.maximum([one.imitation.spectrum], ROUNDING)
            _draw(axes, plain(one.name, 20), power, comparison, INK, linestyle="--", linewidth=1.4)
    _dress(axes, size)
    return figure


def _draw(
    axes: Axes, name: str, powers: np.ndarray, comparison: Comparison, colour: str, **line: object
) -> None:
    """Draw powers `(seeds, radii)` over their frequencies."""
    side = min(comparison.originals.shape[1:3])
    places = np.arange(1, powers.shape[1] + 1) / side
    axes.plot(
        places, powers.mean(axis=0), color=colour, label=name, **({"linewidth": 2} | line)
    )
    if len(powers) > 1:
        low, high = powers.min(axis=0), powers.max(axis=0)
        axes.fill_between(places, low, high, color=colour, alpha=0.2, linewidth=0)


def _dress(axes: Axes, size: Size) -> None:
    axes.set_yscale("log")
    axes.set_xlim(0, 0.505)
    axes.set_xlabel("cycles per pixel", fontsize=size.text, color=INK)
    axes.set_ylabel("power", fontsize=size.text, color=INK)
    axes.tick_params(colors=INK, labelsize=size.small, width=0.6)
    axes.grid(True, color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=GREY, linewidth=0.8)
    if axes.lines:
        legend = axes.legend(fontsize=size.small, frameon=False, loc="upper right")
        for text in legend.get_texts():
            text.set_parse_math(False)
