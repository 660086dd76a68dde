"""The power at harmonics, on images where it is known by hand."""

import numpy as np
import pytest

from polyphase.algebra.harmonics import cells, harmonics, power_spectrum, without

Y, X = np.mgrid[:32, :48]


def found(image, period, shorter=(), changing=False):
    images = np.asarray(image, float)[None, :, :, None]
    count = cells(images.shape[1:3], (8, 8))
    spectrum = power_spectrum(images, count)
    return harmonics(spectrum, images.shape[1:3], period, shorter, changing)


def by_index(lines):
    return {
        tuple(map(int, one)): power for one, power in zip(lines.indices, lines.power, strict=True)
    }


def test_the_spectrum_is_that_of_loops_over_the_tapered_image():
    images = np.random.default_rng(0).normal(size=(2, 5, 6, 3))
    spectrum = power_spectrum(images, (8, 16))
    taper = np.outer(np.sin(np.pi * (np.arange(5) + 0.5) / 5) ** 2,
                     np.sin(np.pi * (np.arange(6) + 0.5) / 6) ** 2)  # fmt: skip
    for i, j in ((0, 0), (1, 2), (4, 8), (7, 15), (3, 13)):
        total = 0.0
        for image in images:
            for channel in np.moveaxis(image, -1, 0):
                even = channel - (channel * taper).sum() / taper.sum()
                phase = np.multiply.outer(np.arange(5) * i / 8, np.ones(6)) + np.arange(6) * j / 16
                total += abs((even * taper * np.exp(-2j * np.pi * phase)).sum()) ** 2
        assert spectrum[i, j] == pytest.approx(total / 6 / (8 * 16 * (taper**2).sum()), abs=1e-12)


def test_each_wave_has_its_power_at_its_harmonic_alone():
    waves = 0.3 * np.cos(2 * np.pi * (X / 4 + 3 * Y / 8) + 1) + 0.1 * (X % 2 * 2 - 1)
    powers = by_index(found(waves, (8, 8)))
    assert powers.pop((3, 2)) == pytest.approx(0.3**2 / 2, rel=0.02)
    assert powers.pop((0, 4)) == pytest.approx(0.1**2, rel=0.02)
    assert max(powers.values()) < 2e-5


def test_conjugate_pairs_stand_once_and_harmonics_of_shorter_periods_not_at_all():
    whole = {tuple(one) for one in found(X, (4, 3)).indices}
    assert len(whole) == 6  # of 11, one of which is its own conjugate
    assert all(((-p % 4, -q % 3) == (p, q)) or (-p % 4, -q % 3) not in whole for p, q in whole)
    own = {tuple(map(int, one)) for one in found(X, (4, 4), [(2, 2)]).indices}
    assert own == {(0, 1), (1, 0), (1, 1), (1, 2), (1, 3), (2, 1)}
    assert len(found(X, (2, 2), [(2, 2)]).indices) == 0


def test_a_pattern_along_one_axis_has_unequal_periods():
    powers = by_index(found(0.1 * (X % 4 == 0), (1, 4)))
    assert sum(powers.values()) == pytest.approx(0.1**2 * 3 / 16, rel=0.02)


def test_fewer_than_three_periods_are_not_told_apart():
    assert np.isnan(found(X, (16, 16)).power).all()
    assert np.isfinite(found(X, (8, 16)).power).all()


def test_a_spectrum_without_a_period_keeps_all_else():
    image = 0.3 * np.cos(2 * np.pi * X / 8) + 0.1 * (X % 2 * 2 - 1)
    spectrum = power_spectrum(image[None, :, :, None], (32, 64))
    rest = without(spectrum, image.shape, (8, 8), [(2, 2)])
    alone = power_spectrum(0.1 * (X % 2 * 2.0 - 1)[None, :, :, None], (32, 64))
    assert rest[0, 8] < 1e-3 * spectrum[0, 8] > 0
    np.testing.assert_allclose(rest[:3, 28:37], alone[:3, 28:37], atol=1e-4 * spectrum.max())
