"""The captions of figures and tables, on the page and in print, and the settings of a run."""

from collections.abc import Mapping
from typing import Any

from polyphase.report import table
from polyphase.report.checkerboards import SHOWN
from polyphase.report.style import capital
from polyphase.workbench.results import Comparison

_TIMES = "\N{MULTIPLICATION SIGN}"
LOSSES = {
    "binary_crossentropy": "Binary cross-entropy",
    "mean_squared_error": "Mean squared error (in grey levels of 255, squared)",
    "mean_absolute_error": "Mean absolute error (in grey levels of 255)",
}
_PARTS = ("train", "validation", "test")


def figures(comparison: Comparison) -> dict[str, str]:
    """Return the caption of each figure, by its name."""
    seeds = table.seeds(comparison)
    channels = ", mean over the channels" if comparison.originals.shape[-1] == 3 else ""
    dashed = " Dashed: the floor of the data, which no reconstruction can go below."
    floor = dashed if comparison.floor is not None else ""
    over = ": mean over the seeds, with a band from the least to the greatest."
    curves = (
        f"{capital(comparison.task.measure)} after each epoch"
        f"{over if len(seeds) > 1 else ', one seed.'}{floor}"
    )
    if not comparison.task.paired:
        return {"learning-curves": curves} | _of_generators(comparison)
    return {
        "learning-curves": curves,
        "reconstructions": f"The same {len(comparison.originals)} {comparison.task.test}, and what "
        f"every decoder makes of them, seed {seeds[0]}."
        f"{_given(comparison)}{_untrained(comparison)}",
        "error-maps": f"Reconstruction minus original{channels}, seed {seeds[0]}; one scale for "
        "all.",
        "checkerboards": f"Seed {seeds[0]}. First row: what the last upsampling layer makes of a "
        "constant; grey is its mean, black is 0, and white is twice the mean. Second row: the mean "
        "error at every position in that layer's period, minus the mean over all positions, from "
        f"{-SHOWN} (blue) to {SHOWN} (red) grey levels of 255. The scale is the same for all data: "
        f"one level is invisible in an image.{_harmonics(comparison)} Last: the power of the "
        "errors by frequency along rows; dotted lines mark multiples of one over a period.",
    }


def _of_generators(comparison: Comparison) -> dict[str, str]:
    seeds = table.seeds(comparison)
    over = ": mean over the seeds, with a band from the least to the greatest" * (len(seeds) > 1)
    return {
        "samples": f"First row: {len(comparison.originals)} test images. Below them, what every "
        f"decoder made from the same {len(comparison.originals)} latents, seed {seeds[0]}, without "
        "selection.",
        "neighbours": "What every decoder made and, below each image, the training image that is "
        f"nearest to it, pixel by pixel; seed {seeds[0]}.",
        "spectra": "Power of the images at every frequency, from coarse to fine detail, whatever "
        f"its direction, on a logarithmic scale{over}. Dashed: training images. In the finest "
        "detail, at 0.5, one pixel is bright and the next dark.",
        "checkerboards": f"Seed {seeds[0]}. First row: what the last upsampling layer makes of a "
        "constant; grey is its mean, black is 0, and white is twice the mean. Second row: the mean "
        "of the generated images minus the mean of the validation images at every position in that "
        f"layer's period, minus the mean over all positions, from {-SHOWN} (blue) to {SHOWN} (red) "
        "grey levels of 255. The scale is the same for all data: one level is invisible in an "
        f"image.{_harmonics(comparison).replace('errors', 'generated images')} Last: the power of "
        "the generated images by frequency along rows; dotted lines mark multiples of one over a "
        "period.",
    }


def _given(comparison: Comparison) -> str:
    """Say what the models were given, if that is not the image itself."""
    given = comparison.task.given
    return f" Second row: what the models are given ({given})." if given else ""


def _untrained(comparison: Comparison) -> str:
    more = [one.name for one in comparison.baselines if one.name != comparison.task.given]
    return " Last rows: results without training." if more else ""


