"""Draw the lattice of a young decoder: docs/images/lattice.png.

    KERAS_BACKEND=jax python benchmarks/lattice.py

Patches of photographs that no training sees, and what one seed of `transposed-3` makes of them
after 5 and 40 epochs, as usual and with even phases from the start.
"""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from checkerboards import Trainer

from polyphase.datasets import Dataset, load
from polyphase.report import png
from polyphase.report.figures import rows
from polyphase.workbench.config import contender

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "lattice.png"
RATE = 0.01  # what `polyphase compare` finds for it
SEED = 0
EPOCHS = (5, 40)
NAMES = {"plain": "usual", "even": "even"}
COUNT = 8


def shown(dataset: Dataset) -> np.ndarray:
    """Return the test images of the most contrast: dark and flat ones show nothing."""
    pixels = dataset.test.pixels
    spread = pixels.std(axis=(1, 2, 3))
    return pixels[np.sort(np.argsort(-spread)[:COUNT])]


def main() -> None:
    """Train twice and draw."""
    dataset = load("photographs")
    originals = shown(dataset)
    drawn = {"original": originals}
    trainer = Trainer(replace(contender("transposed-3"), learning_rate=RATE), dataset)
    for way, name in NAMES.items():

        def keep(epoch: int, model: keras.Model, name: str = name) -> None:
            if epoch in EPOCHS:
                drawn[f"{name}, epoch {epoch}"] = model.predict(originals, verbose=0)

        trainer.train(way, SEED, max(EPOCHS), judge=keep)
    PICTURE.write_bytes(png(rows(drawn, [""] * COUNT)[0]))
    print(PICTURE)


if __name__ == "__main__":
    main()
