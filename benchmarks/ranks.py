"""Signals and volumes: our layers beside Keras' own and other peers, and whole models folded.

    KERAS_BACKEND=jax python benchmarks/ranks.py

Writes benchmarks/results/ranks-BACKEND.json: layers as `peers.py` times them, models as `fold.py`.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import fold
import keras
import numpy as np
import results_file
from lowerings import SIGNALS, VOLUMES
from models import VOLUMETRIC

from polyphase import layers as polyphase_layers
from polyphase.layers import kinds
from polyphase.timing import Run, forward, gradient
from polyphase.workbench.bench import Case, measure

MODES = ("forward", "training")
SECONDS = 0.7
Compute = Callable[..., Any]


def convolved(shape: Sequence[int], size: int = 2, k: int = 3) -> Case:
    """Return nearest upsampling and a "same" convolution of `(batch, *space, c_in, c_out)`."""
    *image, filters = shape
    rank = len(image) - 2
    return Case(
        f"{rank}-D nearest + conv",
        f"x{size}, {k} taps, {_sides(image)} -> {filters}",
        tuple(image),
        lambda: [
            kinds.UPSAMPLING.keras[rank](size),
            kinds.CONVOLUTION.keras[rank](filters, k, padding="same"),
        ],
        lambda: [kinds.UPSAMPLED_CONVOLUTION.ours[rank](filters, k, size=size, padding="same")],
    )


def transposed(shape: Sequence[int], strides: int, k: int) -> Case:
    """Return a "same" transposed convolution of `(batch, *space, c_in, c_out)`."""
    *image, filters = shape
    rank = len(image) - 2
    arguments = {"filters": filters, "kernel_size": k, "strides": strides, "padding": "same"}
    return Case(
        f"Conv{rank}DTranspose",
        f"{k} taps, stride {strides}, {_sides(image)} -> {filters}",
        tuple(image),
        lambda: [kinds.TRANSPOSED.keras[rank](**arguments)],
        lambda: [kinds.TRANSPOSED.ours[rank](**arguments)],
    )


def cases() -> Iterator[Case]:
    """Yield what Keras has layers for."""
    for shape in VOLUMES:
        yield convolved(shape)
    for shape, k in itertools.product(VOLUMES, (2, 3, 4)):
        yield transposed(shape, 2, k)
    for strides, k, shape in SIGNALS:
        yield transposed(shape, strides, k)
    for strides, _, shape in SIGNALS:
        yield convolved(shape, strides, 7 if strides > 2 else 3)


def interpolated() -> Iterator[dict[str, Any]]:
    """Yield trilinear upsampling x2: Keras has none, so it is the other peers and ours."""
    for *image, _ in VOLUMES[:5]:
        x = np.random.default_rng(0).standard_normal(image, dtype="float32")
        layer = polyphase_layers.UpSampling3D(2, interpolation="trilinear")
        contenders = {"ours": layer, "eight corners": corners, **_resize(image)}
        expected = keras.ops.convert_to_numpy(layer(x))
        for compute in contenders.values():
            actual = keras.ops.convert_to_numpy(compute(keras.ops.convert_to_tensor(x)))
            np.testing.assert_allclose(actual, expected, atol=1e-4)
        record: dict[str, Any] = {"group": "UpSampling3D trilinear", "name": f"x2, {_sides(image)}"}
        for mode, make in (("forward", forward), ("training", gradient)):
            runs: dict[str, Run] = {n: make(compute, [x]) for n, compute in contenders.items()}
            record[mode] = fold.times(runs, SECONDS)
        yield record


def corners(x: Any) -> Any:
    """Return a volume enlarged as is usual where a backend has nothing: eight gathered corners."""
    ops = keras.ops
    _, *space, _ = x.shape
    below, share = [], []
    for size in space:
        place = np.clip((np.arange(2 * size) + 0.5) / 2 - 0.5, 0, size - 1)
        below.append(np.floor(place).astype("int32"))
        share.append((place - below[-1]).astype("float32"))
    y = 0.0
    for corner in itertools.product((0, 1), repeat=3):
        part, weight = x, 1.0
        for axis, (up, size) in enumerate(zip(corner, space, strict=True), start=1):
            index, one = below[axis - 1], share[axis - 1]
            part = ops.take(part, np.minimum(index + up, size - 1), axis=axis)
            shape = [-1 if dim == axis else 1 for dim in range(5)]
            weight = weight * (one if up else 1 - one).reshape(shape)
        y = y + part * ops.convert_to_tensor(weight, "float32")
    return y


def _resize(image: Sequence[int]) -> dict[str, Compute]:
    """Return the backend's own trilinear interpolation, where it has one."""
    batch, *space, channels = image
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        shape = (batch, *(2 * side for side in space), channels)
        return {"plain JAX": lambda x: jax.image.resize(x, shape, "linear")}
    if backend == "torch":
        from torch.nn.functional import interpolate

        def compute(x: Any) -> Any:
            large = interpolate(x.movedim(-1, 1), scale_factor=2, mode="trilinear")
            return large.movedim(1, -1)

        return {"plain PyTorch": compute}
    return {}


