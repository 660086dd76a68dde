"""Images from a folder, flat or with one subfolder per class."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from polyphase.datasets.checks import check_bytes, decoding
from polyphase.datasets.errors import DataError
from polyphase.datasets.fitting import fit
from polyphase.datasets.images import Dataset, Images, assemble, check_count
from polyphase.datasets.optional import import_workbench
from polyphase.datasets.storage import gathered

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")

# Pillow's decoders for these, and no other: some of the others start programs.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")
_GREY = ("1", "L", "LA", "La")
_GREY_16 = "I;16"
_TURNED = (5, 6, 7, 8)  # EXIF orientations that exchange height and width
_ORIENTATION, _WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC = 274, 256, 257, 258, 262  # tags


def load_folder(root: Path, sides: tuple[int, int] | None = None, grey: bool = False) -> Dataset:
    """Return the images of a folder, in the order of their relative paths.

    Grey images (1 to 16 bits, with or without alpha, or with a palette of greys) give 1 channel.
    If any image is declared as colour, all give 3 (RGB). EXIF orientation is applied. An animation
    gives its first frame; transparency is ignored.

    1. List the files: `root/*.png` without labels, or `root/label/*.png`. Hidden files are
       ignored.
    2. Read the headers. All images must have one size, after orientation, unless `sides` are given,
       and must not be too large.
    3. Decode: 8 bits are divided by 255, 12 bits by 4095, 16 bits by 65535, in float32.
    4. `fit` each image to the sides and to grey, if wanted.

    Args:
        root: an absolute path of a folder.
        sides: height and width for all images; None keeps their own.
        grey: whether to give all images one channel.

    Raises:
        DataError: if there are too few images, if their sizes differ, if one is broken or too
            large, or if the layout is another one.
        ImportError: if Pillow is not installed.
    """
    paths = _list(root)
    check_count(len(paths), str(root))
    size, channels = _check_headers(paths, any_size=sides is not None)
    shape = (len(paths), *(sides or size), 1 if grey else channels)
    check_bytes(4 * math.prod(shape), str(root))
    expected = None if sides else size
    images = (fit(_decode(path, expected, channels), sides, grey)[None] for path in paths)
    pixels = gathered(shape, images)
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
                f"Received: {deeper[0]}, one level deeper. Pass {folder}, or move that folder."
            )
        classes += files
    if flat and classes:
        raise DataError(
            f"Images must lie in {root} itself or in a subfolder for each class, not both. "
            f"Received: {flat[0].name} and {classes[0].relative_to(root)}. Move one of them."
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


def _check_headers(paths: list[Path], any_size: bool) -> tuple[tuple[int, int], int]:
    """Return `(height, width)` of the first image and the channels of all, decoding none."""
    grey = True
    expected: tuple[int, int] | None = None
    for path in paths:
        with _open(path) as image:
            size = _size(image)
            grey = grey and _is_grey(image)
        expected = expected or size
        if size != expected and not any_size:
            raise DataError(
                f"All images must have the same size. Received: {path} with "
                f"{size[0]}x{size[1]} pixels (width x height); {paths[0]} has "
                f"{expected[0]}x{expected[1]}. Give a size for all (--size), or remove that image."
            )
    assert expected is not None  # check_count has seen the paths
    width, height = expected
    return (height, width), 1 if grey else 3


def _size(image: Any) -> tuple[int, int]:
    """Return `(width, height)` after orientation.

    Some versions of Pillow orient the size of a TIFF when it is opened, others when it is
    decoded; its tags are as they were written.
    """
    tags = getattr(image, "tag_v2", {})
    width, height = tags.get(_WIDTH, image.width), tags.get(_HEIGHT, image.height)
    return (height, width) if _orientation(image) in _TURNED else (width, height)


def _orientation(image: Any) -> int:
    """Return the EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    pillow = import_workbench("PIL.Image", "Pillow", "A folder of images")
    try:
        # A PNG's own `getexif` decodes the image.
        return int(pillow.Image.getexif(image).get(_ORIENTATION, 1))
    except Exception:  # whatever else a damaged EXIF holds, the pixels are whole
        return 1


def _is_grey(image: Any) -> bool:
    """Return whether the header declares greys; a palette counts with all of its colours."""
    if image.mode in ("P", "PA"):
        pillow = import_workbench("PIL.Image", "Pillow", "A folder of images")
        probe = pillow.new("P", (1, 1))  # the image's own `getpalette` decodes it
        raw, colours = image.palette.getdata()
        probe.putpalette(colours, raw)
        red, green, blue = np.array(probe.getpalette("RGB")).reshape(-1, 3).T
        return bool((red == green).all() and (green == blue).all())
    # Pillow opens a PNG of 16-bit grey with alpha as RGBA.
    packed = str(image.tile[0][3]) if image.tile else ""
    return image.mode in _GREY or image.mode.startswith(_GREY_16) or packed.startswith("LA")


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Open an image for its header; failures, also of decoding it inside, name the file."""
    pillow = import_workbench("PIL.Image", "Pillow", "A folder of images")
    with warnings.catch_warnings(), decoding(str(path)):
        # Pillow only warns of images that are up to twice too large.
        warnings.simplefilter("error", pillow.DecompressionBombWarning)
        # Given a name, Pillow 13.0 maps the file and exchanges the sides of a turned TIFF.
        with path.open("rb") as file, pillow.open(file, formats=_FORMATS) as image:
            yield image


def _decode(path: Path, size: tuple[int, int] | None, channels: int) -> np.ndarray:
    """Return `(height, width, channels)`, or one channel of an image that is grey.

    Args:
        path: of the image.
        size: the height and width that it must have, if any.
        channels: 1 or 3.
    """
    with _open(path) as image:
        pixels = _pixels(_upright(image), path, channels)
    if size not in (None, pixels.shape[:2]):
        raise DataError(
            f"{path} declares its orientation only after its pixels, so it becomes "
            f"{pixels.shape[1]}x{pixels.shape[0]}, not {size[1]}x{size[0]}. Save it again."
        )
    return pixels


def _upright(image: Any) -> Any:
    """Return the decoded image after its EXIF orientation."""
    operations = import_workbench("PIL.ImageOps", "Pillow", "A folder of images")
    image.load()
    return operations.exif_transpose(image) if _orientation(image) != 1 else image


def _pixels(image: Any, path: Path, channels: int) -> np.ndarray:
    """Return `(height, width, channels)` float32 in 0..1; 16 bits of grey as 1 channel."""
    if image.mode.startswith(_GREY_16):  # Pillow's own conversion would clip at 255
        return _deep(image)[..., None]
    if image.mode in ("I", "F"):
        raise DataError(
            f"{path} has 32-bit pixels, or signed ones, whose range is not known. Save it with 8 "
            "or 16 bits per channel."
        )
    if image.mode == "LAB":
        raise DataError(f"{path} has the colours of CIELAB. Save it as RGB.")
    if image.mode in ("P", "PA") and (image.mode == "PA" or "transparency" in image.info):
        image = image.convert("RGBA")  # else Pillow warns
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels).astype(np.float32) / np.float32(255)


def _deep(image: Any) -> np.ndarray:
    """Return 12 or 16 bits of grey, black at 0, as float32 in 0..1."""
    tags = getattr(image, "tag_v2", {})
    greatest = 2 ** tags.get(_BITS, (16,))[0] - 1
    pixels = np.asarray(image)
    white_is_zero = tags.get(_PHOTOMETRIC) == 0  # which Pillow minds at 8 bits only
    return (greatest - pixels if white_is_zero else pixels).astype(np.float32) / np.float32(
        greatest
    )
