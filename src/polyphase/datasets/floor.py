"""The lowest binary cross-entropy that a reconstruction of grey images can reach."""

import numpy as np

from polyphase.datasets.errors import DataError

# Values per step: bounds the float64 copies (8 MiB each), whatever the size of the data.
_CHUNK = 1 << 20


def entropy_floor(pixels: np.ndarray) -> float:
    """Return the mean of `H(x) = -x log x - (1-x) log(1-x)`: no loss can be lower.

    Even a perfect reconstruction of grey pixels has this loss, not 0. Report a binary
    cross-entropy together with it.

    Args:
        pixels: floats in 0..1, any shape, not empty.

    Returns:
        The mean in nats, computed in float64; 0 for pure black and white.

    Raises:
        DataError: if `pixels` is empty, not floating, or has values outside 0..1.

    Example:
        >>> entropy_floor(np.array([0.0, 1.0]))
        0.0
        >>> round(entropy_floor(np.array([0.5])), 6)
        0.693147
    """
    pixels = np.asarray(pixels)
    if pixels.size == 0 or pixels.dtype.kind != "f":
        raise DataError(
            "`pixels` must be floats in 0..1, at least one. "
            f"Received: {pixels.dtype} {pixels.shape}. Divide 8-bit pixels by 255."
        )
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 1):  # so written that NaN is refused too
        raise DataError(f"`pixels` must lie in 0..1. Received: values in {low:g}..{high:g}.")
    flat = pixels.reshape(-1)
    starts = range(0, flat.size, _CHUNK)
    return sum(_entropy(flat[start : start + _CHUNK]) for start in starts) / flat.size


def _entropy(x: np.ndarray) -> float:
    x = x.astype(np.float64)
    return float(np.sum(_minus_x_log_x(x) + _minus_x_log_x(1 - x)))


def _minus_x_log_x(x: np.ndarray) -> np.ndarray:
    return np.abs(x * np.log(np.where(x > 0, x, 1)))  # abs: no -0.0
