"""ConcatConv2D is Keras' UpSampling2D, Concatenate and Conv2D in one, with Conv2D's weights."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.layers import ConcatConv2D
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy
from tests.ops import cases, oracles

FORMATS = ("channels_last", "channels_first")


def images(data_format="channels_last"):
    """A small image of 3 channels, a full one of 2, and one of 1 that is three times as wide."""
    arrays = [
        coordinate_ramp((2, 4, 6, 3)),
        np.cos(coordinate_ramp((2, 8, 12, 2)) * 3),
        np.sin(coordinate_ramp((2, 4, 4, 1)) * 5),
    ]
    if data_format == "channels_first":
        return [np.moveaxis(array, 3, 1) for array in arrays]
    return arrays


SIZE = (2, 1, (2, 3))


def keras_layers(arguments):
    """Return Keras' layers as a function, and their convolution."""
    convolution = keras.layers.Conv2D(4, bias_initializer="normal", **arguments)

    def run(arrays):
        whole = [
            keras.ops.repeat(keras.ops.repeat(x, s[0], axis=1), s[1], axis=2)
            for x, s in zip(arrays, ((2, 2), (1, 1), (2, 3)), strict=True)
        ]
        return convolution(keras.ops.concatenate(whole, axis=3))

    return run, convolution


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    "arguments",
    [
        {"kernel_size": 3, "padding": "same", "activation": "tanh"},
        {"kernel_size": (2, 5)},
        {"kernel_size": 1, "use_bias": False},
        {"kernel_size": 3, "padding": "same", "dilation_rate": 2},
    ],
    ids=str,
)
@pytest.mark.grid(3)
def test_it_is_keras_layers_with_the_same_weights(arguments, data_format):
    run, convolution = keras_layers(arguments)
    expected = to_numpy(run(images()))
    layer = ConcatConv2D(4, size=SIZE, data_format=data_format, **arguments)
    arrays = images(data_format)
    layer.build([array.shape for array in arrays])
    layer.set_weights(convolution.get_weights())
    y = to_numpy(layer(arrays))
    assert y.shape == tuple(layer.compute_output_shape([array.shape for array in arrays]))
    y = np.moveaxis(y, 1, 3) if data_format == "channels_first" else y
    np.testing.assert_allclose(y, expected, atol=4e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_a_model_of_unknown_sizes_trains_saves_and_loads(policy, tmp_path):
    x, skip = keras.Input((None, None, 3)), keras.Input((None, None, 2))
    layer = ConcatConv2D(4, 3, size=(2, 1), padding="same", dtype=policy)
    model = keras.Model([x, skip], layer([x, skip]))
    arrays = images()[:2]
    before = model.get_weights()
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.fit(arrays, np.ones((2, 8, 12, 4), "float32"), verbose=0)
    assert all((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(to_numpy(again(arrays)), to_numpy(model(arrays)))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="strides=1"):
        ConcatConv2D(4, 3, size=(2, 1), strides=2)
    with pytest.raises(ValueError, match="made for 2 inputs"):
        ConcatConv2D(4, 3, size=(2, 1)).build([(2, 4, 4, 3)])
    with pytest.raises(ValueError, match="number of at least 1"):
        ConcatConv2D(4, 3, size=(0.5, 1))


def whole_by_loops(arrays, sizes, interpolation):
    """Upsample by the formula, but what has size 1 on both axes; concatenate; float64."""
    whole = []
    for x, size in zip(arrays, sizes, strict=True):
        y = np.asarray(x, "float64")
        if size != (1, 1):
            for axis in (0, 1):
                matrix = oracles.resize_matrix(y.shape[axis + 1], size[axis], interpolation)
                y = np.moveaxis(np.tensordot(matrix, y, (1, axis + 1)), 0, axis + 1)
        whole.append(y)
    return np.concatenate(whole, axis=3)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
@pytest.mark.grid(4)
def test_an_input_of_size_1_is_taken_as_it_is(interpolation, data_format):
    for sizes, sides in (
        (((2, 2), (1, 1)), ((3, 4), (6, 8))),
        (((1, 1), (1, 2)), ((5, 6), (5, 3))),  # which mitchell smooths along its first axis
        (((2, 1), (1, 1), (1, 3)), ((2, 6), (4, 6), (4, 2))),
        (((1, 1), (1, 1)), ((4, 5), (4, 5))),
    ):
        arrays = [cases.noise(i, 2, *one, i + 1) for i, one in enumerate(sides)]
        layer = ConcatConv2D(
            2, (1, 3), size=sizes, interpolation=interpolation, data_format=data_format
        )
        images = [cases.to_format(array, data_format).astype("float32") for array in arrays]
        y = cases.from_format(to_numpy(layer(images)), data_format)
        whole = whole_by_loops(arrays, sizes, interpolation)
        kernel, bias = layer.get_weights()
        expected = oracles.upsample_conv(whole, kernel, (1, 1), "nearest", "valid")[0] + bias
        np.testing.assert_allclose(y, expected, atol=5e-6, err_msg=str(sizes))


MISFITS = [  # shapes channels last, and the axis that does not fit
    ([(2, 4, 4, 3), (2, 1, 1, 2)], (2, 1)),
    ([(2, 4, 4, 3), (2, 8, 1, 2)], (2, 1)),
    ([(4, 4, 4, 3), (1, 8, 8, 2)], (2, 1)),
    ([(1, 4, 4, 3), (4, 8, 8, 2)], (2, 1)),
    ([(2, 12, 12, 3), (2, 23, 24, 2)], (2, 1)),
    ([(2, 24, 24, 3), (2, 23, 24, 2)], (1, 1)),
    ([(2, 4, 4, 3), (2, 8, 8, 2), (2, 1, 1, 2)], (2, 1, 1)),
    ([(2, 1, 1, 3), (2, 1, 1, 3), (2, 3, 1, 2)], (1, 1, 1)),
    ([(2, 5, 4, 3), (2, 8, 6, 2)], (1.5, 1)),
]
REFUSED = "same batch and, once upsampled, the same size. Received: shapes"


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(("shapes", "size"), MISFITS, ids=str)
def test_what_concatenate_refuses_is_refused_in_one_sentence(shapes, size, data_format):
    arrays = [cases.to_format(np.ones(shape, "float32"), data_format) for shape in shapes]
    of_format = [array.shape for array in arrays]

    def made(**kwargs):
        return ConcatConv2D(4, 1, size=size, data_format=data_format, **kwargs)

    for refused in (
        lambda: made().build(of_format),
        lambda: made().compute_output_shape(of_format),
        lambda: made()(arrays),
        lambda: made()([keras.Input(s[1:], batch_size=s[0]) for s in of_format]),
    ):
        with pytest.raises(ValueError, match=REFUSED):
            refused()
    built = made()  # for sides that are not known
    channel = 3 if data_format == "channels_last" else 1
    built.build([tuple(s[i] if i == channel else None for i in range(4)) for s in of_format])
    with pytest.raises(ValueError, match=REFUSED):
        built(arrays)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.grid(2)
def test_sizes_known_only_when_run_are_compared_then(jit_compile, data_format):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("shapes are known there, compiled or not")

    def image(channels):
        sides = (None, None)
        last = data_format == "channels_last"
        return keras.Input((*sides, channels) if last else (channels, *sides))

    inputs = [image(3), image(2)]
    layer = ConcatConv2D(2, 3, size=(2, 1), padding="same", data_format=data_format)
    model = keras.Model(inputs, layer(inputs))
    model.compile(jit_compile=jit_compile)

    def predict(*shapes):
        arrays = [cases.to_format(np.ones(shape, "float32"), data_format) for shape in shapes]
        return model.predict_on_batch(arrays)

    assert predict((2, 3, 5, 3), (2, 6, 10, 2)).shape[0] == 2
    assert predict((2, 4, 5, 3), (2, 8, 10, 2)).shape[0] == 2  # from now on sides are not known
    for shapes in (
        [(2, 4, 4, 3), (2, 1, 1, 2)],
        [(1, 4, 4, 3), (3, 8, 8, 2)],
        [(3, 4, 4, 3), (1, 8, 8, 2)],
        [(2, 6, 6, 3), (2, 1, 12, 2)],
    ):
        with pytest.raises(Exception, match=f"{REFUSED}|must have the same size and shape"):
            predict(*shapes)


def test_a_folded_u_net_refuses_what_it_refused():
    small, skip = keras.Input((None, None, 3)), keras.Input((None, None, 2))
    joined = keras.layers.Concatenate()([keras.layers.UpSampling2D()(small), skip])
    model = keras.Model([small, skip], keras.layers.Conv2D(2, 3, padding="same")(joined))
    folded = pp.fold(model)
    assert any(isinstance(layer, ConcatConv2D) for layer in folded.layers)
    for shapes in ([(2, 4, 4, 3), (2, 1, 1, 2)], [(4, 4, 4, 3), (1, 8, 8, 2)]):
        arrays = [np.ones(shape, "float32") for shape in shapes]
        with pytest.raises(Exception, match="."):  # each backend has its own
            model(arrays)
        with pytest.raises(ValueError, match=REFUSED):
            folded(arrays)


def test_other_numbers_ranks_and_channels_are_refused():
    x, skip = np.ones((2, 4, 4, 3), "float32"), np.ones((2, 8, 8, 2), "float32")
    for inputs in ([x], [x, skip, skip], x, [x[0], skip], [x, skip[..., None]]):
        with pytest.raises(ValueError, match="made for 2 inputs, a list of tensors of rank 4"):
            ConcatConv2D(4, 3, size=(2, 1))(inputs)
    layer = ConcatConv2D(4, 3, size=(2, 1))
    layer([x, skip])
    twice = np.concatenate([x, x], axis=3)  # a multiple, which would be two groups
    with pytest.raises(ValueError, match=r"built for images of \(3, 2\) channels.*\(6, 2\)"):
        layer([twice, skip])
    with pytest.raises(ValueError, match=r"built for images of \(3, 2\) channels"):
        layer([keras.Input((4, 4, 6)), keras.Input((8, 8, 2))])
    with pytest.raises(ValueError, match="made for 2 inputs"):
        layer(x)


@pytest.mark.parametrize("size", [2, 1.5, None, "21", (), [], np.int64(2)], ids=str)
def test_a_size_for_all_inputs_is_refused(size):
    with pytest.raises(ValueError, match=r"`size` must be a list of one upsampling factor per inp"):
        ConcatConv2D(4, 3, size=size)
