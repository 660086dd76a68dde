"""How good reconstructions are: mean PSNR and SSIM over images, and Keras' losses."""

import keras
import numpy as np
from skimage.metrics import structural_similarity

from polyphase.datasets.storage import slices
from polyphase.workbench.tasks import Task


def psnr(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Return the mean over images of `10 log10(1 / mse)`, in dB.

    Args:
        originals: `(n, height, width, channels)` in 0..1.
        reconstructions: the same shape and range.

    Returns:
        dB; a perfect image counts as 120 dB.

    Example:
        >>> psnr(np.zeros((1, 2, 2, 1)), np.full((1, 2, 2, 1), 0.1)).__round__(6)
        20.0
    """
    errors = np.concatenate(
        [
            ((originals[part].astype(np.float64) - reconstructions[part]) ** 2).mean(axis=(1, 2, 3))
            for part in slices(originals.shape)
        ]
    )
    return float(np.mean(-10 * np.log10(np.maximum(errors, 1e-12))))


def ssim(originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Return the mean structural similarity, Gaussian window of sigma 1.5, range 1.

    Args:
        originals: `(n, height, width, channels)` in 0..1, sides of at least 11 pixels for the
            full window; smaller images get the largest odd window that fits.
        reconstructions: the same shape and range.

    Reference: Wang et al., "Image quality assessment: from error visibility to structural
    similarity", 2004; computed by scikit-image.

    Example:
        >>> image = np.arange(256.0).reshape(1, 16, 16, 1) / 255
        >>> ssim(image, image)
        1.0
    """
    side = min(originals.shape[1:3])
    window = {} if side >= 11 else {"win_size": side - 1 + side % 2, "gaussian_weights": False}
    values = [
        structural_similarity(
            original.astype(np.float64),
            reconstruction.astype(np.float64),
            data_range=1.0,
            channel_axis=-1,
            **({"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False} | window),
        )
        for original, reconstruction in zip(originals, reconstructions, strict=True)
    ]
    return float(np.mean(values))


def loss_of(task: Task, originals: np.ndarray, reconstructions: np.ndarray) -> float:
    """Return a task's loss, the mean over all images, in float32 as Keras computes it.

    Example:
        >>> from polyphase.workbench.tasks import task
        >>> half = np.full((1, 2, 2, 1), 0.5)
        >>> loss_of(task("super-resolve"), np.zeros((1, 2, 2, 1)), half)
        127.5
    """
    function, total = keras.losses.get(task.loss), 0.0
    for part in slices(originals.shape):
        values = function(originals[part], reconstructions[part])
        total += float(np.sum(keras.ops.convert_to_numpy(values), dtype=np.float64))
    return task.weight * total / (originals.size / originals.shape[-1])
