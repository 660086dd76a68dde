"""Time every lowering of every operation on the backend in use: what choice.py's rows rest on.

    KERAS_BACKEND=jax python benchmarks/lowerings.py [PART OF A NAME ...]

Writes benchmarks/results/lowerings-BACKEND.json: medians of alternating runs after warm-up, in
milliseconds, forward and training step (forward and the gradients with respect to image and
kernel). On a shared machine trust ratios within a case, not times. With parts of names only those
cases are measured again; the others keep their figures, and the date is the last one's.
"""

import itertools
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import results_file

import polyphase as pp
from polyphase.ops import device
from polyphase.ops.lowerings import LOWERINGS
from polyphase.ops.reassemble import reassembled
from polyphase.timing import Run, alternate, forward, gradient

Runs = dict[str, Run]
SECONDS = 0.7

# (batch, height, width, c_in, c_out), those of measurements.md first
SHAPES = (
    (1, 64, 64, 256, 256),
    (8, 32, 32, 64, 64),
    (64, 7, 7, 128, 64),
    (64, 5, 5, 128, 1),
    (25, 14, 14, 8, 8),
    (8, 32, 32, 32, 3),
    (16, 16, 16, 16, 16),
)
SMALL = SHAPES[1:2] + SHAPES[4:5]
FEW_CHANNELS = ((25, 14, 14, 8, 1), (4, 64, 64, 8, 8), (4, 64, 64, 3, 8), (4, 64, 64, 4, 16))
MIDDLE = (8, 16, 16, 64, 64)
FEW_PIXELS = ((1, 4, 4, 512, 256), (1, 4, 4, 64, 64), (1, 8, 8, 64, 64), (1, 16, 16, 64, 64),
              (16, 4, 4, 512, 256))  # fmt: skip
CONVOLUTIONS = (
    [(2, 3, shape) for shape in SHAPES]
    + [(s, k, shape) for s, k in ((2, 5), (3, 3), (4, 3), (2, 1)) for shape in SMALL]
    + [(2, 3, shape) for shape in FEW_PIXELS]
)
# More stages of a decoder that interpolates.
INTERPOLATED = (
    (1, 64, 64, 256, 128),
    (4, 48, 40, 96, 48),
    (4, 64, 64, 64, 32),
    (2, 24, 24, 128, 128),
    (1, 72, 72, 32, 32),
)
TRANSPOSED = (
    [(s, k, shape) for s, k in ((2, 4), (2, 3)) for shape in SHAPES]
    + [(s, k, shape) for s, k in ((2, 2), (2, 5), (3, 4), (4, 5), (1, 3)) for shape in SMALL]
    + [(s, k, MIDDLE) for s in (2, 3, 4) for k in (2, 3, 4, 5)]
)
DEPTHWISE = [(s, k, shape) for s, k in ((2, 3), (2, 5), (3, 3)) for shape in (
    (8, 32, 32, 64), (1, 64, 64, 256), (4, 14, 14, 32), (1, 8, 8, 64))]  # fmt: skip
