"""The results of a comparison as data, from which the figures and the page are made."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from polyphase.workbench.checkerboards import Checkerboard
from polyphase.workbench.tasks import Task, task_of


@dataclass(frozen=True)
class Epoch:
    """One epoch of one training.

    Attributes:
        loss: mean training loss over the epoch, in the unit of the task's loss.
        validation_loss: loss on the validation images after the epoch.
        seconds: wall time of the epoch's training steps, without validation.
    """

    loss: float
    validation_loss: float
    seconds: float

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of what was measured, as in `metrics.jsonl`, in their order."""
        return [one.name for one in fields(cls) if one.compare]

    @property
    def measured(self) -> dict[str, float]:
        """What was measured, by name."""
        return {name: getattr(self, name) for name in self.names()}

    @property
    def trouble(self) -> str:
        """Why the training ended with this epoch; an empty text if nothing went wrong."""
        return ""

    @property
    def words(self) -> str:
        """The words for this epoch that are printed while the training runs."""
        return f"validation loss {self.validation_loss:.4f}"


LEAST_SPREAD = 0.02  # of the images' own: less is one image for all latents


@dataclass(frozen=True)
class GanEpoch(Epoch):
    """One epoch of a generator and a discriminator; losses are means over its steps.

    Attributes:
        loss: loss of the generator.
        validation_loss: KID of 1,000 generated images from the validation images, in the features
            of a small classifier; NaN if something went wrong, or there is no classifier.
        discriminator: loss of the discriminator, without the penalties.
        penalty: R1 and R2 together, unweighted.
        spread: standard deviation of the generated images over latents, averaged over their pixels,
            divided by that of as many training images.
        picture: a PNG file of the images made from the same 64 latents; empty if none was made.
    """

    discriminator: float
    penalty: float
    spread: float
    picture: bytes = field(default=b"", compare=False, repr=False)

    @property
    def trouble(self) -> str:
        """What went wrong, in words; an empty text if nothing did."""
        losses = (self.loss, self.discriminator, self.penalty, self.spread)
        if not all(map(math.isfinite, losses)):
            return "a loss is not finite"
        if self.spread < LEAST_SPREAD:
            return "all latents give one image"
        return ""

    @property
    def words(self) -> str:
        """The words for this epoch that are printed while the training runs."""
        said = f"generator {self.loss:.3f}, discriminator {self.discriminator:.3f}"
        return (
            said if math.isnan(self.validation_loss) else f"KID {self.validation_loss:.4f}, {said}"
        )


def epoch_of(line: Mapping[str, Any]) -> Epoch:
    """Return an epoch of what was measured of it."""
    kind = GanEpoch if "spread" in line else Epoch
    return kind(**{name: line[name] for name in kind.names()})


@dataclass(frozen=True, eq=False)
class Imitation:
    """How near generated images are to the validation images, in features of a small classifier.

    Attributes:
        fid: Fréchet distance of the features; see `adversarial.distances.fid`.
        precision: share of the generated images that lie among real ones.
        recall: share of the real images that lie among generated ones.
        modes: how many classes of the training images were generated.
        reverse_kl: divergence of the classes' frequencies from those of the training images, nats.
        spectral_distance: in decades; see `adversarial.spectra.spectral_distance`.
        nearness: mean distance to the nearest training image, pixel by pixel, divided by that of
            the validation images; 0: copies, 1: as far as new images.
        spectrum: `(side // 2,)`, power of the generated images at each radius.
        neighbours: the training images that are nearest to the shown ones, in their shape.
    """

    fid: float
    precision: float
    recall: float
    modes: int
    reverse_kl: float
    spectral_distance: float
    nearness: float
    spectrum: np.ndarray
    neighbours: np.ndarray

    @classmethod
    def names(cls) -> list[str]:
        """Return the names of its numbers, as in `metrics.jsonl`."""
        return [one.name for one in fields(cls) if one.name not in ("spectrum", "neighbours")]


