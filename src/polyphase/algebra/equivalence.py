"""Turn upsampling and convolution, transposed and sub-pixel convolutions into one another.

Kernels are laid out as Keras stores them: convolutions `(*kernel_size, c_in, c_out)`, transposed
convolutions `(*kernel_size, c_out, c_in)`. There is one factor `s` per axis.
"""

import math
from collections.abc import Sequence

import numpy as np

from polyphase.algebra.channel_order import dcr_channels
from polyphase.algebra.geometry import padding_amounts
from polyphase.algebra.phases import mapped


def transposed_taps(kernel_size: int, factor: int) -> np.ndarray:
    """Return the linear map `W = M w` of one axis: `(k + s - 1, k)` float64 of 0 and 1.

    `W[q] = sum over r = 0..s-1 of w[r - q + k - 1]`, where terms outside `0..k-1` are 0.

    Example:
        >>> transposed_taps(3, 2)
        array([[0., 0., 1.],
               [0., 1., 1.],
               [1., 1., 0.],
               [1., 0., 0.]])
    """
    q = np.arange(kernel_size + factor - 1)[:, None]
    a = np.arange(kernel_size)[None, :]
    r = a + q - (kernel_size - 1)
    return np.where((r >= 0) & (r < factor), 1.0, 0.0)


def upsample_conv_to_conv_transpose(kernel: np.ndarray, factor: Sequence[int]) -> np.ndarray:
    """Return the transposed-convolution kernel that equals nearest upsampling + convolution.

    Its stride is `s`, its size `K = k + s - 1`, and it is cropped by `upsample_conv_crop`. For odd
    `k` and `same` that is Keras' `Conv2DTranspose(filters, K, strides=s, padding="same")`.

    Args:
        kernel: `(*kernel_size, c_in, c_out)`.
        factor: upsampling factors per axis.

    Returns:
        `(k + s - 1 per axis, c_out, c_in)`, float64.

    Exactness: computes the same operator; each tap is a sum of at most `prod(factor)` taps of
    `kernel`.

    Example:
        >>> w = np.ones((3, 3, 8, 16))
        >>> upsample_conv_to_conv_transpose(w, (2, 2)).shape
        (4, 4, 16, 8)
    """
    maps = (transposed_taps(k, s) for k, s in zip(kernel.shape[:-2], factor, strict=True))
    return np.swapaxes(mapped(kernel, maps), -1, -2)


def upsample_conv_crop(kernel_size: int, padding: str) -> tuple[int, int]:
    """Return how many samples the full transposed convolution is cropped by, `(before, after)`.

    Example:
        >>> upsample_conv_crop(3, "same"), upsample_conv_crop(3, "valid")
        ((1, 1), (2, 2))
    """
    before, after = padding_amounts(kernel_size, padding)
    return kernel_size - 1 - before, kernel_size - 1 - after


def conv_transpose_to_upsample_conv(
    kernel: np.ndarray, factor: Sequence[int]
) -> tuple[np.ndarray, float]:
    """Return the kernel that, after nearest upsampling, is nearest to a transposed convolution.

    The map `w -> W` is injective, so least squares gives the one best `w`. It is exact (residual 0)
    if and only if `W` lies in the map's image.

    Args:
        kernel: `(*kernel_size, c_out, c_in)` with `K >= s` on every axis.
        factor: the strides.

    Returns:
        `w (K - s + 1 per axis, c_in, c_out)` float64, and the residual `||W - M w|| / ||W||`
        (Frobenius; 0 for a zero kernel).

    Raises:
        ValueError: if the kernel is smaller than the stride.

    Example:
        >>> w = np.arange(9.0).reshape(3, 3, 1, 1)
        >>> back, residual = conv_transpose_to_upsample_conv(
        ...     upsample_conv_to_conv_transpose(w, (2, 2)), (2, 2))
        >>> bool(np.allclose(back, w)), residual < 1e-12
        (True, True)
    """
    sizes = [size - s + 1 for size, s in zip(kernel.shape[:-2], factor, strict=True)]
    if min(sizes) < 1:
        raise ValueError(
            "A transposed convolution whose kernel is smaller than its stride leaves gaps that "
            f"no upsampling leaves. Received: kernel size {kernel.shape[:-2]}, strides "
            f"{tuple(factor)}. Use a kernel at least as large as the stride."
        )
    inverses = (np.linalg.pinv(transposed_taps(k, s)) for k, s in zip(sizes, factor, strict=True))
    w = np.swapaxes(mapped(kernel, inverses), -1, -2)
    norm = float(np.linalg.norm(kernel))
    error = float(np.linalg.norm(kernel - upsample_conv_to_conv_transpose(w, factor)))
    return w, error / norm if norm else 0.0


def sub_pixel_to_conv_transpose(
    kernel: np.ndarray, factor: Sequence[int], order: str = "dcr"
) -> np.ndarray:
    """Return the transposed-convolution kernel of size `s*k` that equals a sub-pixel convolution.

    Sub-pixel convolution is the phase form with independent phases of equal size:
    `W[p + s (k-1-a)] = w[a, phase p]`. The transposed convolution is cropped by `s (k-1-pl)` before
    and `s pl` after.

    Args:
        kernel: `(*kernel_size, c_in, prod(factor) * c_out)`.
        factor: upsampling factors per axis.
        order: order of the last axis, as in `channel_order`.

    Returns:
        `(s * k per axis, c_out, c_in)`, bit for bit the same numbers.
    """
    *sizes, c_in, channels = kernel.shape
    rank = len(sizes)
    kernel = kernel[..., dcr_channels(channels, math.prod(factor), order)]
    phases = np.flip(kernel, tuple(range(rank))).reshape(*sizes, c_in, *factor, -1)
    woven = [axis for i in range(rank) for axis in (i, rank + 1 + i)]
    phases = phases.transpose(*woven, -1, rank)
    return phases.reshape(*(s * k for s, k in zip(factor, sizes, strict=True)), -1, c_in)
