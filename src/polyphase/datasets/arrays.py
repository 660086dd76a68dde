"""Images from NumPy files. Their headers are checked before their data is read."""

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.lib import format as npy

from polyphase.datasets.checks import as_labels, as_pixels, check_bytes, decoding
from polyphase.datasets.errors import DataError
from polyphase.datasets.images import Dataset, Images, assemble
from polyphase.datasets.storage import stored

_LAYOUT: tuple[str, ...] = ("x_train", "y_train", "x_test", "y_test")
_PART = 2**24
_HEADER_READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    order: Literal["C", "F"]
    dtype: np.dtype

    @property
    def bytes(self) -> int:
        """The size of the array, as float32 if its own values are smaller."""
        return math.prod(self.shape) * max(self.dtype.itemsize, 4)


def load_npy(path: Path) -> Dataset:
    """Return the images of an `.npy` file: one array, without labels.

    Args:
        path: an absolute path of a file.

    Raises:
        DataError: if the file is broken, too large, holds Python objects, or holds no images
            that `as_pixels` accepts.
    """
    with decoding(str(path)), path.open("rb") as file:
        header = _header(file, str(path))
        check_bytes(header.bytes, str(path))
        array = _array(file, header)
    return assemble(path.stem, str(path), _images(array, None, str(path), str(path)))


def load_npz(path: Path) -> Dataset:
    """Return the images of an `.npz` file in Keras' layout, or of its only array.

    1. If there is an `x_train`: this array, and `y_train`, `x_test` and `y_test` if they exist.
       Other arrays are ignored.
    2. Otherwise the only array, whatever its name, without labels.

    Args:
        path: an absolute path of a file.

    Raises:
        DataError: as `load_npy`, or if neither rule applies.
    """
    with decoding(str(path)), zipfile.ZipFile(path) as archive:
        arrays = _read_members(archive, path)
    images = _images_of("train", arrays, path)
    test = _images_of("test", arrays, path) if "x_test" in arrays else None
    return assemble(path.stem, str(path), images, test)


def _read_members(archive: zipfile.ZipFile, path: Path) -> dict[str, np.ndarray]:
    """Return the arrays in use by their names in Keras' layout; sizes are checked first."""
    names = _names(archive, path)
    total = 0
    for name in names.values():
        with archive.open(f"{name}.npy") as member:
            total += _header(member, f"{name} of {path}").bytes
    check_bytes(total, str(path))
    return {key: _read_member(archive, name) for key, name in names.items()}


def _read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as member:
        return _array(member, _header(member, name))


def _names(archive: zipfile.ZipFile, path: Path) -> dict[str, str]:
    """Return which member to read as x_train, y_train, x_test and y_test."""
    found = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
    if "x_train" in found:
        names = {name: name for name in _LAYOUT if name in found}
    elif len(found) == 1:
        names = {"x_train": found[0]}
    else:
        raise DataError(
            f"{path} must hold x_train (and, if wanted, y_train, x_test, y_test), or exactly "
            f"one array. Received: {', '.join(found[:10]) or 'no arrays'}. Save it with "
            "np.savez(path, x_train=...)."
        )
    if "y_test" in names and "x_test" not in names:
        raise DataError(f"{path} holds y_test without x_test. Add x_test, or leave out y_test.")
    return names


def _images_of(part: str, arrays: dict[str, np.ndarray], path: Path) -> Images:
    x, y = f"x_{part}", f"y_{part}"
    return _images(arrays[x], arrays.get(y), f"{x} of {path}", f"{y} of {path}")


def _images(x: np.ndarray, y: np.ndarray | None, x_name: str, y_name: str) -> Images:
    pixels = as_pixels(x, x_name)
    return Images(pixels, as_labels(y, len(pixels), y_name))


def _header(file: IO[bytes], what: str) -> _Header:
    """Return what a file declares, read from its start."""
    version = npy.read_magic(file)
    if version not in _HEADER_READERS:
        raise DataError(
            f"{what} is a NumPy file of version {version}, which plain arrays do not need. "
            "Save the array again with np.save."
        )
    shape, fortran, dtype = _HEADER_READERS[version](file)
    if dtype.hasobject:
        raise DataError(
            f"{what} holds Python objects (pickled), which are never loaded: they could run "
            "code. Save plain numbers, for example x.astype('uint8')."
        )
    if any(length < 0 for length in shape):  # could hide the size of another array
        raise DataError(f"{what} declares the shape {shape}. Save the array again with np.save.")
    return _Header(shape, "F" if fortran else "C", dtype)


def _array(file: IO[bytes], header: _Header) -> np.ndarray:
    """Return the array behind a header: its bytes, copied."""
    size = math.prod(header.shape) * header.dtype.itemsize
    parts = (file.read(min(_PART, size - start)) for start in range(0, size, _PART))
    return stored(header.shape, header.dtype, parts, header.order)
