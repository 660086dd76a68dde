"""A generator's images in a grid, and its training as an animated picture."""

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from polyphase.datasets.images import eight_bits

_LARGE, _FILM = 480, 200  # pixels of a picture's side, at least, and of an animation's
FRAMES = 60  # of an animation, at most
_MILLISECONDS = 120
_HELD = 2000  # the last frame


def grid(images: np.ndarray) -> Image.Image:
    """Return images `(n, height, width, 1 or 3)` in 0..1 in a grid that is as square as possible.

    A line separates them.

    Example:
        >>> grid(np.zeros((4, 28, 28, 1))).size
        (57, 57)
    """
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = -(-count // columns)
    sheet = np.ones((rows * (height + 1) - 1, columns * (width + 1) - 1, channels))
    for index, image in enumerate(images):
        top, left = (index // columns) * (height + 1), (index % columns) * (width + 1)
        sheet[top : top + height, left : left + width] = image
    pixels = eight_bits(sheet)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def enlarged(image: Image.Image, side: int = _LARGE) -> Image.Image:
    """Return an image in which every pixel is a square of pixels, so nothing is smoothed.

    Example:
        >>> enlarged(grid(np.zeros((4, 28, 28, 1)))).size
        (513, 513)
    """
    scale = max(1, -(-side // max(image.size)))
    return image.resize((scale * image.width, scale * image.height), Image.Resampling.NEAREST)


def opened(picture: bytes) -> Image.Image:
    """Return the image of a PNG file."""
    return Image.open(io.BytesIO(picture))


def png(image: Image.Image) -> bytes:
    """Return an image as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "png")
    return buffer.getvalue()


def animation(pictures: Sequence[bytes]) -> bytes:
    """Return PNG files of one size as an animated WebP file."""
    frames = [enlarged(opened(one), _FILM) for one in pictures]
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
