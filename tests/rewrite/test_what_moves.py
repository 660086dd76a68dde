"""What may move across an upsampling and what must stay: functions, layers, layouts."""

import functools

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.inspection import inspect
from polyphase.rewrite import fold, to_upsampling
from tests.rewrite.helpers import assert_equal_outputs, layers_of

FORMATS = ["channels_last"]
if keras.backend.backend() != "tensorflow":  # Keras on TensorFlow needs channels last
    FORMATS.append("channels_first")


def randomised(model):
    generator = np.random.default_rng(3)
    for weight in model.weights:
        noise = generator.standard_normal(weight.shape)
        weight.assign(np.abs(noise) + 0.5 if "variance" in weight.path else 0.5 * noise)
    return model


def assert_folds_right(inputs, outputs, **options):
    """The outputs stay: folded for training, and again by the options; return the first."""
    model = randomised(keras.Model(inputs, outputs))
    folded = fold(model)
    assert_equal_outputs(model, folded)
    if options:
        assert_equal_outputs(model, fold(model, **options))
    return folded


def image(data_format, *shape, channels=4):
    sides = shape or (3, 4)
    last = data_format == "channels_last"
    return keras.Input((*sides, channels) if last else (channels, *sides))


def linear(x):
    """In name only."""
    return x - keras.ops.mean(x, axis=(1, 2, 3), keepdims=True)


def relu(x):
    """In name only: a pixel less its neighbour."""
    return x - keras.ops.roll(x, 1, axis=2)


def unit(x):
    return x / keras.ops.sqrt(1 + keras.ops.sum(x**2, axis=-1, keepdims=True))


class Contrast:
    """A callable object without a name."""

    def __call__(self, x):
        return x / (1 + keras.ops.max(keras.ops.abs(x), axis=(1, 2), keepdims=True))


FUNCTIONS = {
    "linear": lambda: linear,
    "relu": lambda: relu,
    "unit": lambda: unit,
    "object": Contrast,
    "lambda": lambda: lambda x: keras.ops.flip(x, axis=2) + x,
    "partial": lambda: functools.partial(keras.activations.softmax, axis=1),
    "softmax": lambda: "softmax",
    "log_softmax": lambda: "log_softmax",
    "sparsemax": lambda: "sparsemax",
    "PReLU": lambda: layers.PReLU(shared_axes=[1, 2, 3]),
    "PReLU of pixels": layers.PReLU,
    "LeakyReLU": lambda: layers.LeakyReLU(0.3),
}
DEPLOYED = {"inference": True, "target": "keras"}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.grid(4)
def test_an_activation_after_upsampling(name):
    """Of convolutions, 1x1, larger, in a margin that is cut; as a layer, of channels joined."""
    make = FUNCTIONS[name]
    x, skip = image("channels_last"), image("channels_last", 6, 8, channels=2)
    up = layers.UpSampling2D()(x)
    smooth = layers.UpSampling2D(interpolation="bilinear")(x)
    framed = layers.ZeroPadding2D(((1, 4), (0, 3)))(up)
    outputs = [
        layers.Activation(make())(up),
        layers.Conv2D(3, 1, activation=make())(up),
        layers.Conv2D(3, 1, activation=make())(smooth),
        layers.Conv2D(3, (2, 3), activation=make())(up),
        layers.Conv2D(3, 5, activation=make())(framed),
        layers.Activation(make())(layers.Concatenate()([up, skip])),
    ]
    assert_folds_right([x, skip], outputs, **DEPLOYED)


@pytest.mark.skipif("channels_first" not in FORMATS, reason="Keras on TensorFlow: channels last")
@pytest.mark.parametrize("name", ["relu", "unit", "softmax", "log_softmax", "sparsemax", "PReLU"])
@pytest.mark.grid(2)
def test_an_activation_after_upsampling_in_channels_first(name):
    """The last axis is one of pixels: functions over it stay, also of 1x1 convolutions."""
    make, first = FUNCTIONS[name], {"data_format": "channels_first"}
    x, skip = image("channels_first"), image("channels_first", 6, 8, channels=2)
    up = layers.UpSampling2D(**first)(x)
    outputs = [
        layers.Activation(make())(up),
        layers.Conv2D(5, 1, activation=make(), **first)(up),
        layers.Activation(make())(layers.Concatenate(axis=1)([up, skip])),
    ]
    assert_folds_right([x, skip], outputs)


@pytest.mark.parametrize("name", ["linear", "softmax", "PReLU"])
def test_an_activation_before_a_normalisation(name):
    """A convolution's, between it and the batch normalisation that is merged at inference."""
    x = image("channels_last")
    y = layers.Conv2D(4, 3, activation=FUNCTIONS[name]())(x)
    model = randomised(keras.Model(x, layers.BatchNormalization()(y)))
    folded = fold(model, inference=True)
    assert_equal_outputs(model, folded)
    assert layers_of(folded, layers.BatchNormalization)