# Factor, taps and images of reassembly: a detector's neck, decoders, few channels, few pixels.
REASSEMBLED = (
    (2, 5, (1, 25, 25, 256)),
    (2, 5, (1, 50, 50, 256)),
    (2, 5, (16, 14, 14, 64)),
    (2, 3, (4, 32, 32, 64)),
    (4, 3, (1, 16, 16, 64)),
    (2, 5, (1, 4, 4, 64)),
    (2, 5, (64, 4, 4, 64)),
    (2, 5, (32, 7, 7, 128)),
    (2, 5, (8, 8, 64, 32)),
    (2, 5, (4, 24, 24, 48)),
    (2, 3, (32, 4, 4, 8)),
    (2, 3, (32, 16, 16, 8)),
    (2, 5, (4, 32, 32, 16)),
    (2, 3, (1, 64, 64, 3)),
    (1, 5, (1, 64, 64, 32)),
    (2, 5, (8, 512, 64)),
    (2, 5, (8, 512, 4)),
    (2, 3, (1, 16, 16, 16, 32)),
    (2, 3, (1, 16, 16, 16, 4)),
)
GPU_SHAPES = (
    (1, 64, 64, 256, 256),
    (8, 32, 32, 64, 64),
    (64, 8, 8, 512, 256),
    (64, 16, 16, 256, 128),
    (16, 64, 64, 64, 32),
    (4, 128, 128, 32, 3),
    (64, 64, 64, 128, 64),
)
IMAGES = ((8, 64, 64, 64), (1, 256, 256, 16), (1, 512, 512, 3), (25, 7, 7, 8))
# The stages of a 3-D U-Net's decoder, from the code to the volume, and what lies beside.
VOLUMES = (
    (1, 8, 8, 8, 128, 64),
    (1, 16, 16, 16, 64, 32),
    (1, 24, 24, 24, 32, 16),
    (1, 48, 48, 48, 16, 16),
    (2, 12, 12, 12, 64, 64),
    (1, 16, 16, 16, 32, 1),
)
# What a skip connection brings to them.
SKIPPED = ((1, 32, 32, 32, 16, 16), (1, 16, 16, 16, 32, 32), (2, 32, 32, 32, 16, 16))
# The stages of a vocoder, HiFi-GAN's: factor, taps, and a batch of segments, then one sentence.
SIGNALS = (
    (8, 16, (16, 32, 512, 256)),
    (8, 16, (16, 256, 256, 128)),
    (2, 4, (16, 2048, 128, 64)),
    (2, 4, (16, 4096, 64, 32)),
    (8, 16, (1, 256, 512, 256)),
    (2, 4, (1, 16384, 128, 64)),
)


@dataclass(frozen=True, eq=False)
class Case:
    """One operation on one set of arrays.

    Attributes:
        name: what is computed, in the words that `choose` takes.
        ask: arguments of `polyphase.ops.choose` that decide it.
        compute: called with the arrays and `lowering`.
        arrays: image and kernel.
    """

    name: str
    ask: dict[str, Any]
    compute: Callable[..., Any]
    arrays: list[np.ndarray]


def cases() -> Iterator[Case]:
    """Yield all cases of the device in use."""
    yield from _gpu_cases() if device.in_use(keras.backend.backend()) == "gpu" else _cpu_cases()


def _cpu_cases() -> Iterator[Case]:
    for s, k, shape in CONVOLUTIONS:
        for interpolation in ("nearest", "bilinear") if k == 3 and s == 2 else ("nearest",):
            yield convolution(s, k, shape, interpolation)
    for shape in INTERPOLATED:
        yield convolution(2, 3, shape, "bilinear")
    for shape in SHAPES[:2] + INTERPOLATED:
        yield convolution(2, 3, shape, "bicubic")
    for shape, k, interpolation in itertools.product(FEW_CHANNELS, (2, 3), ("nearest", "bilinear")):
        yield convolution(2, k, shape, interpolation)
    for s, k, shape in DEPTHWISE:
        yield depthwise(s, k, shape)
    for s, k, shape in TRANSPOSED:
        yield transposed(s, k, shape)
    for k, shape in itertools.product((1, 3), SMALL):
        yield convolution(2, k, shape, "nearest", "bfloat16")
    for shape in SMALL:
        yield transposed(2, 4, shape, "bfloat16")
    for image in IMAGES:
        for interpolation, size in itertools.product(
            ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"), (2, 3)
        ):
            yield upsampling(size, image, interpolation)
    yield from _volumes_and_signals()
    for s, k, image in REASSEMBLED:
        yield reassembly(s, k, image)


def _volumes_and_signals() -> Iterator[Case]:
    for shape in VOLUMES:
        for interpolation in ("nearest", "trilinear"):
            yield convolution(2, 3, shape, interpolation)
        for k in (2, 3, 4):
            yield transposed(2, k, shape)
    for shape in (*VOLUMES, *SKIPPED, *(shape for _, _, shape in SIGNALS)):
        yield convolution(1, 3, shape, "nearest")
    for shape in VOLUMES[1:3]:
        for interpolation in ("nearest", "trilinear", "lanczos3"):
            yield upsampling(2, shape[:-1], interpolation)
    for s, k, shape in SIGNALS:
        yield transposed(s, k, shape)
        for interpolation in ("nearest", "linear"):
            yield convolution(s, 7 if s > 2 else 3, shape, interpolation)
    for _, _, shape in SIGNALS[2:4]:
        yield depthwise(2, 5, shape[:-1])
        for interpolation in ("nearest", "linear", "lanczos3"):
            yield upsampling(2, shape[:-1], interpolation)


