"""Images from a folder, flat or with one subfolder per class."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from polyphase.datasets.checks import check_bytes, decoding
from polyphase.datasets.errors import DataError
from polyphase.datasets.images import Dataset, Images, assemble, check_count
from polyphase.datasets.optional import import_workbench
from polyphase.datasets.storage import gathered

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")

# Pillow's decoders for these, and no other: some of the others start programs.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
_GREY = ("1", "L")
_GREY_16 = "I;16"


def load_folder(root: Path) -> Dataset:
    """Return the images of a folder, in the order of their relative paths.

    Grey images (1, 8 or 16 bits) give 1 channel; if any image has colour, all give 3 (RGB). Of
    an animation the first frame is taken; transparency and EXIF orientation are ignored.

    1. List the files: `root/*.png` without labels, or `root/label/*.png`. Hidden ones are
       ignored.
    2. Read the headers: one size, and not too large.
    3. Decode: 8 bits are divided by 255, 16 bits by 65535, in float32.

    Args:
        root: an absolute path of a folder.

    Raises:
        DataError: if there are too few images, their sizes differ, one is broken or too
            large, or the layout is another one.
        ImportError: if Pillow is not installed.
    """
    paths = _list(root)
    check_count(len(paths), str(root))
    height, width, channels = _check_headers(paths, root)
    decoded = (_decode(path, channels)[None] for path in paths)
    pixels = gathered((len(paths), height, width, channels), decoded)
    labels = tuple("" if path.parent == root else path.parent.name for path in paths)
    return assemble(root.name, str(root), Images(pixels, labels))


def _list(root: Path) -> list[Path]:
    """Return the paths of all images, sorted by relative path."""
    flat, folders = _entries(root)
    classes: list[Path] = []
    for folder in folders:
        files, deeper = _entries(folder)
        if deeper:
            raise DataError(
                f"Images are read from a folder and its subfolders, one for each class. "
                f"Received: {deeper[0]}, a level deeper. Pass {folder}, or move it."
            )
        classes += files
    if flat and classes:
        raise DataError(
            f"Images must lie in {root} itself or in a subfolder for each class, not both. "
            f"Received: {flat[0].name} and {classes[0].relative_to(root)}. Move either."
        )
    if not flat and not classes:
        raise DataError(
            f"There are no images in {root}. Accepted: {', '.join(EXTENSIONS)}, in the folder "
            "itself or in a subfolder for each class."
        )
    return sorted(flat + classes, key=lambda path: path.relative_to(root).as_posix())


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the images and the folders directly in a folder, without hidden ones."""
    with decoding(str(folder)):
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    images = [path for path in paths if path.suffix.lower() in EXTENSIONS and path.is_file()]
    return images, [path for path in paths if path.is_dir()]


def _check_headers(paths: list[Path], root: Path) -> tuple[int, int, int]:
    """Return `(height, width, channels)` of all images, decoding none."""
    modes = set()
    expected: tuple[int, int] | None = None
    for path in paths:
        with _open(path) as image:
            size, mode = image.size, image.mode
        expected = expected or size
        if size != expected:
            raise DataError(
                f"All images must have the same size. Received: {path} with "
                f"{size[0]}x{size[1]} pixels (width x height); {paths[0]} has "
                f"{expected[0]}x{expected[1]}. Resize or remove it."
            )
        modes.add(mode)
    assert expected is not None  # check_count has seen the paths
    width, height = expected
    channels = 1 if all(mode in _GREY or mode.startswith(_GREY_16) for mode in modes) else 3
    check_bytes(4 * len(paths) * height * width * channels, str(root))
    return height, width, channels


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open an image for its header; failures, also of decoding it inside, name the file."""
    pillow = import_workbench("PIL.Image", "Pillow", "A folder of images")
    with warnings.catch_warnings(), decoding(str(path)):
        # Pillow only warns of images that are up to twice too large.
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        with pillow.open(path, formats=_FORMATS) as image:
            yield image


def _decode(path: Path, channels: int) -> np.ndarray:
    with _open(path) as image:
        return _pixels(image, channels)


def _pixels(image: Any, channels: int) -> np.ndarray:
    """Return `(height, width, channels)` float32 in 0..1; grey may come as 1 channel."""
    if image.mode.startswith(_GREY_16):  # Pillow's own conversion would clip at 255
        return np.asarray(image).astype(np.float32)[..., None] / np.float32(65535)
    if image.mode in ("I", "F"):
        raise DataError(
            f"{image.filename} has 32-bit pixels, whose range is not known. Save it with 8 or "
            "16 bits per channel."
        )
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")  # else Pillow warns
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels).astype(np.float32) / np.float32(255)
