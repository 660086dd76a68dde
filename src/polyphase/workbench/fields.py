"""Meaning and unit of every field in a run's files; the documentation is generated from this."""

from dataclasses import dataclass

LOSS = "of the loss"
_SECONDS = "s"
_IMAGES = "image range"


@dataclass(frozen=True)
class Field:
    """One field of a file.

    Attributes:
        meaning: what it holds.
        unit: the unit of its numbers; empty for texts, counts and ratios.
    """

    meaning: str
    unit: str = ""


CONFIG = {
    "command": Field("the command line; run it again to repeat the run"),
    "task": Field("`reconstruct`, `denoise`, `super-resolve`, `fit` or `gan`"),
    "noise": Field("`denoise` only: standard deviation of the noise", _IMAGES),
    "scale": Field("`super-resolve` only: 2 or 4, the factor by which each side is reduced"),
    "penalty": Field("`gan` only: weight of the penalties R1 and R2"),
    "discriminator": Field("`gan` only: `strided` or `blurred`"),
    "experiment": Field(
        "`fair`: decoders in one model; `published`: the tutorials' two models; `train`: one model"
    ),
    "data.name": Field("name of the data set"),
    "data.source": Field("name of the data set, or its path"),
    "data.size": Field(
        "HEIGHTxWIDTH to which all images were resized; null if they were not", "pixels"
    ),
    "data.grey": Field("whether all images were made grey"),
    "data.sha256": Field("digest of all pixels (float32, little-endian): train, validation, test"),
    "data.train": Field("number of images that are trained on"),
    "data.validation": Field("number of images on which all numbers are measured"),
    "data.test": Field("number of test images: some are shown, none is measured"),
    "data.shape": Field("height, width and channels of an image", "pixels"),
    "data.floor": Field("lowest loss that the validation images allow: their mean entropy", LOSS),
    "decoders": Field("names of the decoders that were trained, in their order"),
    "seeds": Field("seeds of weights and data order, the same for every decoder"),
    "epochs": Field(
        "by decoder: passes over the training images; with `minutes`, the most that are allowed"
    ),
    "minutes": Field(
        "longest time of a training to a plateau; null: all epochs are trained", "min"
    ),
    "batch_size": Field("by decoder: images per step"),
    "match": Field(
        "`parameters` or `multiply-adds` if widths were chosen so that these agree; otherwise null"
    ),
    "search": Field("`lr` if each decoder's learning rate was searched; otherwise null"),
    "margin": Field(
        "`compare` only: difference within which decoders are called equal; null if none is stated",
        LOSS,
    ),
    "encoder": Field("`centred` or `even`; null if it cannot be chosen"),
    "width": Field("channels of the encoder; null for published models"),
    "optimizer": Field("Keras' name of the optimizer"),
    "learning_rate": Field("by decoder: learning rate of the optimizer"),
    "widths": Field("by decoder: channels of its two inner stages; published models have none"),
    "loss": Field("Keras' name of the loss; for `gan`: `relativistic` or `non-saturating`"),
    "backend": Field("Keras' backend: `jax`, `tensorflow` or `torch`"),
    "classifier": Field(
        "`gan` with `compare` only: the classifier that computes the features: its `name`, its "
        "`accuracy` on the validation images and the `sha256` of its weights"
    ),
    "versions": Field("versions of Python, Polyphase, Keras, NumPy and the backend"),
    "machine.cpus": Field("number of logical processors"),
    "machine.processor": Field("name of the processor"),
    "machine.platform": Field("name and version of the operating system"),
    "machine.accelerator": Field("name of the GPU; only if one was in use"),
    "started": Field("date and time of the start, ISO 8601, UTC"),
    "devices": Field("`compare` only: number of devices that shared every batch; null: one"),
    "workers": Field(
        "`compare` only: number of processes, or address of their scheduler; null: neither was used"
    ),
    "tensorboard": Field("`compare` only: whether `tensorboard/` was written"),
    "layers": Field("`train` only: whose upsampling layers a published model has"),
}