def _harmonics(comparison: Comparison) -> str:
    """Say what the row of harmonics is, where there is one."""
    if any(one.checkerboard.harmonics is None for one in comparison.trials):
        return ""
    return (
        " Third row: the strength of the errors at every harmonic of the longest period, from 0 "
        f"(white) to {SHOWN} grey levels (black); the slowest is in the middle, the finest at the "
        "border."
    )


def intervals(best: str, seeds: int, measure: str) -> str:
    """Say what the intervals of the differences to the best decoder are."""
    return (
        f"{capital(measure)} minus that of {best} with the same seed: the mean over {seeds} seeds, "
        "and its 95% confidence interval. The intervals hold for all pairs of decoders together, "
        "because the seeds also decide which decoder is lowest: "
        "Tukey\N{RIGHT SINGLE QUOTATION MARK}s studentised range, with a spread of its own for "
        "every decoder. An interval that includes zero decides nothing."
    )


def settings(comparison: Comparison) -> list[tuple[str, str]]:
    """Return what a repetition needs, as names and texts."""
    config = comparison.config
    data, machine = config.get("data", {}), config.get("machine", {})
    counts = ", ".join(f"{data[part]:,} {part}" for part in _PARTS if data.get(part) is not None)
    versions = config.get("versions", {})
    found = [
        ("Data", f"{data.get('name', '')}, from {data.get('source', '')}"),
        ("SHA-256 of the data", data.get("sha256", "")),
        ("Images", f"{counts}; each {f' {_TIMES} '.join(map(str, data.get('shape', ())))}"),
        ("Seeds", ", ".join(map(str, table.seeds(comparison)))),
        *((capital(name), _each(value)) for name, value in _training(config).items()),
        ("Classifier", _classifier(config)),
        ("Backend", config.get("backend", "")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("Machine", f"{machine.get('cpus', '')} CPUs, {machine.get('platform', '')}"),
        ("Started", config.get("started", "")),
    ]
    return [(name, str(text)) for name, text in found if text]


def held_fixed(comparison: Comparison) -> str:
    """Say which settings are the same for every decoder of one run, and which are not."""
    training = _training(comparison.config)
    same = [f"{name} {_each(value)}" for name, value in training.items() if not differ(value)]
    other = [f"{name} {_each(value)}" for name, value in training.items() if differ(value)]
    said = [f"The same for every decoder: {'; '.join(['data', 'seeds', *same])}."]
    if other:
        said.append(f"Not the same: {'; '.join(other)}.")
    if comparison.config.get("match"):
        said.append(f"Widths were chosen so that {comparison.config['match']} agree.")
    if comparison.config.get("search"):
        said.append("The learning rate was searched for each decoder.")
    return " ".join(said)


def differ(value: Any) -> bool:
    """Whether a setting is given per decoder, and not the same for all."""
    return isinstance(value, Mapping) and len(set(value.values())) > 1


def _training(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return how models were trained; each value is one for all, or one for each decoder."""
    widths = {name: " and ".join(map(str, two)) for name, two in config.get("widths", {}).items()}
    found = {
        "epochs": f"to a plateau, {config['minutes']:g} minutes at most"
        if config.get("minutes")
        else config.get("epochs"),
        "batch size": config.get("batch_size"),
        "learning rate": config.get("learning_rate"),
        "encoder": config.get("encoder"),
        "width": config.get("width"),
        "widths": widths,
        "optimizer": config.get("optimizer"),
        "loss": config.get("loss"),
        "discriminator": config.get("discriminator"),
        "penalties R1 and R2": penalty(config),
    }
    return {name: value for name, value in found.items() if value}


def penalty(config: Mapping[str, Any]) -> str:
    """Write the weight of the penalties on a discriminator's gradients."""
    weight = config.get("penalty")
    return "" if weight is None else f"weight {weight:g}"


def _classifier(config: Mapping[str, Any]) -> str:
    """Name the classifier that judges made images, with its digest."""
    found = config.get("classifier") or {}
    return ", SHA-256 ".join(filter(None, [found.get("name"), found.get("sha256")]))


def _each(value: Any) -> str:
    """Write one value for all decoders, or one for each where they differ."""
    if not isinstance(value, Mapping):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if not differ(value):
        return "".join(_each(one) for one in list(value.values())[:1])
    return ", ".join(f"{decoder} {_each(one)}" for decoder, one in value.items())