@pytest.mark.parametrize("name", ["relu", "partial", "PReLU", "PReLU of pixels"])
def test_an_activation_of_other_convolutions(name):
    make = FUNCTIONS[name]
    x = keras.Input((4, 5, 4))
    up = layers.UpSampling2D()(x)
    outputs = [
        layers.DepthwiseConv2D(3, activation=make())(up),
        layers.SeparableConv2D(3, 3, activation=make())(up),
        layers.Conv2DTranspose(3, 3, 2, activation=make())(x),
        pp.layers.SubPixelConv2D(2, 3, size=2, activation=make())(x),
    ]
    assert_folds_right(x, outputs, **DEPLOYED)


def test_glu_halves_the_channels_and_stays():
    x, skip = keras.Input((4, 5, 4)), keras.Input((8, 10, 2))
    up = layers.UpSampling2D()(x)
    both = layers.Concatenate()([up, skip])
    outputs = [layers.Activation("glu")(both), layers.Activation("glu")(up)]
    model = keras.Model([x, skip], outputs)
    assert_equal_outputs(model, fold(model))


def test_functions_of_single_pixels_still_move():
    """What is right moves: elementwise anywhere, over channels where they are last and whole."""
    x, skip = keras.Input((4, 5, 4)), keras.Input((8, 10, 2))
    for activation in ("softmax", layers.LeakyReLU(0.2)):
        up = layers.Activation(activation)(layers.UpSampling2D()(x))
        folded = assert_folds_right(x, layers.Conv2D(2, 3)(up))
        assert layers_of(folded, pp.layers.UpSampleConv2D)
        one = layers.Conv2D(2, 1, activation=activation)(layers.UpSampling2D()(x))
        assert layers_of(assert_folds_right(x, one), layers.Conv2D)
    both = layers.Concatenate()([layers.UpSampling2D()(x), skip])
    active = layers.Activation(layers.LeakyReLU(0.2))(both)
    folded = assert_folds_right([x, skip], layers.Conv2D(2, 3)(active))
    assert layers_of(folded, pp.layers.ConcatConv2D)


# --- layers in between ---------------------------------------------------------------------------


class Roll(layers.Layer):
    """A user's layer, and one whose name says otherwise."""

    def call(self, x):
        return keras.ops.roll(x, 1, axis=1)


class ReLU(layers.ReLU):
    """A subclass that does something else."""

    def call(self, x):
        return keras.ops.flip(super().call(x), axis=2)


LAST = np.array([1.0, 2.0, 3.0, 4.0])
BETWEEN = {
    "ReLU": lambda: layers.ReLU(max_value=0.5, negative_slope=0.1, threshold=0.2),
    "LeakyReLU": lambda: layers.LeakyReLU(0.3),
    "ELU": lambda: layers.ELU(0.3),
    "PReLU": lambda: layers.PReLU(shared_axes=[1, 2]),
    "PReLU of rows": lambda: layers.PReLU(shared_axes=[2, 3]),
    "PReLU of columns": lambda: layers.PReLU(shared_axes=[1, 3]),
    "PReLU of pixels": layers.PReLU,
    "Softmax": layers.Softmax,
    "Softmax of rows": lambda: layers.Softmax(axis=1),
    "Softmax of columns": lambda: layers.Softmax(axis=[2, 3]),
    "Rescaling": lambda: layers.Rescaling(2.0, 0.5),
    "Rescaling of channels": lambda: layers.Rescaling([1.0, 2.0, 3.0, 4.0], LAST),
    "Rescaling of rows": lambda: layers.Rescaling(np.linspace(0, 1, 8).reshape(8, 1, 1)),
    "Rescaling of columns": lambda: layers.Rescaling(1.0, np.linspace(0, 1, 10).reshape(10, 1)),
    "BatchNormalization": layers.BatchNormalization,
    "BatchNormalization of rows": lambda: layers.BatchNormalization(axis=1),
    "BatchNormalization of columns": lambda: layers.BatchNormalization(axis=2),
    "frozen BatchNormalization of rows": lambda: layers.BatchNormalization(1, trainable=False),
    "GroupNormalization": lambda: layers.GroupNormalization(2),
    "GroupNormalization of rows": lambda: layers.GroupNormalization(2, axis=1),
    "GroupNormalization of columns": lambda: layers.GroupNormalization(2, axis=2),
    "LayerNormalization": layers.LayerNormalization,
    "LayerNormalization of two axes": lambda: layers.LayerNormalization(axis=[2, 3]),
    "LayerNormalization of images": lambda: layers.LayerNormalization(axis=[1, 2, 3]),
    "UnitNormalization": lambda: layers.UnitNormalization(axis=[1, 2]),
    "RMSNormalization": layers.RMSNormalization,
    "SpectralNormalization": lambda: layers.SpectralNormalization(layers.Conv2D(4, 1)),
    "TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(4, activation=relu_of_rows)),
    "GaussianNoise": lambda: layers.GaussianNoise(0.0),
    "Dropout": lambda: layers.Dropout(0.0),
    "ActivityRegularization": lambda: layers.ActivityRegularization(0.1),
    "Dense": lambda: layers.Dense(4, activation="softmax"),
    "user's": Roll,
    "subclass": ReLU,
}


