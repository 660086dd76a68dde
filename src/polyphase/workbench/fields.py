"""What every field of a run's files means, and its unit; the documentation is made of it."""

from dataclasses import dataclass

LOSS = "of the loss"
_SECONDS = "s"
_IMAGES = "image range"


@dataclass(frozen=True)
class Field:
    """One field of a file.

    Attributes:
        meaning: what it holds.
        unit: of its numbers; empty for texts, counts and ratios.
    """

    meaning: str
    unit: str = ""


CONFIG = {
    "command": Field("the command line; run it to repeat the run"),
    "task": Field("`reconstruct`, `denoise`, `super-resolve`, `fit` or `gan`"),
    "noise": Field("of `denoise`: its standard deviation", _IMAGES),
    "scale": Field("of `super-resolve`: 2 or 4, pixels of a side averaged to one"),
    "penalty": Field("of `gan`: weight of the penalties R1 and R2"),
    "discriminator": Field("of `gan`: `strided` or `blurred`"),
    "experiment": Field("`fair`: decoders in one model; `published`: the two tutorials'; `train`"),
    "data.name": Field("of the data set"),
    "data.source": Field("its name, or its path"),
    "data.size": Field("HEIGHTxWIDTH to which all were resized; null", "pixels"),
    "data.grey": Field("whether all were made grey"),
    "data.sha256": Field("digest of all pixels (float32, little-endian): train, validation, test"),
    "data.train": Field("number of images trained on"),
    "data.validation": Field("number of images that all numbers are measured on"),
    "data.test": Field("number of images of which some are shown, and none is measured"),
    "data.shape": Field("height, width, channels of an image", "pixels"),
    "data.floor": Field("lowest loss that the validation images allow: their mean entropy", LOSS),
    "decoders": Field("names of what was trained, in their order"),
    "seeds": Field("of weights and order of the data, the same for every decoder"),
    "epochs": Field("by decoder: passes over the training images, at most where `minutes` are"),
    "minutes": Field("bound of a training to a plateau; null: all epochs", "min"),
    "batch_size": Field("by decoder: images per step"),
    "match": Field("`parameters` or `multiply-adds` if widths were chosen to agree in them; null"),
    "search": Field("`lr` if each decoder's learning rate was searched; null"),
    "margin": Field("within which decoders are called equal; null (`compare` only)", LOSS),
    "encoder": Field("`centred` or `even`; null where it cannot be chosen"),
    "width": Field("channels of the encoder; published models: null"),
    "optimizer": Field("as Keras names it"),
    "learning_rate": Field("by decoder: of the optimizer"),
    "widths": Field("by decoder: channels of its two inner stages; published models have none"),
    "loss": Field("as Keras names it; of `gan`: `relativistic` or `non-saturating`"),
    "backend": Field("of Keras: `jax`, `tensorflow` or `torch`"),
    "classifier": Field(
        "of `gan` (`compare` only): `name`, `accuracy` on the validation images and `sha256` of "
        "what the features are of"
    ),
    "versions": Field("of Python, Polyphase, Keras, NumPy and the backend"),
    "machine.cpus": Field("number of logical processors"),
    "machine.processor": Field("its name"),
    "machine.platform": Field("of the operating system"),
    "machine.accelerator": Field("name of the GPU; only where one was in use"),
    "started": Field("date and time, ISO 8601, UTC"),
    "devices": Field("how many devices shared every batch; null: one (`compare` only)"),
    "workers": Field("number of processes, or address of their scheduler; null (`compare` only)"),
    "tensorboard": Field("whether `tensorboard/` was written (`compare` only)"),
    "layers": Field("whose upsampling layers a published model has (`train` only)"),
}

