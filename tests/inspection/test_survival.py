"""How much of a known pattern reaches the output, through layers of which that is known."""

import keras
import numpy as np
import pytest
from keras import layers
from keras.layers import Conv2DTranspose, Input

import polyphase as pp


def model_of(*stages, shape=(16, 16, 3)):
    keras.utils.set_random_seed(1)
    up = Conv2DTranspose(4, 3, 2, padding="same", name="up", bias_initializer="ones")
    return keras.Sequential([Input(shape), up, *stages])


def stage_of(model, **kwargs):
    (stage,) = (one for one in pp.inspect(model, **kwargs).stages if one.layer == "up")
    return stage


def box():
    """The mean over a period: what cancels every pattern of it."""
    return layers.DepthwiseConv2D(
        2, use_bias=False, depthwise_initializer=keras.initializers.Constant(0.25)
    )


def eye(scale):
    return layers.Conv2D(
        4, 1, kernel_initializer=lambda shape, dtype: scale * np.eye(4)[None, None]
    )


SURVIVES = {
    "alone": (lambda: [], 1.0),
    "offset": (lambda: [layers.Rescaling(1.0, 20.0)], 1.0),
    "half": (lambda: [layers.Rescaling(0.5)], 0.5),
    "weights": (lambda: [eye(0.25)], 0.25),
    "normalised": (lambda: [layers.BatchNormalization()], 1.0),
    "nearest": (lambda: [layers.UpSampling2D()], 1.0),
    "nearest by 3": (lambda: [layers.UpSampling2D(3)], 1.0),
    "cut": (lambda: [layers.Cropping2D(((1, 2), (3, 0)))], 1.0),
    "unpadded": (lambda: [layers.Cropping2D(2), eye(1.0), layers.Cropping2D(1)], 1.0),
}
DIES = {
    "pooled": lambda: [layers.AveragePooling2D(2)],
    "rectified and pooled": lambda: [layers.ReLU(), layers.AveragePooling2D(2)],
    "pooled and enlarged": lambda: [layers.AveragePooling2D(2), layers.UpSampling2D(2)],
    "blurred": lambda: [box()],
    "blurred beside an offset": lambda: [box(), layers.Rescaling(1.0, 20.0)],
    "multiplied by nothing": lambda: [layers.Rescaling(0.0)],
}


@pytest.mark.parametrize("name", SURVIVES)
def test_what_survives_is_as_strong_as_the_layers_let_it(name):
    make, share = SURVIVES[name]
    stage = stage_of(model_of(*make()))
    for kind in ("constant", "smooth"):
        assert stage.reaches_output[kind] == pytest.approx(share, rel=0.05), kind
        low, high = stage.reaches_range[kind]
        assert low <= stage.reaches_output[kind] <= high
    assert stage.exceeds(0.05)


@pytest.mark.parametrize("name", DIES)
def test_what_is_cancelled_fails_no_check(name):
    stage = stage_of(model_of(*DIES[name]()))
    assert stage.chi > 0.1
    assert stage.reaches < 0.03
    assert "cancel" in stage.verdict
    assert not stage.exceeds(0.05)


def test_it_is_measured_on_images_that_are_given():
    """Black images, through a layer without bias, show no pattern; others do."""
    keras.utils.set_random_seed(1)
    up = Conv2DTranspose(4, 3, 2, padding="same", name="up", use_bias=False)
    model = keras.Sequential([Input((16, 16, 3)), up])
    bright = np.random.default_rng(0).random((20, 16, 16, 3))
    assert stage_of(model, images=bright).reaches_output == {"images": pytest.approx(1)}
    assert stage_of(model, images=0 * bright).reaches_output is None


@pytest.mark.parametrize("shape", [(4, 16, 16, 1), (4, 8, 16, 3), (16, 16, 3), (0, 16, 16, 3)])
def test_images_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match=r"must fit the model's inputs.*Received"):
        pp.inspect(model_of(), images=np.zeros(shape))


def test_of_what_is_no_image_nothing_is_said():
    stage = stage_of(model_of(layers.GlobalAveragePooling2D()))
    assert stage.reaches is None
    assert stage.exceeds(0.05)


def test_the_spread_is_over_the_draws():
    """A gate that opens for half of the images lets the pattern through for those."""

    inputs = Input((16, 16, 3))
    up = Conv2DTranspose(1, 3, 2, padding="same", name="up")(inputs)
    mean = layers.GlobalAveragePooling2D(keepdims=True)(inputs)
    sign = keras.ops.relu(
        keras.ops.sign(layers.Conv2D(1, 1, kernel_initializer="ones")(mean) - 1.5)
    )
    stage = stage_of(keras.Model(inputs, up * sign))
    low, high = stage.reaches_range["constant"]
    assert low < 0.01
    assert high == pytest.approx(1, rel=0.01)


def test_the_generators_draws_are_normal_and_rescaled_images_are_in_their_range():
    from polyphase.inspection.draws import DRAWS, draws

    latent = keras.Sequential([Input((7,)), layers.Dense(4), layers.Reshape((2, 2, 1))])
    (part,) = draws(latent)["constant"]
    assert part[0].shape == (DRAWS // 2, 7)
    assert part[0].min() < -1
    images = keras.Sequential([Input((8, 8, 3)), layers.Rescaling(1 / 127.5, -1.0)])
    ((array,),) = draws(images)["smooth"]
    assert 0 <= array.min() < 30
    assert 150 < array.max() <= 255
    unit = keras.Sequential([Input((8, 8, 3)), layers.ReLU()])
    ((array,),) = draws(unit)["constant"]
    assert 0 <= array.min() < array.max() <= 1


@pytest.mark.parametrize("batch", [3, 20])
def test_a_model_of_a_fixed_batch_is_run_in_batches_of_that(batch):
    keras.utils.set_random_seed(1)
    inputs = Input(batch_shape=(batch, 8, 8, 3))
    fixed = keras.ops.reshape(inputs, (batch, 8, 8, 3))
    model = keras.Model(inputs, Conv2DTranspose(4, 3, 2, name="up")(fixed))
    assert stage_of(model).reaches_output == {
        "constant": pytest.approx(1),
        "smooth": pytest.approx(1),
    }
    assert stage_of(model, images=np.ones((2, 8, 8, 3))).reaches_output == {
        "images": pytest.approx(1)
    }


def test_integer_images_are_in_their_range_and_labels_are_not_images():
    from polyphase.inspection.draws import draws

    inputs = Input((8, 8, 3), dtype="uint8")
    ((image,),) = draws(keras.Model(inputs, layers.Rescaling(1 / 255)(inputs)))["smooth"]
    assert image.dtype == "uint8"
    assert len(np.unique(image)) > 20
    ((label,),) = draws(keras.Sequential([Input((1,), dtype="int32"), layers.Embedding(2, 3)]))[
        "smooth"
    ]
    assert set(np.unique(label)) == {0, 1}


def test_a_rescaling_to_nothing_has_no_range():
    inputs = Input((8, 8, 3))
    up = Conv2DTranspose(4, 3, 2, name="up", bias_initializer="ones")
    stage = stage_of(keras.Model(inputs, up(layers.Rescaling(0.0)(inputs))))
    assert stage.reaches is None  # of a black image there is no pattern
