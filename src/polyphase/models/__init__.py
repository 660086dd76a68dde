"""The tutorials' models, and the decoders and networks that a comparison trains."""

from polyphase.models.autoencoders import (
    ENCODERS,
    comparison_autoencoder,
    transposed_autoencoder,
    upsampling_autoencoder,
)
from polyphase.models.decoders import DECODERS, TRAITS, Traits, decoder
from polyphase.models.generators import transposed_generator, upsampling_generator
from polyphase.models.unets import comparison_unet
from polyphase.models.upscalers import comparison_upscaler

__all__ = [
    "DECODERS",
    "ENCODERS",
    "TRAITS",
    "Traits",
    "comparison_autoencoder",
    "comparison_unet",
    "comparison_upscaler",
    "decoder",
    "transposed_autoencoder",
    "transposed_generator",
    "upsampling_autoencoder",
    "upsampling_generator",
]