WHO = {
    "kind": Field("`epoch`, `search`, `final` or `baseline`"),
    "decoder": Field("its name"),
    "seed": Field("of weights and order of the data; null of a baseline"),
}
METRICS = {
    "epoch": {
        "epoch": Field("counted from 0"),
        "loss": Field("mean over the epoch's training steps; of `gan` the generator's", LOSS),
        "validation_loss": Field("on the validation images after the epoch; of `gan` KID", LOSS),
        "seconds": Field("wall time of the training steps, without validation", _SECONDS),
    },
    "search": {
        "learning_rate": Field("that was tried"),
        "validation_loss": Field("of held-out training images, after the last epoch", LOSS),
    },
    "final": {
        "parameters": Field("trainable ones of the whole model"),
        "multiply_adds": Field("of one image through the whole model, as written"),
        "multiply_adds_computed": Field("the same, as the backend's lowerings compute it; or null"),
        "offset": Field("rows, columns by which the output lies too far up and left", "pixels"),
        "validation_loss": Field("on the validation images after the last epoch", LOSS),
        "psnr": Field("mean over the validation images, peak 1", "dB"),
        "ssim": Field("mean over the validation images, at most 1"),
        "seconds_per_epoch": Field("median, without the first if there are more", _SECONDS),
        "inference_seconds": Field("median per image, in batches, after warm-up", _SECONDS),
        "decoder_seconds": Field("the same, from the code on; published models: null", _SECONDS),
        "chi": Field("largest checkerboard gain of the trained layers"),
        "periodic_bias": Field("`PeriodicBias` of the reconstructions", _IMAGES),
        "periodic_variance": Field(
            "`PeriodicVariance` of the reconstructions", f"{_IMAGES} squared"
        ),
        "stages": Field(
            "of each upsampling layer: `layer`, `period` (rows, columns of the output), `chi`, "
            "`untrained` (chi of the first weights), and of the `errors` and the `originals` the "
            "pattern at its harmonics: `amplitude` with an interval `low` to `high` (image range), "
            "`ratio` of its power to the neighbours'"
        ),
    },
    "baseline": {
        "validation_loss": Field("on the validation images, without training", LOSS),
        "psnr": Field("mean over the validation images, peak 1", "dB"),
        "ssim": Field("mean over the validation images, at most 1"),
    },
}
GAN_EPOCH = {
    "discriminator": Field("its loss, without the penalties; mean over the epoch's steps"),
    "penalty": Field("R1 and R2 together, unweighted, likewise"),
    "spread": Field("standard deviation of made images over latents, to that of real ones"),
}
IMITATION = {
    "fid": Field("Fréchet distance, in the features of a small classifier, not of Inception"),
    "precision": Field("share of the made images that lie among real ones"),
    "recall": Field("share of the real images that lie among made ones"),
    "modes": Field("how many classes of the training images were made"),
    "reverse_kl": Field("of the classes' frequencies from those of the training images", "nats"),
    "spectral_distance": Field("root mean square over the radii", "decades"),
    "nearness": Field(
        "mean distance to the nearest training image, divided by that of the validation images"
    ),
}

EVIDENCE = {
    "run": Field("which run it is of"),
    "originals": Field("`(8, height, width, channels)`: the test images that are shown", _IMAGES),
    "labels": Field("their classes; empty texts where there are none"),
    "inputs": Field("what models were given of them, where that is another", _IMAGES),
    "NAME/untrained/reconstructions": Field("of a baseline; the same shape", _IMAGES),
    "DECODER/SEED/reconstructions": Field("of the originals; the same shape", _IMAGES),
    "NAME/untrained/radial": Field("of `gan`: as `DECODER/SEED/radial`", f"{_IMAGES} squared"),
    "NAME/untrained/neighbours": Field("of `gan`: as `DECODER/SEED/neighbours`", _IMAGES),
    "DECODER/SEED/radial": Field(
        "of `gan`, `(side // 2,)`: mean power of the made images at 1/side, 2/side, ... cycles per "
        "pixel in any direction",
        f"{_IMAGES} squared",
    ),
    "DECODER/SEED/neighbours": Field(
        "of `gan`: the training images nearest to what it made; the same shape", _IMAGES
    ),
    "DECODER/SEED/pattern": Field(
        "`(s_h, s_w)`, the period of the last upsampling layer: what a constant comes out of it "
        "as, divided by its mean"
    ),
    "DECODER/SEED/mean_error": Field(
        "`(s_h, s_w)`: mean of reconstruction minus original at every phase of the period, less "
        "the mean of all; over the validation images",
        _IMAGES,
    ),
    "DECODER/SEED/harmonics": Field(
        "`(s_h, s_w)`, the longest period: amplitude of the errors at each of its harmonics",
        _IMAGES,
    ),
    "DECODER/SEED/spectrum": Field(
        "`(width // 2 + 1,)`: mean power of the errors along rows at 0, 1/width, ... cycles per "
        "pixel: squared magnitudes of the Fourier sum over a row",
        f"{_IMAGES} squared",
    ),
}


def markdown() -> str:
    """Return a table for each file, and for each kind of line of `metrics.jsonl`."""
    tables = {"`config.json`": CONFIG, "`metrics.jsonl`, every line": WHO}
    tables |= {f"`metrics.jsonl`, lines of the kind `{kind}`": one for kind, one in METRICS.items()}
    tables |= {"`metrics.jsonl`, lines of the kind `epoch`, of `gan` also": GAN_EPOCH}
    tables |= {"lines of the kinds `final` and `baseline`, of `gan` also": IMITATION}
    tables |= {"`evidence.npz`": EVIDENCE}
    return "\n".join(_table(name, fields) for name, fields in tables.items())


def _table(name: str, fields: dict[str, Field]) -> str:
    lines = [f"| {name} | unit | meaning |", "|---|---|---|"]
    lines += [f"| `{key}` | {field.unit} | {field.meaning} |" for key, field in fields.items()]
    return "\n".join(lines) + "\n"