def relu_of_rows(x):
    return x - keras.ops.roll(x, 1, axis=1)


relu_of_rows.__name__ = "relu"  # Keras reads it back as its own


@pytest.mark.parametrize("name", BETWEEN)
@pytest.mark.grid(8)
def test_a_layer_between_upsampling_and_convolution(name):
    x = keras.Input((4, 5, 4))
    outputs = [
        layers.Conv2D(3, 1)(BETWEEN[name]()(layers.UpSampling2D(interpolation=interpolation)(x)))
        for interpolation in ("nearest", "bilinear")
    ]
    assert_folds_right(x, outputs, **({"inference": True} if "Batch" in name else {}))


def test_a_concatenation_of_another_axis_is_not_split():
    x, skip = keras.Input((4, 5, 4)), keras.Input((8, 10, 4))
    up = layers.UpSampling2D()(x)
    outputs = [layers.Conv2D(3, 1)(layers.Concatenate(axis=axis)([up, skip])) for axis in (1, -2)]
    assert_folds_right([x, skip], outputs)


@pytest.mark.skipif("channels_first" not in FORMATS, reason="Keras on TensorFlow: channels last")
@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Rescaling(np.linspace(0, 1, 10)),  # of columns, here
        lambda: layers.Rescaling(LAST.reshape(4, 1, 1), 0.5),
        lambda: layers.PReLU(shared_axes=[1, 2]),
        lambda: layers.PReLU(shared_axes=[2, 3]),
        lambda: layers.BatchNormalization(),
        lambda: layers.BatchNormalization(axis=1),
        lambda: layers.BatchNormalization(axis=2),
        lambda: layers.LayerNormalization(),
        lambda: layers.GroupNormalization(2),
        lambda: layers.Activation("softmax"),
        lambda: layers.Softmax(),
    ],
)
@pytest.mark.grid(3)
def test_a_layer_between_in_channels_first(make):
    first = {"data_format": "channels_first"}
    x = keras.Input((4, 4, 5))
    outputs = [
        layers.Conv2D(3, 1, **first)(
            make()(layers.UpSampling2D(interpolation=interpolation, **first)(x))
        )
        for interpolation in ("nearest", "bilinear")
    ]
    assert_folds_right(x, outputs)


@pytest.mark.parametrize(
    ("name", "interpolation"),
    [
        ("Multiply", "nearest"),
        ("Multiply", "bilinear"),
        ("Maximum", "nearest"),
        ("Minimum", "nearest"),
        ("Add", "bilinear"),
        ("Subtract", "nearest"),
        ("Average", "bilinear"),
    ],
)
@pytest.mark.grid(3)
def test_merges_of_images_gates_and_one_alone(name, interpolation):
    merge = getattr(layers, name)
    x, gate, one = keras.Input((4, 5, 4)), keras.Input((1, 1, 4)), keras.Input((4, 5, 1))
    up = functools.partial(layers.UpSampling2D, interpolation=interpolation)
    same = layers.UpSampling2D(1)
    outputs = [
        merge()([up()(x), up()(one)]),
        merge()([up()(x), up()(x)]),
        merge()([up()(x), gate]),
        merge()([same(x), same(gate)]),
    ]
    if name != "Subtract":  # takes exactly two
        outputs.append(merge()([up()(x)]))
    assert_folds_right([x, gate, one], [layers.Conv2D(2, 1)(y) for y in outputs])


def test_a_layer_of_another_dtype_keeps_the_dtype_of_its_result():
    x = keras.Input((4, 5, 4))
    up = layers.UpSampling2D()(x)
    half = {"dtype": "bfloat16"}
    outputs = [
        layers.Activation("relu", **half)(up),
        layers.UpSampling2D(**half)(up),
        layers.ZeroPadding2D(1, **half)(up),
        layers.Conv2D(2, 1, **half)(up),
        layers.Concatenate(**half)([up, up]),
    ]
    model = keras.Model(x, outputs)
    folded = fold(model)
    y = np.random.default_rng(0).standard_normal((2, 4, 5, 4), dtype="float32")
    for expected, actual in zip(model(y), folded(y), strict=True):
        assert keras.backend.standardize_dtype(actual.dtype) == "bfloat16"
        expected, actual = (
            keras.ops.convert_to_numpy(keras.ops.cast(one, "float32")) for one in (expected, actual)
        )
        np.testing.assert_allclose(actual, expected, atol=2e-2)


