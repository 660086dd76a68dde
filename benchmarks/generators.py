"""What trained generators can be known by before their pictures are seen, and what repairs do.

    KERAS_BACKEND=jax python benchmarks/generators.py RUN [RUN ...]

Every RUN is a finished folder of `polyphase compare --task gan`; nothing is trained. Writes
benchmarks/results/generators-BACKEND.json, from which docs/generators.md is rendered, and draws
docs/images/generators.png and, of every run, docs/images/generators-RUN.png:

- `generators`: of every generator, the checkerboard gain chi of its two upsampling layers, how much
  of their patterns reaches the output for 16 latents, and the periodic bias of its images;
- `repaired`: of those whose last layer is a transposed convolution, the periodic bias and the KID
  before and after `repair`;
- `planted`: the periodic bias of training images, as they are and with a checkerboard of known
  strength: what the measure reads of a known answer.
"""

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import results_file

import polyphase as pp
from polyphase.datasets import Dataset, load
from polyphase.report.figures import rows
from polyphase.report.study import scatter
from polyphase.report.style import png
from polyphase.workbench import evidence
from polyphase.workbench.adversarial.judging import judge_of, made_images
from polyphase.workbench.adversarial.latents import latents
from polyphase.workbench.checkerboards import measure
from polyphase.workbench.results import Comparison, Trial
from polyphase.workbench.runs import file_name
from polyphase.workbench.tasks.task import NOT_TRAINED

IMAGES = Path(__file__).parents[1] / "docs" / "images"
REPAIRED = "transposed-3"  # the last stage of what is repaired
LEVELS = (0, 0.5, 1, 2, 4, 8)  # of 255: of planted checkerboards
FEW = 16  # latents on which the way to the output is measured


def layers(model: keras.Model) -> list[dict[str, float]]:
    """Return chi, and the share that reaches the output, of the upsampling layers in order."""
    shown = latents(NOT_TRAINED, 0, 0, (FEW, int(model.input_shape[-1])))
    stages = {stage.layer: stage for stage in pp.inspect(model, images=shown).stages}
    ordered = [stages[layer.name] for layer in model.layers if layer.name in stages]
    return [
        {"chi": one.chi, "reaches": (one.reaches_output or {}).get("images", 0.0)}
        for one in ordered
        if not one.gradient
    ]


def repaired(model: keras.Model, dataset: Dataset) -> dict[str, float]:
    """Return the periodic bias and the KID of what a repaired generator makes."""
    new, judge = pp.repair(model), judge_of(dataset)
    images = made_images(new, judge.count)
    return {"bias": bias(new, dataset, images), "kid": judge.kid(images)}


def bias(model: keras.Model, dataset: Dataset, images: np.ndarray) -> float:
    """Return the periodic bias as `polyphase compare` does."""
    real = dataset.validation.pixels[: len(images)]
    return measure(model, real, images[: len(real)], paired=False).bias


def planted(dataset: Dataset) -> list[dict[str, float]]:
    """Return what the periodic bias reads of training images with checkerboards of known size."""
    real = dataset.validation.pixels
    images = dataset.train.pixels[: len(real)]
    board = np.indices(images.shape[1:3]).sum(axis=0)[..., None] % 2 - 0.5
    return [
        {
            "levels": level,
            "bias": float(pp.metrics.PeriodicBias(2)(real, images + 2 * level / 255 * board)),
        }
        for level in LEVELS
    ]


def measured(run: str, trial: Trial, model: keras.Model, dataset: Dataset) -> dict[str, Any]:
    """Return everything of one generator."""
    found = {
        "run": run,
        "decoder": trial.decoder,
        "seed": trial.seed,
        "layers": layers(model),
        "bias": trial.checkerboard.bias,
        "kid": trial.validation_loss,
    }
    if trial.decoder.split("/")[-1] == REPAIRED:
        found["repaired"] = repaired(model, dataset)
    return found


def draw(name: str, comparison: Comparison) -> None:
    """Draw what the first seed of every decoder makes of the same latents."""
    first = {one.decoder: one.reconstructions for one in reversed(comparison.trials)}
    made = {decoder: first[decoder] for decoder in comparison.decoders}
    count = len(next(iter(made.values())))
    (IMAGES / f"generators-{name}.png").write_bytes(png(rows(made, [""] * count)[0]))


def of_run(folder: Path) -> tuple[list[dict[str, Any]], Dataset]:
    """Return everything of the generators of a run that did not fail, and their data."""
    comparison: Comparison = evidence.load(folder)
    data, found = comparison.config["data"], []
    dataset = load(data["source"], data["size"], data["grey"])
    draw(folder.name, comparison)
    for trial in comparison.trials:
        if trial.history[-1].trouble:
            continue
        path = folder / "models" / f"{file_name(trial.decoder)}-seed{trial.seed}.keras"
        found.append(measured(folder.name, trial, keras.models.load_model(path), dataset))
        print(found[-1], flush=True)
    return found, dataset


def main() -> None:
    """Measure the runs that the command names and write the results."""
    if not sys.argv[1:]:
        sys.exit("Name finished runs of `polyphase compare --task gan`: generators.py RUN ...")
    runs = [of_run(Path(name)) for name in sys.argv[1:]]
    generators = [one for found, _ in runs for one in found]
    results_file.write("generators", generators=generators, planted=planted(runs[0][1]))
    (IMAGES / "generators.png").write_bytes(png(scatter(generators)))


if __name__ == "__main__":
    main()
