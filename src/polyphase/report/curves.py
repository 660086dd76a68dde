"""The learning curves of a comparison."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from polyphase.report.palette import colours
from polyphase.report.style import DPI, GREY, INK, PAGE, Size, capital, plain, plotted
from polyphase.workbench.results import Comparison


@dataclass(frozen=True)
class _Curve:
    """Validation loss, or KID, of one decoder, `(seeds, epochs)`; see `padded`."""

    decoder: str
    colour: str
    losses: np.ndarray

    @property
    def epochs(self) -> np.ndarray:
        return np.arange(1, self.losses.shape[1] + 1)


def learning_curves(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw the validation loss per epoch: a line for the mean, a band from least to greatest.

    For generators it is the KID, which may be negative.

    A training that ended before others of its decoder keeps its last loss. If every decoder has
    four or more epochs and the curves end close together, a second panel enlarges the last third,
    where the decision falls. On a page it is beside the first panel. In a column of print it is
    below it, and titles are left to the caption.
    """
    curves = _curves(comparison)
    start = _enlarged_from(curves)
    figure, panels = _panels(2 if start else 1, size)
    for axes in panels:
        _draw(axes, curves, comparison.floor, size)
    whole = panels[0]
    whole.set_ylim(_limits(_values(curves), comparison.floor))
    measure, unit = comparison.task.measure, comparison.unit
    whole.set_ylabel(f"{measure}, {unit}" if unit else measure, color=INK, fontsize=size.text)
    if comparison.floor is not None:
        _name_floor(whole, comparison.floor, size)
    if size == PAGE:
        whole.set_title("All epochs" if start else capital(measure), **_TITLE)
    if start:
        _enlarge(panels, curves, start, size)
    _name_curves(panels[-1], curves, size)
    return figure


_TITLE: dict[str, Any] = {"loc": "left", "color": INK, "fontsize": 11}


