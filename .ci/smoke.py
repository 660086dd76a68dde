"""The built wheel, bare: what a user's first minute relies on."""

# ruff: noqa: I001 - Polyphase first: it points Keras at JAX where nothing else is chosen.
import importlib.resources
from pathlib import Path

import polyphase as pp
import keras
import numpy as np

assert "site-packages" in pp.__file__, pp.__file__
assert keras.backend.backend() == "jax"
files = importlib.resources.files("polyphase")
for name in ("report/template.html.j2", "report/generators.html.j2"):
    assert files.joinpath(name).is_file(), name
for name in ("py.typed", "workbench/adversarial/classifier.npz"):
    assert files.joinpath(name).is_file(), name

model = keras.Sequential(
    [
        keras.Input((None, None, 3)),
        pp.layers.UpSampleConv2D(4, 3, size=2, padding="same"),
        pp.layers.Conv2DTranspose(4, 4, strides=2, padding="same"),
        pp.layers.SubPixelConv2D(1, 3, kernel_initializer=pp.initializers.ICNR(2)),
        pp.layers.UpSampling2D(1.5, interpolation="lanczos3"),
    ]
)
x = np.random.default_rng(0).random((2, 5, 7, 3), dtype="float32")
model.save("model.keras")
again = keras.saving.load_model("model.keras")
np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
assert Path("model.keras").stat().st_size > 0
print("smoke:", model.predict(x, verbose=0).shape)
