"""Skip connections stay as they are, whatever interpolation enlarges what they are joined with."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.layers import ConcatConv2D, UpSampling2D
from polyphase.ops import device
from tests.ops import cases
from tests.rewrite.helpers import assert_equal_outputs, layers_of

SIZES = [(2, 2), (1, 2), (1, 1), (2, 1), (3, 1)]
if keras.backend.backend() == "jax":  # each is compiled
    SIZES = SIZES[:3]


def u_net(interpolation, size, activation="relu"):
    """Upsampling joined with a skip, before and after it, and a 1x1 convolution of both."""
    x, skip = keras.Input((6, 6, 3)), keras.Input((6 * size[0], 6 * size[1], 2))
    up = UpSampling2D(size, interpolation=interpolation)(x)
    joined = keras.layers.Concatenate()([skip, up])
    y = keras.layers.Conv2D(4, 1, activation=activation, bias_initializer="normal")(joined)
    again = keras.layers.Concatenate()([up, skip, up])
    return keras.Model([x, skip], [y, keras.layers.Conv2D(2, 1)(again)])


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
@pytest.mark.grid(2)
def test_folded_u_nets_leave_skips_as_they_are(interpolation):
    for size in SIZES:
        keras.utils.set_random_seed(0)
        model = u_net(interpolation, size)
        folded = pp.fold(model)
        if max(size) > 1:
            assert len(layers_of(folded, ConcatConv2D)) == 2
        assert_equal_outputs(model, folded)


@pytest.mark.parametrize(("side", "split"), [(64, True), (8, False)])
def test_a_concatenation_of_interpolated_channels_is_split_where_it_is_blurred(side, split):
    """Large images with many channels are, on every backend; small ones are border on all.

    But on TensorFlow without oneDNN, for which blurs were not measured.
    """
    backend = keras.backend.backend()
    split = split and (backend != "tensorflow" or device.has_onednn(backend))
    x, skip = keras.Input((side, side, 128)), keras.Input((2 * side, 2 * side, 4))
    up = keras.layers.UpSampling2D(interpolation="bilinear")(x)
    joined = keras.layers.Concatenate()([up, skip])
    model = keras.Model([x, skip], keras.layers.Conv2D(64, 3, padding="same")(joined))
    folded = pp.fold(model)
    assert len(layers_of(folded, ConcatConv2D)) == split
    assert_equal_outputs(model, folded)
    before, after = (pp.rewrite.Cost.of(one).multiply_adds for one in (model, folded))
    assert after < before / 1.5 if split else after == before


def test_a_concatenation_says_how_its_images_are_computed(tmp_path):
    x, skip = keras.Input((8, 9, 3)), keras.Input((16, 18, 2))
    layer = ConcatConv2D(4, 3, [2, 1], "same", "bilinear", lowering="blur")
    model = keras.Model([x, skip], layer([x, skip]))
    plain = keras.Model([x, skip], ConcatConv2D(4, 3, [2, 1], "same", "bilinear")([x, skip]))
    plain.set_weights(model.get_weights())
    assert_equal_outputs(model, plain)
    model.save(tmp_path / "m.keras")
    assert keras.saving.load_model(tmp_path / "m.keras").layers[-1].lowering == "blur"
    found = pp.tune(
        model, [np.ones((1, *one.shape[1:]), "float32") for one in model.inputs], seconds=0.02
    )
    assert set(found[0].times) >= {"direct", "blur"}
    with pytest.raises(ValueError, match="lowering"):
        ConcatConv2D(4, 3, [2, 1], "same", lowering="quick")(
            [np.ones((1, 2, 2, 1)), np.ones((1, 4, 4, 1))]
        )


@pytest.mark.parametrize("interpolation", cases.INTERPOLATIONS)
def test_layers_of_size_1_become_the_same_of_keras(interpolation):
    x, skip = keras.Input((4, 5, 3)), keras.Input((4, 5, 2))
    joined = ConcatConv2D(2, 3, size=(1, 1), interpolation=interpolation, padding="same")
    model = keras.Model([x, skip], joined([x, skip]))
    assert_equal_outputs(model, pp.fold(model, target="keras"))
    single = pp.layers.UpSampleConv2D(2, 3, size=1, interpolation=interpolation)
    model = keras.Model(x, single(x))
    if interpolation == "mitchell":  # which smooths by 1: no layer of Keras' does
        with pytest.raises(ValueError, match="upsamples by 'mitchell'"):
            pp.fold(model, target="keras")
    else:
        assert_equal_outputs(model, pp.fold(model, target="keras"))


def test_a_skip_costs_and_counts_as_nothing_that_is_upsampled():
    for interpolation in cases.INTERPOLATIONS:
        x = keras.Input((4, 5, 3))
        layer = ConcatConv2D(2, 1, size=(1, 1), interpolation=interpolation)
        model = keras.Model(x, layer([x, x]))
        assert not pp.inspect(model).stages
        assert pp.inspection.multiply_adds(model) == 4 * 5 * 6 * 2
        assert pp.rewrite.Cost.of(model).multiply_adds == 4 * 5 * 6 * 2


def test_the_formula_of_mitchell_by_1_smooths_on_every_backend():
    """`UpSampling2D(1, "mitchell")` of its own: phi(0), phi(1) = 16/18, 1/18 of the pixels."""
    x = np.zeros((1, 5, 5, 1), "float32")
    x[0, 2, 2] = 324
    y = keras.ops.convert_to_numpy(UpSampling2D(1, interpolation="mitchell")(x))[0, 1:4, 1:4, 0]
    np.testing.assert_allclose(y, [[1, 16, 1], [16, 256, 16], [1, 16, 1]], atol=1e-3)
