"""Fold an ONNX model: read, tried in every way, compared, and the fastest kept."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir

from polyphase.rewrite.compare import TOLERANCE, largest
from polyphase.rewrite.onnx import files
from polyphase.rewrite.onnx.build import RESIZE, TRANSPOSED
from polyphase.rewrite.onnx.choose import Candidate, Search
from polyphase.rewrite.onnx.examples import Shape, examples
from polyphase.rewrite.onnx.prepare import prepared
from polyphase.rewrite.onnx.report import OnnxReport
from polyphase.rewrite.onnx.resizing import why_not
from polyphase.rewrite.onnx.runtimes import RUNTIMES, Arrays, Runtime
from polyphase.rewrite.onnx.walk import Fold, upsamplings, version
from polyphase.rewrite.reasons import sentence_of
from polyphase.rewrite.report import Finding

_SPREAD = 4  # times that what a runtime's own rounding makes of the original is allowed


def fold_onnx(
    model: Any,
    *,
    shapes: Mapping[str, Shape] | None = None,
    runtime: str = "onnxruntime",
    seconds: float = 1.0,
    return_report: bool = False,
) -> Any:
    """Return an equal ONNX model in which upsampling is absorbed where that is faster here.

    Nodes are read as what they do, and what may move across an upsampling moves as in `fold`. A
    convolution that absorbs an upsampling can be written as `ConvTranspose`, as `Conv` to all
    phases and `DepthToSpace`, or stay: which is fastest depends on runtime and machine, so that
    whole models are timed in turns. The one that came is among them and is returned as it is
    where none is faster beyond doubt.

    Args:
        model: the path of an ONNX file, or an `onnx.ModelProto`; it does not change.
        shapes: of inputs, by name, on which to time; where a model leaves sides open and nothing
            is said, one image and the first size on which it runs, beginning with 256.
        runtime: "onnxruntime" or "openvino", at its default precision; what will run the model.
        seconds: for each comparison of times.
        return_report: whether to return an `OnnxReport` too.

    Returns:
        An `onnx.ModelProto` with the same inputs and outputs; with `return_report` a pair.

    Raises:
        ValueError: for what is no valid ONNX model of operators 9 to 22, that does not run, or
            whose folded outputs differ by more than rounding.
        ImportError: naming what is not installed.

    Exactness: the same operator. Outputs are compared on two random inputs, of two sizes where
        sides are open; float32 outputs differ by rounding.

    Reference: mathematics, section 7.

    Example:
        >>> fast, report = fold_onnx("decoder.onnx", return_report=True)  # doctest: +SKIP
    """
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.onnx"
        if isinstance(model, onnx.ModelProto):
            onnx.save(model, path)
        else:
            path = Path(model)
        found, report = fold_file(
            path, Path(folder), shapes=shapes, runtime=runtime, seconds=seconds
        )
        new = onnx.load(found)
    return (new, report) if return_report else new


def fold_file(
    path: Path,
    folder: Path,
    *,
    shapes: Mapping[str, Shape] | None = None,
    runtime: str = "onnxruntime",
    seconds: float = 1.0,
    watch: Callable[[str], object] = lambda line: None,
) -> tuple[Path, OnnxReport]:
    """Return the fastest file that computes what another does, made in a folder or that itself.

    Args and errors as of `fold_onnx`; `watch` is told what takes time.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"Unknown runtime {runtime!r}. Expected one of: {', '.join(RUNTIMES)}.")
    runs = RUNTIMES[runtime]()
    given = files.loaded(path)
    read = prepared(given)
    inputs = _examples(given, path, runs, shapes or {})
    search = Search(path, read, runs, inputs[0], folder, seconds, watch)
    best = search.fastest()
    watch("Comparing outputs, and the times of both")
    off, own = _differences(path, best, runs, inputs)
    allowed = max(TOLERANCE["float32"], _SPREAD * own)
    if not off <= allowed:
        raise ValueError(
            f"The folded model's outputs differ by {off:.1e} of the largest output, more than "
            "rounding; nothing was written. Please report the model."
        )
    kept, times = search.compared(best)
    return kept.path, OnnxReport(
        findings=tuple(_findings(read, kept, search.trial, runtime)),
        difference=off,
        own=own,
        before=times["before"],
        after=times["after"] if kept is not search.original else times["before"],
        runtime=runtime,
        precision=runs.precision(path),
        shapes={name: array.shape for name, array in inputs[0].items()},
        changed=kept is not search.original,
        unknown=tuple(files.unknown_operators(given)),
    )


def _examples(
    model: ir.Model, path: Path, runtime: Runtime, shapes: Mapping[str, Shape]
) -> list[Arrays]:
    try:
        run = runtime.load(path)
    except Exception as error:  # the runtime's own
        raise ValueError(
            f"{runtime.name} cannot load this model, so that a folded one could neither be "
            f"compared nor timed: {sentence_of(error)}."
        ) from error
    return examples(model, run, shapes)


def _differences(
    path: Path, best: Candidate, runtime: Runtime, inputs: list[Arrays]
) -> tuple[float, float]:
    """Return by how much outputs differ, and the original's from itself in another order of sums.

    Both relative to the largest output, computed in the files' own precision.
    """
    before, plain = runtime.load(path, exact=True), runtime.load(path)
    after = runtime.load(best.path, exact=True)
    expected = [before(arrays) for arrays in inputs]
    off = [largest(one, after(arrays)) for one, arrays in zip(expected, inputs, strict=True)]
    own = [largest(one, plain(arrays)) for one, arrays in zip(expected, inputs, strict=True)]
    return float(np.max(off)), float(np.max(own))


def _findings(read: ir.Model, kept: Candidate, trial: Fold, runtime: str) -> Iterator[Finding]:
    """Yield what happened to each node that upsamples."""
    for number, one in enumerate(upsamplings(read)):
        notes, way = kept.fold.notes.get(number, {}), kept.ways.get(number, "")
        tried = trial.notes.get(number, {})
        if any(notes.values()):
            as_what = f", as {way}" if way != RESIZE else ""
            yield Finding(one.name, True, "; ".join(notes) + as_what)
        elif any(tried.values()):
            yield Finding(one.name, False, f"stays as it is, which is as fast in {runtime}")
        elif tried:
            yield Finding(one.name, False, "; ".join(tried))
        elif one.kind == TRANSPOSED:
            yield Finding(one.name, False, "left alone: no convolution computes all its phases")
        else:
            why = why_not(one.operation.source, version(read))
            yield Finding(one.name, False, f"left alone: {why}")
