"""Whether two models compute the same, measured on random input."""

from typing import Any

import keras
import numpy as np
from keras import tree

from polyphase.rewrite.graph import input_structure, is_graph

# float32 outputs of equal operators differ by rounding; a mistake differs by much more.
TOLERANCE = {"float32": 1e-4, "float64": 1e-4, "float16": 3e-2, "bfloat16": 2e-1}


def difference(model: keras.Layer, other: keras.Layer) -> float:
    """Return the largest difference of two models' outputs on noise, relative to the largest."""
    x = example(model)
    worst = 0.0
    for expected, actual in zip(tree.flatten(model(x)), tree.flatten(other(x)), strict=True):
        truth, found = (
            keras.ops.convert_to_numpy(keras.ops.cast(y, "float32")) for y in (expected, actual)
        )
        scale = float(np.abs(truth).max()) or 1.0
        worst = max(worst, float(np.abs(found - truth).max()) / scale)
    return worst


def tolerance(model: keras.Layer) -> float:
    """Return by how much outputs may differ for rounding: by the coarsest layer's dtype."""
    dtypes = {getattr(one, "compute_dtype", "float32") for one in model._flatten_layers()}
    return max(TOLERANCE.get(dtype, TOLERANCE["float32"]) for dtype in dtypes)


def require_equal(model: keras.Layer, other: keras.Layer) -> None:
    """Say that a named pair was none.

    Raises:
        ValueError: if outputs differ by more than rounding.
    """
    off = difference(model, other)
    if not off <= tolerance(model):
        raise ValueError(
            f"With these pairs joined the outputs differ by {off:.1e} of the largest: the "
            "convolution of a pair must read the upsampling's result, and nothing else may."
        )


def example(model: keras.Layer) -> Any:
    """Return noise for a model's inputs: two examples; sides that are not known are 16."""
    generator = np.random.default_rng(0)
    if is_graph(model):
        return tree.map_structure(
            lambda tensor: _noise(tensor.shape, tensor.dtype, generator), input_structure(model)
        )
    shapes = model.get_build_config()
    shape = shapes.get("input_shape") or next(iter(shapes["shapes_dict"].values()))
    return _noise(shape, "float32", generator)


def _noise(shape: Any, dtype: str, generator: np.random.Generator) -> np.ndarray:
    sizes = (2, *(16 if side is None else side for side in shape[1:]))
    if "int" in dtype:
        return generator.integers(0, 2, sizes).astype(dtype)
    return generator.standard_normal(sizes, dtype="float32")
