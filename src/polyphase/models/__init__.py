"""The reference systems and the decoders that a comparison trains."""

from polyphase.models.autoencoders import (
    ENCODERS,
    comparison_autoencoder,
    transposed_autoencoder,
    upsampling_autoencoder,
)
from polyphase.models.decoders import DECODERS, TRAITS, Traits, decoder
from polyphase.models.generators import transposed_generator, upsampling_generator

__all__ = [
    "DECODERS",
    "ENCODERS",
    "TRAITS",
    "Traits",
    "comparison_autoencoder",
    "decoder",
    "transposed_autoencoder",
    "transposed_generator",
    "upsampling_autoencoder",
    "upsampling_generator",
]
