"""Train the classifier of digits that the package ships.

    python benchmarks/train_classifier.py --data mnist.npz

Trains on the training images of MNIST (48,000) and of the embedded digits (1,150, five times), each
as it is and once more, moved by up to two pixels; the validation and test images of both are left
out. Writes the weights into the package, and benchmarks/results/classifier.json: the shares of
validation and test images that are classified as their labels say.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import results_file

from polyphase.datasets import load
from polyphase.workbench.adversarial import classifier

RESULTS = Path(__file__).parent / "results" / "classifier.json"
TIMES, MOVED = 5, 2
EPOCHS = 8


def moved(images: np.ndarray) -> np.ndarray:
    """Return images `(n, height, width, 1)`, each moved by whole pixels; what is new is black."""
    _, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (MOVED, MOVED), (MOVED, MOVED), (0, 0)))
    corners = np.random.default_rng(0).integers(0, 2 * MOVED + 1, (len(images), 2))
    pairs = zip(padded, corners, strict=True)
    return np.stack([one[top : top + height, left : left + width] for one, (top, left) in pairs])


def main(mnist: str) -> None:
    """Train, write the weights, and what they are worth."""
    sets = {"mnist": load(mnist), "digits": load("digits")}
    trains = [sets["mnist"].train, *[sets["digits"].train] * TIMES]
    images = np.concatenate([one.pixels for one in trains])
    images = np.concatenate([images, moved(images)])
    targets = np.array([int(label) for one in trains for label in one.labels] * 2)
    model = classifier.network((28, 28, 1), 10)
    began = time.perf_counter()
    classifier.learn(model, images, targets, EPOCHS * (len(images) // classifier.BATCH))
    seconds = time.perf_counter() - began
    with Path(str(classifier.WEIGHTS)).open("wb") as file:
        np.savez_compressed(file, *model.get_weights())
    made = classifier.shipped()
    content = results_file.circumstances() | {
        "epochs": EPOCHS,
        "seconds": round(seconds),
        "parameters": model.count_params(),
        "sha256": made.sha256,
        "right": {
            name: {part: made.share_right(getattr(one, part)) for part in ("validation", "test")}
            for name, one in sets.items()
        },
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")
    print(RESULTS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="path of mnist.npz")
    main(parser.parse_args().data)
