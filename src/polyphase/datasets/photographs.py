"""Patches of the two photographs that come with scikit-learn; nothing is downloaded."""

from pathlib import Path

import numpy as np

from polyphase.datasets.images import Dataset, Images, digested, keras_split
from polyphase.datasets.optional import import_workbench

SIDE, STRIDE = 32, 16


def load_photographs() -> Dataset:
    """Return patches of two photographs, 32x32 pixels at their own resolution, in colour.

    1. Cut each photograph, 427x640 pixels, into 13x20 tiles; 11 rows at the bottom are left over.
    2. A fifth of the 520 tiles, drawn with a fixed seed, is for testing, and the last fifth of the
       rest is for validation, as in every source.
    3. Train on every patch, 16 pixels apart, that shares no pixel with those tiles. These are 785
       overlapping patches instead of 332 separate tiles, so that an epoch has 24 steps of 32 images
       instead of 10.

    No pixel of a validation or test image is in a training image. But all images are of the same
    two scenes, and neighbours are alike, so the sets say nothing about other scenes.

    Exactness: Pillow's pixels, divided by 255 in float32. The files hold colour at full resolution,
    so decoders can differ only in their cosine transform, and that of libjpeg-turbo (2.1 and 3.2,
    with SIMD and without) gives the same bits. With other decoders `sha256` may differ, and a run
    begun with one cannot be resumed with another.

    Returns:
        A dataset of shape (32, 32, 3) with the labels "china" and "flower".

    Raises:
        ImportError: if scikit-learn or Pillow is not installed.
    """
    sklearn = import_workbench("sklearn.datasets", "scikit-learn", "The photographs dataset")
    import_workbench("PIL.Image", "Pillow", "The photographs dataset")
    found = sklearn.load_sample_images()
    photographs = np.stack(found.images)
    tiles = _corners(photographs, SIDE)
    order = np.random.default_rng(0).permutation(len(tiles))
    test, rest = np.split(tiles[order], [len(tiles) // 5])
    validation = rest[keras_split(len(rest)) :]
    free = np.ones(photographs.shape, bool)
    for corner in (*validation, *test):
        free[_patch(corner)] = False
    patches = _corners(photographs, STRIDE)
    train = patches[[free[_patch(corner)].all() for corner in patches]]
    names = [Path(name).stem for name in found.filenames]

    def images(corners: np.ndarray) -> Images:
        pixels = np.stack([photographs[_patch(corner)] for corner in corners])
        labels = tuple(names[photograph] for photograph, _, _ in corners)
        return Images(pixels.astype(np.float32) / np.float32(255), labels)

    return digested("photographs", "photographs", images(train), images(validation), images(test))


def _corners(photographs: np.ndarray, stride: int) -> np.ndarray:
    """Return `(photograph, top, left)` of every patch, so many pixels apart."""
    count, height, width, _ = photographs.shape
    tops, lefts = (np.arange(0, side - SIDE + 1, stride) for side in (height, width))
    return np.stack(np.meshgrid(np.arange(count), tops, lefts, indexing="ij"), -1).reshape(-1, 3)


def _patch(corner: np.ndarray) -> tuple[int, slice, slice]:
    """Return the index of a patch."""
    photograph, top, left = corner
    return photograph, slice(top, top + SIDE), slice(left, left + SIDE)
