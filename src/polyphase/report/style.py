"""What all figures share: ink, sizes, resolution, bare axes, safe text, PNG and PDF bytes."""

import io
from dataclasses import dataclass
from typing import Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

INK, GREY = "#6e7781", "#6b7280"  # readable on white and on black
PRINTED = "#1f2328"  # instead of INK on paper
DPI = 150
PRINT_DPI = 600  # of the images within a PDF, whose pixels are drawn as squares


@dataclass(frozen=True)
class Size:
    """How large a figure is drawn.

    Attributes:
        text: points of names.
        small: points of notes and units.
        width: inches; None: what the figure takes for itself, on a page.
    """

    text: float
    small: float
    width: float | None = None


PAGE = Size(10, 9)
ONE_COLUMN, TWO_COLUMNS = Size(8, 7, 3.3), Size(8, 7, 7.0)


def png(figure: Figure) -> bytes:
    """Return the figure as PNG: 150 dots per inch, the same bytes for the same figure.

    It has no background, and is readable on a light and on a dark page.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def pdf(figure: Figure) -> bytes:
    """Return the figure as PDF: fonts embedded as TrueType, the same bytes for the same figure.

    Its text is nearly black from then on.
    """
    for one in figure.findobj():
        if isinstance(one, (Text, Line2D)) and to_hex(one.get_color()) == INK:
            one.set_color(PRINTED)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        figure.savefig(buffer, format="pdf", dpi=PRINT_DPI, metadata={"CreationDate": None})
    return buffer.getvalue()


def bare(axes: Axes) -> None:
    """Take the ticks away and draw a thin frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color="#d0d4da", linewidth=0.6)


def plotted(axes: Axes, size: Size, grid: Literal["both", "y"] = "both") -> None:
    """Leave a plot without background and box: a faint grid, lines at the left and below."""
    axes.set_facecolor("none")
    axes.grid(axis=grid, color=GREY, alpha=0.25, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=INK, labelsize=size.small, width=0.6)
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=GREY, linewidth=0.8)


def capital(text: str) -> str:
    """Return a text that begins a sentence.

    Example:
        >>> capital("validation loss"), capital("KID")
        ('Validation loss', 'KID')
    """
    return text[:1].upper() + text[1:]


def plain(text: str, most: int) -> str:
    """Return printable text on one line, shortened to `most` characters."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= most else line[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
