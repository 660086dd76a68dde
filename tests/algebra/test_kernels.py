from types import SimpleNamespace

import numpy as np
import pytest

from polyphase.algebra import kernels

from . import oracles

NAMES = sorted(oracles.PHI)


def test_there_are_six_interpolations():
    assert sorted(kernels.KERNELS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_is_its_formula(name):
    t = np.linspace(-6.3, 6.3, 1261)
    expected = [oracles.PHI[name](float(v)) for v in t]
    np.testing.assert_allclose(kernels.get(name)(t), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_vanishes_from_its_radius_on(name):
    kernel = kernels.get(name)
    assert kernel.radius == oracles.RADIUS[name]
    assert kernel.diameter == 2 * kernel.radius
    outside = np.array([kernel.radius, kernel.radius + 0.25, kernel.radius + 7])
    assert not kernel(outside).any()
    assert kernel(np.array(kernel.radius - 0.01)) != 0


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mitchell"])
def test_an_interpolating_kernel_is_1_at_0_and_0_at_other_integers(name):
    t = np.arange(-6.0, 7.0)
    np.testing.assert_allclose(kernels.get(name)(t), t == 0, rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "mitchell"])
def test_shifted_copies_sum_to_1(name):
    t = np.linspace(0, 1, 41)[:, None] - np.arange(-4, 6)
    np.testing.assert_allclose(kernels.get(name)(t).sum(axis=1), 1, rtol=0, atol=1e-14)


def test_a_cubic_takes_its_parameters():
    t = np.array([0.5, 1.0, 1.5])
    oracles.assert_close(kernels.keys(-0.75)(t), [0.59375, 0, -0.09375])
    oracles.assert_close(kernels.mitchell(b=1, c=0)(t), [23 / 48, 1 / 6, 1 / 48])  # the B-spline
    oracles.assert_close(kernels.mitchell(b=0, c=0.5)(t), kernels.keys(-0.5)(t))


def test_a_name_carries_its_parameters():
    names = [kernels.get(name).name for name in ("bicubic", "mitchell", "lanczos5")]
    assert names == ["keys(a=-0.5)", "mitchell(b=0.3333, c=0.3333)", "lanczos(n=5)"]
    assert kernels.keys(-0.75).name == "keys(a=-0.75)"


@pytest.mark.parametrize("name", NAMES)
def test_a_kernel_needs_only_abs_where_and_sin(name):
    t = np.linspace(-3, 3, 25)
    namespace = SimpleNamespace(abs=np.abs, where=np.where, sin=np.sin)
    np.testing.assert_array_equal(kernels.get(name)(t, namespace), kernels.get(name)(t))


def test_names_ignore_case():
    assert kernels.get("BiLinear") is kernels.get("bilinear")


@pytest.mark.parametrize("name", ["cube", "", None, 3])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    expected = rf"nearest, bilinear, .*lanczos5\. Received: interpolation={name!r}\."
    with pytest.raises(ValueError, match=expected):
        kernels.get(name)


def test_linear_and_cubic_have_a_name_in_every_rank():
    for names in (("linear", "bilinear", "trilinear"), ("cubic", "bicubic", "tricubic")):
        assert len({kernels.get(name).name for name in names}) == 1
