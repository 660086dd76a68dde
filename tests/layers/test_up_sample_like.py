"""UpSampleLike brings an image to the sides of another and keeps Keras' contract."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.layers import UpSampleLike, UpSampling2D
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy, vjp
from tests.ops import cases


def images(data_format="channels_last", x=(3, 4), like=(5, 9)):
    """Return a small image of 3 channels and a large one of 2."""
    arrays = coordinate_ramp((2, *x, 3)), np.cos(coordinate_ramp((2, *like, 2)) * 3)
    return [cases.to_format(array, data_format) for array in arrays]


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
def test_it_is_upsample_to_the_sides_of_the_other(interpolation, data_format):
    x, like = images(data_format)
    layer = UpSampleLike(interpolation, data_format)
    expected = pp.ops.upsample(
        x, interpolation=interpolation, data_format=data_format, output_size=(5, 9)
    )
    y = layer([x, like])
    np.testing.assert_array_equal(to_numpy(y), to_numpy(expected))
    assert tuple(y.shape) == layer.compute_output_shape([x.shape, like.shape])


def test_integer_multiples_are_upsampling2d():
    x, like = images(like=(6, 12))
    for interpolation in ("nearest", "bicubic"):
        np.testing.assert_array_equal(
            to_numpy(UpSampleLike(interpolation)([x, like])),
            to_numpy(UpSampling2D((2, 3), interpolation=interpolation)(x)),
        )


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.grid(2)
def test_a_model_of_unknown_sides_trains_saves_and_loads(policy, data_format, tmp_path):
    inputs = [
        keras.Input((None, None, c) if data_format == "channels_last" else (c, None, None))
        for c in (3, 2)
    ]
    mixed = keras.layers.Conv2D(4, 1, data_format="channels_last", dtype=policy)
    up = UpSampleLike("bilinear", data_format, dtype=policy)
    small = mixed(inputs[0]) if data_format == "channels_last" else inputs[0]
    outputs = up([small, inputs[1]])
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for x, like in (((3, 4), (5, 9)), ((2, 2), (2, 3))):
        arrays = images(data_format, x, like)
        y = model(arrays)
        assert keras.backend.standardize_dtype(y.dtype) == up.compute_dtype
        assert cases.from_format(to_numpy(y), data_format).shape[1:3] == like
        np.testing.assert_array_equal(to_numpy(again(arrays)), to_numpy(y))
        assert model.predict(arrays, verbose=0).shape == tuple(y.shape)
    if data_format == "channels_last":
        before = model.get_weights()
        model.compile(optimizer="sgd", loss="mean_squared_error")
        model.fit(images(), np.ones((2, 5, 9, 4), "float32"), verbose=0)
        assert all((a != b).any() for a, b in zip(before, model.get_weights(), strict=True))


def test_the_configuration_makes_the_same_layer():
    layer = UpSampleLike("lanczos3", "channels_first", lowering="direct", name="up")
    again = UpSampleLike.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.interpolation, again.data_format) == ("lanczos3", "channels_first")


def test_symbolic_sides_are_those_of_the_other():
    layer = UpSampleLike()
    assert layer.compute_output_shape([(None, 3, None, 5), (None, 7, None, 2)]) == (
        None,
        7,
        None,
        5,
    )
    y = layer([keras.Input((None, None, 5)), keras.Input((7, 9, 2))])
    assert y.shape == (None, 7, 9, 5)


def test_the_gradient_reaches_the_first_image():
    _, like = images()
    x, g = np.zeros((2, 3, 4, 3)), cases.noise(1, 2, 5, 9, 3)
    layer = UpSampleLike("bilinear")
    _, (dx,), _ = vjp(lambda x: layer([x, keras.ops.convert_to_tensor(like)]), [x], g)
    np.testing.assert_allclose(dx.sum(), g.sum(), atol=1e-4)  # every row sums to 1
    assert (dx != 0).all()


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 4, 4, 3)], r"list of two signals, images or volumes"),
        ([(2, 4, 4, 3)] * 3, r"list of two signals, images or volumes"),
        ([(2, 4, 4, 3), (2, 4, 4)], r"list of two signals, images or volumes"),
        ([(2, 4, 4, 3), (2, 3, 8, 3)], r"does not shrink.*Received: shapes .*4, 4, 3.*3, 8, 3"),
        ((2, 4, 4, 3), r"list of two signals, images or volumes"),
    ],
)
def test_what_it_cannot_take_is_named(shapes, message):
    with pytest.raises(ValueError, match=message):
        UpSampleLike().compute_output_shape(shapes)
    arrays = [np.ones(shape, "float32") for shape in shapes] if isinstance(shapes, list) else None
    if arrays:
        with pytest.raises(ValueError, match=message):
            UpSampleLike()(arrays)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"`interpolation` must be one of nearest.*'quadratic'"):
        UpSampleLike("quadratic")
    with pytest.raises(ValueError, match=r"`interpolation` must be one of nearest.*'trilinear'"):
        UpSampleLike("trilinear")([np.ones((1, 2, 2, 1)), np.ones((1, 3, 3, 1))])
    with pytest.raises(ValueError, match=r"`data_format` must be one of"):
        UpSampleLike(data_format="NHWC")
