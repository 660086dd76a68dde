"""`inspect`: chi where theory says so, the pattern's way to the output, words, data, HTML."""

import itertools
import json

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.constraints import EvenPhases
from polyphase.initializers import ICNR, Bilinear


def transposed(k, s, **kwargs):
    return layers.Conv2DTranspose(4, k, s, padding="same", **kwargs)


def model_of(*stages, shape=(6, 5, 4), name="net"):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input(shape), *stages], name=name)


def stage_of(model, layer):
    return next(one for one in pp.inspect(model).stages if one.layer == layer)


@pytest.mark.parametrize(("k", "s"), list(itertools.product([1, 2, 3, 4, 5, 6], [2, 3])))
@pytest.mark.grid(4)
def test_random_kernels_of_transposed_convolutions_have_a_checkerboard(k, s):
    (stage,) = pp.inspect(model_of(transposed(k, s, name="up"))).stages
    assert stage.chi > 0.1
    ones = np.ones((k, k, 4, 4), "float32")
    even = model_of(transposed(k, s, kernel_initializer="ones", name="up"))
    np.testing.assert_array_equal(even.layers[0].get_weights()[0], ones)
    assert (pp.inspect(even).stages[0].chi < 1e-6) == (k % s == 0)


@pytest.mark.parametrize(
    "layer",
    [
        layers.UpSampling2D(3, interpolation="bilinear"),
        pp.layers.UpSampling2D((2, 1.5), interpolation="lanczos3"),
        pp.layers.UpSampleConv2D(3, 3, size=2, interpolation="bicubic"),
        pp.layers.UpSampleDepthwiseConv2D(3, size=2),
        pp.layers.UpSampleSeparableConv2D(2, (2, 3), size=(2, 3)),
        transposed(4, 2, kernel_initializer=Bilinear(2)),
        transposed(5, 3, kernel_initializer=Bilinear(3)),
        pp.layers.SubPixelConv2D(3, 3, size=(2, 3), kernel_initializer=ICNR((2, 3))),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_what_is_even_has_no_checkerboard(layer):
    (stage,) = pp.inspect(model_of(layer)).stages
    assert stage.chi < 1e-6
    assert stage.pattern is None
    assert stage.reaches_output is None
    assert "no checkerboard" in stage.verdict.lower()


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_constant_comes_out_as_the_pattern_says(data_format):
    layer = layers.Conv2DTranspose(
        1, (3, 5), (2, 3), data_format=data_format, name="up", kernel_initializer="random_normal"
    )
    shape = (7, 6, 1) if data_format == "channels_last" else (1, 7, 6)
    model = model_of(layer, shape=shape)
    if keras.backend.backend() == "tensorflow" and data_format == "channels_first":
        pytest.skip("TensorFlow's transposed convolution on a CPU takes channels last only")
    image = keras.ops.convert_to_numpy(model(np.ones((1, *shape), "float32"))).reshape(15, 20)
    period = image[4:6, 6:9].astype("float64")  # where every tap has an input
    np.testing.assert_allclose(
        stage_of(model, "up").pattern, period / period.mean(), rtol=1e-3, atol=1e-4
    )


def test_an_imbalance_of_one_percent_in_one_of_ten_layers_is_found_and_named():
    even = [
        transposed(4, 2, kernel_constraint=EvenPhases(2), name=f"up_{number}")
        for number in range(5)
    ]
    others = [layers.Conv2D(4, 3, padding="same", name=f"conv_{number}") for number in range(5)]
    model = model_of(
        *(layer for both in zip(even, others, strict=True) for layer in both), shape=(2, 2, 4)
    )
    for layer in even:
        kernel, bias = layer.get_weights()
        layer.set_weights([pp.algebra.checkerboard.repair(kernel, (2, 2)), bias])
    kernel, bias = even[3].get_weights()
    kernel[1::2, 0::2] *= 1.01
    even[3].set_weights([kernel, bias])
    first, *rest = pp.inspect(model).stages
    assert first.layer == "up_3"
    assert 0.001 < first.chi < 0.01
    assert "Faint checkerboard" in first.verdict
    assert all(one.chi < 1e-6 for one in rest)


@pytest.mark.parametrize(("decoder", "flagged"), [("transposed-3", True), ("bilinear", False)])
@pytest.mark.grid(1)
def test_a_trained_transposed_decoder_is_flagged_and_a_bilinear_one_is_not(decoder, flagged):
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).random((32, 8, 8, 1), dtype="float32")
    model = pp.models.comparison_autoencoder(decoder, (8, 8, 1))
    model.compile("adam", "binary_crossentropy")
    model.fit(images, images, epochs=2, verbose=0)
    assert any(stage.exceeds(0.05) for stage in pp.inspect(model).stages) == flagged


def test_a_pattern_that_a_later_layer_cancels_is_said_to_be():
    blur = layers.DepthwiseConv2D(2, name="blur", use_bias=False)
    model = model_of(transposed(3, 2, name="up"), blur, shape=(48, 48, 4))
    blur.set_weights([np.full((2, 2, 4, 1), 0.25)])  # the mean over a period
    stage = stage_of(model, "up")
    assert stage.chi > 0.1
    assert stage.reaches_output["constant"] < 0.03  # the borders
    open_ = stage_of(model_of(transposed(3, 2, name="up"), shape=(16, 16, 4)), "up")
    assert min(open_.reaches_output.values()) > 0.95
    assert not open_.exceeds(100)
    assert open_.exceeds(0.05)


def test_cancelled_exactly_it_is_no_reason_to_fail():
    model = model_of(
        layers.Conv2DTranspose(4, 2, 2, name="up"), layers.AveragePooling2D(2), shape=(8, 8, 4)
    )
    stage = stage_of(model, "up")
    assert stage.chi > 0.1
    assert stage.reaches < 1e-5
    assert "cancel" in stage.verdict
    assert not stage.exceeds(0.05)


def test_the_worst_is_first_and_gradients_last():
    model = model_of(
        layers.Conv2D(4, 3, 2, padding="same", name="down"),
        transposed(4, 2, kernel_initializer=Bilinear(2), name="even"),
        transposed(3, 2, name="bad"),
        layers.UpSampling2D(name="good"),
        shape=(16, 16, 4),
    )
    stages = pp.inspect(model).stages
    assert [one.layer for one in stages] == ["bad", "even", "good", "down"]
    assert stages[-1].gradient
    assert stages[-1].reaches_output is None
    assert "gradient has one" in stages[-1].verdict
    assert not stages[-1].exceeds(0.0)


def test_a_strided_convolutions_chi_is_that_of_its_gradient():
    layer = layers.Conv2D(1, 3, 2, use_bias=False, name="down")
    model = model_of(layer, shape=(21, 21, 1))
    weights = layer.get_weights()[0]
    # The gradient of a sum of all outputs: the transposed convolution of ones.
    gradient = np.zeros((21, 21))
    for row, column in itertools.product(range(10), range(10)):
        gradient[2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += weights[:, :, 0, 0]
    period = gradient[8:10, 8:10]
    expected = np.sqrt(((period - period.mean()) ** 2).mean()) / abs(period.mean())
    assert stage_of(model, "down").chi == pytest.approx(expected, rel=1e-4)


def test_nested_models_shared_layers_and_several_inputs_are_followed():
    inner = model_of(transposed(3, 2, name="up"), name="inner")
    one, other = keras.Input((6, 5, 4), name="a"), keras.Input((12, 10, 4), name="b")
    shared = layers.Conv2DTranspose(2, 3, 2, name="shared")
    model = keras.Model({"a": one, "b": other}, [shared(inner(one) + other), shared(other)])
    stages = {stage.layer: stage for stage in pp.inspect(model).stages}
    assert set(stages) == {"inner/up", "shared"}
    assert all(stage.reaches > 0.1 for stage in stages.values())


def test_a_class_is_looked_into_but_not_followed():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.up = transposed(3, 2, name="up")

        def call(self, x):
            return self.up(x)

    model = Own()
    model(np.zeros((1, 4, 4, 3), "float32"))
    (stage,) = pp.inspect(model).stages
    assert stage.layer == "up"
    assert stage.chi > 0.1
    assert stage.reaches is None
    inputs = keras.Input((4, 4, 3))
    (stage,) = pp.inspect(keras.Model(inputs, model(inputs))).stages
    assert stage.layer.endswith("/up")


def test_channels_moved_into_space_by_keras_ops_are_a_sub_pixel_convolution():
    inputs = keras.Input((5, 6, 3))
    woven = keras.ops.depth_to_space(layers.Conv2D(8, 3, name="conv")(inputs), 2)
    model = keras.Model(inputs, woven)
    (stage,) = pp.inspect(model).stages
    assert stage.layer == "conv"
    assert "sub-pixel" in stage.what
    assert stage.chi > 0.1
    assert stage.reaches == pytest.approx(1, abs=1e-3)
    assert pp.inspect(pp.repair(model)).stages[0].chi < 1e-6


def test_a_kernel_smaller_than_its_stride_leaves_pixels_empty():
    stage = stage_of(model_of(layers.Conv2DTranspose(2, 2, 3, name="up")), "up")
    assert stage.overlap.min() == 0
    assert "56% of the pixels get nothing" in stage.verdict
    assert "UpSampleConv2D" in stage.remedy


def test_unknown_sizes_and_mixed_precision():
    model = keras.Sequential(
        [
            keras.Input((None, None, 3)),
            layers.Conv2DTranspose(2, 3, 2, dtype="mixed_bfloat16", name="up"),
            layers.UpSampling2D(dtype="mixed_bfloat16"),
        ]
    )
    stage = stage_of(model, "up")
    assert stage.chi > 0.1
    assert stage.multiply_adds is None
    assert stage.reaches == pytest.approx(1, abs=0.05)


def test_it_prints_is_json_and_shows_itself_escaped():
    wide = layers.Conv2D(16, 1)  # of fewer channels nearest + conv is computed directly on PyTorch
    stages = transposed(3, 2, name="<b>up"), wide, layers.UpSampling2D(), layers.Conv2D(2, 3)
    inspection = pp.inspect(model_of(*stages))
    text = str(inspection)
    assert "transposed convolution 3x3, stride 2" in text
    assert "polyphase.inspect(model, images=x)" in " ".join(text.split())
    assert "polyphase.fold(model)" in text
    data = json.loads(json.dumps(inspection.to_dict(), allow_nan=False))
    assert data["stages"][0]["overlap"] == [[4, 2], [2, 1]]
    assert data["multiply_adds_folded"] < data["multiply_adds"]
    html = inspection._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;up" in html
    assert html.count("<rect") == 16


def test_a_model_without_upsampling_says_so():
    inspection = pp.inspect(model_of(layers.Conv2D(3, 3)))
    assert inspection.stages == ()
    for text in (str(inspection), inspection._repr_html_()):
        assert "no upsampling in this model" in text
    assert inspection.to_dict()["stages"] == []


@pytest.mark.parametrize("function", [pp.inspect, pp.repair])
def test_what_cannot_be_inspected_is_said(function):
    with pytest.raises(TypeError, match="takes a Keras model. Received: str"):
        function("model.keras")
    with pytest.raises(ValueError, match="not built"):
        function(keras.Sequential([layers.Conv2DTranspose(2, 3, 2)]))
    model = model_of(transposed(3, 2, name="broken"))
    kernel, bias = model.layers[0].get_weights()
    kernel[0, 0, 0, 0] = np.nan
    model.layers[0].set_weights([kernel, bias])
    with pytest.raises(ValueError, match="broken/kernel"):
        function(model)
