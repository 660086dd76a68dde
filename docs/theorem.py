"""Draw the theorem of docs/mathematics.md: docs/images/blur.png.

    KERAS_BACKEND=jax python docs/theorem.py

One patch of a photograph: its pixels copied, the blur, what it makes of them, the interpolation of
the same pixels, and where the two differ.
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from polyphase.algebra.blur import blur
from polyphase.algebra.resampling import resampling_matrix
from polyphase.datasets import load
from polyphase.report import png
from polyphase.report.style import INK, bare

PICTURE = Path(__file__).parent / "images" / "blur.png"
FACTOR, INTERPOLATION, SIDE, PATCH = 4, "bilinear", 16, 20


def upsampled(image: np.ndarray, interpolation: str) -> np.ndarray:
    """Return a square image, enlarged."""
    table = resampling_matrix(len(image), FACTOR * len(image), interpolation)
    return table.apply(table.apply(image, 0), 1)


def blurred(image: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return an image, blurred along both axes, with zeros around it."""
    for axis in (0, 1):
        image = np.apply_along_axis(np.convolve, axis, image, q, mode="same")
    return image


def main() -> None:
    """Draw five squares in a row."""
    image = load("photographs").test.pixels[PATCH, 8 : 8 + SIDE, 8 : 8 + SIDE].mean(axis=2)
    q = blur(FACTOR, INTERPOLATION)
    nearest, linear = (upsampled(image, name) for name in ("nearest", INTERPOLATION))
    both = blurred(nearest, q)
    panels = {
        f"nearest, x{FACTOR}": nearest,
        f"the blur, {len(q)}x{len(q)}": np.outer(q, q) / q.max() ** 2,
        "nearest, blurred": both,
        f"{INTERPOLATION}, x{FACTOR}": linear,
        "white: equal": (np.abs(both - linear) < 1e-12).astype(float),
    }
    drawn = Figure(figsize=(11, 2.5), layout="constrained", facecolor="none")
    grid = drawn.subplots(1, len(panels))
    for axes, (title, content) in zip(grid, panels.items(), strict=True):
        axes.imshow(content, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(title, fontsize=11, color=INK)
        bare(axes)
    PICTURE.write_bytes(png(drawn))


if __name__ == "__main__":
    main()
