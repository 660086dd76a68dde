"""Small arrays in memory, large ones in a temporary file that is mapped into memory."""

import errno
import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np

from polyphase.datasets.errors import DataError

IN_MEMORY = 2**28
_PART = 2**24


def gathered(shape: tuple[int, ...], parts: Iterable[np.ndarray]) -> np.ndarray:
    """Return one float32 array of parts that follow each other along its first axis.

    Up to 256 MiB it is kept in memory. A larger array is written to a temporary file and read page
    by page as it is needed, so little memory is enough. The file disappears with the array,
    whatever happens.

    Args:
        shape: of the whole.
        parts: arrays of the shape `(n, *shape[1:])`, or that broadcast to it, made one at a time.

    Raises:
        DataError: if the disk is full.

    Example:
        >>> gathered((3, 2), (np.full((1, 2), i) for i in range(3)))[:, 0]
        array([0., 1., 2.], dtype=float32)
    """
    if 4 * math.prod(shape) > IN_MEMORY:
        whole = (np.broadcast_to(part, (len(part), *shape[1:])) for part in parts)
        return stored(shape, np.float32, (np.ascontiguousarray(p, np.float32) for p in whole))
    array = np.empty(shape, np.float32)
    start = 0
    for part in parts:
        array[start : start + len(part)] = part
        start += len(part)
    return array


def stored(
    shape: tuple[int, ...], dtype: Any, parts: Iterable[Any], order: Literal["C", "F"] = "C"
) -> np.ndarray:
    """Return a read-only array of bytes that come in parts; it lies where `gathered` says."""
    if math.prod(shape) * np.dtype(dtype).itemsize <= IN_MEMORY:
        return np.frombuffer(b"".join(parts), dtype).reshape(shape, order=order)
    with tempfile.TemporaryFile(dir=_folder()) as file:
        try:
            for part in parts:
                file.write(part)
            file.flush()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise DataError(
                f"The images do not fit into {_folder()}, where large data are kept while in use "
                f"({os.strerror(error.errno)}). Set TMPDIR to a folder on a larger disk, or give "
                "fewer images."
            ) from error
        return np.asarray(np.memmap(file, dtype, "r", shape=shape, order=order))


def slices(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield slices of an array's first axis, of about 16 MiB in float32, one image at least."""
    step = max(1, _PART // (4 * max(1, math.prod(shape[1:]))))
    return (slice(start, start + step) for start in range(0, shape[0], step))


def _folder() -> str:
    """Return where large temporary files belong: /tmp itself is in memory on many systems."""
    usual = os.environ.get("TMPDIR") or "/var/tmp"
    return usual if os.access(usual, os.W_OK) else tempfile.gettempdir()
