"""PSNR and SSIM against their definitions."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from polyphase.workbench.metrics import psnr, ssim


def _images():
    generator = np.random.default_rng(0)
    originals = generator.random((3, 16, 20, 1)).astype("float32")
    noisy = np.clip(originals + 0.2 * generator.standard_normal(originals.shape), 0, 1)
    return originals, noisy.astype("float32")


def test_psnr_is_the_mean_over_images_in_decibels():
    originals, noisy = _images()
    errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(originals, noisy, strict=True)]
    assert psnr(originals, noisy) == pytest.approx(np.mean([-10 * np.log10(e) for e in errors]))


def test_psnr_of_a_perfect_image_is_finite():
    originals, _ = _images()
    assert psnr(originals, originals) == 120


def test_ssim_is_the_published_formula():
    originals, noisy = _images()

    def blur(image):
        return gaussian_filter(image, 1.5, truncate=3.5)

    values = []
    for x, y in zip(originals[..., 0].astype(float), noisy[..., 0].astype(float), strict=True):
        mx, my = blur(x), blur(y)
        vx, vy, vxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
        c1, c2 = 0.01**2, 0.03**2
        similarity = (2 * mx * my + c1) * (2 * vxy + c2)
        similarity /= (mx**2 + my**2 + c1) * (vx + vy + c2)
        values.append(similarity[5:-5, 5:-5].mean())
    assert ssim(originals, noisy) == pytest.approx(np.mean(values), rel=1e-9)


@pytest.mark.parametrize("side", [8, 10, 11])
def test_ssim_takes_small_images(side):
    image = np.random.default_rng(1).random((2, side, side + 3, 3)).astype("float32")
    assert ssim(image, image) == pytest.approx(1)
    assert ssim(image, image[::-1]) < 0.5
