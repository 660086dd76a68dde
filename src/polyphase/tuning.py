"""Time every lowering of a model's layers where the model runs, and keep the fastest."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import keras
import numpy as np

from polyphase import timing
from polyphase.ops.lowerings import LOWERINGS
from polyphase.rewrite.compare import outputs
from polyphase.timing import Run, Times

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]  # of one call
Prepare = Callable[..., Run]


@dataclass(frozen=True)
class Tuned:
    """What was measured of one layer.

    Attributes:
        layer: its name.
        lowering: the fastest lowering, which the layer now has.
        shapes: shapes of the images that it was timed with.
        times: times of every lowering that can compute it, for all shapes together.
    """

    layer: str
    lowering: str
    shapes: tuple[Shape, ...]
    times: dict[str, Times]


def tune(
    model: keras.Layer,
    inputs: Any,
    *,
    training: bool = False,
    seconds: float = 0.5,
    watch: Callable[[str], None] = lambda layer: None,
) -> tuple[Tuned, ...]:
    """Give each Polyphase layer of a model the `lowering` that is fastest on this machine.

    `lowering="auto"` chooses by what we measured on our machines. `tune` measures on yours: on its
    device, with the layers' dtypes and with the shapes that the layers get from these inputs. The
    lowerings run in turns, after warm-up, as in `polyphase bench`. One of them is "direct", which
    does what Keras' own layers do.

    Args:
        model: a built model. The `lowering` of its layers is set, and its compiled functions are
            dropped; all else stays as it is. A saved model keeps its lowerings.
        inputs: what the model is called with, of the size and the batch that matter to you.
        training: whether to time a training step, with its gradients, instead of prediction.
        seconds: seconds to spend on each layer and shape, after compilation.
        watch: called with the name of each layer before it is timed.

    Returns:
        A `Tuned` for each layer that has a `lowering`; none if the model has no such layer
        (`fold` turns Keras' own layers into ours).

    Raises:
        ValueError: for a model that is not built, or inputs that it does not take.

    Exactness: every lowering computes the same operator; outputs differ by rounding.

    Example:
        >>> import polyphase as pp
        >>> model = keras.Sequential([keras.Input((8, 8, 4)), pp.layers.UpSampleConv2D(2, 3)])
        >>> (found,) = tune(model, np.ones((1, 8, 8, 4), "float32"), seconds=0.05)
        >>> found.lowering == model.layers[0].lowering != "auto"
        True
    """
    if not model.built:
        raise ValueError(f"The model {model.name!r} is not built. Call it on an example first.")
    layers = [one for one in model._flatten_layers() if hasattr(one, "lowering")]
    prepare = timing.gradient if training else timing.forward
    with _seen(layers) as shapes:
        outputs(model, inputs)
    tuned = []
    for layer in layers:
        if shapes[id(layer)]:
            watch(layer.name)
            tuned.append(_tuned(layer, sorted(shapes[id(layer)]), prepare, seconds))
    for compiled in ("train_function", "test_function", "predict_function"):
        if hasattr(model, compiled):
            setattr(model, compiled, None)
    return tuple(tuned)


@contextmanager
def _seen(layers: list[Any]) -> Iterator[dict[int, set[Shapes]]]:
    """Note, by the layers' ids, the shapes of what each is called with."""
    seen: dict[int, set[Shapes]] = defaultdict(set)

    def noting(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            seen[id(layer)].add(tuple(tuple(one.shape) for one in keras.tree.flatten(inputs)))
            return call(inputs, *args, **kwargs)

        return noted

    for layer in layers:
        object.__setattr__(layer, "call", noting(layer, layer.call))
    try:
        yield seen
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


def _tuned(layer: Any, seen: Sequence[Shapes], prepare: Prepare, seconds: float) -> Tuned:
    """Time a layer with all shapes that it was called with, and set its lowering."""
    of_shapes = [_times(layer, shapes, prepare, seconds) for shapes in seen]
    times = {
        name: _total([one[name] for one in of_shapes])
        for name in LOWERINGS
        if all(name in one for one in of_shapes)
    }
    layer.lowering = min(times, key=lambda name: times[name].median)
    return Tuned(layer.name, layer.lowering, tuple(shapes[0] for shapes in seen), times)


def _total(several: Sequence[Times]) -> Times:
    return Times(*(sum(values) for values in zip(*map(astuple, several), strict=True)))


def _times(layer: Any, shapes: Shapes, prepare: Prepare, seconds: float) -> dict[str, Times]:
    """Time what computes a layer.

    Left out are the reference, which is slow by design, and the blur of nearest, which is `auto`.
    """
    values = [keras.ops.convert_to_numpy(one.value) for one in layer.weights]
    generator = np.random.default_rng(0)
    images = [generator.standard_normal(shape, dtype="float32") for shape in shapes]
    left_out = {"reference"}
    if getattr(layer, "interpolation", None) == "nearest":
        left_out.add("blur")
    runs = {}
    for name in [one for one in LOWERINGS if one not in left_out]:
        try:
            run = prepare(_calling(layer, name, len(images)), [*images, *values])
            run()
        except Exception:  # whatever a backend raises: it cannot compute this
            if name == "direct":
                raise
            continue
        runs[name] = run
    return timing.alternate(runs, seconds)


def _calling(layer: Any, lowering: str, images: int) -> Callable[..., Any]:
    """Return a function of a layer's images and weights that computes it by a lowering."""

    def call(*arrays: Any) -> Any:
        inputs, values = arrays[:images], arrays[images:]
        mapping = list(zip(layer.weights, values, strict=True))
        before, layer.lowering = layer.lowering, lowering
        try:
            with keras.StatelessScope(state_mapping=mapping):
                y = layer(inputs[0] if images == 1 else list(inputs))
        finally:
            layer.lowering = before
        return keras.ops.cast(y, "float32")

    return call
