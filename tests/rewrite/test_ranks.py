"""Models of signals and volumes are folded, converted and merged as those of images are."""

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.layers import kinds
from polyphase.rewrite.cost import Cost, multiply_adds
from polyphase.testing import coordinate_ramp
from tests.gradients import to_numpy

SIDES = {1: (6,), 2: (6, 4), 3: (3, 4, 2)}
RANKS = tuple(SIDES)
FORMATS = ("channels_last", "channels_first")


def keras_layer(kind, rank):
    return kind.keras[rank]


def shape(rank, data_format, channels=3, factor=1):
    sides = [factor * side for side in SIDES[rank]]
    return (*sides, channels) if data_format == "channels_last" else (channels, *sides)


def format_of(kind, rank, data_format):
    """Return the argument, for layers that have it: Keras' UpSampling1D and Cropping1D do not."""
    without = rank == 1 and kind in (kinds.UPSAMPLING, kinds.CROPPING)
    return {} if without else {"data_format": data_format}


def make(kind, rank, data_format, *args, **kwargs):
    return keras_layer(kind, rank)(*args, **format_of(kind, rank, data_format), **kwargs)


def u_net(rank, data_format):
    """Return a network of every rule: skips, normalisation, a 1x1 convolution, zeros, crops."""
    axis = -1 if data_format == "channels_last" else 1
    inputs = keras.Input(shape(rank, data_format, factor=2))
    skip = make(kinds.CONVOLUTION, rank, data_format, 4, 3, padding="same")(inputs)
    small = make(kinds.MAX_POOLING, rank, data_format, 2)(skip)
    x = make(kinds.UPSAMPLING, rank, data_format, 2, name="up")(small)
    x = layers.BatchNormalization(axis=axis)(x)
    x = layers.ReLU()(x)
    x = layers.Concatenate(axis=axis)([x, skip])
    x = make(kinds.CONVOLUTION, rank, data_format, 3, 3, padding="same", activation="tanh")(x)
    x = make(kinds.UPSAMPLING, rank, data_format, 2, name="up_2")(x)
    x = make(kinds.CONVOLUTION, rank, data_format, 2, 1, name="one")(x)
    x = make(kinds.ZERO_PADDING, rank, data_format, 1)(x)
    x = make(kinds.CONVOLUTION, rank, data_format, 2, 3, name="valid")(x)
    x = make(kinds.TRANSPOSED, rank, data_format, 2, 3, strides=2, padding="same")(x)
    return keras.Model(inputs, x)


def randomised(model, seed=0):
    generator = np.random.default_rng(seed)
    weights = [generator.uniform(0.1, 1, w.shape) for w in model.get_weights()]
    model.set_weights(weights)
    return model


def data(model):
    return coordinate_ramp((2, *model.input_shape[1:]))


def assert_equal(one, other, x):
    expected = to_numpy(one(x))
    np.testing.assert_allclose(to_numpy(other(x)), expected, atol=2e-5 * np.abs(expected).max())


def models(data_format):
    return [
        pytest.param(rank, data_format, id=f"{rank}-{data_format}")
        for rank in RANKS
        # Keras' UpSampling1D knows channels last only.
        if (rank, data_format) != (1, "channels_first")
    ]


MODELS = [one for data_format in FORMATS for one in models(data_format)]


@pytest.fixture(autouse=True)
def _device(backend, data_format):
    if backend == "tensorflow" and data_format == "channels_first":
        pytest.skip("TensorFlow's CPU pools and transpose-convolves channels last only")


@pytest.mark.parametrize(("rank", "data_format"), MODELS)
def test_a_u_net_of_any_rank_is_folded(rank, data_format, tmp_path):
    model = randomised(u_net(rank, data_format))
    folded, report = pp.fold(model, return_report=True)
    assert {one.layer: one.folded for one in report.findings} == dict.fromkeys(
        (one.layer for one in report.findings), True
    )
    assert report.after.multiply_adds < report.before.multiply_adds
    found = {kinds.exact(layer) for layer in folded.layers}
    assert {kinds.CONCATENATED, kinds.UPSAMPLED_CONVOLUTION, kinds.TRANSPOSED} <= found
    assert kinds.UPSAMPLING not in found
    assert_equal(model, folded, data(model))
    folded.save(tmp_path / "folded.keras")
    assert_equal(folded, keras.saving.load_model(tmp_path / "folded.keras"), data(model))


