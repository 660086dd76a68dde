"""Find the layers that upsample, wherever in a model they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from polyphase.inspection.readings import Reading, read, sub_pixel
from polyphase.layers import kinds
from polyphase.rewrite.compare import require_finite
from polyphase.rewrite.cost import written
from polyphase.rewrite.forms import Conv
from polyphase.rewrite.graph import calls, graph_of, is_graph
from polyphase.rewrite.reader import form_of
from polyphase.rewrite.recognise import keras_order


@dataclass(frozen=True, eq=False)
class Found:
    """One layer that upsamples.

    Attributes:
        name: of the layer; within a nested model or class, `outer/layer`.
        layer: that has the weights.
        shown: what gives the upsampled image: the layer, a TimeDistributed around it, or what moves
            its channels into space.
        reading: what its weights say.
        multiply_adds: of one example; None if its sizes are not known.
        in_graph: whether it is a node of a graph of layers, so that its effect can be followed.
    """

    name: str
    layer: keras.Layer
    shown: Any
    reading: Reading
    multiply_adds: int | None
    in_graph: bool

    @property
    def node(self) -> Any:
        """What has the weights in the graph: the layer, or the TimeDistributed around it."""
        return self.shown if kinds.inner(self.shown) is self.layer else self.layer

    @property
    def factor(self) -> tuple[Any, ...]:
        """Per axis of the image in the graph: from step to step of a sequence 1."""
        return (1,) * (self.node is not self.layer) + self.reading.factor


def found(model: Any) -> list[Found]:
    """Return all layers of a built model that upsample, or whose gradient does, each once."""
    once = {id(one.layer): one for one in _found(model, "")}
    return list(once.values())


def readings_of(model: Any) -> list[Reading]:
    """Return what the weights of the layers that upsample show, in the order of the graph."""
    return [one.reading for one in found(model)]


def require_inspectable(model: Any, who: str) -> None:
    """Say why a model cannot be looked into.

    Raises:
        TypeError: for what is not a Keras layer or model.
        ValueError: for one that is not built, or has weights that are not finite.
    """
    if not isinstance(model, keras.Layer):
        raise TypeError(f"`{who}` takes a Keras model. Received: {type(model).__name__}.")
    if not model.built:
        raise ValueError(
            f"The model {model.name!r} is not built and has no weights. Call it on an example "
            f"first, then `{who}`."
        )
    require_finite(model)


def _found(model: Any, path: str) -> Iterator[Found]:
    if not is_graph(model):
        yield from _inside(model, path)
        return
    for layer, inputs, outputs in calls(graph_of(model)):
        if is_graph(layer):
            yield from _found(layer, f"{path}{layer.name}/")
        elif kinds.exact(layer) is kinds.DEPTH_TO_SPACE:
            yield from _woven(layer, inputs[0], path)
        elif isinstance(layer, keras.Layer):
            within = kinds.inner(layer)
            reading = read(within)
            if reading is None:
                yield from _inside(layer, f"{path}{layer.name}/")
                continue
            name = f"{path}{layer.name}"
            name += "" if within is layer else f"/{within.name}"
            yield Found(name, within, layer, reading, _products(layer, inputs, outputs), True)


def _inside(owner: Any, path: str) -> Iterator[Found]:
    """Look into a class of layers; of the order of its calls nothing is known."""
    for layer in owner._flatten_layers(include_self=False):
        reading = read(layer)
        if reading is not None:
            yield Found(f"{path}{layer.name}", layer, layer, reading, None, False)


def _woven(operation: Any, small: Any, path: str) -> Iterator[Found]:
    """`keras.ops.depth_to_space` of a convolution without activation: a sub-pixel convolution."""
    layer, data_format = small._keras_history.operation, operation.data_format
    if type(layer) is keras.layers.Permute and layer.dims == (2, 3, 1):  # as `to_keras` makes it
        node = layer._inbound_nodes[small._keras_history.node_index]
        small, data_format = node.input_tensors[0], "channels_first"
        layer = small._keras_history.operation
    form = form_of(layer)
    linear = isinstance(form, Conv) and form.way == "full" and form.plain and form.linear
    if linear and layer.data_format == data_format:
        factor = (operation.block_size, operation.block_size)
        reading = sub_pixel(layer, factor, keras_order(operation.data_format))
        products = _products(layer, [], [small])
        yield Found(f"{path}{layer.name}", layer, operation, reading, products, True)


def _products(layer: Any, inputs: list[Any], outputs: list[Any]) -> int | None:
    try:
        return written(layer, [x.shape for x in inputs], [y.shape for y in outputs])
    except ValueError:
        return None
