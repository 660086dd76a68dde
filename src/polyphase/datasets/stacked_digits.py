"""Three of the embedded digits on top of each other: images of a thousand known classes."""

import numpy as np

from polyphase.datasets.digits import load_digits
from polyphase.datasets.images import Dataset, Images, digested
from polyphase.datasets.storage import gathered, slices

NUMBERS = 1000
TIMES = (6, 1, 1)  # each number, to train, to validate and to test


def load_stacked_digits() -> Dataset:
    """Return 8,000 images of three digits each, red, green and blue: the numbers 000 to 999.

    A generator that forgets classes forgets some of these thousand, and a classifier of single
    digits can count them.

    1. Every number occurs equally often: 6 times to train, once to validate, once to test.
    2. For each of its digits, take an image of this class from the training, validation or test
       images of "digits", with a fixed seed. So no image of a digit is in two sets.
    3. Shuffle.

    Returns:
        A dataset of shape (28, 28, 3) with the labels "000" to "999", red first.

    Raises:
        ImportError: if scikit-learn is not installed.
    """
    digits = load_digits()
    parts = zip((digits.train, digits.validation, digits.test), TIMES, strict=True)
    stacked = [_stacked(part, times, seed) for seed, (part, times) in enumerate(parts)]
    return digested("stacked-digits", "stacked-digits", *stacked)


def _stacked(digits: Images, times: int, seed: int) -> Images:
    """Return every number so many times, in a drawn order."""
    generator = np.random.default_rng(seed)
    numbers = generator.permutation(np.repeat(np.arange(NUMBERS), times))
    wanted = numbers[:, None] // [100, 10, 1] % 10
    classes = np.array(digits.labels).astype(int)
    counts = np.bincount(classes)
    first = np.cumsum(counts) - counts  # of each class, where the digits are sorted by it
    chosen = np.argsort(classes, kind="stable")[first[wanted] + generator.integers(counts[wanted])]
    grey = digits.pixels[..., 0]
    shape = (len(numbers), *grey.shape[1:], 3)
    pixels = gathered(shape, (np.moveaxis(grey[chosen[s]], 1, -1) for s in slices(shape)))
    return Images(pixels, tuple(f"{number:03}" for number in numbers))
