"""Fold an ONNX model: read, tried in every way, compared, and the fastest kept."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from polyphase.ops import arguments
from polyphase.rewrite.compare import TOLERANCE, largest
from polyphase.rewrite.onnx import files
from polyphase.rewrite.onnx.build import RESIZE, TRANSPOSED
from polyphase.rewrite.onnx.choose import Candidate, Search
from polyphase.rewrite.onnx.examples import examples
from polyphase.rewrite.onnx.prepare import prepared
from polyphase.rewrite.onnx.resizing import why_not
from polyphase.rewrite.onnx.walk import Fold, upsamplings, version, within
from polyphase.rewrite.onnx_report import OnnxReport
from polyphase.rewrite.reasons import sentence_of
from polyphase.rewrite.report import Finding, Why
from polyphase.rewrite.runtimes import RUNTIMES, Arrays, Runtime
from polyphase.rewrite.sizes import Shape

_SPREAD = 4  # times that what a runtime's own rounding makes of the original is allowed


def fold_model(model: Any, **options: Any) -> tuple[onnx.ModelProto, OnnxReport]:
    """Return the fastest model that computes what another does, or that itself, and a report.

    Args and errors as of `polyphase.fold_onnx`.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "given.onnx"
        if isinstance(model, onnx.ModelProto):
            onnx.save(model, path)
        elif isinstance(model, (str, os.PathLike)):
            path = Path(model)
        else:
            raise TypeError(
                "fold_onnx takes the path of an ONNX file or an onnx.ModelProto. "
                f"Received: {type(model).__name__}."
            )
        found, report = fold_file(path, Path(folder), **options)
        return onnx.load(found), report


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

    Args and errors as of `polyphase.fold_onnx`; `watch` is told what takes time.
    """
    runtime = arguments.one_of(runtime, "runtime", tuple(RUNTIMES))
    runs = RUNTIMES[runtime]()
    given = files.loaded(path)
    inputs = _examples(given, path, runs, shapes or {})
    try:
        read = prepared(given)
        search = Search(path, read, runs, inputs[0], folder, seconds, watch)
        best = search.fastest()
        watch("Comparing outputs, and the times of both")
        off, own = _differences(path, best, runs, inputs)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # of libraries, on models that nobody here has seen
        raise ValueError(
            f"Folding failed: {sentence_of(error)}; nothing was written. Please report the model."
        ) from error
    allowed = max(_tolerance(given), _SPREAD * own)
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


def _tolerance(model: ir.Model) -> float:
    """Return by how much outputs may differ for rounding: by the coarsest weights' dtype."""
    values = model.graph.initializers.values()
    dtypes = {str(value.dtype).lower() for value in values} & set(TOLERANCE)
    return max((TOLERANCE[dtype] for dtype in dtypes), default=TOLERANCE["float32"])


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
        if None in notes.values():
            as_what = f", as {way}" if way != RESIZE else ""
            yield Finding(one.name, True, "; ".join(notes) + as_what, _reasons(notes))
        elif None in tried.values():
            yield Finding(one.name, False, f"stays as it is: nothing was faster in {runtime}")
        elif tried:
            yield Finding(one.name, False, "; ".join(tried), _reasons(tried))
        elif one.kind == TRANSPOSED:
            what = "left alone: no convolution computes all its phases"
            yield Finding(one.name, False, what, (Why.CONVOLUTION,))
        else:
            text, why = why_not(one.operation.source, version(read))
            yield Finding(one.name, False, f"left alone: {text}", (why,))
    for name in within(read):
        yield Finding(name, False, "left alone: in a graph within a node", (Why.NESTED,))


def _reasons(notes: Mapping[str, Why | None]) -> tuple[Why, ...]:
    return tuple(dict.fromkeys(why for why in notes.values() if why is not None))
