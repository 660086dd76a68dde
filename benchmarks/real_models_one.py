"""Builds, folds and measures one model that others wrote; `real_models.py` calls it per model.

    KERAS_BACKEND=jax python benchmarks/real_models_one.py FOLDER NAME OUT

FOLDER holds the packages, NAME is "package: model", OUT the JSON file to write.
"""

import contextlib
import functools
import importlib.metadata
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from fold import randomised, times
from real_models_list import MODELS, RealModel

import polyphase as pp
from polyphase.rewrite.compare import largest, tolerance
from polyphase.rewrite.copying import foreign
from polyphase.rewrite.cost import _computed
from polyphase.rewrite.reasons import sentence_of
from polyphase.rewrite.sizes import example_call

_SIDE = 128  # where a model leaves a side open


def measured(one: RealModel) -> dict[str, Any]:
    """Return what became of one model, as far as it came."""
    row: dict[str, Any] = {}
    stage = "built"
    try:
        model = one.build() if one.trained else randomised(one.build)
        stage = "folded"
        folded, report = pp.fold(model, return_report=True)
        x = examples(model, one.batch)
        row["inputs"] = [list(array.shape) for array in keras.tree.flatten(x)]
        row |= told(model, report)
        stage = "run by the original"
        row["multiply_adds"] = [products(m, x) for m in (model, folded)]
        model.predict_on_batch(x)
        stage = "run"
        runs = {"before": model, "folded": folded}
        row["forward"] = times({n: lambda m=m: m.predict_on_batch(x) for n, m in runs.items()}, 3)
        row["loads"] = loads(model, folded, x)
    except Exception as error:  # whatever a package raises
        row |= {"not": stage, "error": sentence_of(error)}
    return row


def told(model: Any, report: Any) -> dict[str, Any]:
    """Return a report in numbers, reasons with classes of layers in the place of their names."""
    classes = {layer.name: type(layer).__name__ for layer in model._flatten_layers()}

    def general(text: str) -> str:
        return re.sub(r"'([^']+)'", lambda name: classes.get(name[1], "an operation"), text)

    done, rest = (
        Counter(general(one.what) for one in report.findings if one.folded is folded)
        for folded in (True, False)
    )
    return {
        "found": len(report.findings),
        "absorbed": sum(one.folded for one in report.findings),
        "done": dict(done.most_common()),
        "reasons": dict(rest.most_common()),
        "difference": report.difference,
        "used": list(report.used),
    }


def examples(model: Any, batch: int) -> Any:
    """Return noise for a model's inputs, in their structure."""
    generator = np.random.default_rng(0)

    def noise(tensor: Any) -> np.ndarray:
        shape = (batch, *(side or _SIDE for side in tensor.shape[1:]))
        return generator.standard_normal(shape, dtype="float32").astype(tensor.dtype)

    if not getattr(model, "inputs", None):  # a class
        args, kwargs = example_call(model)
        (x,) = [*args, *kwargs.values()]
        return keras.tree.map_structure(lambda array: array[:batch], x)
    return keras.tree.map_structure(noise, model.input)


def products(model: Any, x: Any) -> int:
    """Return the products of one example, of layers within classes too.

    Of convolutions, dense layers and interpolations, as the lowerings in use compute them; those of
    attention are not counted. On JAX symbolically, where the model can be traced: compiling each
    operation takes long.
    """
    run = functools.partial(model, x, training=False)
    if keras.backend.backend() == "jax":
        import jax

        with contextlib.suppress(Exception):
            return counted(lambda: jax.eval_shape(run))
    return counted(run)


def counted(run: Callable[[], Any]) -> int:
    """Return the products of all layers that a call calls."""
    found = []
    call = keras.Layer.__call__

    def noted(layer: Any, *args: Any, **kwargs: Any) -> Any:
        y = call(layer, *args, **kwargs)
        if not list(layer._flatten_layers(include_self=False)):
            shapes = [
                [tuple(t.shape) for t in keras.tree.flatten(values) if hasattr(t, "shape")]
                for values in (args, y)
            ]
            found.append(_computed(layer, *shapes))
        return y

    keras.Layer.__call__ = noted
    try:
        run()
    finally:
        keras.Layer.__call__ = call
    return sum(found)


def loads(model: Any, folded: Any, x: Any) -> str:
    """Return "yes" if the new model, saved and loaded, computes the same; otherwise why not."""
    said = loaded(folded, x)
    if said == "yes":
        return said
    before = loaded(model, x)
    return said if before == "yes" else f"no, nor does the original: {before}"


def loaded(model: Any, x: Any) -> str:
    """Return "yes" if a model computes the same when saved and loaded."""
    own = {kind.__name__: kind for kind in foreign(model)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        try:
            model.save(path)
            keras.backend.clear_session()
            again = keras.models.load_model(path, own, compile=False, safe_mode=False)
            predicted = [keras.tree.flatten(m.predict_on_batch(x)) for m in (model, again)]
        except Exception as error:  # whatever a package raises
            return sentence_of(error)
    off = largest(*predicted)
    return "yes" if off <= tolerance(model) else f"other numbers: {off:.1e}"


def main() -> None:
    """Measure the named model and write the file."""
    folder, name, out = sys.argv[1:]
    sys.path.insert(0, folder)
    one = next(one for one in MODELS if f"{one.package}: {one.name}" == name)
    row = {"package": one.package, "version": importlib.metadata.version(one.package)}
    row |= {"name": one.name, "batch": one.batch} | measured(one)
    Path(out).write_text(json.dumps(row))


if __name__ == "__main__":
    main()
