"""What signals, images and volumes are called in sentences."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The words of one rank.

    Attributes:
        image: one of them.
        pixels: its samples.
        areas: where it is constant.
        levels: the unit of a pattern, of which 255 are the range of the images.
        ways: per axis, towards the first sample and towards the last.
    """

    image: str
    pixels: str
    areas: str
    levels: str
    ways: tuple[tuple[str, str], ...]


_IMAGE = (("up", "down"), ("left", "right"))
WORDS = {
    1: Words("signal", "samples", "stretches", "levels", (("to the start", "to the end"),)),
    2: Words("image", "pixels", "areas", "grey levels", _IMAGE),
    3: Words("volume", "voxels", "regions", "levels", (("to the front", "to the back"), *_IMAGE)),
}