@pytest.mark.parametrize(("rank", "data_format"), MODELS)
def test_to_keras_leaves_no_layer_of_ours(rank, data_format):
    model = randomised(u_net(rank, data_format))
    plain = pp.fold(model, target="keras")
    assert not [layer for layer in plain.layers if type(layer).__module__.startswith("polyphase")]
    assert_equal(model, plain, data(model))


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("rank", RANKS)
def test_normalisation_is_merged_at_inference(rank, data_format):
    axis = -1 if data_format == "channels_last" else 1
    inputs = keras.Input(shape(rank, data_format))
    kind = kinds.UPSAMPLED_CONVOLUTION.ours[rank]
    x = kind(4, 3, padding="same", data_format=data_format)(inputs)
    outputs = layers.BatchNormalization(axis=axis)(x)
    model = randomised(keras.Model(inputs, outputs))
    merged = pp.fold(model, inference=True)
    assert not [one for one in merged.layers if isinstance(one, layers.BatchNormalization)]
    assert_equal(model, merged, data(model))


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("rank", RANKS)
def test_baked_kernels_and_the_way_back(rank, padding, data_format):
    inputs = keras.Input(shape(rank, data_format))
    kind = kinds.UPSAMPLED_CONVOLUTION.ours[rank]
    size = (2, 3, 2)[:rank]
    outputs = kind(4, 2, size, padding, data_format=data_format, activation="tanh")(inputs)
    model = randomised(keras.Model(inputs, outputs))
    baked = pp.fold(model, target="keras")
    assert kinds.TRANSPOSED in {kinds.exact(layer) for layer in baked.layers}
    assert_equal(model, baked, data(model))
    back = pp.to_upsampling(baked)
    assert kinds.UPSAMPLING in {kinds.exact(layer) for layer in back.layers}
    assert_equal(model, back, data(model))


@pytest.mark.parametrize("data_format", ["channels_last"])
def test_a_causal_convolution_is_left_alone(data_format):
    model = keras.Sequential(
        [keras.Input((6, 3)), layers.UpSampling1D(2), layers.Conv1D(2, 3, padding="causal")]
    )
    folded, report = pp.fold(model, return_report=True)
    assert [one.folded for one in report.findings] == [False]
    assert_equal(model, folded, data(model))


@pytest.mark.parametrize("data_format", ["channels_last"])
@pytest.mark.parametrize("rank", RANKS)
def test_depthwise_and_separable_convolutions_absorb(rank, data_format):
    for kind in (kinds.DEPTHWISE, kinds.SEPARABLE):
        if rank not in kind.keras:
            continue
        arguments = (3,) if kind is kinds.DEPTHWISE else (4, 3)
        model = keras.Sequential(
            [
                keras.Input(shape(rank, data_format)),
                make(kinds.UPSAMPLING, rank, data_format, 2),
                kind.keras[rank](*arguments, padding="same"),
            ]
        )
        folded = pp.fold(randomised(model))
        (layer,) = folded.layers
        assert kinds.is_ours(layer)
        assert_equal(model, folded, data(model))


@pytest.mark.parametrize("data_format", ["channels_last"])
@pytest.mark.parametrize("rank", RANKS)
def test_products_as_written_and_as_computed(rank, data_format):
    """By hand: per input pixel all taps; per output pixel all taps; by differences only `k`."""
    pixels = int(np.prod(SIDES[rank]))
    taps = pixels * 3 * 4 * 3**rank
    inputs = keras.Input(shape(rank, data_format))
    transposed = kinds.TRANSPOSED.ours[rank](4, 3, strides=2, padding="same")
    upsampled = kinds.UPSAMPLED_CONVOLUTION.ours[rank](
        4, 3, 2, padding="same", lowering="difference"
    )
    for layer, written in ((transposed, taps), (upsampled, 2**rank * taps)):
        model = keras.Model(inputs, layer(inputs))
        assert multiply_adds(model) == written
        assert Cost.of(model).multiply_adds == taps


