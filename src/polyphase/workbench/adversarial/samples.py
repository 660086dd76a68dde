"""What a generator made: a grid of images, and its training as an animated picture."""

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from polyphase.datasets.images import eight_bits

_PIXELS = 480  # of a grid's side, at least
FRAMES = 60  # of an animation, at most
_MILLISECONDS = 120
_HELD = 2000  # the last frame


def grid(images: np.ndarray) -> Image.Image:
    """Return images `(n, height, width, 1 or 3)` in 0..1 side by side, as near to square as can be.

    Every pixel is a square of whole pixels, so that nothing is smoothed; a line is between images.

    Example:
        >>> grid(np.zeros((4, 28, 28, 1))).size
        (513, 513)
    """
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    sheet = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, channels))
    for index, image in enumerate(images):
        top, left = (index // columns) * (height + 1), (index % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = image
    scale = max(1, -(-_PIXELS // max(sheet.shape[:2])))
    large = eight_bits(sheet).repeat(scale, axis=0).repeat(scale, axis=1)
    return Image.fromarray(large[..., 0] if channels == 1 else large)


def png(image: Image.Image) -> bytes:
    """Return an image as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def animation(pictures: Sequence[bytes]) -> bytes:
    """Return PNG files of one size as an animated WebP file."""
    frames = [Image.open(io.BytesIO(one)) for one in pictures]
    buffer = io.BytesIO()
    times = [_MILLISECONDS] * (len(frames) - 1) + [_HELD]
    frames[0].save(
        buffer,
        "webp",
        save_all=True,
        append_images=frames[1:],
        duration=times,
        loop=0,
        quality=80,
    )
    return buffer.getvalue()
