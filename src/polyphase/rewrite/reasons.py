"""Reasons, in a sentence: what another library's error says, why an upsampling is left alone."""

import re
from typing import Any

from polyphase.rewrite.activations import watched

WATCHED = "its activity_regularizer reads the upsampled image"
ALIGNED = "its corners are aligned"
_LONGEST = 300  # characters
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
# Keras puts a call's whole story around the error that ended it.
_BEFORE = ("Exception encountered:", "Exception encountered when calling")
_AFTER = ("Arguments received by", "Full object config:", "Call arguments received by")


def sentence_of(error: BaseException) -> str:
    """Return the first sentence of an error's own message, without a full stop.

    Example:
        >>> sentence_of(ValueError("The kernel is too large. Received: kernel_size=9"))
        'The kernel is too large'
        >>> sentence_of(KeyError("units"))
        "KeyError: 'units'"
    """
    text = _COLOURS.sub("", str(error))
    for mark in _BEFORE:
        if mark in text:
            text = text.rsplit(mark, 1)[-1].split("\n\n", 1)[-1]
    for mark in _AFTER:
        text = text.split(mark, 1)[0]
    text = " ".join(text.split())
    sentence = re.split(r"(?<=[^.\d])\. (?=\W*[A-Z])", text, maxsplit=1)[0].rstrip(".: ")
    if len(sentence) > _LONGEST:
        sentence = sentence[:_LONGEST].rsplit(" ", 1)[0] + " ..."
    bare = isinstance(error, KeyError) or not sentence
    return f"{type(error).__name__}: {sentence}".rstrip(": ") if bare else sentence


def why_alone(layer: Any) -> str:
    """Return why a layer that upsamples is not read as an upsampling."""
    if watched(layer):
        return WATCHED
    if getattr(layer, "align_corners", False):
        return ALIGNED
    return "not the numbers of our interpolation"
