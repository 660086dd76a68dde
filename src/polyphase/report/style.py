"""What all figures share: ink, resolution, bare axes, safe text, PNG bytes."""

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GREY = "#1f2328", "#6b7280"
DPI = 150


def png(figure: Figure) -> bytes:
    """Return the figure as PNG: 150 dots per inch, white, the same bytes for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def bare(axes: Axes) -> None:
    """Take the ticks away and draw a thin frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color="#d0d4da", linewidth=0.6)


def plain(text: str, most: int) -> str:
    """Return printable text on one line, shortened to `most` characters."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= most else line[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