def _gpu_cases() -> Iterator[Case]:
    for shape, dtype in itertools.product(GPU_SHAPES, ("float32", "bfloat16")):
        yield convolution(2, 3, shape, "nearest", dtype)
        yield transposed(2, 4, shape, dtype)
    for s, k, shape in ((4, 3, GPU_SHAPES[1]), (2, 5, GPU_SHAPES[3])):
        yield convolution(s, k, shape, "nearest")
    for s, k, shape in ((2, 3, GPU_SHAPES[3]), (4, 5, GPU_SHAPES[3]), (2, 2, GPU_SHAPES[4])):
        yield transposed(s, k, shape)
    for shape in GPU_SHAPES[3:5]:
        yield convolution(2, 3, shape, "bilinear")
    for *image, channels, _ in GPU_SHAPES[3:5]:
        yield depthwise(2, 3, (*image, channels))
    for interpolation in ("nearest", "bilinear"):
        yield upsampling(2, (16, 64, 64, 64), interpolation, "bfloat16")
    for image in ((16, 64, 64, 64), (1, 512, 512, 3)):
        for interpolation, size in itertools.product(("nearest", "bilinear", "bicubic"), (2, 3)):
            yield upsampling(size, image, interpolation)


def convolution(
    s: int, k: int, shape: Sequence[int], interpolation: str, dtype: str = "float32"
) -> Case:
    """Return upsampling and a "same" convolution of `(batch, *space, c_in, c_out)`."""
    *image, c_in, c_out = shape
    return Case(
        f"upsample_conv {interpolation} x{s} k{k} {_shape(*image, c_in)}->{c_out}{_named(dtype)}",
        {"operation": "upsample_conv", "interpolation": interpolation, "channels": c_in,
         "filters": c_out, "taps": k, "pixels": math.prod(image), "side": min(image[1:])}
        | ({"identity": True} if s == 1 else {}) | _asked(dtype, image),
        _in(dtype, lambda x, w, lowering: pp.ops.upsample_conv(
            x, w, s, interpolation, padding="same", lowering=lowering
        )),
        [noise(*image, c_in), noise(*_taps(k, image), c_in, c_out)],
    )  # fmt: skip


def depthwise(s: int, k: int, shape: Sequence[int]) -> Case:
    """Return upsampling and a "same" depthwise convolution of a shape, channels last."""
    *image, channels = shape
    return Case(
        f"upsample_depthwise_conv nearest x{s} k{k} {_shape(*shape)}",
        {"operation": "upsample_depthwise_conv", "interpolation": "nearest", "channels": channels,
         "filters": 1, "taps": k, "pixels": math.prod(image)} | _asked("float32", image),
        lambda x, w, lowering: pp.ops.upsample_depthwise_conv(
            x, w, s, padding="same", lowering=lowering
        ),
        [noise(*shape), noise(*_taps(k, image), channels, 1)],
    )  # fmt: skip


def transposed(s: int, k: int, shape: Sequence[int], dtype: str = "float32") -> Case:
    """Return a "same" transposed convolution of `(batch, *space, c_in, c_out)`."""
    *image, c_in, c_out = shape
    return Case(
        f"conv_transpose s{s} k{k} {_shape(*image, c_in)}->{c_out}{_named(dtype)}",
        {"operation": "conv_transpose", "channels": c_in, "filters": c_out, "taps": k,
         "pixels": math.prod(image), "plain": s > 1} | _asked(dtype, image),
        _in(dtype, lambda x, w, lowering: pp.ops.conv_transpose(
            x, w, s, "same", lowering=lowering
        )),
        [noise(*image, c_in), noise(*_taps(k, image), c_out, c_in)],
    )  # fmt: skip