@pytest.mark.parametrize("data_format", ["channels_last"])
def test_the_products_of_every_step_are_counted(data_format):
    one = keras.Sequential(
        [
            keras.Input((4, 5, 2)),
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.Conv2D(3, 3),
            layers.Conv2DTranspose(2, 3, 2),
        ]
    )
    steps = layers.TimeDistributed
    whole = keras.Sequential([keras.Input((3, 4, 5, 2)), steps(one)])
    each = keras.Sequential([keras.Input((3, 4, 5, 2)), *(steps(layer) for layer in one.layers)])
    assert multiply_adds(whole) == multiply_adds(each) == 3 * multiply_adds(one)
    assert Cost.of(each).multiply_adds == 3 * Cost.of(one).multiply_adds
    unknown = keras.Sequential([keras.Input((None, 4, 5, 2)), steps(layers.Conv2D(3, 3))])
    with pytest.raises(ValueError, match="Build the model for a known size"):
        multiply_adds(unknown)


@pytest.mark.parametrize("data_format", ["channels_last"])
def test_every_step_of_a_sequence_is_folded(data_format, tmp_path):
    """`TimeDistributed` around a layer is that layer, of every step."""
    steps = layers.TimeDistributed
    inputs = keras.Input((3, 4, 5, 2))
    x = steps(layers.UpSampling2D(2), name="up")(inputs)
    x = steps(layers.BatchNormalization())(x)
    x = steps(layers.Conv2D(3, 3, padding="same", activation="tanh"), name="draw")(x)
    x = steps(layers.Conv2DTranspose(2, 3, 2), name="last")(x)
    shared = steps(layers.UpSampling2D(2), name="kept")(x)
    outputs = layers.Conv3D(2, 1)(shared)  # of all steps: it does not absorb what is one's
    model = randomised(keras.Model(inputs, outputs))
    folded, report = pp.fold(model, return_report=True)
    assert {one.layer: one.folded for one in report.findings} == {
        "up": True, "last": True, "kept": False,
    }  # fmt: skip
    found = {layer.name: layer for layer in folded.layers}
    assert type(found["draw"].layer) is pp.layers.UpSampleConv2D
    assert type(found["last"].layer) is pp.layers.Conv2DTranspose
    assert_equal(model, folded, data(model))
    folded.save(tmp_path / "folded.keras")
    assert_equal(folded, keras.saving.load_model(tmp_path / "folded.keras"), data(model))


ALONE = {  # of volumes; what else ours could not compute, or no faster
    "plain": {},
    "of one tap": {"kernel_size": 1},
    "with strides": {"strides": 2},
    "dilated": {"dilation_rate": 2},
    "in groups": {"groups": 2},
}


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("name", ALONE)
def test_a_convolution_alone_is_ours_where_that_is_faster(name, rank, data_format):
    """XLA's of volumes is slow on a CPU; of all else the backend's own stays."""
    said = {"kernel_size": 3, "padding": "same", "name": "conv"} | ALONE[name]
    inputs = keras.Input(shape(rank, data_format, 4, factor=2))
    layer = make(kinds.CONVOLUTION, rank, data_format, 6, **said)
    x = make(kinds.UPSAMPLING, rank, data_format, 2)(layer(inputs))
    x = make(kinds.CONVOLUTION, rank, data_format, 2, 3, padding="same")(x)
    model = keras.Model(inputs, x)
    randomised(model)
    folded, report = pp.fold(model, return_report=True)
    ours = (rank, name) == (3, "plain") and keras.backend.backend() == "jax"
    new = folded.get_layer("conv")
    assert kinds.exact(new) is (kinds.UPSAMPLED_CONVOLUTION if ours else kinds.CONVOLUTION)
    assert ("computed by polyphase.layers.UpSampleConv3D" in str(report)) is ours
    assert report.difference < 1e-5
    plain = pp.fold(model, target="keras").get_layer("conv")
    assert kinds.exact(plain) is kinds.CONVOLUTION
    shared = pp.fold(keras.Model(inputs, [x, layer(inputs + 1.0)]))
    assert kinds.exact(shared.get_layer("conv")) is kinds.exact(new)
