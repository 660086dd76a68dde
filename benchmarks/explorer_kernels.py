"""A transposed convolution that learns to enlarge photographs: its kernel after every epoch.

KERAS_BACKEND=jax python benchmarks/explorer_kernels.py writes
src/polyphase/explorer/kernels.json, which the slider of `polyphase explore` shows (a minute).

One kernel, one channel, stride 2, padding "same": grey photographs, halved by averaging 2x2
pixels, are to become the photographs that they were.
"""

import json
from pathlib import Path

import keras
import numpy as np

from polyphase.algebra.checkerboard import checkerboard_gain, conv_transpose_gains
from polyphase.datasets import load

WRITTEN = Path(__file__).parents[1] / "src" / "polyphase" / "explorer" / "kernels.json"
SIZES = (3, 4)
EPOCHS, BATCH_SIZE, LEARNING_RATE, SEED = 40, 32, 0.002, 0
DECIMALS = 4


def photographs() -> tuple[np.ndarray, np.ndarray]:
    """Return the halves `(n, 16, 16, 1)` and the photographs `(n, 32, 32, 1)`, from 0 to 1."""
    large = np.asarray(load("photographs", grey=True).train.pixels, dtype="float32")
    count, height, width, channels = large.shape
    blocks = large.reshape(count, height // 2, 2, width // 2, 2, channels)
    return blocks.mean(axis=(2, 4)), large


def trained(kernel_size: int, small: np.ndarray, large: np.ndarray) -> list[np.ndarray]:
    """Return the kernel before training and after each epoch."""
    keras.utils.set_random_seed(SEED)
    layer = keras.layers.Conv2DTranspose(1, kernel_size, strides=2, padding="same", use_bias=False)
    model = keras.Sequential([keras.Input(small.shape[1:]), layer])
    model.compile(keras.optimizers.Adam(LEARNING_RATE), "mse")
    kernels = [layer.get_weights()[0]]
    for _ in range(EPOCHS):
        model.fit(small, large, batch_size=BATCH_SIZE, epochs=1, verbose=0)
        kernels.append(layer.get_weights()[0])
    return kernels


def main() -> None:
    """Train both kernels and write them; print how chi goes."""
    small, large = photographs()
    written = {}
    for size in SIZES:
        kernels = trained(size, small, large)
        chis = [checkerboard_gain(conv_transpose_gains(kernel, (2, 2))) for kernel in kernels]
        print(f"{size}x{size}: chi {', '.join(f'{chi:.3f}' for chi in chis)}")
        written[str(size)] = [
            np.round(kernel[:, :, 0, 0].astype(float), DECIMALS).tolist() for kernel in kernels
        ]
    WRITTEN.write_text(json.dumps(written, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
