"""Example input: noise of a size that fits a model, whatever sides it leaves unknown."""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.rewrite.graph import graph_of, input_structure, is_graph

Shape = tuple[int, ...]

# Halvings need powers of two; U-Nets of unpadded convolutions another remainder, and 140 at least.
_SIDES = (16, 32, 64, 128, 256, *range(160, 192))
_SCALES = (1, 2, 4, 8)
_LARGEST = 2**30  # bytes of all layers' results, where sides are ours to choose


class ExampleError(ValueError):
    """A model for which no example was found on which it runs."""


def example(model: keras.Layer) -> Any:
    """Return noise for a model's inputs, two examples, in the structure that it is called with.

    Raises:
        ExampleError: if no value of its unknown sides was found for which its layers fit together.
    """
    generator = np.random.default_rng(0)
    if is_graph(model):
        arrays = [
            noise(shape, tensor.dtype, generator)
            for shape, tensor in zip(shapes(model), model.inputs, strict=True)
        ]
        return tree.pack_sequence_as(input_structure(model), arrays)
    args, kwargs = example_call(model)
    return next(iter([*args, *kwargs.values()]))


def example_call(model: keras.Layer) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return noise for all that a model is called with: `(args, kwargs)`.

    Of a class it is what it was built for.

    Raises:
        ExampleError: as `example`; of a class, if it does not say what it was built for.
    """
    if is_graph(model):
        return (example(model),), {}
    generator = np.random.default_rng(0)
    config = _build_config(model)
    if config is None:
        raise ExampleError(
            f"{model.name!r} of class {type(model).__name__} does not say for which shapes it was "
            "built. Call it on an example first, or build it by `build(input_shape)`."
        )

    def filled(shapes: Any) -> Any:
        if isinstance(shapes, dict):
            return {name: filled(one) for name, one in shapes.items()}
        if all(side is None or isinstance(side, int) for side in shapes):
            return noise(_filled([tuple(shapes)], [16])[0], "float32", generator)
        return [filled(one) for one in shapes]

    if config.get("input_shape"):
        return (filled(config["input_shape"]),), {}
    named = config["shapes_dict"].items()
    return (), {name.removesuffix("_shape"): filled(shapes) for name, shapes in named}


def _build_config(model: keras.Layer) -> dict[str, Any] | None:
    """Return for which shapes a class was built; if it does not say, its first layer of images.

    Whether it runs on those, who asks finds out.
    """
    for layer in (model, *model._flatten_layers(include_self=False)):
        config = layer.get_build_config() or {}
        if layer is model and (config.get("input_shape") or config.get("shapes_dict")):
            return config
        if layer is not model and len(config.get("input_shape") or ()) > 2:
            return {"input_shape": config["input_shape"]}
    return None


def call_on_symbols(layer: keras.Layer, like: keras.Layer) -> None:
    """Call a layer that is a class on symbols, which makes its weights and the layers inside.

    Args:
        layer: what is called; no trace of that is left in its graph.
        like: a layer that was built for the same shapes.
    """
    args, kwargs = tree.map_structure(
        lambda value: keras.Input(batch_shape=value.shape, dtype=value.dtype), example_call(like)
    )
    layer(*args, **kwargs)
    layer._inbound_nodes.clear()


def noise(shape: Shape, dtype: str, generator: np.random.Generator) -> np.ndarray:
    """Return normally distributed numbers; of an integer or boolean dtype, 0 and 1."""
    if "float" not in dtype:
        return generator.integers(0, 2, shape).astype(dtype)
    return generator.standard_normal(shape, dtype="float32")


def shapes(model: keras.Model) -> list[Shape]:
    """Return a shape for each input, with two examples; unknown sides are the first that fit.

    One side for all unknown ones is tried first, then sides in ratios of powers of two.

    Raises:
        ExampleError: if none was found.
    """
    known = [tuple(tensor.shape) for tensor in model.inputs]
    if not any(None in shape[1:] for shape in known):
        return _filled(known, [0] * len(known))
    graph = graph_of(model)
    for sides in _candidates(known):
        filled = _filled(known, sides)
        if _fits(graph, filled):
            return filled
    raise ExampleError(
        f"No size of an example was found for {model.name!r}: for no side from 16 to 256 do its "
        f"layers fit together. Received: inputs of shape {', '.join(map(str, known))}. Build the "
        "model for a known size."
    )


def _candidates(known: list[Any]) -> Iterator[Sequence[int]]:
    """Yield sides to try for each input's unknown ones."""
    few = sorted({side for shape in known for side in shape[1:-1] if side and side >= 16})
    for side in dict.fromkeys((*few, *_SIDES)):
        yield [side] * len(known)
    count = len(known)
    if count == 1:
        return
    rising = tuple(2**number for number in range(count))
    mixed = itertools.product(_SCALES, repeat=count) if count <= 3 else ()
    for scales in dict.fromkeys((rising, rising[::-1], *mixed)):
        if len(set(scales)) > 1:
            for side in (16, 32):
                yield [side * scale for scale in scales]


def _filled(known: list[Any], sides: Sequence[int]) -> list[Shape]:
    batch = next((shape[0] for shape in known if shape[0]), 2)
    return [
        (batch, *(side if one is None else one for one in shape[1:]))
        for shape, side in zip(known, sides, strict=True)
    ]


def _fits(graph: keras.Model, filled: list[Shape]) -> bool:
    """Return whether all layers take images of these shapes, and results are not too large."""
    total = 0

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(layer, keras.layers.Concatenate):  # whose spec does not look at sides
            return count(keras.ops.concatenate(args[0], layer.axis))
        return count(layer.compute_output_spec(*args, **kwargs))

    def count(result: Any) -> Any:
        nonlocal total
        total += sum(4 * math.prod(one.shape) for one in tree.flatten(result))
        if total > _LARGEST:
            raise ExampleError("too large")
        return result

    try:
        inputs = [
            count(keras.KerasTensor(shape, tensor.dtype))
            for shape, tensor in zip(filled, graph.inputs, strict=True)
        ]
        outputs = graph._run_through_graph(inputs, operation_fn=lambda one: one, call_fn=call)
    except Exception:  # a layer may refuse a size by any error
        return False
    return all(0 not in one.shape for one in tree.flatten(outputs))
