"""The autoencoder whose decoder a comparison exchanges."""

import numpy as np
import pytest

from polyphase.models import DECODERS, ENCODERS, comparison_autoencoder, upsampling_autoencoder


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.grid(8)
def test_every_decoder_goes_4_8_7_14_28_behind_both_encoders(decoder, encoder):
    model = comparison_autoencoder(decoder, encoder=encoder)
    first = next(i for i, layer in enumerate(model.layers) if layer.name == "up_1")
    assert model.layers[first].input.shape == (None, 4, 4, 8)
    shapes = [layer.output.shape[1:] for layer in model.layers[first:]]
    assert shapes == [(8, 8, 8), (7, 7, 8), (14, 14, 8), (28, 28, 1)]


def test_the_even_encoder_is_the_tutorials():
    model, reference = comparison_autoencoder("nearest", encoder="even"), upsampling_autoencoder()
    for ours, published in zip(model.layers[:6], reference.layers[:6], strict=True):
        assert type(ours) is type(published)
        assert ours.output.shape == published.output.shape
        assert ours.count_params() == published.count_params()


def test_widths_are_the_encoders_and_the_decoders():
    model = comparison_autoencoder("nearest", width=5)
    assert {layer.output.shape[-1] for layer in model.layers[:-1]} == {5}
    model = comparison_autoencoder("nearest", widths=(3, 4), width=5)
    assert [model.get_layer(f"up_{i}").filters for i in (1, 2, 3)] == [3, 4, 1]
    assert model.layers[0].filters == 5


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("shape", [(8, 8, 1), (30, 45, 3)])
@pytest.mark.grid(3)
def test_every_decoder_takes_any_size_and_channels(decoder, shape):
    model = comparison_autoencoder(decoder, shape)
    x = np.random.default_rng(0).random((2, *shape), dtype="float32")
    assert model.predict(x, verbose=0).shape == x.shape


def test_an_unknown_decoder_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="Unknown decoder 'cubist'. Choose from: nearest"):
        comparison_autoencoder("cubist")


def test_an_unknown_encoder_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="Unknown encoder 'odd'. Choose from: centred, even"):
        comparison_autoencoder("nearest", encoder="odd")


def test_an_image_that_cannot_be_halved_three_times_is_refused():
    with pytest.raises(ValueError, match="at least 8 pixels. Received: 7 x 28"):
        comparison_autoencoder("nearest", (7, 28, 1))
