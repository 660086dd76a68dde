"""Upsampling and convolution, transposed convolution, sub-pixel convolution: one into another.

Kernels are laid out as Keras stores them: convolutions `(k_h, k_w, c_in, c_out)`, transposed
convolutions `(k_h, k_w, c_out, c_in)`. Factors are `(s_h, s_w)`.
"""

from collections.abc import Sequence

import numpy as np

from polyphase.algebra.channel_order import dcr_channels
from polyphase.algebra.geometry import padding_amounts


def transposed_taps(kernel_size: int, factor: int) -> np.ndarray:
    """Return the linear map `W = M w` of one axis: `(k + s - 1, k)` float64 of 0 and 1.

    `W[q] = sum over r = 0..s-1 of w[r - q + k - 1]`, terms outside `0..k-1` being 0.

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

    Stride `s`, size `K = k + s - 1`; crop as `upsample_conv_crop` says. For odd `k` and `same`
    that is Keras' `Conv2DTranspose(filters, K, strides=s, padding="same")`.

    Args:
        kernel: `(k_h, k_w, c_in, c_out)`.
        factor: `(s_h, s_w)`.

    Returns:
        `(k_h + s_h - 1, k_w + s_w - 1, c_out, c_in)`, float64.

    Exactness: the same operator; each tap is a sum of at most `s_h * s_w` taps of `kernel`.

    Example:
        >>> w = np.ones((3, 3, 8, 16))
        >>> upsample_conv_to_conv_transpose(w, (2, 2)).shape
        (4, 4, 16, 8)
    """
    maps = (transposed_taps(k, s) for k, s in zip(kernel.shape[:2], factor, strict=True))
    return np.einsum("pa,qb,abio->pqoi", *maps, kernel)


def upsample_conv_crop(kernel_size: int, padding: str) -> tuple[int, int]:
    """Return how much the full transposed convolution is cropped `(in front, behind)`.

    Example:
        >>> upsample_conv_crop(3, "same"), upsample_conv_crop(3, "valid")
        ((1, 1), (2, 2))
    """
    before, after = padding_amounts(kernel_size, padding)
    return kernel_size - 1 - before, kernel_size - 1 - after


def conv_transpose_to_upsample_conv(
    kernel: np.ndarray, factor: Sequence[int]
) -> tuple[np.ndarray, float]:
    """Return the upsample-convolution kernel nearest to a transposed convolution.

    The map `w -> W` is injective, so least squares gives the one best `w`; it is exact (residual
    0) if and only if `W` lies in the map's image.

    Args:
        kernel: `(K_h, K_w, c_out, c_in)` with `K >= s` on both axes.
        factor: the strides `(s_h, s_w)`.

    Returns:
        `w (K_h - s_h + 1, K_w - s_w + 1, c_in, c_out)` float64, and the residual
        `||W - M w|| / ||W||` (Frobenius; 0 for a zero kernel).

    Raises:
        ValueError: if the kernel is smaller than the stride.

    Example:
        >>> w = np.arange(9.0).reshape(3, 3, 1, 1)
        >>> back, residual = conv_transpose_to_upsample_conv(
        ...     upsample_conv_to_conv_transpose(w, (2, 2)), (2, 2))
        >>> bool(np.allclose(back, w)), residual < 1e-12
        (True, True)
    """
    sizes = [size - s + 1 for size, s in zip(kernel.shape[:2], factor, strict=True)]
    if min(sizes) < 1:
        raise ValueError(
            "A transposed convolution whose kernel is smaller than its stride leaves gaps that "
            f"no upsampling leaves. Received: kernel size {kernel.shape[:2]}, strides "
            f"{tuple(factor)}. Use a kernel at least as large as the stride."
        )
    inverses = (np.linalg.pinv(transposed_taps(k, s)) for k, s in zip(sizes, factor, strict=True))
    w = np.einsum("ap,bq,pqoi->abio", *inverses, kernel)
    norm = float(np.linalg.norm(kernel))
    error = float(np.linalg.norm(kernel - upsample_conv_to_conv_transpose(w, factor)))
    return w, error / norm if norm else 0.0


def sub_pixel_to_conv_transpose(
    kernel: np.ndarray, factor: Sequence[int], order: str = "dcr"
) -> np.ndarray:
    """Return the transposed-convolution kernel of size `s*k` that equals a sub-pixel convolution.

    Sub-pixel convolution is the phase form with independent phases of equal size:
    `W[p + s (k-1-a)] = w[a, phase p]`; crop `s (k-1-pl)` in front, `s pl` behind.

    Args:
        kernel: `(k_h, k_w, c_in, s_h * s_w * c_out)`.
        factor: `(s_h, s_w)`.
        order: of the last axis, as in `channel_order`.

    Returns:
        `(s_h * k_h, s_w * k_w, c_out, c_in)`, bit for bit the same numbers.
    """
    height, width, c_in, channels = kernel.shape
    s_h, s_w = factor
    c_out = channels // (s_h * s_w)
    kernel = kernel[..., dcr_channels(channels, s_h * s_w, order)]
    phases = kernel[::-1, ::-1].reshape(height, width, c_in, s_h, s_w, c_out)
    return phases.transpose(0, 3, 1, 4, 5, 2).reshape(s_h * height, s_w * width, c_out, c_in)
