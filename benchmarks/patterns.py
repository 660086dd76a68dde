"""What the measure of patterns reads where none is, and where one is planted.

python benchmarks/patterns.py writes benchmarks/results/patterns.json (minutes), from which the
tables of docs/checkerboards.md are rendered.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_images

from polyphase.algebra.harmonics import cells
from polyphase.datasets import load
from polyphase.inspection.harmonics import Pattern, patterns, spectra

RESULTS = Path(__file__).parent / "results" / "patterns.json"
STAGES = ((8, 8), (4, 4), (2, 2))
DRAWS, IMAGES = 20, 200
LEVEL = 1 / 255
STRENGTHS = (2, 4, 8, 16)  # grey levels, root mean square


def photographs(side: int) -> np.ndarray:
    """Return 1000 patches of scikit-learn's two photographs, anywhere in them."""
    rng = np.random.default_rng(0)
    images = [image / 255 for image in load_sample_images().images]
    height, width = images[0].shape[:2]
    corners = rng.integers(0, (height - side, width - side), (1000, 2))
    patches = [images[i % 2][y : y + side, x : x + side] for i, (y, x) in enumerate(corners)]
    return np.array(patches)


def errors_of(originals: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return errors without any pattern, of kinds that autoencoders make."""

    def blur(sigma: float) -> np.ndarray:
        return gaussian_filter(originals, (0, sigma, sigma, 0), mode="nearest") - originals

    flat = originals.reshape(len(originals), -1)
    centred = flat - flat.mean(axis=0)
    parts = np.linalg.svd(centred, full_matrices=False)[2][:32]
    column = np.zeros_like(originals)
    column[:, :, -1] = 0.2
    noise = rng.normal(0, 0.02, originals.shape)
    return {
        "blur 0.7": blur(0.7),
        "blur 1": blur(1),
        "blur 2": blur(2),
        "32 principal components": (centred @ parts.T @ parts - centred).reshape(originals.shape),
        "noise": noise,
        "blur 1, noise": blur(1) + noise,
        "blur 1, last column": blur(1) + column,
    }


def planted(case: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return a pattern whose root mean square is 1."""
    n, h, w = shape[:3]
    y, x = np.indices((h, w))
    by_image = rng.choice([-1.0, 1.0], (n, 1, 1))
    blocks = np.kron(rng.choice([-1.0, 1.0], (n, -(-h // 8), -(-w // 8))), np.ones((8, 8)))
    board = (x + y) % 2 * 2.0 - 1
    made = {
        "checkerboard": board,
        "checkerboard, sign by image": board * by_image,
        "checkerboard, sign by 8x8 block": board * blocks[:, :h, :w],
        "stripes of 2, sign by image": (x % 2 * 2.0 - 1) * by_image,
        "stripes of 4": np.where(x % 4 < 2, 1.0, -1.0),
        "stripes of 8": np.where(x % 8 < 4, 1.0, -1.0),
    }
    return np.broadcast_to(made[case], (n, h, w))[..., None]


PERIODS = {
    "checkerboard": (2, 2),
    "checkerboard, sign by image": (2, 2),
    "checkerboard, sign by 8x8 block": (2, 2),
    "stripes of 2, sign by image": (2, 2),
    "stripes of 4": (4, 4),
    "stripes of 8": (8, 8),
}


def read(images: np.ndarray) -> dict[tuple[int, int], Pattern]:
    """Return the patterns of three stages."""
    return patterns(spectra(images, cells(images.shape[1:3], (8, 8))), STAGES)


def judged(data: str, originals: np.ndarray) -> dict[str, list[dict[str, Any]]]:
    """Return, of draws of images, what is read without a pattern and with one."""
    rng = np.random.default_rng(1)
    absent: dict[tuple[str, int], list[tuple[float, bool, bool]]] = {}
    present: dict[tuple[str, int], list[tuple[float, bool, bool]]] = {}
    for _ in range(DRAWS):
        drawn = originals[rng.choice(len(originals), IMAGES, replace=False)]
        own = read(drawn)
        errors = errors_of(drawn, rng)
        for kind, one in errors.items():
            for period, found in read(one).items():
                beyond = found.low > own[period].amplitude
                line = (found.amplitude / LEVEL, found.low > 0, beyond)
                absent.setdefault((kind, period[0]), []).append(line)
        for case, period in PERIODS.items():
            for strength in STRENGTHS:
                pattern = strength * LEVEL * planted(case, drawn.shape, rng)
                found = read(errors["blur 1, noise"] + pattern)[period]
                holds = found.low <= strength * LEVEL <= found.high
                line = (found.amplitude / LEVEL, found.low > own[period].amplitude, holds)
                present.setdefault((case, strength), []).append(line)
    print(data, flush=True)
    return {
        "absent": [
            {"data": data, "errors": kind, "period": period}
            | dict(zip(("amplitude", "above zero", "seen"), np.mean(all_, axis=0), strict=True))
            for (kind, period), all_ in absent.items()
        ],
        "present": [
            {"data": data, "case": case, "strength": strength}
            | dict(zip(("amplitude", "seen", "holds"), np.mean(all_, axis=0), strict=True))
            for (case, strength), all_ in present.items()
        ],
    }


def main() -> None:
    """Simulate and write the file."""
    sets = {
        "photographs, 32x32": photographs(32),
        "digits, 28x28": load("digits").train.pixels.astype(float),
    }
    found = [judged(data, originals) for data, originals in sets.items()]
    whole = {kind: [one for part in found for one in part[kind]] for kind in ("absent", "present")}
    content = {"draws": DRAWS, "images": IMAGES} | whole
    RESULTS.write_text(json.dumps(content, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