def plain(case: Case) -> dict[str, dict[str, Run]]:
    """Return nearest + conv by the backend's own functions, channels last."""
    upsample, convolution = case.keras()
    (size, *_), (k, *_) = kinds.factor(upsample), convolution.kernel_size
    filters = convolution.filters
    rank, channels = len(case.shape) - 2, case.shape[-1]
    name, compute = _PLAIN[keras.backend.backend()](rank, size, k)
    generator = np.random.default_rng(0)
    kernel = generator.standard_normal((*[k] * rank, channels, filters), dtype="float32")
    if name == "plain PyTorch":
        kernel = np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))
    arrays = [
        generator.standard_normal(case.shape, dtype="float32"),
        kernel,
        np.zeros(filters, "float32"),
    ]
    return {
        "forward": {name: forward(compute, arrays)},
        "training": {name: gradient(compute, arrays)},
    }


def _plain_jax(rank: int, size: int, k: int) -> tuple[str, Compute]:
    import jax

    space = "DHW"[-rank:]

    def compute(x: Any, kernel: Any, bias: Any) -> Any:
        for axis in range(1, rank + 1):
            x = x.repeat(size, axis=axis)
        numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
        strides = (1,) * rank
        return bias + jax.lax.conv_general_dilated(
            x, kernel, strides, "SAME", dimension_numbers=numbers
        )

    return "plain JAX", compute


def _plain_tensorflow(rank: int, size: int, k: int) -> tuple[str, Compute]:
    import tensorflow as tf

    def compute(x: Any, kernel: Any, bias: Any) -> Any:
        for axis in range(1, rank + 1):
            x = tf.repeat(x, size, axis=axis)
        return tf.nn.bias_add(tf.nn.convolution(x, kernel, padding="SAME"), bias)

    return "plain TensorFlow", compute


def _plain_torch(rank: int, size: int, k: int) -> tuple[str, Compute]:
    from torch.nn import functional

    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[rank - 1]

    def compute(x: Any, kernel: Any, bias: Any) -> Any:
        large = functional.interpolate(x.movedim(-1, 1), scale_factor=size)
        return convolve(large, kernel, bias, padding=k // 2)

    return "plain PyTorch", compute


_PLAIN = {"jax": _plain_jax, "tensorflow": _plain_tensorflow, "torch": _plain_torch}


def main() -> None:
    """Measure everything and write the file."""
    layers, models = [], []
    for case in cases():
        peers = plain(case) if "nearest" in case.group else {}
        layers.append(measure(case, SECONDS, peers).record())
        _say(layers[-1], "keras", "ours")
    for record in interpolated():
        layers.append(record)
        _say(record, "eight corners", "ours")
    for name, (build, batch) in VOLUMETRIC.items():
        models.append(fold.measure(name, build, batch))
        _say(models[-1], "before", "folded")
    results_file.write("ranks", unit="ms", results=layers, models=models)


def _say(record: dict[str, Any], theirs: str, ours: str) -> None:
    """Print one line: ratios, theirs divided by ours."""
    ratios = [record[mode][theirs]["median"] / record[mode][ours]["median"] for mode in MODES]
    print(record.get("group", "model"), record["name"], [round(r, 2) for r in ratios], flush=True)


def _sides(image: Sequence[int]) -> str:
    return "x".join(map(str, image))


if __name__ == "__main__":
    main()
