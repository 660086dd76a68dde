"""How much fine and coarse detail images have: the radial power spectrum."""

import numpy as np
from scipy.fft import dctn

from polyphase.datasets.storage import slices

# The variance of rounding to 8 bits, of values in 0..1: less detail is not seen in a file.
ROUNDING = (1 / 255) ** 2 / 12


def radial_spectrum(images: np.ndarray) -> np.ndarray:
    """Return the mean power at every frequency (fineness of detail), whatever its direction.

    1. Take the orthonormal two-dimensional cosine transform (DCT-II) of each image and channel, and
       square it. Its coefficient k of N has the frequency k / 2N cycles per pixel. The transform
       continues an image by its reflection; the discrete Fourier transform would take the step
       between opposite edges for fine detail. (The reflection of a wave may have a kink; then some
       tenth of its power lies further than one radius away.)
    2. Average over images, channels, and all coefficients whose frequency is nearest to r / side
       cycles per pixel, for r = 1 to half of the side. The frequency is the root of the sum of both
       axes' squares, and the side is the smaller one. (A frequency halfway between two radii
       belongs to the finer.)

    Three parts are left out: the mean of an image; frequencies coarser than the first radius, which
    only a longer side has; and frequencies finer than the last, which only diagonals have.

    Args:
        images: `(n, height, width, channels)`, both sides at least 2 pixels.

    Returns:
        `(side // 2,)`, in the square of the images' range. White noise of variance v has v
        everywhere: the sum over all coefficients, not their mean, is the pixels' variance times
        their number.

    Raises:
        ValueError: for other shapes.

    Reference: Durall et al., "Watch your up-convolution: CNN based generative deep neural networks
    are failing to reproduce spectral distributions", 2020, arXiv 2003.01826, with the discrete
    Fourier transform.

    Example:
        >>> wave = np.cos(np.pi * 4 * (np.arange(8) + 0.5) / 8)  # 2 cycles in 8 pixels
        >>> radial_spectrum(np.tile(wave, (8, 1))[None, :, :, None]).round(2).tolist()
        [0.0, 2.46, 0.0, 0.0]
    """
    if images.ndim != 4 or min(images.shape[1:3]) < 2 or images.size == 0:
        raise ValueError(
            "`images` must have the axes (n, height, width, channels), both sides at least 2. "
            f"Received: shape {images.shape}. Give an array of several images, not one image."
        )
    _, height, width, channels = images.shape
    power = np.zeros((height, width))
    for part in slices(images.shape):
        coefficients = dctn(images[part].astype(np.float64), axes=(1, 2), norm="ortho")
        power += (coefficients**2).sum(axis=(0, 3))
    power /= len(images) * channels
    rings, kept = _rings(height, width).ravel(), slice(1, min(height, width) // 2 + 1)
    return np.bincount(rings, power.ravel())[kept] / np.bincount(rings)[kept]


def spectral_distance(real: np.ndarray, made: np.ndarray) -> float:
    """Return by how many decades the power differs: the root mean square over all radii.

    Power below that of rounding to 8 bits is replaced by it. So the logarithm exists, and detail
    that no image file can show does not count.

    Args:
        real: real images, `(n, height, width, channels)` in 0..1.
        made: generated images, `(m, height, width, channels)` in 0..1, of the same size.

    Returns:
        `sqrt(mean (log10 p - log10 q)^2)`; 0 for equal spectra.

    Raises:
        ValueError: for other shapes.

    Reference: after Schwarz et al., "On the frequency bias of generative models", 2021, arXiv
    2111.02447, who compare such spectra.

    Example:
        >>> noise = np.random.default_rng(0).random((2, 16, 16, 1))
        >>> round(spectral_distance(noise, noise / 10), 6)
        2.0
    """
    if real.shape[1:] != made.shape[1:]:
        raise ValueError(
            "Images must have the same size and the same number of channels. Received: "
            f"{real.shape[1:]} and {made.shape[1:]}. Resize one of them."
        )
    powers = [np.maximum(radial_spectrum(images), ROUNDING) for images in (real, made)]
    return float(np.sqrt(np.mean(np.diff(np.log10(powers), axis=0) ** 2)))


def _rings(height: int, width: int) -> np.ndarray:
    """Return to which radius each coefficient belongs, in cycles per smaller side."""
    smaller = min(height, width)
    rows, columns = (smaller * np.arange(side) / (2 * side) for side in (height, width))
    return np.floor(np.hypot(rows[:, None], columns) + 0.5).astype(int)
