"""Comparing changes nothing, takes NaN for a difference, and finds an example that fits."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.layers import Concatenate, Conv2D, Input, MaxPooling2D, UpSampling2D

from polyphase.inspection import inspect, repair
from polyphase.rewrite import Cost, fold, to_upsampling
from polyphase.rewrite.compare import difference, outputs, relative
from polyphase.rewrite.export import to_onnx
from polyphase.rewrite.sizes import ExampleError, example, shapes
from tests.rewrite.test_sharing import Even

NAN, INF = float("nan"), float("inf")


def restless(shared_noise=True):
    """What has state: statistics, seeds, losses; and what makes Keras think that it trains."""
    x = inputs = Input((8, 8, 3))
    x = layers.RandomRotation(0.2, seed=3)(layers.RandomFlip()(layers.Resizing(8, 8)(x)))
    x = layers.GaussianNoise(0.5)(layers.Dropout(0.5)(x), training=True)
    x = layers.BatchNormalization()(x, training=True)
    x = layers.SpectralNormalization(Conv2D(3, 3, padding="same", activity_regularizer="l2"))(x)
    x = layers.Conv2DTranspose(3, 3, strides=2, padding="same")(x)
    return keras.Model(inputs, Conv2D(2, 3)(UpSampling2D()(x)))


def state(model):
    values = [keras.ops.convert_to_numpy(one.value) for one in model.variables]
    return values, [one.trainable for one in model._flatten_layers()], len(model._losses)


ACTIONS = {
    "fold": lambda model: fold(model, return_report=True),
    "inference": lambda model: fold(model, inference=True, return_report=True),
    "keras": lambda model: fold(model, target="keras", return_report=True),
    "inspect": inspect,
    "repair": repair,
    "cost": Cost.of,
    "to_upsampling": lambda model: to_upsampling(upsampled()) and to_upsampling_of(model),
}


def to_upsampling_of(model):
    with pytest.raises(ValueError, match="cannot be written as upsampling"):
        to_upsampling(model)


def upsampled():
    up = layers.Conv2DTranspose(2, 2, strides=2, kernel_initializer=Even())
    return keras.Sequential([Input((4, 4, 3)), up])


@pytest.mark.parametrize("action", ACTIONS)
def test_the_model_stays_as_it_is_bit_for_bit(action):
    keras.utils.set_random_seed(4)
    model = restless()
    model.get_layer(index=-1).trainable = False
    before = state(model)
    ACTIONS[action](model)
    after = state(model)
    for one, other in zip(before[0], after[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert before[1:] == after[1:]


def test_a_right_fold_of_a_restless_model_is_equal():
    _, report = fold(restless(), return_report=True)
    assert report.difference < 1e-5


@pytest.mark.parametrize(
    ("expected", "actual", "off"),
    [
        ([1.0, 2.0], [1.0, 1.0], 0.5),
        ([1.0, 2.0], [1.0, NAN], INF),
        ([1.0, NAN], [1.0, 2.0], INF),
        ([1.0, NAN], [1.0, NAN], 0.0),
        ([NAN, 4.0], [4.0, NAN], INF),
        ([1.0, INF], [1.0, INF], 0.0),
        ([1.0, INF], [1.0, -INF], INF),
        ([1.0, INF], [1.0, NAN], INF),
        ([1.0, 2.0], [1.0, INF], INF),
        ([NAN, NAN], [NAN, NAN], NAN),
        ([1.0], [1.0, 1.0], INF),
        ([0.0], [1e-3], 1e-3),
        ([], [], 0.0),
    ],
)
def test_nan_and_infinity_are_equal_to_themselves_only(expected, actual, off):
    found = relative(np.array(expected), np.array(actual))
    np.testing.assert_equal(found, off)


def test_one_output_that_is_nan_is_not_hidden_by_another():
    inputs = Input((4,))
    halves = [layers.Rescaling(1.0)(inputs), layers.Rescaling(1.0)(inputs)]
    broken = [layers.Rescaling(NAN)(inputs), layers.Rescaling(1.0)(inputs)]
    for order in (1, -1):
        one, other = keras.Model(inputs, halves[::order]), keras.Model(inputs, broken[::order])
        assert not difference(one, other) <= 1.0
        assert not difference(other, other) <= 1.0  # nothing to compare


@pytest.mark.parametrize("value", [NAN, INF])
@pytest.mark.parametrize("action", ["fold", "inference", "keras", "inspect", "repair", "export"])
def test_weights_that_are_no_numbers_are_refused_by_name(action, value, tmp_path):
    model = keras.Sequential([Input((4, 4, 3)), UpSampling2D(), Conv2D(2, 3, name="draw")])
    kernel, bias = model.layers[-1].get_weights()
    kernel[0, 0, 0, 0] = value
    model.layers[-1].set_weights([kernel, bias])
    actions = ACTIONS | {"export": lambda model: to_onnx(model, tmp_path / "model.onnx")}
    if action == "export":
        pytest.importorskip("onnxruntime", reason="needs the extra `export`")
    with pytest.raises(ValueError, match="NaN or infinite: .*draw/kernel"):
        actions[action](model)


def halved(x, times, **kwargs):
    """Halve `times`, and back, with skips: a U-Net for sides that are divisible by 2**times."""
    skips = []
    for _ in range(times):
        skips.append(x)
        x = MaxPooling2D(**kwargs)(Conv2D(2, 3, padding="same", **kwargs)(x))
    for skip in reversed(skips):
        axis = 1 if kwargs else -1
        x = Concatenate(axis)([UpSampling2D(**kwargs)(x), skip])
    return Conv2D(1, 3, padding="same", **kwargs)(x)


def unknown(shape, times, **kwargs):
    inputs = Input(shape)
    return keras.Model(inputs, halved(inputs, times, **kwargs))


def unpadded():
    """Two levels of unpadded convolutions: the side is 4 more than a multiple of 8."""
    x = inputs = Input((None, None, 1))
    x = MaxPooling2D()(Conv2D(2, 5)(x))
    skip = Conv2D(2, 3)(x)
    small = UpSampling2D()(MaxPooling2D()(skip))
    return keras.Model(inputs, Conv2D(2, 3)(Concatenate()([small, skip])))


def different_sides():
    x, skip = Input((None, None, 3)), Input((None, None, 2))
    y = Concatenate()([UpSampling2D(4)(x), skip])
    return keras.Model([x, skip], Conv2D(2, 3)(y))


def one_known():
    x, skip = Input((None, 24, 3)), Input((24, 24, 2))
    return keras.Model(
        [x, skip], Conv2D(2, 3)(Concatenate()([UpSampling2D()(x), UpSampling2D()(skip)]))
    )


def fixed_batch():
    inputs = Input(batch_shape=(3, None, None, 2))
    return keras.Model(inputs, Conv2D(2, 3)(UpSampling2D()(inputs)))


FITTING = {
    "five": (lambda: unknown((None, None, 3), 5), 32),
    "six": (lambda: unknown((None, None, 3), 6), 64),
    "one known": (lambda: unknown((64, None, 3), 5), 64),
    "unpadded": (unpadded, None),
    "different": (different_sides, 16),
    "agree": (one_known, 24),
    "batch": (fixed_batch, 16),
}
if keras.backend.backend() != "tensorflow":
    FITTING["first"] = (lambda: unknown((3, None, None), 5, data_format="channels_first"), 32)


@pytest.mark.parametrize("name", FITTING)
@pytest.mark.grid(3)
def test_a_side_is_found_that_fits(name):
    make, side = FITTING[name]
    model = make()
    folded, report = fold(model, return_report=True)
    assert report.difference < 1e-5
    assert side is None or side in shapes(model)[0]
    assert inspect(model).stages
    assert Cost.of(folded) is None or Cost.of(folded).multiply_adds


def test_none_that_fits_is_said_in_a_line():
    """Both halves of an image are to be as large as the whole."""
    inputs = Input((None, None, 3))
    both = Concatenate(axis=1)([inputs, layers.ZeroPadding2D(((3, 0), (0, 1)))(inputs)])
    model = keras.Model(inputs, Conv2D(2, 3)(UpSampling2D()(both)))
    with pytest.raises(ExampleError, match="for no side from 16 to 256"):
        example(model)
    folded, report = fold(model, return_report=True)
    assert report.difference is None
    assert "Not compared" in str(report)
    assert inspect(model).stages
    assert folded.count_params() == model.count_params()


def test_no_example_takes_gigabytes():
    """Two volumes of side 100 and 64 channels would."""
    inputs = Input((None, None, None, 64))
    model = keras.Model(inputs, layers.AveragePooling3D(100)(inputs))
    with pytest.raises(ExampleError):
        example(model)


def test_a_model_that_cannot_be_traced_runs_as_it_is():
    class Fickle(layers.Layer):
        def call(self, x):
            return x * (2.0 if float(keras.ops.sum(x)) > 0 else 3.0)

        def compute_output_shape(self, shape):
            return shape

    inputs = Input((3,))
    model = keras.Model(inputs, Fickle()(inputs))
    np.testing.assert_allclose(outputs(model, np.ones((1, 3), "float32"))[0], [[2, 2, 2]])
    np.testing.assert_allclose(outputs(model, -np.ones((1, 3), "float32"))[0], [[-3, -3, -3]])
