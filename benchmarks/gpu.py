"""One command for a machine with a GPU, at most 8 minutes: is it right there, and what is fast.

    python benchmarks/gpu.py              # PyTorch and JAX, those that are installed
    python benchmarks/gpu.py --dry-run    # the same on tiny images, on whatever there is

For each backend: the tests of operations, on the device; then every lowering, Keras' own and the
backend's own way, of nearest + conv, bilinear + conv, transposed convolution and upsampling, in
float32 and bfloat16, forward and training; on PyTorch also the memory of a training step.
Every case is added to benchmarks/results/device-BACKEND.json when it is done, so that a run that
is cut counts. `lowerings.py` writes the file that the rows of choice.py rest on.
"""

import argparse
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MINUTES = 8
TESTS = [
    f"tests/ops/test_{name}.py"
    for name in ("upsample", "upsample_conv", "upsample_depthwise_conv", "conv_transpose")
]
# (batch, height, width, c_in, c_out): what decoders of images have, small to large
SHAPES = (
    (64, 16, 16, 256, 128),
    (16, 64, 64, 64, 32),
    (8, 128, 128, 128, 64),
    (1, 64, 64, 256, 256),
)
TINY = ((1, 4, 5, 3, 2),)


def main() -> None:
    """Give each backend that is installed its share of the time, in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dry-run", action="store_true", help="tiny images, on any device")
    parser.add_argument("--to", type=Path, default=ROOT / "benchmarks" / "results", help="a folder")
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)  # of one backend
    options = parser.parse_args()
    if options.seconds:
        measure(options.to, options.dry_run, time.monotonic() + options.seconds)
        return
    backends = [name for name in ("torch", "jax") if importlib.util.find_spec(name)]
    for backend in backends:
        command = [sys.executable, __file__, "--to", str(options.to)]
        command += ["--seconds", str(60 * MINUTES / len(backends))]
        command += ["--dry-run"] if options.dry_run else []
        subprocess.run(command, check=False, env=os.environ | {"KERAS_BACKEND": backend})


def measure(folder: Path, dry: bool, end: float) -> None:
    """Test and time the backend in use until the time is over; write after every case."""
    import keras
    import results_file

    from polyphase.ops import device

    backend = keras.backend.backend()
    if device.in_use(backend) != "gpu" and not dry:
        sys.exit(f"{backend} finds no GPU. Received: {device.in_use(backend)}. Use --dry-run here.")
    path = folder / f"device-{backend}.json"
    known = json.loads(path.read_text())["cases"] if path.exists() else {}
    content = {**results_file.circumstances(), "unit": "ms", "cases": known}
    content["tests"] = tested(dry, end - time.monotonic())
    print(backend, content["tests"], flush=True)
    for case in cases(TINY if dry else SHAPES):
        if time.monotonic() > end:
            print("The time is over.", flush=True)
            break
        known[case.name] = timed(case, 0.01 if dry else 0.5)
        path.write_text(json.dumps(content, indent=1) + "\n")
        print(case.name, known[case.name], flush=True)


def tested(dry: bool, seconds: float) -> str:
    """Return the last line of what the tests of operations say, within a third of the time."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    command += ["-k", "integers"] if dry else []
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds / 3, check=False
        )
    except subprocess.TimeoutExpired:
        return "cut: out of time"
    return done.stdout.strip().splitlines()[-1]


def cases(shapes: Any) -> Iterator[Any]:
    """Yield the cases of both precisions, float32 first."""
    import lowerings

    for dtype, shape in itertools.product(("float32", "bfloat16"), shapes):
        for interpolation in ("nearest", "bilinear"):
            yield lowerings.convolution(2, 3, shape, interpolation, dtype)
        yield lowerings.transposed(2, 4, shape, dtype)
        yield lowerings.upsampling(2, shape[:-1], "bilinear", dtype)


def timed(case: Any, seconds: float) -> dict[str, Any]:
    """Return the times of every way of one case, and the memory of a training step of each."""
    from lowerings import prepare

    from polyphase.timing import alternate, forward, gradient

    runs = prepare(case)
    for name, compute in peers(case).items():
        runs["forward"][name] = forward(compute, case.arrays)
        runs["training"][name] = gradient(compute, case.arrays)
    record: dict[str, Any] = {"ask": case.ask}
    for mode, contenders in runs.items():
        record[mode] = {
            n: asdict(one)["median"] for n, one in alternate(contenders, seconds).items()
        }
    record["MiB"] = {name: peak(run) for name, run in runs["training"].items()}
    return record


def peers(case: Any) -> dict[str, Callable[..., Any]]:
    """Return what others would write: Keras' operations, and PyTorch's own, compiled."""
    import keras
    from keras import ops

    dtype, operation = case.ask.get("dtype", "float32"), case.ask["operation"]
    interpolation = case.ask.get("interpolation") or "nearest"
    resize = keras.layers.UpSampling2D(2, interpolation=interpolation, dtype=dtype)
    same = {"padding": "same", "data_format": "channels_last"}

    def plain(x: Any, *kernel: Any) -> Any:
        x, *kernel = (ops.cast(one, dtype) for one in (x, *kernel))
        if operation == "conv_transpose":
            return ops.cast(ops.conv_transpose(x, *kernel, 2, **same), "float32")
        x = resize(x)
        return ops.cast(ops.conv(x, *kernel, 1, **same) if kernel else x, "float32")

    found = {"keras": plain}
    if keras.backend.backend() == "torch" and operation == "upsample_conv":
        import torch

        functional = torch.nn.functional

        def channels_last(x: Any, kernel: Any) -> Any:
            image = x.permute(0, 3, 1, 2).to(getattr(torch, dtype))
            large = functional.interpolate(image, scale_factor=2, mode=interpolation)
            weights = kernel.permute(3, 2, 0, 1).to(image.dtype)
            return functional.conv2d(large, weights, padding=1).permute(0, 2, 3, 1).float()

        found["compiled"] = torch.compile(channels_last, dynamic=False)
    return found


def peak(run: Callable[[], Any]) -> float | None:
    """Return by how many MiB a GPU's memory grows at most in a run; None: only PyTorch says."""
    import keras

    if keras.backend.backend() != "torch":
        return None
    import torch

    if not torch.cuda.is_available():
        return None
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    return round((torch.cuda.max_memory_allocated() - before) / 2**20, 1)


if __name__ == "__main__":
    main()
