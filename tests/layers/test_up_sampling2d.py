"""UpSampling2D is a drop-in for Keras' layer, with the same numbers on every backend."""

import inspect

import keras
import numpy as np
import pytest

from polyphase.layers import UpSampling2D
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy
from tests.ops import cases, oracles


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("size", [1, 2, 3, (2, 3), (4, 1)])
def test_nearest_is_keras_bit_for_bit(size, data_format):
    x = coordinate_ramp((2, 3, 4, 5))
    ours, theirs = (
        layer(size=size, data_format=data_format)(x)
        for layer in (UpSampling2D, keras.layers.UpSampling2D)
    )
    np.testing.assert_array_equal(to_numpy(ours), to_numpy(theirs))


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
@pytest.mark.grid(3)
def test_other_interpolations_are_keras_on_jax_and_bilinear_everywhere(
    interpolation, data_format, backend
):
    if interpolation != "bilinear" and backend != "jax":
        pytest.skip(f"Keras' {interpolation} on {backend} is not the formula, or does not exist")
    x = coordinate_ramp((2, 3, 5, 2) if data_format == "channels_last" else (2, 2, 3, 5))
    for size in (2, (2, 3)):
        ours, theirs = (
            to_numpy(layer(size, data_format, interpolation)(x))
            for layer in (UpSampling2D, keras.layers.UpSampling2D)
        )
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
def test_the_numbers_are_the_formula_on_every_backend(interpolation):
    x = coordinate_ramp((2, 5, 4, 3))
    y = to_numpy(UpSampling2D((2, 1.5), interpolation=interpolation)(x))
    (expected,) = oracles.upsample(x.astype("float64"), (2, 1.5), interpolation)
    np.testing.assert_allclose(y, expected, atol=2e-6)


def test_arguments_stand_in_keras_order():
    ours, theirs = (
        list(inspect.signature(layer.__init__).parameters)
        for layer in (UpSampling2D, keras.layers.UpSampling2D)
    )
    assert ours[:4] == theirs[:4]
    assert UpSampling2D().size == keras.layers.UpSampling2D().size
    layer = UpSampling2D((2, 3), "channels_first", "bilinear")
    assert (layer.size, layer.data_format) == ((2, 3), "channels_first")
    assert layer.interpolation == "bilinear"


def test_keras_configuration_loads_and_ours_has_all_its_keys():
    theirs = keras.layers.UpSampling2D((2, 3), "channels_first", "bilinear", name="up")
    ours = UpSampling2D.from_config(theirs.get_config())
    config = ours.get_config()
    assert (config.pop("lowering"), config.pop("align_corners")) == ("auto", False)
    assert config == theirs.get_config()
    assert isinstance(ours, keras.layers.UpSampling2D)


def test_output_sides_are_rounded_down():
    layer = UpSampling2D((1.3, 2.5))
    assert layer.compute_output_shape((None, 10, 5, 3)) == (None, 13, 12, 3)
    assert layer.compute_output_shape((None, None, 5, 3)) == (None, None, 12, 3)
    assert tuple(layer(np.ones((1, 10, 5, 3), "float32")).shape) == (1, 13, 12, 3)


def test_integer_images_need_no_cast_for_nearest():
    x = np.arange(12, dtype="int32").reshape(1, 2, 3, 2)
    y = UpSampling2D(2, dtype="int32")(x)
    np.testing.assert_array_equal(to_numpy(y), x.repeat(2, axis=1).repeat(2, axis=2))


def test_wrong_arguments_are_named_at_construction():
    for size in (0, 0.5, "a", (1, 2, 3), float("nan")):
        with pytest.raises(ValueError, match=r"`size` must be a number of at least 1.*Received"):
            UpSampling2D(size)
    with pytest.raises(ValueError, match=r"`interpolation` must be one of nearest.*'trilinear'"):
        UpSampling2D(interpolation="trilinear")
    with pytest.raises(ValueError, match=r"data_format"):
        UpSampling2D(data_format="NHWC")


def test_an_unknown_lowering_is_refused():
    with pytest.raises(ValueError, match=r"auto, reference, direct, phases.*'fast'"):
        UpSampling2D(lowering="fast")(np.ones((1, 2, 2, 1), "float32"))
