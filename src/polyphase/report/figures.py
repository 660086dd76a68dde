"""Figures: learning curves, images beside their reconstructions, and error maps.

Everything is drawn on `matplotlib.figure.Figure` objects; neither pyplot nor any global setting is
touched, so a program's own figures and backend stay as they are.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from polyphase.report.curves import learning_curves
from polyphase.report.palette import colours
from polyphase.report.style import DPI, GREY, INK, PAGE, Size, bare, plain, png
from polyphase.report.table import was_judged
from polyphase.workbench.results import Comparison

__all__ = [
    "error_maps",
    "learning_curves",
    "neighbours",
    "pairs",
    "png",
    "reconstructions",
    "samples",
    "side_by_side",
]

_CELL = 0.95  # inches of a cell's longer side
_GAP = 0.08  # inches between cells


def reconstructions(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw the originals, then one row of reconstructions per decoder (its first seed).

    If the models were given something else, this is shown below the originals. Baselines come last.
    """
    names, given = comparison.decoders, comparison.task.given
    first: dict[str, np.ndarray] = {"original": comparison.originals}
    if comparison.inputs is not None:
        first[given] = comparison.inputs
    images = {name: comparison.of(name)[0].reconstructions for name in names}
    last = {one.name: one.reconstructions for one in comparison.baselines if one.name != given}
    figure, grid = rows(first | images | last, comparison.labels, size)
    _bars(grid[len(first) : len(first) + len(names)], names)
    return figure


def rows(
    images: Mapping[str, np.ndarray], labels: Sequence[str], size: Size = PAGE
) -> tuple[Figure, list[list[Axes]]]:
    """Draw a row of images `(n, height, width, channels)` per name; return its axes too."""
    figure, grid = _grid(next(iter(images.values())), tuple(images), 0.35, 0.1, size)
    _titles(grid[0], labels, size)
    for axes, row in zip(grid, images.values(), strict=True):
        _images(axes, row)
    return figure, grid


