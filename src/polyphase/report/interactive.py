"""What the page's script works with: numbers below the curves, small images to wipe between."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from polyphase.datasets.images import eight_bits
from polyphase.report.curves import padded
from polyphase.report.palette import colours
from polyphase.report.table import LOSS_DECIMALS, number
from polyphase.workbench.results import Comparison

DASH = "\N{EN DASH}"


def curves(comparison: Comparison, figure: Figure | None) -> dict[str, Any]:
    """Return the losses by epoch as text, and where on the drawn figure each epoch is.

    Args:
        comparison: what was found.
        figure: the learning curves, drawn already; None: places are not known.

    Returns:
        `panels`: for each, its left, right, top and bottom and the places of its epochs, in percent
        of the figure; `lines`: for each decoder its name, colour and a text per epoch.
    """
    lines = []
    for name, colour in colours(comparison.decoders).items():
        losses = padded([trial.validation_losses for trial in comparison.of(name)])
        texts = [_loss(epoch) for epoch in losses.T.tolist()]
        lines.append({"name": name, "colour": colour, "texts": texts})
    epochs = max(len(line["texts"]) for line in lines)
    panels = [_panel(axes, epochs) for axes in figure.axes] if figure else []
    return {"panels": panels, "lines": lines}


def _loss(losses: Sequence[float]) -> str:
    mean = number(sum(losses) / len(losses), LOSS_DECIMALS)
    if len(losses) == 1:
        return mean
    low, high = (number(end, LOSS_DECIMALS) for end in (min(losses), max(losses)))
    return f"{mean} ({low}{DASH}{high})"


def _panel(axes: Any, epochs: int) -> dict[str, Any]:
    box = axes.get_position()
    low, high = axes.get_xlim()
    places = {
        epoch: box.x0 + (epoch - low) / (high - low) * box.width
        for epoch in range(1, epochs + 1)
        if low <= epoch <= high
    }
    return {
        "left": _percent(box.x0),
        "right": _percent(box.x1),
        "top": _percent(1 - box.y1),
        "bottom": _percent(1 - box.y0),
        "epochs": [[epoch, _percent(place)] for epoch, place in places.items()],
    }


def _percent(share: float) -> float:
    return round(100 * float(share), 3)


def images(comparison: Comparison) -> dict[str, Any]:
    """Return originals and what is made of them, by every decoder's first seed or by a baseline.

    As small PNG files.
    """
    return {
        "originals": [_png(image) for image in comparison.originals],
        "decoders": [
            {
                "name": name,
                "images": [_png(image) for image in comparison.of(name)[0].reconstructions],
            }
            for name in comparison.decoders
        ]
        + [
            {"name": one.name, "images": [_png(image) for image in one.reconstructions]}
            for one in comparison.baselines
        ],
    }


def _png(image: np.ndarray) -> str:
    """Return an image `(height, width, 1 or 3)` in 0..1 as a data URI, pixel by pixel."""
    pixels = eight_bits(image)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "png")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
