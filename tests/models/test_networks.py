"""The U-Net and the network of super-resolution: what they begin as, and sizes of any kind."""

import keras
import numpy as np
import pytest

import polyphase as pp
from polyphase.models import comparison_autoencoder, comparison_unet, comparison_upscaler
from polyphase.models.gans import gan_generator
from tests.gradients import to_numpy


@pytest.mark.parametrize("sides", [(8, 8), (28, 28), (17, 30), (9, 33)])
def test_a_unet_keeps_the_size_of_any_image(sides):
    model = comparison_unet("transposed-4", (*sides, 1), widths=(5, 3), width=4)
    assert model.output_shape == (None, *sides, 1)
    assert model.predict(np.zeros((2, *sides, 1)), verbose=0).shape == (2, *sides, 1)


def test_ways_lead_across():
    """A single pixel of the input is seen beside the code: its level's features come to the end."""
    keras.utils.set_random_seed(0)
    model = comparison_unet("nearest", (32, 32, 1))
    joins = [one for one in model.layers if isinstance(one, keras.layers.Concatenate)]
    assert [one.output.shape[1] for one in joins] == [8, 16, 32]


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("decoder", ["nearest", "subpixel", "carafe"])
def test_super_resolution_begins_with_bicubic_upsampling(scale, decoder):
    model = comparison_upscaler(decoder, (16, 24, 2), scale)
    x = np.random.default_rng(0).random((2, 16 // scale, 24 // scale, 2), dtype="float32")
    bicubic = pp.ops.upsample(x, scale, interpolation="bicubic")
    np.testing.assert_allclose(to_numpy(model(x)), to_numpy(bicubic), atol=1e-6)


@pytest.mark.parametrize(("sides", "scale"), [((16, 16), 3), ((15, 16), 2), ((16, 18), 4)])
def test_scales_that_do_not_fit_are_refused(sides, scale):
    with pytest.raises(ValueError, match=f"Received: {scale}, {sides[0]} x {sides[1]}"):
        comparison_upscaler("nearest", (*sides, 1), scale)


def test_images_that_are_too_small_for_a_unet_are_refused():
    with pytest.raises(ValueError, match="at least 8 pixels. Received: 7 x 8"):
        comparison_unet("nearest", (7, 8, 1))


@pytest.mark.parametrize(
    "network", [comparison_autoencoder, comparison_unet, gan_generator, comparison_upscaler]
)
def test_the_last_stage_may_be_another(network):
    more = {"scale": 4} if network is comparison_upscaler else {}
    model = network("nearest/transposed-3", (16, 16, 1), **more)
    stages = [type(one).__name__ for one in model.layers if one.name.startswith("up_")]
    assert len(stages) > 1
    assert stages == ["UpSampleConv2D"] * (len(stages) - 1) + ["Conv2DTranspose"]


@pytest.mark.parametrize(
    ("name", "scale", "message"),
    [
        ("nearest/", 4, "Unknown decoder ''"),
        ("nearest/transposed-3/subpixel", 4, "Unknown decoder 'transposed-3/subpixel'"),
        ("nearest/transposed-3", 2, "has one stage, and 'nearest/transposed-3' names two"),
    ],
)
def test_stages_that_no_network_has_are_refused(name, scale, message):
    with pytest.raises(ValueError, match=message):
        comparison_upscaler(name, (16, 16, 1), scale)