@dataclass(frozen=True, eq=False)
class Trial:
    """One trained model: a decoder with one seed.

    Attributes:
        decoder: the decoder's name.
        seed: the seed of weights and data order.
        parameters: trainable parameters of the whole model.
        multiply_adds: multiply-adds of one image through the whole model, as written.
        multiply_adds_computed: the same, as the backend's lowerings compute them; None: not known.
        offset: pixels `(rows, columns)` by which the output lies too far up and left of the input;
            None: not known.
        history: one entry per epoch.
        psnr: mean over the validation images, dB, peak 1; NaN for generated images.
        ssim: mean over the validation images, at most 1; NaN for generated images.
        inference_seconds: median seconds per image through the whole model, in batches, after
            warm-up.
        reconstructions: `(8, height, width, channels)` float32 in 0..1, of the shown images; for a
            generator, images that it made from random numbers.
        checkerboard: the patterns that its upsampling leaves, on the validation images.
        decoder_seconds: like `inference_seconds`, but from the code to the output; None for a
            published model, or an older run in which this was not measured.
        imitation: for a generator, how near its images are to real ones; None for other models.
    """

    decoder: str
    seed: int
    parameters: int
    multiply_adds: int
    multiply_adds_computed: int | None
    offset: tuple[float, ...] | None
    history: tuple[Epoch, ...]
    psnr: float
    ssim: float
    inference_seconds: float
    reconstructions: np.ndarray
    checkerboard: Checkerboard
    decoder_seconds: float | None = None
    imitation: Imitation | None = None

    @property
    def validation_losses(self) -> list[float]:
        """The validation loss after each epoch."""
        return [epoch.validation_loss for epoch in self.history]

    @property
    def validation_loss(self) -> float:
        """The validation loss after the last epoch."""
        return self.history[-1].validation_loss

    @property
    def seconds_per_epoch(self) -> float:
        """Median over the epochs, without the first (it compiles) where there are more."""
        return float(np.median([epoch.seconds for epoch in self.history[1:] or self.history]))


def floor_of(config: dict[str, Any]) -> float | None:
    """Return the floor of a comparison's loss; see `Comparison`."""
    floor: float = config["data"]["floor"]
    return floor if task_of(config).loss == "binary_crossentropy" else None


@dataclass(frozen=True, eq=False)
class Baseline:
    """A result without training, to compare with.

    Attributes:
        name: its name.
        validation_loss: loss on the validation images.
        psnr: mean over the validation images, dB, peak 1.
        ssim: mean over the validation images, at most 1.
        reconstructions: `(8, height, width, channels)` float32, of the shown images.
        imitation: as in a `Trial`.
    """

    name: str
    validation_loss: float
    psnr: float
    ssim: float
    reconstructions: np.ndarray
    imitation: Imitation | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """All trials of one comparison, and what they were shown.

    Attributes:
        config: the effective configuration, as saved in `config.json`.
        floor: the lowest binary cross-entropy any result for the validation images can reach (their
            mean entropy per pixel, nats); None where the loss is another, which can be 0.
        originals: `(8, height, width, channels)` float32 in 0..1.
        labels: the class of each original, as text; empty text where there is none.
        trials: seeds outer, decoders inner.
        inputs: what the models were given; None: the originals themselves.
        baselines: results without training.
    """

    config: dict[str, Any]
    floor: float | None
    originals: np.ndarray
    labels: tuple[str, ...]
    trials: tuple[Trial, ...]
    inputs: np.ndarray | None = None
    baselines: tuple[Baseline, ...] = ()

    @property
    def task(self) -> Task:
        """What the models were trained to do."""
        return task_of(self.config)

    @property
    def unit(self) -> str:
        """The unit of losses."""
        return self.task.unit

    @property
    def decoders(self) -> tuple[str, ...]:
        """The decoders in the order in which they were asked for."""
        return tuple(dict.fromkeys(trial.decoder for trial in self.trials))

    @property
    def margin(self) -> float | None:
        """Differences of losses within this count as none; it was stated before the run."""
        return self.config.get("margin")

    @property
    def on_workers(self) -> bool:
        """Whether trainings ran on workers, where the time of one depends on the others.

        In older runs, which did not record this, the command tells it.
        """
        command = str(self.config.get("command", "")).split()
        asked = any(word.startswith(("--workers", "--scheduler")) for word in command)
        return bool(self.config.get("workers", asked))

    def of(self, decoder: str) -> tuple[Trial, ...]:
        """Return the trials of one decoder, in the order of the seeds."""
        return tuple(trial for trial in self.trials if trial.decoder == decoder)
