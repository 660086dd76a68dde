"""CARAFE2D and DySample2D: where they start, what they cost, what is known of them."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.layers import CARAFE2D, DySample2D, GuidedUpSampling2D
from polyphase.rewrite.cost import multiply_adds
from polyphase.testing import assert_layer_contract
from tests.gradients import to_numpy
from tests.ops import cases


def predicted(size, **options):
    return [
        CARAFE2D(size, **options),
        *[
            DySample2D(size, style=style, dynamic_scope=scope, **options)
            for style in ("lp", "pl")
            for scope in (False, True)
        ],
    ]


@pytest.mark.parametrize("size", [2, 3, 4, (2, 3), (1, 4)])
@pytest.mark.parametrize("groups", [1, 4])
def test_they_start_near_bilinear_upsampling(size, groups):
    x = cases.noise(0, 2, 5, 6, 144).astype("float32")
    expected = to_numpy(pp.ops.upsample(x, size, "bilinear"))
    largest = np.abs(x).max()
    for layer in predicted(size, groups=groups):
        assert np.abs(to_numpy(layer(x)) - expected).max() < 0.08 * largest, layer.get_config()


def test_offsets_of_zero_are_bilinear_upsampling():
    x = cases.noise(0, 2, 5, 6, 24).astype("float32")
    expected = to_numpy(pp.ops.upsample(x, (2, 3), "bilinear"))
    for layer in predicted((2, 3))[1:]:
        layer(x)
        layer.set_weights([np.zeros_like(one) for one in layer.get_weights()])
        np.testing.assert_allclose(to_numpy(layer(x)), expected, rtol=0, atol=3e-6)


def trained(make, sides):
    """Train a layer of images of these sides, one batch of two and one of one; what it learns."""
    keras.utils.set_random_seed(0)
    factor, channels = 2, 32  # as many as are computed by products, where there are such
    inputs = [keras.Input((*sides, channels)), keras.Input((*(n and factor * n for n in sides), 3))]
    model = keras.Model(inputs, make()(inputs))
    model.compile(keras.optimizers.SGD(0.5), "mse")
    arrays = [cases.noise(0, 3, 8, 9, channels), cases.noise(1, 3, 16, 18, 3)]
    target = cases.noise(2, 3, 16, 18, channels)
    model.fit([one.astype("float32") for one in arrays], target, 2, shuffle=False, verbose=0)
    return [to_numpy(weight) for weight in model.weights]


@pytest.mark.parametrize("name", ["CARAFE2D", "DySample2D", "GuidedUpSampling2D"])
def test_images_and_batches_of_unknown_sizes_train_as_those_of_known_ones(name):
    class Upsampler(keras.layers.Layer):
        def build(self, shapes):
            self.up = {
                "CARAFE2D": lambda: CARAFE2D(2, 3, compression=4),
                "DySample2D": lambda: DySample2D(2, dynamic_scope=True),
                "GuidedUpSampling2D": lambda: GuidedUpSampling2D(1),
            }[name]()
            self.up.build(shapes if name.startswith("Guided") else shapes[0])

        def call(self, inputs):
            return self.up(inputs if name.startswith("Guided") else inputs[0])

        def compute_output_shape(self, shapes):
            return (*shapes[1][:3], shapes[0][-1])

    known, unknown = (trained(Upsampler, sides) for sides in ((8, 9), (None, None)))
    assert len(known) > 1
    for one, other in zip(known, unknown, strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-5)


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("scope", [False, True])
def test_channels_that_move_before_they_are_convolved_keep_keras_contract(scope, data_format):
    shape = (2, 8, 4, 5) if data_format == "channels_first" else (2, 4, 5, 8)
    arguments = {"style": "pl", "dynamic_scope": scope, "data_format": data_format}
    assert_layer_contract(lambda **kwargs: DySample2D((2, 4), 2, **arguments, **kwargs), shape)


@pytest.mark.parametrize("kernel_size", [3, 7])
def test_kernels_of_any_odd_size_keep_a_constant(kernel_size):
    layer = CARAFE2D(2, kernel_size, compression=4)
    x = np.full((1, 3, 4, 2), 5.0, "float32")
    layer(x)
    layer.set_weights([cases.noise(1, *one.shape) for one in layer.get_weights()])
    np.testing.assert_allclose(to_numpy(layer(x)), 5.0, rtol=1e-5)


def test_their_parameters_are_the_papers():
    c, c_m, k, k_e, s, g = 64, 32, 5, 3, 2, 4
    carafe, *dysample = predicted(s, groups=g)
    expected = [
        (carafe, (c + 1) * 64 + (k_e**2 * 64 + 1) * s * s * g * k * k),
        (dysample[0], (c + 1) * 2 * g * s * s),
        (dysample[1], (2 * c + 1) * 2 * g * s * s),
        (dysample[2], (c // s**2 + 1) * 2 * g),
        (dysample[3], (2 * c // s**2 + 1) * 2 * g),
        (CARAFE2D(s, k, c_m, k_e), (c + 1) * c_m + (k_e**2 * c_m + 1) * s * s * k * k),
    ]
    for layer, parameters in expected:
        layer.build((None, 8, 8, c))
        assert layer.count_params() == parameters, layer.get_config()


def model():
    inputs = keras.Input((8, 8, 16))
    x = CARAFE2D(2, name="carafe")(inputs)
    x = DySample2D(2, name="dysample")(x)
    guide = keras.layers.UpSampling2D(8)(inputs)
    return keras.Model(inputs, pp.layers.GuidedUpSampling2D(1, name="guided")([x, guide]))


def test_inspect_knows_that_they_make_no_checkerboard():
    said = pp.inspect(model())
    names = [stage.layer for stage in said.stages]
    assert {"carafe", "dysample", "guided"} <= set(names)
    assert "weights that sum to 1" in " ".join(str(said).split())
    assert all(stage.chi == 0 for stage in said.stages)
    assert said.shifts == ()


def test_fold_lets_them_be():
    one = model()
    folded = pp.fold(one)
    kinds = [type(layer).__name__ for layer in folded.layers]
    assert {"CARAFE2D", "DySample2D", "GuidedUpSampling2D"} <= set(kinds)
    x = cases.noise(0, 1, 8, 8, 16).astype("float32")
    np.testing.assert_allclose(to_numpy(folded(x)), to_numpy(one(x)), rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match=r"weights that it predicts, which no layer of Keras"):
        pp.fold(one, target="keras")


@pytest.mark.parametrize(
    ("layer", "products"),
    [
        (CARAFE2D(2), 64 * (16 * 64 + 9 * 64 * 100) + 256 * 16 * 25),
        (DySample2D(2), 64 * 16 * 32 + 256 * 16 * 4),
        (DySample2D(2, dynamic_scope=True), 64 * 16 * 64 + 256 * 16 * 4),
        (DySample2D(2, style="pl"), 256 * 4 * 8 + 256 * 16 * 4),
    ],
)
def test_the_products_are_counted(layer, products):
    assert multiply_adds(keras.Sequential([keras.Input((8, 8, 16)), layer])) == products


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CARAFE2D(2, 4), "`kernel_size` must be an odd integer of at least 3"),
        (lambda: CARAFE2D(0), "`size` must be a positive integer"),
        (lambda: CARAFE2D(1.5), "`size` must be a positive integer"),
        (lambda: CARAFE2D(2, groups=3).build((None, 4, 4, 8)), "`groups` must be .* divides"),
        (lambda: DySample2D(2, groups=3).build((None, 4, 4, 8)), "`groups` must be .* divides"),
        (lambda: DySample2D(2, style="xy"), "`style` must be one of lp, pl"),
        (lambda: DySample2D(3, groups=1, style="pl").build((None, 4, 4, 8)), 'Use style="lp"'),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(make, words):
    with pytest.raises(ValueError, match=words):
        make()
