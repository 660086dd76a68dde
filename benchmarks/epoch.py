"""Training the tutorial's autoencoder for an epoch, with three kinds of layers.

Keras' own, ours, and ours with each upsampling and the convolution behind it as one.

    KERAS_BACKEND=jax python benchmarks/epoch.py

Writes benchmarks/results/epoch-BACKEND.json: seconds of `fit` over 5,000 images of noise in
batches of 25, after an epoch that compiles; nine rounds in turns, the median.
"""

import statistics
import time

import keras
import numpy as np
import results_file

from polyphase import layers as polyphase_layers
from polyphase.models import upsampling_autoencoder

ROUNDS = 9


def joined() -> keras.Model:
    """Return the tutorial's autoencoder with each upsampling and convolution as one layer."""
    model = keras.Sequential([keras.Input((28, 28, 1))])
    pending = None
    for layer in upsampling_autoencoder(keras.layers).layers:
        if isinstance(layer, keras.layers.UpSampling2D):
            pending = layer
        elif pending is not None:
            arguments = layer.get_config()
            kept = {name: arguments[name] for name in ("filters", "kernel_size", "padding")}
            model.add(
                polyphase_layers.UpSampleConv2D(
                    **kept,
                    size=pending.size,
                    interpolation=pending.interpolation,
                    activation=layer.activation,
                )
            )
            pending = None
        else:
            model.add(layer)
    return model


def main() -> None:
    """Measure and write the file."""
    x = np.random.default_rng(0).random((5_000, 28, 28, 1), dtype="float32")
    models = {
        "keras": upsampling_autoencoder(keras.layers),
        "ours": upsampling_autoencoder(polyphase_layers),
        "joined": joined(),
    }
    for model in models.values():
        model.set_weights(models["keras"].get_weights())
    expected = models["keras"].predict(x[:25], verbose=0)
    for model in models.values():
        assert np.abs(model.predict(x[:25], verbose=0) - expected).max() < 1e-5
        model.compile(optimizer="adam", loss="binary_crossentropy")
        model.fit(x, x, batch_size=25, verbose=0)
    seconds = {name: [] for name in models}
    for number in range(ROUNDS):
        for name, model in list(models.items())[:: -1 if number % 2 else 1]:
            began = time.perf_counter()
            model.fit(x, x, batch_size=25, verbose=0)
            seconds[name].append(round(time.perf_counter() - began, 3))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(medians)
    results_file.write("epoch", unit="s", seconds=seconds, medians=medians)


if __name__ == "__main__":
    main()