def samples(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw the test images, then one row of generated images per decoder (its first seed)."""
    names = comparison.decoders
    images = [comparison.of(name)[0].reconstructions for name in names]
    figure, grid = _grid(comparison.originals, ("test images", *names), 0.1, 0.1, size)
    for axes, row in zip(grid, [comparison.originals, *images], strict=True):
        _images(axes, row)
    _bars(grid[1:], names)
    return figure


def neighbours(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw each decoder's images (its first seed), and below them the nearest training images.

    For a failed training there are no training images.
    """
    lines: list[tuple[str, np.ndarray]] = []
    marked = []
    for name in comparison.decoders:
        one = comparison.of(name)[0]
        marked.append(len(lines))
        lines.append((name, one.reconstructions))
        if one.imitation is not None and was_judged(one):
            lines.append(("training images", one.imitation.neighbours))
    headings = [heading for heading, _ in lines]
    figure, grid = _grid(comparison.originals, headings, 0.1, 0.1, size)
    for axes, (_, images) in zip(grid, lines, strict=True):
        _images(axes, images)
    _bars([grid[row] for row in marked], comparison.decoders)
    return figure


def error_maps(comparison: Comparison, size: Size = PAGE) -> Figure:
    """Draw the originals, then reconstruction minus original per decoder, on one shared scale.

    The scale is symmetric about 0 and ends at the 99.5% quantile of the absolute error, so that a
    few extreme pixels do not wash out the rest; the colour bar's pointed ends say so.
    """
    names = comparison.decoders
    errors = [
        _error(comparison.of(name)[0].reconstructions, comparison.originals) for name in names
    ]
    figure, grid = _grid(comparison.originals, ("original", *names), 0.35, 0.75, size)
    _titles(grid[0], comparison.labels, size)
    _images(grid[0], comparison.originals)
    limit, clipped = _limit(errors)
    norm = Normalize(-limit, limit)
    for axes, row in zip(grid[1:], errors, strict=True):
        for cell, image in zip(axes, row, strict=True):
            cell.imshow(image, cmap="RdBu_r", norm=norm, interpolation="nearest")
    _bars(grid[1:], names)
    _colour_bar(figure, grid, norm, "both" if clipped else "neither", size)
    return figure


def pairs(
    originals: np.ndarray, reconstructions: np.ndarray, labels: Sequence[str], title: str
) -> Figure:
    """Draw images above their reconstructions.

    Args:
        originals: `(count, height, width, 1 or 3)` in 0..1.
        reconstructions: the same shape.
        labels: the class of each image, as text; empty text where there is none.
        title: title of the figure.
    """
    figure, grid = _grid(originals, ("original", "reconstruction"), 0.75, 0.1)
    _titles(grid[0], labels)
    _images(grid[0], originals)
    _images(grid[1], reconstructions)
    figure.suptitle(
        plain(title, 80),
        y=1 - 0.1 / _height(figure),
        va="top",
        color=INK,
        fontsize=12,
        parse_math=False,
    )
    return figure


def side_by_side(
    left: np.ndarray, right: np.ndarray, left_title: str, right_title: str, title: str
) -> Figure:
    """Draw two grey images `(height, width, 1)` on one scale: the range of both together.

    Every pixel is drawn as a square; nothing is smoothed.
    """
    figure = Figure(figsize=(7.2, 4.3), dpi=DPI, facecolor="none", layout="constrained")
    figure.suptitle(plain(title, 80), color=INK, fontsize=13, parse_math=False)
    low, high = _range([left, right])
    for axes, image, name in zip(
        figure.subplots(1, 2), (left, right), (left_title, right_title), strict=True
    ):
        axes.imshow(image[..., 0], cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(plain(name, 60), color=INK, fontsize=11, parse_math=False)
        height, width = image.shape[:2]
        axes.set_xlabel(f"{height} \N{MULTIPLICATION SIGN} {width} pixels", color=GREY, fontsize=9)
        bare(axes)
    return figure


def _grid(
    images: np.ndarray, names: Sequence[str], top: float, bottom: float, size: Size = PAGE
) -> tuple[Figure, list[list[Axes]]]:
    """Make a row of axes per name and a column per image; `top` and `bottom` are in inches."""
    count, height, width = images.shape[:3]
    left = 0.35 + 0.0085 * size.text * max(len(plain(name, 20)) for name in names)
    cell_w = _CELL * width / max(height, width)
    if size.width is not None:
        cell_w = min(cell_w, (size.width - left - 0.05) / count - _GAP)
    cell_h = cell_w * height / width
    wide = left + count * (cell_w + _GAP) + 0.05
    tall = top + len(names) * (cell_h + _GAP) + bottom
    figure = Figure(figsize=(wide, tall), dpi=DPI, facecolor="none")
    grid = []
    for row, name in enumerate(names):
        y = tall - top - cell_h - row * (cell_h + _GAP)
        axes = [
            figure.add_axes(
                ((left + column * (cell_w + _GAP)) / wide, y / tall, cell_w / wide, cell_h / tall)
            )
            for column in range(count)
        ]
        axes[0].text(
            -0.18 / cell_w,
            0.5,
            plain(name, 20),
            transform=axes[0].transAxes,
            ha="right",
            va="center",
            color=INK,
            fontsize=size.text,
            parse_math=False,
        )
        grid.append(axes)
        for cell in axes:
            bare(cell)
    return figure, grid


def _images(axes: Sequence[Axes], images: np.ndarray) -> None:
    for cell, image in zip(axes, images, strict=True):
        shown = np.clip(image, 0, 1)
        if shown.shape[-1] == 1:
            shown = shown[..., 0]
        cell.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _titles(axes: Sequence[Axes], labels: Sequence[str], size: Size = PAGE) -> None:
    for cell, label in zip(axes, labels, strict=True):
        cell.set_title(plain(label, 12), fontsize=size.text, color=INK, pad=5, parse_math=False)


def _bars(grid: Sequence[Sequence[Axes]], names: Sequence[str]) -> None:
    """Mark each row with its decoder's colour, to the left of its first image."""
    for axes, colour in zip(grid, colours(names).values(), strict=True):
        axes[0].plot(
            [-0.1, -0.1],
            [0.02, 0.98],
            transform=axes[0].transAxes,
            color=colour,
            linewidth=3,
            clip_on=False,
            solid_capstyle="butt",
            scalex=False,
            scaley=False,
        )


def _error(reconstruction: np.ndarray, original: np.ndarray) -> np.ndarray:
    difference = reconstruction.astype(np.float64) - original.astype(np.float64)
    return np.asarray(difference.mean(axis=-1))


def _limit(errors: Sequence[np.ndarray]) -> tuple[float, bool]:
    """Return the end of the colour scale, and whether any error lies beyond it."""
    sizes = np.abs(np.concatenate([error.ravel() for error in errors]))
    sizes = sizes[np.isfinite(sizes)]
    if sizes.size == 0 or sizes.max() == 0:
        return 1.0, False
    step = 0.05 if sizes.max() > 0.1 else 0.001
    limit = min(1.0, math.ceil(float(np.quantile(sizes, 0.995)) / step) * step)
    return max(limit, step), bool(sizes.max() > max(limit, step))


def _range(images: Sequence[np.ndarray]) -> tuple[float, float]:
    low = min(float(image.min()) for image in images)
    high = max(float(image.max()) for image in images)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _height(figure: Figure) -> float:
    return float(figure.get_size_inches()[1])


def _colour_bar(
    figure: Figure, grid: Sequence[Sequence[Axes]], norm: Normalize, extend: str, size: Size
) -> None:
    first, last = grid[-1][0].get_position(), grid[-1][-1].get_position()
    tall, middle, width = _height(figure), (first.x0 + last.x1) / 2, (last.x1 - first.x0) * 0.5
    axes = figure.add_axes((middle - width / 2, 0.5 / tall, width, 0.11 / tall))
    bar = figure.colorbar(
        ScalarMappable(norm, "RdBu_r"), cax=axes, orientation="horizontal", extend=extend
    )
    bar.outline.set(linewidth=0.6, edgecolor="#d0d4da")
    bar.set_label(
        "reconstruction \N{MINUS SIGN} original  (blue: too dark, red: too bright)",
        fontsize=size.small,
        color=INK,
    )
    axes.tick_params(labelsize=size.small, colors=INK, width=0.6)
