"""The radial spectrum of noise, waves and a ramp, whose powers are known."""

import math

import numpy as np
import pytest

from polyphase.workbench.adversarial.spectra import radial_spectrum, spectral_distance


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def cosine(side, cycles):
    """Return a wave that its reflection continues, so many cycles long."""
    return np.cos(2 * np.pi * cycles * (np.arange(side) + 0.5) / side)


def rings(height, width):
    """Return how many coefficients belong to each radius, in loops."""
    smaller, counts = min(height, width), [0] * (max(height, width) + 1)
    for k in range(height):
        for m in range(width):
            radius = smaller * math.sqrt((k / (2 * height)) ** 2 + (m / (2 * width)) ** 2)
            counts[math.floor(radius + 0.5)] += 1
    return counts[1 : smaller // 2 + 1]


@pytest.mark.parametrize("shape", [(400, 16, 16, 1), (300, 15, 22, 3), (300, 22, 15, 1)])
def test_white_noise_is_flat_and_its_power_is_its_variance(shape):
    found = radial_spectrum(0.5 + 0.1 * noise(*shape))
    assert len(found) == min(shape[1:3]) // 2
    coefficients = shape[0] * shape[3] * np.array(rings(*shape[1:3]))
    np.testing.assert_array_less(abs(found / 0.01 - 1), 4.5 * np.sqrt(2 / coefficients))


@pytest.mark.parametrize("sides", [(16, 16), (16, 24), (24, 16), (15, 21)])
@pytest.mark.parametrize("cycles", [1, 3, 7])
def test_a_wave_lies_at_its_frequency_with_its_power(sides, cycles):
    """Of amplitude 0.2 along the smaller side: a variance of 0.02, all of it in one ring."""
    height, width = sides
    wave = 0.2 * cosine(min(sides), cycles)
    image = wave[:, None] * np.ones(width) if height < width else np.ones((height, 1)) * wave
    found = radial_spectrum(0.5 + image[None, :, :, None])
    expected = np.zeros(min(sides) // 2)
    expected[cycles - 1] = 0.02 * height * width / rings(*sides)[cycles - 1]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_frequencies_are_per_pixel_also_along_the_longer_side():
    """6 cycles in 24 pixels are a quarter cycle per pixel, as 4 in 16 are."""
    image = np.ones((16, 1)) * cosine(24, 6)
    assert radial_spectrum(image[None, :, :, None]).argmax() == 4 - 1


def test_a_diagonal_wave_lies_at_the_root_of_the_sum_of_squares():
    image = np.outer(cosine(20, 3), cosine(20, 4))
    found = radial_spectrum(image[None, :, :, None])
    assert found[5 - 1] * rings(20, 20)[5 - 1] == pytest.approx(0.25 * 400)


@pytest.mark.parametrize("phase", [0.0, 0.7, math.pi / 2])
def test_a_wave_of_any_phase_lies_near_its_frequency(phase):
    wave = np.sin(2 * np.pi * 5 * np.arange(32) / 32 + phase)
    found = radial_spectrum(np.tile(wave, (32, 1))[None, :, :, None]) * rings(32, 32)
    assert found.argmax() == 5 - 1
    assert found[3:6].sum() > 0.85 * 0.5 * 32**2


def test_all_coefficients_together_have_the_variance():
    """Nothing of this image lies outside the rings: Parseval's theorem."""
    image = sum(a * np.outer(cosine(18, k), cosine(18, m)) for a, k, m in [(1, 2, 1), (2, 4, 6)])
    found = radial_spectrum(image[None, :, :, None])
    assert found @ rings(18, 18) == pytest.approx(image.var() * 18**2)


def test_images_and_channels_are_averaged_and_their_means_do_not_count():
    images = noise(5, 12, 13, 3) + np.arange(15.0).reshape(5, 1, 1, 3)
    each = [radial_spectrum(images[i : i + 1, :, :, c : c + 1]) for i in range(5) for c in range(3)]
    np.testing.assert_allclose(radial_spectrum(images), np.mean(each, axis=0), rtol=1e-12)


def test_more_images_than_one_part_are_averaged(monkeypatch):
    from polyphase.workbench.adversarial import spectra

    images = noise(7, 8, 8, 1)
    expected = radial_spectrum(images)
    monkeypatch.setattr(spectra, "slices", lambda shape: (slice(i, i + 3) for i in (0, 3, 6)))
    np.testing.assert_allclose(radial_spectrum(images), expected, rtol=1e-12)


def test_a_ramp_has_no_fine_detail_though_its_edges_differ():
    """The discrete Fourier transform reads the step from one edge to the other."""
    ramp = np.tile(np.arange(32) / 31, (32, 1))
    found = radial_spectrum(ramp[None, :, :, None])
    step = (abs(np.fft.fft2(ramp - ramp.mean())) ** 2 / 32**2)[0, 16]
    assert found[-1] * rings(32, 32)[-1] < step / 20


def test_half_the_amplitude_of_fine_detail_is_so_many_decades():
    """From 5 of 8 radii on the power is a quarter: log10(4) at 4 of 8."""
    n = 16
    images = noise(20, n, n, 1)
    k = np.arange(n)
    basis = np.cos(np.pi * np.outer(k, k + 0.5) / n)
    basis *= np.sqrt(np.where(k == 0, 1, 2) / n)[:, None]
    coefficients = basis @ images[..., 0] @ basis.T
    fine = np.hypot(k[:, None] / 2, k / 2) >= 4.5
    blurred = (basis.T @ np.where(fine, coefficients / 2, coefficients) @ basis)[..., None]
    expected = math.log10(4) * math.sqrt(4 / 8)
    assert spectral_distance(images, blurred) == pytest.approx(expected, rel=1e-9)
    assert spectral_distance(blurred, images) == pytest.approx(expected, rel=1e-9)


def test_equal_images_have_no_distance_and_no_power_is_that_of_rounding():
    images = 0.2 * noise(50, 16, 16, 3)
    assert spectral_distance(images, images) == 0
    black = np.zeros_like(images)
    assert spectral_distance(black, black) == 0
    expected = np.log10(radial_spectrum(images) / (1 / 255**2 / 12))
    assert spectral_distance(images, black) == pytest.approx(np.sqrt(np.mean(expected**2)))


@pytest.mark.parametrize("shape", [(16, 16, 1), (3, 16, 1, 1), (0, 16, 16, 1)])
def test_what_are_no_images_is_refused(shape):
    with pytest.raises(ValueError, match=r"must have the axes .* Received: shape \("):
        radial_spectrum(np.zeros(shape))


def test_images_of_two_sizes_are_not_compared():
    with pytest.raises(ValueError, match=r"the same size .* Received: \(8, 8, 1\) and \(8, 9, 1\)"):
        spectral_distance(np.zeros((2, 8, 8, 1)), np.zeros((2, 8, 9, 1)))
