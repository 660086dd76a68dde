"""Small images as grids of pixels with their values written in them."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from polyphase.report.style import DPI, INK, bare, plain

PHASES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6D31", "#5254A3")
LARGEST = 16  # pixels a side: smaller text than its cells would need cannot be read
_GAP, _TOP, _WIDEST = 0.45, 0.3, 10.0  # inches


def grids(
    images: Mapping[str, np.ndarray],
    title: str = "",
    period: tuple[int, int] | None = None,
) -> Figure:
    """Draw images side by side, a pixel everywhere as large, and write their values in them.

    Where one has more than 16 pixels a side, all are drawn equally high, and it has no values.

    Args:
        images: by their titles: `(height, width)`, or `(height, width, 1)`. All have one grey
            scale, from their least to their greatest value; NaN is an empty cell.
        title: of the figure.
        period: of the phases, `(rows, columns)`: in images whose sides are multiples of it, and
            larger, each pixel is framed in the colour of its phase. None: no frames.

    Returns:
        A figure without background, which is readable on a light and on a dark page.

    Raises:
        ValueError: for no image, or one of another shape.

    Example:
        >>> figure = grids({"Input": np.ones((2, 2)), "Output": np.ones((4, 4))})
        >>> [axes.get_title() for axes in figure.axes]
        ['Input', 'Output']
    """
    flat = {name: _flat(name, image) for name, image in images.items()}
    if not flat:
        raise ValueError("grids draws at least one image. Received: none.")
    sides = [_inches(image, list(flat.values())) for image in flat.values()]
    gaps = [
        max(_GAP, 0.085 * len(name) - wide) for name, (_, wide) in zip(flat, sides, strict=True)
    ]
    width = max(sum(wide for _, wide in sides) + sum(gaps) + _GAP, 0.1 * len(title))
    tallest = max(tall for tall, _ in sides)
    height = tallest + _TOP + (0.35 if title else 0) + 0.15
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="none")
    if title:
        place = {"y": 1 - 0.05 / height, "va": "top"}
        figure.suptitle(title, color=INK, fontsize=11, parse_math=False, **place)
    scale, left = _scale(list(flat.values())), _GAP / 2
    for (name, image), (tall, wide), gap in zip(flat.items(), sides, gaps, strict=True):
        inches = (left + gap / 2, 0.15 + (tallest - tall) / 2, wide, tall)
        axes = figure.add_axes(tuple(np.divide(inches, (width, height, width, height))))
        axes.set_title(plain(name, 60), color=INK, fontsize=10, parse_math=False)
        _draw(axes, image, scale, wide / image.shape[1])
        if period and _has_phases(image, period):
            _frame(axes, image.shape, period)
        left += wide + gap
    return figure


def _inches(image: np.ndarray, images: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return height and width of one of the images that are drawn."""
    room = _WIDEST - _GAP * (len(images) + 1)
    if any(max(one.shape) > LARGEST for one in images):
        height = min(2.6, room / sum(one.shape[1] / one.shape[0] for one in images))
        return height, height * image.shape[1] / image.shape[0]
    cell = min(0.55, room / sum(one.shape[1] for one in images))
    return cell * image.shape[0], cell * image.shape[1]


def _flat(name: str, image: np.ndarray) -> np.ndarray:
    image = np.asarray(image, np.float64)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim != 2 or not image.size:
        raise ValueError(
            f"grids draws images (height, width). Received: {name!r} of shape {image.shape}. "
            "Take one image and one channel of it."
        )
    return image


def _scale(images: Sequence[np.ndarray]) -> tuple[float, float]:
    values = np.concatenate([image.ravel() for image in images])
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 1, high + 1)


def _draw(axes: Axes, image: np.ndarray, scale: tuple[float, float], cell: float) -> None:
    low, high = scale
    axes.imshow(image, cmap="gray", vmin=low - 0.25 * (high - low), vmax=high)
    bare(axes)
    if max(image.shape) > LARGEST:
        return
    longest = max(len(written(value)) for value in image.ravel())
    size = min(11.0, 95 * cell / longest)  # points: a digit is 0.6 of its size wide
    for (row, column), value in np.ndenumerate(image):
        if np.isfinite(value):
            colour = "white" if value < low + 0.375 * (high - low) else "black"
            told: dict = {"ha": "center", "va": "center", "fontsize": size, "color": colour}
            axes.text(column, row, written(value), **told)


def written(value: float) -> str:
    """Return a number in three digits, or all before the point, without needless zeros.

    Example:
        >>> [written(value) for value in (1.0, 0.25, -0.0, 1 / 3, 1234.5)]
        ['1', '0.25', '0', '0.333', '1234']
    """
    if abs(value) < 5e-4:
        return "0"
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:.0f}"


def _has_phases(image: np.ndarray, period: tuple[int, int]) -> bool:
    sides = list(zip(image.shape, period, strict=True))
    return all(side % one == 0 for side, one in sides) and any(side > one for side, one in sides)


def _frame(axes: Axes, shape: tuple[int, ...], period: tuple[int, int]) -> None:
    for row, column in np.ndindex(shape):
        phase = (row % period[0]) * period[1] + column % period[1]
        axes.add_patch(
            Rectangle(
                (column - 0.44, row - 0.44),
                0.88,
                0.88,
                fill=False,
                linewidth=1.8,
                edgecolor=PHASES[phase % len(PHASES)],
            )
        )