# --- a convolution that something else reads -----------------------------------------------------


def test_a_convolution_that_is_an_output_too_is_not_merged():
    x = keras.Input((4, 5, 4))
    y = layers.Conv2D(3, 3, name="seen")(x)
    normalised = layers.BatchNormalization()(y)
    for outputs in ([y, normalised], [normalised, y], {"a": y, "b": layers.ReLU()(normalised)}):
        model = randomised(keras.Model(x, outputs))
        folded = fold(model, inference=True)
        assert_equal_outputs(model, folded)
        assert layers_of(folded, layers.BatchNormalization)


# --- activations that are layers -----------------------------------------------------------------


def gan(make):
    x = inputs = keras.Input((3, 4, 4))
    x = layers.Conv2D(3, 3, activation=make(), padding="same")(layers.UpSampling2D()(x))
    x = layers.Conv2DTranspose(2, 3, strides=2, activation=make())(x)
    return randomised(keras.Model(inputs, x))


ANY = ("relu", "partial", "lambda", "PReLU", "LeakyReLU")


@pytest.mark.parametrize("name", ANY)
def test_inspect_reads_models_with_any_activation(name):
    """Overlap and chi do not depend on it; the share that reaches the output is measured."""
    model = gan(FUNCTIONS[name])
    report = inspect(model)
    transposed = next(one for one in report.stages if one.overlap is not None)
    assert transposed.chi > 0
    assert transposed.reaches_output
    assert report.to_dict()
    _, report = fold(model, return_report=True)
    assert report.difference < 1e-5


@pytest.mark.parametrize("shared", [False, True])
def test_an_activation_with_weights_is_copied_with_them_once(shared):
    x = inputs = keras.Input((4, 5, 4))
    prelus = [layers.PReLU(shared_axes=[1, 2]) for _ in range(2)]
    for prelu in (prelus[0], prelus[0 if shared else 1]):
        x = layers.UpSampling2D()(x)
        x = layers.Conv2D(4, 3, padding="same", activation=prelu)(x)
    model = randomised(keras.Model(inputs, x))
    folded = fold(model)
    assert folded.count_params() == model.count_params()
    assert len(folded.trainable_weights) == len(model.trainable_weights)
    assert_equal_outputs(model, folded)
    before = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    for weight in folded.weights:
        weight.assign(np.zeros(weight.shape))
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), value)


def test_an_activation_whose_weights_no_call_has_made_is_folded_with_them():
    inputs = keras.Input((4, 5, 4))
    prelu = layers.PReLU(alpha_initializer="random_normal", shared_axes=[1, 2])
    x = layers.Conv2D(3, 3, padding="same", activation=prelu)(layers.UpSampling2D()(inputs))
    model = keras.Model(inputs, x)
    folded, report = fold(model, return_report=True)
    assert report.difference < 1e-5
    assert folded.count_params() == model.count_params() == 3 * 3 * 4 * 3 + 3 + 3
    assert_equal_outputs(model, folded)


def test_models_with_layers_as_activations_save_load_and_train(tmp_path):
    x = inputs = keras.Input((4, 5, 4))
    for activation in (layers.LeakyReLU(0.2), layers.PReLU(shared_axes=[1, 2])):
        x = layers.Conv2D(4, 3, padding="same", activation=activation)(layers.UpSampling2D()(x))
    model = randomised(keras.Model(inputs, x))
    folded = fold(model)
    folded.save(tmp_path / "folded.keras")
    loaded = keras.models.load_model(tmp_path / "folded.keras")
    assert_equal_outputs(model, loaded)
    generator = np.random.default_rng(0)
    data = generator.standard_normal((2, 4, 5, 4)), generator.standard_normal((2, 16, 20, 4))
    for one in (model, loaded):
        one.compile(keras.optimizers.SGD(1e-3), "mean_squared_error")
        one.train_on_batch(*data)
    assert_equal_outputs(model, loaded)


def test_to_upsampling_keeps_activations():
    for make in (FUNCTIONS[name] for name in ANY):
        x = keras.Input((3, 4, 2))
        layer = layers.Conv2DTranspose(3, 2, strides=2, activation=make())
        model = keras.Model(x, layer(x))
        randomised(model)
        kernel = np.ones((2, 2, 1, 1)) * np.random.default_rng(0).standard_normal((3, 2))
        layer.set_weights([kernel, *layer.get_weights()[1:]])
        turned = to_upsampling(model)
        assert_equal_outputs(model, turned)
        assert turned.count_params() == model.count_params() - 3 * kernel[0, 0].size
