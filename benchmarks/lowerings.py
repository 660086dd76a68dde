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
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
import results_file

import polyphase as pp
from polyphase.ops.lowerings import LOWERINGS
from polyphase.workbench.timing import alternate, forward, gradient

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
TRANSPOSED = (
    [(s, k, shape) for s, k in ((2, 4), (2, 3)) for shape in SHAPES]
    + [(s, k, shape) for s, k in ((2, 2), (2, 5), (3, 4), (4, 5), (1, 3)) for shape in SMALL]
    + [(s, k, MIDDLE) for s in (2, 3, 4) for k in (2, 3, 4, 5)]
)
DEPTHWISE = [(s, k, shape) for s, k in ((2, 3), (2, 5), (3, 3)) for shape in (
    (8, 32, 32, 64), (1, 64, 64, 256), (4, 14, 14, 32), (1, 8, 8, 64))]  # fmt: skip
IMAGES = ((8, 64, 64, 64), (1, 256, 256, 16), (1, 512, 512, 3), (25, 7, 7, 8))


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
    """Yield all cases."""
    generator = np.random.default_rng(0)

    def noise(*shape: int) -> np.ndarray:
        return generator.standard_normal(shape, dtype="float32")

    for s, k, (*image, c_in, c_out) in CONVOLUTIONS:
        for interpolation in ("nearest", "bilinear") if k == 3 and s == 2 else ("nearest",):
            yield Case(
                f"upsample_conv {interpolation} x{s} k{k} {_shape(*image, c_in)}->{c_out}",
                {"operation": "upsample_conv", "interpolation": interpolation,
                 "channels": c_in, "filters": c_out, "taps": k, "pixels": math.prod(image)},
                lambda x, w, lowering, s=s, i=interpolation: pp.ops.upsample_conv(
                    x, w, s, i, padding="same", lowering=lowering
                ),
                [noise(*image, c_in), noise(k, k, c_in, c_out)],
            )  # fmt: skip
    for (*image, c_in, c_out), k, interpolation in itertools.product(
        FEW_CHANNELS, (2, 3), ("nearest", "bilinear")
    ):
        yield Case(
            f"upsample_conv {interpolation} x2 k{k} {_shape(*image, c_in)}->{c_out}",
            {"operation": "upsample_conv", "interpolation": interpolation,
             "channels": c_in, "filters": c_out, "taps": k, "pixels": math.prod(image)},
            lambda x, w, lowering, i=interpolation: pp.ops.upsample_conv(
                x, w, 2, i, padding="same", lowering=lowering
            ),
            [noise(*image, c_in), noise(k, k, c_in, c_out)],
        )  # fmt: skip
    for s, k, (*image, channels) in DEPTHWISE:
        yield Case(
            f"upsample_depthwise_conv nearest x{s} k{k} {_shape(*image, channels)}",
            {"operation": "upsample_depthwise_conv", "interpolation": "nearest",
             "channels": channels, "filters": 1, "taps": k, "pixels": math.prod(image)},
            lambda x, w, lowering, s=s: pp.ops.upsample_depthwise_conv(
                x, w, s, padding="same", lowering=lowering
            ),
            [noise(*image, channels), noise(k, k, channels, 1)],
        )  # fmt: skip
    for s, k, (*image, c_in, c_out) in TRANSPOSED:
        yield Case(
            f"conv_transpose s{s} k{k} {_shape(*image, c_in)}->{c_out}",
            {"operation": "conv_transpose", "channels": c_in, "filters": c_out, "taps": k,
             "plain": s > 1},
            lambda x, w, lowering, s=s: pp.ops.conv_transpose(x, w, s, "same", lowering=lowering),
            [noise(*image, c_in), noise(k, k, c_out, c_in)],
        )  # fmt: skip
    for k, (*image, c_in, c_out) in itertools.product((1, 3), SMALL):
        yield Case(
            f"upsample_conv nearest x2 k{k} {_shape(*image, c_in)}->{c_out} bfloat16",
            {"operation": "upsample_conv", "interpolation": "nearest",
             "channels": c_in, "filters": c_out, "taps": k, "pixels": math.prod(image),
             "dtype": "bfloat16"},
            lambda x, w, lowering: keras.ops.cast(pp.ops.upsample_conv(
                *(keras.ops.cast(t, "bfloat16") for t in (x, w)), 2, padding="same",
                lowering=lowering,
            ), "float32"),
            [noise(*image, c_in), noise(k, k, c_in, c_out)],
        )  # fmt: skip
    for *image, c_in, c_out in SMALL:
        yield Case(
            f"conv_transpose s2 k4 {_shape(*image, c_in)}->{c_out} bfloat16",
            {"operation": "conv_transpose", "channels": c_in, "filters": c_out, "taps": 4,
             "dtype": "bfloat16"},
            lambda x, w, lowering: keras.ops.cast(pp.ops.conv_transpose(
                *(keras.ops.cast(t, "bfloat16") for t in (x, w)), 2, "same", lowering=lowering
            ), "float32"),
            [noise(*image, c_in), noise(4, 4, c_out, c_in)],
        )  # fmt: skip
    for image in IMAGES:
        for interpolation, size in itertools.product(
            ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"), (2, 3)
        ):
            yield Case(
                f"upsample {interpolation} x{size} {_shape(*image)}",
                {"operation": "upsample", "interpolation": interpolation, "channels": image[3],
                 "dyadic": size == 2},
                lambda x, lowering, s=size, i=interpolation: pp.ops.upsample(
                    x, s, i, lowering=lowering
                ),
                [noise(*image)],
            )  # fmt: skip


def ways(case: Case) -> Iterator[str]:
    """Yield the lowerings, but the reference, that can compute a case."""
    for name, module in LOWERINGS.items():
        if name == "reference" or not hasattr(module, case.ask["operation"]):
            continue
        try:
            case.compute(*(array[:1, :2, :2] if i == 0 else array
                           for i, array in enumerate(case.arrays)), lowering=name)  # fmt: skip
        except ValueError:
            continue
        yield name


def measure(case: Case) -> dict[str, Any]:
    """Return the medians of every lowering, forward and training."""
    result: dict[str, Any] = {"ask": case.ask}
    for mode, prepare in (("forward", forward), ("training", gradient)):
        runs = {
            name: prepare(lambda *t, name=name: case.compute(*t, lowering=name), case.arrays)
            for name in ways(case)
        }
        result[mode] = {name: asdict(times)["median"] for name, times in alternate(runs).items()}
    return result


def main(*parts: str) -> None:
    """Measure the cases with these parts in their names, or all, and write the file."""
    known = json.loads(results_file.path("lowerings").read_text())["cases"] if parts else {}
    results = {}
    for case in cases():
        if case.name in known and not any(part in case.name for part in parts):
            results[case.name] = known[case.name] | {"ask": case.ask}
            continue
        results[case.name] = measure(case)
        print(case.name, results[case.name]["forward"], results[case.name]["training"], flush=True)
    results_file.write("lowerings", unit="ms, median", cases=results)


def _shape(*sides: int) -> str:
    return "x".join(map(str, sides))


if __name__ == "__main__":
    main(*sys.argv[1:])
