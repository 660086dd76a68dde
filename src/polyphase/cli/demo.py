"""`polyphase demo NAME`: the tutorials' worked examples."""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
import typer

from polyphase.cli.errors import one_line_errors
from polyphase.layers import Conv2DTranspose, UpSampling2D
from polyphase.models import transposed_generator, upsampling_generator
from polyphase.report import png, side_by_side


class Name(StrEnum):
    """The worked examples."""

    UPSAMPLING = "upsampling"
    SMOOTHING = "smoothing"
    TRANSPOSED = "transposed"
    UPSAMPLING_GENERATOR = "upsampling-generator"
    TRANSPOSED_GENERATOR = "transposed-generator"


Pictures = tuple[np.ndarray, np.ndarray, str, str, str]


@one_line_errors
def demo(
    name: Annotated[Name, typer.Argument(help="Which worked example.")],
    out: Annotated[Path, typer.Option(help="Folder for the figure.")] = Path("runs"),
) -> None:
    """Run a worked example: print its arrays and its model, save its figure.

    - **upsampling**: UpSampling2D repeats the pixels of a 2x2 image.
    - **smoothing**: 32 times larger, bilinear.
    - **transposed**: Conv2DTranspose puts a 2x2 image on a 4x4 grid.
    - **upsampling-generator**, **transposed-generator**: two GAN generators, untrained.

    Example:

        polyphase demo smoothing
    """
    figure = png(side_by_side(*_EXAMPLES[name]()))
    path = out / f"demo-{name}.png"
    try:
        out.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        unfinished.write_bytes(figure)
        os.replace(unfinished, path)
    except OSError as error:
        raise OSError(f"Cannot write {path} ({error.strerror}). Choose another --out.") from error
    typer.echo(f"Figure: {path}")


def _upsampling() -> Pictures:
    model = keras.Sequential([keras.Input((2, 2, 1)), UpSampling2D()])
    return _small(model, "UpSampling2D")


def _transposed() -> Pictures:
    model = keras.Sequential([keras.Input((2, 2, 1)), Conv2DTranspose(1, (1, 1), strides=(2, 2))])
    model.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    return _small(model, "Conv2DTranspose, kernel 1, bias 0")


def _small(model: keras.Model, title: str) -> Pictures:
    """Send `[[1, 2], [3, 4]]` through a model, showing everything."""
    image = np.array([[1.0, 2.0], [3.0, 4.0]], dtype="float32").reshape(2, 2, 1)
    typer.echo(f"Input, shape (2, 2):\n{image[:, :, 0]}\n")
    model.summary()
    output = model.predict(image[None], verbose=0)[0]
    typer.echo(f"Output, shape {output.shape[:2]}:\n{output[:, :, 0]}\n")
    return image, output, "Input", "Output", title


def _smoothing() -> Pictures:
    image = np.array([0, 0.5, 1, 1.5], dtype="float32").reshape(2, 2, 1)
    typer.echo(f"Input, shape (2, 2):\n{image[:, :, 0]}\n")
    model = keras.Sequential(
        [keras.Input((2, 2, 1)), UpSampling2D((32, 32), interpolation="bilinear")]
    )
    model.summary()
    output = model.predict(image[None], verbose=0)[0]
    typer.echo(f"Output: shape {output.shape}, from {output.min()} to {output.max()}\n")
    return image, output, "Original image", "Upsampled input", "bilinear"


def _generator(build: Callable[[], keras.Model], title: str) -> Callable[[], Pictures]:
    def run() -> Pictures:
        keras.utils.set_random_seed(0)
        model = build()
        model.summary()
        latent = np.random.default_rng(0).standard_normal((1, 100)).astype("float32")
        image = model.predict(latent, verbose=0)[0]
        typer.echo(f"Output: shape {image.shape}\n")
        vector = latent.reshape(10, 10, 1)
        return vector, image, "Latent vector (100 numbers)", "Generated, untrained", title

    return run


_EXAMPLES: dict[Name, Callable[[], Pictures]] = {
    Name.UPSAMPLING: _upsampling,
    Name.SMOOTHING: _smoothing,
    Name.TRANSPOSED: _transposed,
    Name.UPSAMPLING_GENERATOR: _generator(
        upsampling_generator, "Generator with UpSampling2D and Conv2D"
    ),
    Name.TRANSPOSED_GENERATOR: _generator(transposed_generator, "Generator with Conv2DTranspose"),
}