def upsampling(s: int, image: Sequence[int], interpolation: str, dtype: str = "float32") -> Case:
    """Return upsampling alone of `(batch, *space, channels)`."""
    return Case(
        f"upsample {interpolation} x{s} {_shape(*image)}{_named(dtype)}",
        {"operation": "upsample", "interpolation": interpolation, "channels": image[-1],
         "dyadic": s == 2} | _asked(dtype, image[:-1]),
        _in(dtype, lambda x, lowering: pp.ops.upsample(x, s, interpolation, lowering=lowering)),
        [noise(*image)],
    )  # fmt: skip


def reassembly(s: int, k: int, image: Sequence[int]) -> Case:
    """Return reassembly, by kernels in phases, of `(batch, *space, channels)`."""
    factors = _taps(s, image[:-1])
    return Case(
        f"reassemble x{s} k{k} {_shape(*image)}",
        {"operation": "reassemble", "channels": image[-1], "pixels": math.prod(image[:-1]),
         "side": min(image[1:-1])} | _asked("float32", image[:-1]),
        lambda x, w, lowering: reassembled(x, w, factors, 1, lowering),
        [noise(*image), noise(*image[:-1], math.prod(factors), k ** len(factors))],
    )  # fmt: skip


def noise(*shape: int) -> np.ndarray:
    """Return an array of noise."""
    return np.random.default_rng(0).standard_normal(shape, dtype="float32")


def _in(dtype: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return a computation that takes and returns float32 and computes in `dtype`."""
    if dtype == "float32":
        return compute
    return lambda *arrays, lowering: keras.ops.cast(
        compute(*(keras.ops.cast(one, dtype) for one in arrays), lowering=lowering), "float32"
    )


def prepare(case: Case) -> dict[str, Runs]:
    """Return calls of every lowering but the reference that can compute a case, compiled."""
    prepared: dict[str, Runs] = {"forward": {}, "training": {}}
    for (mode, make), name in itertools.product(
        (("forward", forward), ("training", gradient)), LOWERINGS
    ):
        if name == "reference" or not hasattr(LOWERINGS[name], case.ask["operation"]):
            continue
        try:
            run = make(lambda *t, name=name: case.compute(*t, lowering=name), case.arrays)
            run()
        except (ValueError, RuntimeError) as error:
            print(f"{case.name}, {name}: {' '.join(str(error).split())[:200]}", flush=True)
            continue
        prepared[mode][name] = run
    return prepared


def measure(case: Case, prepared: dict[str, Runs]) -> dict[str, Any]:
    """Return the medians of every lowering, forward and training."""
    result: dict[str, Any] = {"ask": case.ask}
    for mode, runs in prepared.items():
        times = alternate(runs, SECONDS)
        result[mode] = {name: asdict(one)["median"] for name, one in times.items()}
    return result


def main(*parts: str) -> None:
    """Measure the cases with these parts in their names, or all, and write the file."""
    known = json.loads(results_file.path("lowerings").read_text())["cases"] if parts else {}
    every = list(cases())
    results = {one.name: known[one.name] | {"ask": one.ask} for one in every if one.name in known}
    asked = [o for o in every if o.name not in known or any(part in o.name for part in parts)]
    # TensorFlow compiles nothing for long, and two new functions at once can meet in its optimiser.
    at_once = 1 if keras.backend.backend() == "tensorflow" else os.cpu_count() or 1
    with ThreadPoolExecutor(at_once) as pool:
        for start in range(0, len(asked), at_once):
            some = asked[start : start + at_once]
            for case, prepared in zip(some, list(pool.map(prepare, some)), strict=True):
                results[case.name] = one = measure(case, prepared)
                print(case.name, one["forward"], one["training"], flush=True)
            results_file.write("lowerings", unit="ms, median", cases=results)


def _asked(dtype: str, image: Sequence[int]) -> dict[str, Any]:
    rank = len(image) - 1
    asked: dict[str, Any] = {} if dtype == "float32" else {"dtype": dtype}
    return asked if rank == 2 else asked | {"rank": rank}


def _taps(k: int, image: Sequence[int]) -> list[int]:
    """Return the sides of a kernel of `k` taps along every axis of `(batch, *space)`."""
    return [k] * (len(image) - 1)


def _named(dtype: str) -> str:
    return "" if dtype == "float32" else f" {dtype}"


def _shape(*sides: int) -> str:
    return "x".join(map(str, sides))


if __name__ == "__main__":
    main(*sys.argv[1:])
