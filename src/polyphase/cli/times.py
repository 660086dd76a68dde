"""Time and memory of a prediction with two model files, before and after folding."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polyphase.rewrite import Report

PROCESSES = 3


def timed(report: "Report", source: Path, folded: Path) -> tuple["Report", list[str]]:
    """Return a report with the times of two model files; without them, also a line that says why.

    Args:
        report: of what was done.
        source: the file that was read.
        folded: the file that was made of it.
    """
    from polyphase.cli.models import load_model
    from polyphase.rewrite.reasons import sentence_of
    from polyphase.rewrite.sizes import example

    try:
        model, other = load_model(source), load_model(folded)
        return report.timed(model, other, example(model)), []
    except Exception as error:  # whatever a class raises; the files are good
        return report, [f"Not timed: {sentence_of(error)}."]


def memory(source: Path, folded: Path) -> list[str]:
    """Return a line with the memory that a prediction takes; none where that is not known."""
    grown = [[_grown(path) for path in (source, folded)] for _ in range(PROCESSES)]
    ranges = []
    for several in zip(*grown, strict=True):
        known = [round(one) for one in several if one is not None]
        if len(known) < PROCESSES:
            return []
        spread = dict.fromkeys((min(known), max(known)))
        ranges.append(f"{' to '.join(map(str, spread))} MiB")
    taken = f"{ranges[0]} before, {ranges[1]} after"
    return [f"Peak memory of a prediction: {taken}, measured in {PROCESSES} processes each"]


def _grown(path: Path) -> float | None:
    """Return by how many MiB a fresh process grows while it predicts; None: it is not known.

    A GPU has memory of its own.
    """
    import keras

    from polyphase.ops import device

    backend = keras.backend.backend()
    if device.in_use(backend) != "cpu":
        return None
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    said = done.stdout.split()
    return float(said[-1]) if done.returncode == 0 and said else None


def main(path: Path) -> None:
    """Print by how many MiB this process grows while the model in a file predicts.

    After a first prediction: of as many examples on JAX, which compiles; elsewhere of one, whose
    memory TensorFlow keeps.
    """
    import keras
    from keras import tree

    from polyphase.cli.models import load_model
    from polyphase.memory import growth
    from polyphase.rewrite.sizes import example

    model = load_model(path)
    inputs = example(model)
    same = keras.backend.backend() == "jax" or any(one.shape[0] for one in model.inputs)
    model.predict_on_batch(inputs if same else tree.map_structure(lambda x: x[:1], inputs))
    grown = growth(lambda: model.predict_on_batch(inputs))
    if grown is not None:
        print(grown)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