WHO = {
    "kind": Field("`epoch`, `search`, `final` or `baseline`"),
    "decoder": Field("name of the decoder, or of the baseline"),
    "seed": Field("seed of weights and data order; null for a baseline"),
}
METRICS = {
    "epoch": {
        "epoch": Field("number of the epoch, counted from 0"),
        "loss": Field(
            "mean loss over the epoch's training steps; for `gan`, of the generator", LOSS
        ),
        "validation_loss": Field(
            "loss on the validation images after the epoch; for `gan`, the KID", LOSS
        ),
        "seconds": Field("wall time of the training steps, without validation", _SECONDS),
    },
    "search": {
        "learning_rate": Field("learning rate that was tried"),
        "validation_loss": Field("loss on held-out training images after the last epoch", LOSS),
    },
    "final": {
        "parameters": Field("trainable parameters of the whole model"),
        "multiply_adds": Field("multiply-adds of one image through the whole model, as written"),
        "multiply_adds_computed": Field(
            "the same, as the backend's lowerings compute it; null if unknown"
        ),
        "offset": Field(
            "by how many rows and columns the output lies too far up and left", "pixels"
        ),
        "validation_loss": Field("loss on the validation images after the last epoch", LOSS),
        "psnr": Field("mean PSNR over the validation images, peak 1", "dB"),
        "ssim": Field("mean SSIM over the validation images, at most 1"),
        "seconds_per_epoch": Field(
            "median over the epochs; of several, the first is left out", _SECONDS
        ),
        "inference_seconds": Field("median per image, in batches, after a warm-up", _SECONDS),
        "decoder_seconds": Field(
            "the same, from the code to the output; null for published models", _SECONDS
        ),
        "chi": Field("largest checkerboard gain of the trained layers"),
        "periodic_bias": Field("`PeriodicBias` of the reconstructions", _IMAGES),
        "periodic_variance": Field(
            "`PeriodicVariance` of the reconstructions", f"{_IMAGES} squared"
        ),
        "stages": Field(
            "for each upsampling layer: `layer`, `period` (rows and columns of the output), `chi`, "
            "and `untrained` (chi of the first weights). Also, for the `errors` and for the "
            "`originals`, the pattern at the harmonics of the period: its `amplitude` with an "
            "interval from `low` to `high` (image range), and the `ratio` of its power to that of "
            "the neighbouring frequencies"
        ),
    },
    "baseline": {
        "validation_loss": Field("loss on the validation images, without training", LOSS),
        "psnr": Field("mean PSNR over the validation images, peak 1", "dB"),
        "ssim": Field("mean SSIM over the validation images, at most 1"),
    },
}
GAN_EPOCH = {
    "discriminator": Field(
        "loss of the discriminator without the penalties; mean over the epoch's steps"
    ),
    "penalty": Field("R1 and R2 together, unweighted; mean over the epoch's steps"),
    "spread": Field(
        "standard deviation of generated images over latents, divided by that of real images"
    ),
}
IMITATION = {
    "fid": Field("Fréchet distance in the features of a small classifier, not of Inception"),
    "precision": Field("share of the generated images that lie among real ones"),
    "recall": Field("share of the real images that lie among generated ones"),
    "modes": Field("how many classes of the training images were generated"),
    "reverse_kl": Field(
        "divergence of the classes' frequencies from those of the training images", "nats"
    ),
    "spectral_distance": Field(
        "difference of the power spectra, root mean square over the radii", "decades"
    ),
    "nearness": Field(
        "mean distance to the nearest training image, divided by the same distance of the "
        "validation images"
    ),
}

EVIDENCE = {
    "run": Field("the run to which the file belongs"),
    "originals": Field("`(8, height, width, channels)`: the test images that are shown", _IMAGES),
    "labels": Field("their classes; empty texts if there are none"),
    "inputs": Field(
        "what the models were given instead of the originals, if that differs", _IMAGES
    ),
    "NAME/untrained/reconstructions": Field("results of a baseline; the same shape", _IMAGES),
    "DECODER/SEED/reconstructions": Field(
        "reconstructions of the originals; the same shape", _IMAGES
    ),
    "NAME/untrained/radial": Field("`gan` only: as `DECODER/SEED/radial`", f"{_IMAGES} squared"),
    "NAME/untrained/neighbours": Field("`gan` only: as `DECODER/SEED/neighbours`", _IMAGES),
    "DECODER/SEED/radial": Field(
        "`gan` only, `(side // 2,)`: mean power of the generated images at 1/side, 2/side, ... "
        "cycles per pixel, in any direction",
        f"{_IMAGES} squared",
    ),
    "DECODER/SEED/neighbours": Field(
        "`gan` only: the training images nearest to the generated ones; the same shape", _IMAGES
    ),
    "DECODER/SEED/pattern": Field(
        "`(s_h, s_w)`, the period of the last upsampling layer: what this layer makes of a "
        "constant, divided by its mean"
    ),
    "DECODER/SEED/mean_error": Field(
        "`(s_h, s_w)`: mean of reconstruction minus original at every phase of the period, minus "
        "the mean over all phases; over the validation images",
        _IMAGES,
    ),
    "DECODER/SEED/harmonics": Field(
        "`(s_h, s_w)`, the longest period: amplitude of the errors at each of its harmonics",
        _IMAGES,
    ),
    "DECODER/SEED/spectrum": Field(
        "`(width // 2 + 1,)`: mean power of the errors along rows at 0, 1/width, ... cycles per "
        "pixel, that is, squared magnitudes of the Fourier sum over a row",
        f"{_IMAGES} squared",
    ),
}


def markdown() -> str:
    """Return a table for each file, and for each kind of line of `metrics.jsonl`."""
    tables = {"`config.json`": CONFIG, "`metrics.jsonl`, every line": WHO}
    tables |= {f"`metrics.jsonl`, lines of the kind `{kind}`": one for kind, one in METRICS.items()}
    tables |= {"`metrics.jsonl`, lines of the kind `epoch`, for `gan` also": GAN_EPOCH}
    tables |= {
        "`metrics.jsonl`, lines of the kinds `final` and `baseline`, for `gan` also": IMITATION
    }
    tables |= {"`evidence.npz`": EVIDENCE}
    return "\n".join(_table(name, fields) for name, fields in tables.items())


def _table(name: str, fields: dict[str, Field]) -> str:
    lines = [f"| {name} | unit | meaning |", "|---|---|---|"]
    lines += [f"| `{key}` | {field.unit} | {field.meaning} |" for key, field in fields.items()]
    return "\n".join(lines) + "\n"
