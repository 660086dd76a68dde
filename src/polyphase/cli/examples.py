"""The worked examples of `polyphase demo`: the part of the command that needs Keras."""

import itertools
from collections.abc import Callable, Sequence

import keras
import numpy as np
import typer
from matplotlib.figure import Figure

from polyphase.layers import Conv2DTranspose, UpSampling2D
from polyphase.models import transposed_generator, upsampling_generator
from polyphase.report.grids import grids
from polyphase.report.patterns import kernel_sizes


def _upsampling() -> Figure:
    doubled = _sent(UpSampling2D(), "UpSampling2D()")
    between = _sent(UpSampling2D(1.5, interpolation="bilinear"), "size 1.5, bilinear")
    return grids({"Input": IMAGE, **doubled, **between}, "UpSampling2D", period=(2, 2))


def _transposed() -> Figure:
    one, three = Conv2DTranspose(1, 1, strides=2), Conv2DTranspose(1, 3, strides=2)
    spread = _sent(one, "Kernel 1: pixels apart", [np.ones((1, 1, 1, 1)), np.zeros(1)])
    stamped = _sent(three, "Kernel 3, all ones: overlapping", [np.ones((3, 3, 1, 1)), np.zeros(1)])
    ones = np.ones((1, 2, 2, 1), "float32")
    counts = keras.ops.convert_to_numpy(three(ones))[0]
    typer.echo(f"How many taps of the 3x3 kernel reach each output:\n{counts[:, :, 0]}\n")
    images = {"Input": IMAGE, **spread, **stamped, "Taps that reach each output": counts}
    return grids(images, "Conv2DTranspose, strides 2, bias 0")


IMAGE = np.array([[1.0, 2.0], [3.0, 4.0]], dtype="float32").reshape(2, 2, 1)


def _sent(
    layer: keras.Layer, title: str, weights: Sequence[np.ndarray] = ()
) -> dict[str, np.ndarray]:
    """Send `[[1, 2], [3, 4]]` through a layer, showing everything; return the output by a title."""
    model = keras.Sequential([keras.Input((2, 2, 1)), layer])
    model.set_weights(weights)
    typer.echo(f"Input, shape (2, 2):\n{IMAGE[:, :, 0]}\n")
    model.summary()
    output = model.predict(IMAGE[None], verbose=0)[0]
    typer.echo(f"Output, shape {output.shape[:2]}:\n{output[:, :, 0]}\n")
    return {title: output}


def _smoothing() -> Figure:
    image = np.array([0, 0.5, 1, 1.5], dtype="float32").reshape(2, 2, 1)
    typer.echo(f"Input, shape (2, 2):\n{image[:, :, 0]}\n")
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), UpSampling2D((32, 32), interpolation="bilinear")]
    )
    model.summary()
    output = model.predict(image[None], verbose=0)[0]
    typer.echo(f"Output: shape {output.shape}, from {output.min()} to {output.max()}\n")
    return grids({"Original image": image, "Upsampled input": output}, "bilinear")


def _generator(build: Callable[[], keras.Model], title: str) -> Callable[[], Figure]:
    def run() -> Figure:
        keras.utils.set_random_seed(0)
        model = build()
        model.summary()
        latent = np.random.default_rng(0).standard_normal((1, 100)).astype("float32")
        image = model.predict(latent, verbose=0)[0]
        typer.echo(f"Output: shape {image.shape}\n")
        vector = latent.reshape(10, 10, 1)
        images = {"Latent vector (100 numbers)": vector, "Generated, untrained": image}
        return grids(images, title)

    return run


def _checkerboard() -> Figure:
    """Print one period of what transposed convolutions with kernels of ones make of ones."""
    for stride, k in itertools.product((2, 3), (2, 3, 4, 5)):
        layer = Conv2DTranspose(1, k, strides=stride, kernel_initializer="ones")
        output = keras.ops.convert_to_numpy(layer(np.ones((1, 6, 6, 1), "float32")))[0, :, :, 0]
        inner = slice(2 * stride, 3 * stride)  # a period in which every tap has an input
        typer.echo(f"kernel {k}, stride {stride}:\n{output[inner, inner]}\n")
    return kernel_sizes()


EXAMPLES: dict[str, Callable[[], Figure]] = {
    "upsampling": _upsampling,
    "smoothing": _smoothing,
    "transposed": _transposed,
    "upsampling-generator": _generator(
        upsampling_generator, "Generator with UpSampling2D and Conv2D"
    ),
    "checkerboard": _checkerboard,
    "transposed-generator": _generator(transposed_generator, "Generator with Conv2DTranspose"),
}
