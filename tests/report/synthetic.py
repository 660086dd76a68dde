"""Plausible comparisons made without training: scikit-learn's digits, blurred a little."""

import io
import math
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom
from sklearn.datasets import load_digits

from polyphase.inspection.harmonics import Pattern
from polyphase.workbench.adversarial import judging
from polyphase.workbench.adversarial.spectra import radial_spectrum
from polyphase.workbench.checkerboards import Checkerboard, Stage
from polyphase.workbench.results import Baseline, Comparison, Epoch, GanEpoch, Imitation, Trial

FAIR = {
    "nearest": (9_561, 1_580_544, 0.0312),
    "bilinear": (9_561, 1_580_544, 0.0296),
    "transposed-3": (9_561, 1_209_600, 0.0340),
    "transposed-4": (12_249, 1_580_544, 0.0305),
    "subpixel": (26_073, 1_580_544, 0.0321),
}
PUBLISHED = {"upsampling": (1_393, 174_400, 0.0720), "transposed": (12_785, 6_900_000, 0.0060)}
FLOOR = 0.0581


def images(channels: int, side: int = 28, first: int = 10) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return eight digits `(8, side, side, channels)` and their classes."""
    digits = load_digits()
    small = digits.images[first : first + 8] / 16
    large = np.clip(zoom(small, (1, side / 8, side / 8), order=1), 0, 1)
    tint = np.array([1.0, 0.8, 0.45])[:channels] if channels == 3 else np.ones(1)
    labels = tuple(str(label) for label in digits.target[first : first + 8])
    return (large[..., None] * tint).astype(np.float32), labels


def comparison(
    seeds: tuple[int, ...] = (0, 1),
    channels: int = 1,
    experiment: str = "fair",
    epochs: int = 8,
    apart: float = 1.0,
    decoders: tuple[str, ...] = (),
    **config: Any,
) -> Comparison:
    """Make a comparison; `apart` scales the differences between the decoders."""
    facts = PUBLISHED if experiment == "published" else FAIR
    facts = {name: fact for name, fact in facts.items() if not decoders or name in decoders}
    originals, labels = images(channels)
    trials = [
        _trial(name, seed, facts[name], originals, epochs, apart)
        for seed in seeds
        for name in facts
    ]
    settings = _config(tuple(facts), seeds, channels, experiment, epochs) | config
    return Comparison(settings, FLOOR, originals, labels, tuple(trials))


def _trial(
    name: str,
    seed: int,
    fact: tuple[int, int, float],
    originals: np.ndarray,
    epochs: int,
    apart: float,
) -> Trial:
    rng = np.random.default_rng([seed, *name.encode()])
    parameters, multiply_adds, above = fact
    end = FLOOR + 0.03 + apart * (above - 0.03) + 0.0006 * rng.standard_normal()
    losses = end + 0.12 * np.exp(-1.1 * np.arange(epochs)) * (1 + 0.1 * rng.random())
    losses[-1] = end
    blur = gaussian_filter(originals, (0, above * 30, above * 30, 0))
    pattern = 0.04 * ((np.indices(originals.shape[1:3]).sum(axis=0) % 2) - 0.5)[..., None]
    noisy = blur + 0.02 * rng.standard_normal(originals.shape)
    noisy = noisy + pattern * (name == "transposed-3") * (blur > 0.1)
    return Trial(
        decoder=name,
        seed=seed,
        parameters=parameters,
        multiply_adds=multiply_adds,
        multiply_adds_computed=multiply_adds // 2,
        offset=(0.0, 3.5),
        history=tuple(
            Epoch(float(loss) + 0.002, float(loss), float(3 + 2 * (i == 0) + rng.random() / 5))
            for i, loss in enumerate(losses)
        ),
        psnr=float(22 - 60 * above + 0.1 * rng.standard_normal()),
        ssim=float(0.98 - 2 * above + 0.002 * rng.standard_normal()),
        inference_seconds=float((2e-4 + multiply_adds * 1e-10) * (1 + 0.05 * rng.random())),
        reconstructions=np.clip(noisy, 0, 1).astype(np.float32),
        checkerboard=_checkerboard(name, np.clip(noisy, 0, 1) - originals),
        decoder_seconds=None if name in PUBLISHED else 5e-5 + parameters * 1e-9,
    )


def _checkerboard(name: str, errors: np.ndarray) -> Checkerboard:
    board = np.array([[1.0, -1.0], [-1.0, 1.0]])
    uneven = {"transposed-3": 0.4, "transposed-4": 0.1, "subpixel": 0.2}.get(name, 0.0)
    harmonics = np.zeros((8, 8))
    harmonics[4, 4], harmonics[0, 1] = 0.02 * uneven, 0.001
    return Checkerboard(
        chi=uneven,
        pattern=1 + uneven * board,
        mean_error=0.02 * uneven * board,
        bias=0.02 * uneven,
        variance=0.002 * uneven,
        spectrum=(np.abs(np.fft.rfft(errors, axis=2)) ** 2).mean(axis=(0, 1, 3)),
        stages=tuple(
            Stage(
                f"up_{index}",
                (2 ** (4 - index), 2 ** (4 - index)),
                uneven / index,
                2.5 if uneven else 0.0,
                Pattern(0.02 * uneven, 0.01 * uneven, 0.03 * uneven, 1 + 10 * uneven),
                Pattern(0.001, 0.0, 0.002, 1.5),
            )
            for index in (1, 2, 3)
        ),
        harmonics=harmonics,
    )


def _config(
    decoders: tuple[str, ...], seeds: tuple[int, ...], channels: int, experiment: str, epochs: int
) -> dict[str, Any]:
    published = {"upsampling": 25, "transposed": 1000}
    batch = published if experiment == "published" else dict.fromkeys(decoders, 1280)
    return {
        "command": f"polyphase compare --data mnist --seeds {len(seeds)} --epochs {epochs}",
        "experiment": experiment,
        "data": {
            "name": "MNIST",
            "source": "mnist.npz",
            "sha256": "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            "train": 48_000,
            "validation": 12_000,
            "test": 10_000,
            "shape": [28, 28, channels],
        },
        "decoders": list(decoders),
        "seeds": list(seeds),
        "epochs": dict.fromkeys(decoders, epochs),
        "batch_size": batch,
        "learning_rate": 0.001,
        "backend": "jax",
        "versions": {"polyphase": "0.1.0", "keras": "3.15.1", "jax": "0.10.2", "numpy": "2.4.0"},
        "machine": {"cpus": 2, "platform": "Linux-6.1-x86_64-with-glibc2.36"},
        "started": "2026-05-09T14:05:00+00:00",
    }


GENERATORS = {
    "nearest": (215_041, 9_200_000, 0.0213),
    "transposed-4": (215_553, 7_100_000, 0.0254),
    "subpixel": (245_120, 9_200_000, 0.0341),
}
TROUBLE = "all latents give one image"


def generators(
    seeds: tuple[int, ...] = (0, 1, 2),
    decoders: tuple[str, ...] = tuple(GENERATORS),
    failed: tuple[tuple[str, int], ...] = (),
    channels: int = 1,
    epochs: int = 12,
    lower: float = 0.0,
    **config: Any,
) -> Comparison:
    """Make a comparison of generators.

    Args:
        seeds: of the trainings.
        decoders: of `GENERATORS`.
        failed: decoders and seeds whose latents all give one image.
        channels: 1 or 3.
        epochs: of each training.
        lower: what is taken from every KID.
        config: more of the configuration.
    """
    originals, labels = images(channels)
    trials = [
        _generator(name, seed, originals, epochs, lower, (name, seed) in failed)
        for seed in seeds
        for name in decoders
    ]
    data = images(channels, first=26)[0]
    spectrum = radial_spectrum(data)
    real = Imitation(0.42, 0.93, 0.91, 10, 0.004, 0.02, 0.0, spectrum, data)
    baseline = Baseline("training images", 0.0004 - lower, math.nan, math.nan, data, real)
    settings = _config(decoders, seeds, channels, "fair", epochs) | {
        "command": f"polyphase compare --task gan --data mnist --seeds {len(seeds)}",
        "task": "gan",
        "loss": "relativistic",
        "penalty": 0.05,
        "discriminator": "blurred",
        "classifier": {
            "name": "polyphase digits classifier",
            "accuracy": 0.978,
            "sha256": "5f" * 32,
        },
        "batch_size": dict.fromkeys(decoders, 32),
    }
    return Comparison(
        settings | config, None, originals, labels, tuple(trials), baselines=(baseline,)
    )


def _generator(
    name: str, seed: int, originals: np.ndarray, epochs: int, lower: float, failed: bool
) -> Trial:
    rng = np.random.default_rng([seed, *name.encode()])
    parameters, multiply_adds, end = GENERATORS[name]
    kids = end + 0.8 * np.exp(-0.9 * np.arange(epochs)) + 0.0004 * rng.standard_normal(epochs)
    kids = np.where(failed, math.nan, kids - lower)
    neighbours = np.roll(originals, 1 + seed, axis=0)
    made = gaussian_filter(neighbours, (0, 0.7, 0.7, 0)) + 0.04 * rng.random(originals.shape)
    made = np.clip(made, 0, 1).astype(np.float32)
    made = np.repeat(made[:1], 8, axis=0) if failed else made
    return Trial(
        decoder=name,
        seed=seed,
        parameters=parameters,
        multiply_adds=multiply_adds,
        multiply_adds_computed=multiply_adds // 2,
        offset=None,
        history=tuple(
            GanEpoch(0.7, float(kid), 3.1, 1.2, 0.05, 0.001 if failed else 0.9) for kid in kids
        ),
        psnr=math.nan,
        ssim=math.nan,
        inference_seconds=4e-5 * (1 + 0.1 * rng.random()),
        reconstructions=made,
        checkerboard=_checkerboard(name, made),
        decoder_seconds=None,
        imitation=judging.failed(made.shape) if failed else _imitation(rng, end, made, neighbours),
    )


def _imitation(
    rng: np.random.Generator, end: float, made: np.ndarray, neighbours: np.ndarray
) -> Imitation:
    return Imitation(
        fid=150 * end + rng.random(),
        precision=0.85 + 0.05 * rng.random(),
        recall=0.7 + 0.05 * rng.random(),
        modes=int(rng.integers(9, 11)),
        reverse_kl=0.05 + 0.01 * rng.random(),
        spectral_distance=0.1 + 0.02 * rng.random(),
        nearness=0.9 + 0.05 * rng.random(),
        spectrum=radial_spectrum(made),
        neighbours=neighbours,
    )


def film(colours: tuple[int, ...] = (0, 128, 255)) -> bytes:
    """Return an animated WebP file of flat frames."""
    frames = [Image.new("RGB", (60, 60), (colour, 0, 0)) for colour in colours]
    buffer = io.BytesIO()
    frames[0].save(buffer, "webp", save_all=True, append_images=frames[1:], lossless=True)
    return buffer.getvalue()
