"""Learned upsamplers beside what people write: times, and the memory that a process grows by.

    KERAS_BACKEND=torch python benchmarks/learned.py

CARAFE2D beside extracted patches, softmax and a sum in Keras' operations, and on PyTorch beside
the public formulation with `unfold`; DySample2D beside four gathers, and beside `grid_sample`. What
is timed is what follows the convolutions that predict, which are the same; all return what lies
channels last. Memory is CARAFE2D's. Of the largest image Keras' patches take minutes, and are left
out. Writes benchmarks/results/learned-BACKEND.json.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import results_file
from keras import ops

from polyphase.memory import growth
from polyphase.ops.reassemble import reassembled
from polyphase.ops.sample import sampled
from polyphase.timing import alternate, forward, gradient

LARGEST = (1, 100, 100, 256)
SHAPES = ((1, 25, 25, 256), (1, 50, 50, 256), LARGEST, (16, 14, 14, 64), (4, 32, 32, 64))
SIZE, TAPS, GROUPS, SECONDS = 2, 5, 4, 1.0
MODES = {"forward": forward, "training": gradient}


def ours_carafe(x: Any, numbers: Any) -> Any:
    """Return the images reassembled by the softmax of what was predicted, in phases."""
    *space, _ = x.shape
    kernels = ops.softmax(ops.reshape(numbers, (-1, TAPS**2)))
    return reassembled(x, ops.reshape(kernels, (*space, SIZE**2, TAPS**2)), (SIZE, SIZE), 1)


def keras_carafe(x: Any, numbers: Any) -> Any:
    """Return the same of extracted patches."""
    batch, height, width, channels = x.shape
    kernels = ops.softmax(ops.reshape(numbers, (-1, TAPS**2)))
    kernels = ops.reshape(kernels, (batch, height, width, SIZE**2, TAPS**2, 1))
    padded = ops.pad(x, [(0, 0), (TAPS // 2,) * 2, (TAPS // 2,) * 2, (0, 0)], mode="symmetric")
    patches = ops.image.extract_patches(padded, TAPS, 1, data_format="channels_last")
    patches = ops.reshape(patches, (batch, height, width, 1, TAPS**2, channels))
    phases = ops.reshape(ops.sum(patches * kernels, axis=-2), (batch, height, width, -1))
    return ops.depth_to_space(phases, SIZE, "channels_last")


def torch_carafe(x: Any, numbers: Any) -> Any:
    """Return the same as the public formulation has it: unfolded, enlarged, weighted."""
    import torch.nn.functional as f

    batch, height, width, channels = x.shape
    mask = f.pixel_shuffle(numbers.permute(0, 3, 1, 2), SIZE).softmax(dim=1)
    image = f.pad(x.permute(0, 3, 1, 2), (TAPS // 2,) * 4, mode="replicate")
    unfolded = f.unfold(image, TAPS).view(batch, channels * TAPS**2, height, width)
    enlarged = f.interpolate(unfolded, scale_factor=SIZE, mode="nearest")
    enlarged = enlarged.view(batch, channels, TAPS**2, SIZE * height, SIZE * width)
    return (enlarged * mask.unsqueeze(1)).sum(dim=2).permute(0, 2, 3, 1)


def ours_dysample(x: Any, places: Any) -> Any:
    """Return the images at their places."""
    return sampled(x, places, GROUPS)


def keras_dysample(x: Any, places: Any) -> Any:
    """Return the same by four gathers, each group an image of its own."""
    batch, height, width, channels = x.shape
    out = places.shape[1:3]
    part = ops.reshape(x, (batch, height * width, GROUPS, channels // GROUPS))
    part = ops.reshape(ops.transpose(part, (0, 2, 1, 3)), (batch * GROUPS, height * width, -1))
    where = ops.transpose(ops.reshape(places, (batch, *out, GROUPS, 2)), (0, 3, 1, 2, 4))
    where = ops.reshape(where, (batch * GROUPS, out[0] * out[1], 2))
    rows, columns = ops.clip(where[..., 0], 0, height - 1), ops.clip(where[..., 1], 0, width - 1)
    top, left = ops.floor(rows), ops.floor(columns)
    down, right = ops.minimum(top + 1, height - 1), ops.minimum(left + 1, width - 1)
    total = 0
    for row, by in ((top, 1 - (rows - top)), (down, rows - top)):
        for column, along in ((left, 1 - (columns - left)), (right, columns - left)):
            index = ops.cast(row * width + column, "int32")[..., None]
            total = total + ops.take_along_axis(part, index, axis=1) * (by * along)[..., None]
    total = ops.reshape(total, (batch, GROUPS, *out, channels // GROUPS))
    return ops.reshape(ops.transpose(total, (0, 2, 3, 1, 4)), (batch, *out, channels))


def torch_dysample(x: Any, places: Any) -> Any:
    """Return the same by `grid_sample`, as the public formulation does."""
    import torch
    import torch.nn.functional as f

    batch, height, width, channels = x.shape
    out = places.shape[1:3]
    part = x.permute(0, 3, 1, 2).reshape(batch * GROUPS, channels // GROUPS, height, width)
    where = places.reshape(batch, *out, GROUPS, 2).permute(0, 3, 1, 2, 4)
    sides = torch.tensor([width, height], dtype=x.dtype)
    grid = (2 * where.reshape(-1, *out, 2).flip(-1) + 1) / sides - 1
    y = f.grid_sample(part, grid, "bilinear", "border", align_corners=False)
    return y.reshape(batch, channels, *out).permute(0, 2, 3, 1)


CONTENDERS: dict[str, dict[str, Callable[[Any, Any], Any]]] = {
    "CARAFE2D": {"ours": ours_carafe, "keras": keras_carafe, "unfold": torch_carafe},
    "DySample2D": {"ours": ours_dysample, "keras": keras_dysample, "grid_sample": torch_dysample},
}
_OF_TORCH = ("unfold", "grid_sample")


def arrays(layer: str, shape: tuple[int, ...]) -> list[np.ndarray]:
    """Return images, and what a layer predicts for them."""
    random = np.random.default_rng(0)
    batch, height, width, _ = shape
    x = random.standard_normal(shape, dtype="float32")
    if layer == "CARAFE2D":
        predicted = random.standard_normal((batch, height, width, SIZE**2 * TAPS**2), "float32")
        return [x, predicted]
    rows, columns = ((np.arange(SIZE * n) + 0.5) / SIZE - 0.5 for n in (height, width))
    places = np.stack([*np.meshgrid(rows, columns, indexing="ij")] * GROUPS, axis=-1)
    moved = places + random.uniform(-0.25, 0.25, (batch, *places.shape))
    return [x, moved.astype("float32")]


def contenders(layer: str, shape: tuple[int, ...]) -> dict[str, Callable[[Any, Any], Any]]:
    """Return what the backend in use can compare."""
    left_out = set() if keras.backend.backend() == "torch" else set(_OF_TORCH)
    left_out |= {"keras"} if (layer, shape) == ("CARAFE2D", LARGEST) else set()
    return {name: one for name, one in CONTENDERS[layer].items() if name not in left_out}


def grown(layer: str, mode: str, shape: int, name: str) -> float | None:
    """Return by how many MiB this process grows at most."""
    run = MODES[mode](CONTENDERS[layer][name], arrays(layer, SHAPES[shape]))
    run()
    return growth(run)


def main() -> None:
    """Measure everything and write the file."""
    results = []
    for layer in CONTENDERS:
        for index, shape in enumerate(SHAPES):
            for mode, prepare in MODES.items():
                given = arrays(layer, shape)
                runs = {name: prepare(one, given) for name, one in contenders(layer, shape).items()}
                times = {name: asdict(one) for name, one in alternate(runs, SECONDS).items()}
                memory = {}
                for name in runs if layer == "CARAFE2D" else ():
                    command = [sys.executable, __file__, layer, mode, str(index), name]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    memory[name] = round(float(done.stdout.split()[-1]), 1)
                row = {"layer": layer, "shape": shape, "mode": mode, "ms": times, "MiB": memory}
                results.append(row)
                said = {name: (one["median"], memory.get(name)) for name, one in times.items()}
                print(layer, shape, mode, said, flush=True)
    results_file.write("learned", unit="ms", results=results)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(grown(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
    else:
        main()