def _panels(count: int, size: Size) -> tuple[Figure, list[Axes]]:
    """Make panels beside each other, or, in a column of print, below each other."""
    if size.width is None:
        inches, rows, ratios = (9.6 if count > 1 else 8.0, 4.3), 1, [1.25, 1][:count]
    else:
        inches, rows, ratios = (size.width, 0.1 * size.width + 1.9 * count), count, [1]
    figure = Figure(figsize=inches, dpi=DPI, facecolor="none", layout="constrained")
    grid = figure.subplots(rows, count // rows, squeeze=False, width_ratios=ratios)
    return figure, grid.ravel().tolist()


def padded(histories: Sequence[Sequence[float]]) -> np.ndarray:
    """Return losses as `(seeds, epochs)`; a training that ended earlier keeps its last loss.

    Example:
        >>> padded([[0.5, 0.4, 0.3], [0.6]]).tolist()
        [[0.5, 0.4, 0.3], [0.6, 0.6, 0.6]]
    """
    epochs = max(map(len, histories))
    return np.array([[*one, *[one[-1]] * (epochs - len(one))] for one in histories], np.float64)


def _curves(comparison: Comparison) -> list[_Curve]:
    return [
        _Curve(name, colour, padded([one.validation_losses for one in comparison.of(name)]))
        for name, colour in colours(comparison.decoders).items()
    ]


def _values(curves: Sequence[_Curve], start: int = 1) -> np.ndarray:
    """Return every finite loss from epoch `start` on."""
    values = np.concatenate([curve.losses[:, start - 1 :].ravel() for curve in curves])
    return values[np.isfinite(values)]


def _enlarged_from(curves: Sequence[_Curve]) -> int:
    """Return the first epoch of the enlarged panel; 0 if it would not help."""
    epochs = min(len(curve.epochs) for curve in curves)
    if epochs < 4:
        return 0
    start = epochs - max(2, math.ceil(epochs / 3)) + 1
    whole, part = _values(curves), _values(curves, start)
    if part.size == 0 or np.ptp(part) == 0:
        return 0
    return start if np.ptp(part) < 0.25 * np.ptp(whole) else 0


def _limits(values: np.ndarray, floor: float | None) -> tuple[float, float]:
    shown = [*values.tolist(), *([] if floor is None else [floor])] or [0.0]
    low, high = min(shown), max(shown)
    room = (high - low) or 0.1
    return low - 0.12 * room, high + 0.06 * room


def _draw(axes: Axes, curves: Sequence[_Curve], floor: float | None, size: Size) -> None:
    for curve in curves:
        epochs, losses = curve.epochs, curve.losses
        marker = "o" if len(epochs) < 16 else ""
        axes.plot(
            epochs,
            losses.mean(axis=0),
            color=curve.colour,
            linewidth=2,
            marker=marker,
            markersize=4,
            label=curve.decoder,
            zorder=3,
        )
        if len(losses) > 1:
            axes.fill_between(
                epochs,
                losses.min(axis=0),
                losses.max(axis=0),
                color=curve.colour,
                alpha=0.2,
                linewidth=0,
            )
    if floor is not None:
        axes.axhline(floor, color=GREY, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
    axes.set_xlabel("epoch", color=INK, fontsize=size.text)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    longest = max(len(curve.epochs) for curve in curves)
    axes.set_xlim(1 - 0.04 * longest, longest * 1.02)
    plotted(axes, size, "y")


def _name_floor(axes: Axes, floor: float, size: Size) -> None:
    axes.annotate(
        f"floor of the data: {floor:.4f}",
        (0.02, floor),
        xycoords=("axes fraction", "data"),
        xytext=(0, -4),
        textcoords="offset points",
        va="top",
        color=GREY,
        fontsize=size.small,
    )


def _enlarge(panels: Sequence[Axes], curves: Sequence[_Curve], start: int, size: Size) -> None:
    """Zoom the second panel to the epochs from `start` on, and frame them in the first."""
    whole, part = panels
    epochs = max(len(curve.epochs) for curve in curves)
    values = _values(curves, start)
    low, high = float(values.min()), float(values.max())
    room = 0.08 * (high - low)
    low, high = low - room, high + room
    part.set_ylim(low, high)
    part.set_xlim(start - 0.15, epochs + 0.08)
    words = f"last {epochs - start + 1} epochs, enlarged"
    if size == PAGE:
        part.set_title(f"The {words}", **_TITLE)
    else:
        part.set_xlabel(f"epoch (the {words})", color=INK, fontsize=size.text)
    whole.add_patch(
        Rectangle(
            (start - 0.3, low),
            epochs - start + 0.55,
            high - low,
            facecolor="none",
            edgecolor=GREY,
            linewidth=0.8,
            zorder=4,
            clip_on=False,
        )
    )


def _name_curves(axes: Axes, curves: Sequence[_Curve], size: Size) -> None:
    """Write each decoder's name right of its last point, moved apart where they would touch."""
    shown = [curve for curve in curves if np.isfinite(curve.losses[:, -1]).all()]
    low, high = axes.get_ylim()
    ends = [(float(curve.losses[:, -1].mean()) - low) / (high - low) for curve in shown]
    tall = 3.4 if size.width is None else 1.5  # inches of a panel, about
    places = _apart(ends, 1.6 * size.text / 72 / tall)
    for curve, end, place in zip(shown, ends, places, strict=True):
        epoch = int(curve.epochs[-1])
        axes.annotate(
            plain(curve.decoder, 20),
            (epoch, low + end * (high - low)),
            xycoords="data",
            xytext=(1.06, place),
            textcoords="axes fraction",
            va="center",
            color=INK,
            fontsize=size.text,
            parse_math=False,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": curve.colour,
                "linewidth": 1.4,
                "relpos": (0, 0.5),  # from the name's left, not its middle: no line through a name
                "shrinkA": 2,
                "shrinkB": 3,
            },
        )


def _apart(places: Sequence[float], gap: float) -> list[float]:
    """Move places on 0..1 at least `gap` apart, keeping their order and staying on it."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    for before, index in itertools.pairwise(order):
        moved[index] = max(moved[index], moved[before] + gap)
    ceiling = 1.0
    for index in reversed(order):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - gap
    return moved
