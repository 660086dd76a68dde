"""Inspect a model: which of its layers make checkerboards, how strongly, and what to do."""

from typing import Any

import numpy as np

from polyphase.algebra.checkerboard import checkerboard_gain, pattern
from polyphase.inspection.alignment import shifts
from polyphase.inspection.evidence import Evidence, evidence
from polyphase.inspection.found import Found, found, require_inspectable
from polyphase.inspection.result import Inspection, Stage
from polyphase.inspection.survival import survival
from polyphase.inspection.unread import unread
from polyphase.inspection.verdicts import ROUNDING, verdict
from polyphase.rewrite.fold import fold
from polyphase.rewrite.graph import is_graph
from polyphase.rewrite.report import Report


def inspect(model: Any, images: Any = None) -> Inspection:
    """Return which layers make checkerboards, how strongly, and what to do about it.

    For every layer that upsamples, it reports:

    - how many taps of the kernel overlap in each phase;
    - chi, the checkerboard gain of its weights, and what the layer makes of a constant;
    - how much of that pattern reaches the model's output. The model runs with and without the
      pattern, on constant and on smooth random input or on your images; what changes at the
      layer's period is compared, in absolute units;
    - its multiply-adds, and what `fold` would do to it.

    For strided convolutions, it reports the same of their gradient.

    Args:
        model: a built Keras model or layer. In a Functional or Sequential model the pattern is
            followed to the output. If the model is a class, only its weights are read.
        images: what to run the model on: an array, or a list with one for each input. The output
            (of an autoencoder, its difference from the images) is searched for the pattern of every
            layer, with an interval over the first 1,024 images. A repair is advised where a pattern
            is found. The share that reaches the output is measured on the first 16. None: the model
            runs on constants and smooth random images in the range of its inputs, and no repair is
            advised.

    Returns:
        An `Inspection`, which prints as a table, has `.to_dict()` and is drawn in a notebook. The
        worst layer comes first. `.shifts` names where images are shifted, in pixels of the input:
        two that are joined, against each other, or an output against the input. `.unread` names
        what might upsample and is not read: Keras' operations, layers with code of their own.

    Raises:
        TypeError: for what is not a model.
        ValueError: for a model that is not built, weights that are NaN or infinite, or images that
            do not fit.
        ImportError: if `images` are given and SciPy is not installed.

    Exactness: overlap counts are exact; chi is computed from the weights in float64; shares are
    measured.

    Reference: "Checkerboards" in docs/mathematics.md.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((8, 8, 1)),
        ...     keras.layers.Conv2DTranspose(1, 3, 2, kernel_initializer="ones", name="up")])
        >>> stage, = inspect(model).stages
        >>> stage.layer, round(stage.chi, 2), round(stage.reaches_output["constant"], 2)
        ('up', 0.48, 1.0)
    """
    require_inspectable(model, "inspect")
    layers = found(model)
    report = _folded(model) if layers else None
    findings = {one.layer: one.what for one in report.findings} if report else {}
    shown = evidence(model, layers, images) if images is not None and is_graph(model) else {}
    stages = [
        _stage(model, one, findings.get(one.name), images, shown.get(one.name)) for one in layers
    ]
    return Inspection(
        model.name,
        tuple(sorted(stages, key=lambda stage: stage.severity, reverse=True)),
        report.before if report else None,
        report.after if report else None,
        unread(model, frozenset(id(one.shown) for one in layers)),
        shifts(model) if is_graph(model) else (),
    )


def _stage(
    model: Any, one: Found, folded: str | None, images: Any, shown: Evidence | None
) -> Stage:
    reading = one.reading
    gains = reading.gains
    chi = 0.0 if gains is None else checkerboard_gain(gains)
    visible = chi > ROUNDING and not reading.gradient and is_graph(model)
    shares = (survival(model, one, images) if visible else None) or {}
    reaches = {kind: share.median for kind, share in shares.items()} or None
    said, remedy = verdict(reading, chi, max(reaches.values()) if reaches else None, shown)
    return Stage(
        layer=one.name,
        what=reading.what,
        gradient=reading.gradient,
        overlap=reading.overlap,
        chi=chi,
        pattern=None if gains is None or not ROUNDING < chi < np.inf else pattern(gains),
        reaches_output=reaches,
        reaches_range={kind: (one.low, one.high) for kind, one in shares.items()} or None,
        in_images=shown,
        multiply_adds=one.multiply_adds,
        fold=folded,
        verdict=said,
        remedy=remedy,
    )


def _folded(model: Any) -> Report | None:
    """Return what `fold` would do; None where it cannot say."""
    if not is_graph(model):
        return None
    try:
        _, report = fold(model, return_report=True)
    except ValueError:
        return None
    return report if isinstance(report, Report) else None
