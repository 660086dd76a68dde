"""Walk through a model, layer by layer, and make a new one of what each layer becomes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
from keras import tree

from polyphase.rewrite.code import runs_code
from polyphase.rewrite.delayed import Delayed, Joined

Tensor = Any


def require_graph(model: Any, who: str) -> None:
    """Say what is wrong with a model that has no graph of layers.

    Raises:
        TypeError: for what is not a model.
        ValueError: for a model that is not built or not made of layers.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"`{who}` takes a Keras model. Received: {type(model).__name__}.")
    if not is_graph(model):
        raise ValueError(
            f"The model {model.name!r} of class {type(model).__name__} has no graph of layers to "
            f"follow. Give `{who}` a Functional or Sequential model with an Input."
        )


def is_graph(model: Any) -> bool:
    """Return whether this is a model and a graph of layers."""
    return isinstance(model, keras.Model) and bool(model.built and getattr(model, "inputs", None))


def is_class(model: Any) -> bool:
    """Return whether this is a layer or model whose `call` is Python code of somebody's own."""
    return isinstance(model, keras.Layer) and not is_graph(model) and runs_code(model)


def graph_of(model: keras.Model) -> keras.Model:
    """Return a model as a Functional one, whose operations can be walked through."""
    return keras.Model(model.inputs, model.outputs)


def data_format(model: keras.Layer) -> str:
    """Return the data format of a model's layers, by the first that has one."""
    found = (getattr(layer, "data_format", None) for layer in model._flatten_layers())
    return next((one for one in found if one), keras.config.image_data_format())


def graphs(model: keras.Model) -> list[keras.Model]:
    """Return a model and the models nested in it, as Functional ones, each once."""
    found: dict[int, keras.Model] = {}

    def visit(one: keras.Model) -> None:
        if id(one) not in found:
            found[id(one)] = graph_of(one)
            for inner in filter(is_graph, found[id(one)].operations):
                visit(inner)

    visit(model)
    return list(found.values())


def input_structure(model: keras.Model) -> Any:
    """Return a model's inputs in the structure that it is called with."""
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def output_structure(model: keras.Model) -> Any:
    """Return a model's outputs in the structure that it returns; a Sequential has no `output`."""
    return model.outputs[0] if isinstance(model, keras.Sequential) else model.output


def rebuilt(
    model: keras.Model,
    call: Callable[..., Any],
    finish: Callable[[Any, str], Tensor] = lambda value, name: value,
    entering: Sequence[Delayed | Joined | None] = (),
) -> keras.Model:
    """Return a model of the same kind, name, inputs and outputs, made by `call`.

    Args:
        model: Functional or Sequential, built.
        call: `call(layer, *args, **kwargs)` is asked, in the order of the graph, for the value of
            each layer; arguments are values that it returned before, or new inputs.
        finish: `finish(value, name)` makes a tensor of an output's value; `name` is of the layer
            that made it in the old model.
        entering: per input, how it will be upsampled or concatenated within, or None; none said:
            they are tensors. What will be concatenated is a list of inputs.
    """
    graph = graph_of(model)
    waiting = entering or [None] * len(model.inputs)
    begun = [_begun(tensor, one) for tensor, one in zip(model.inputs, waiting, strict=True)]
    started, inputs = [value for value, _ in begun], [new for _, new in begun]
    values = graph._run_through_graph(started, operation_fn=lambda layer: layer, call_fn=call)
    names = [tensor._keras_history.operation.name for tensor in graph.outputs]
    outputs = [finish(value, name) for value, name in zip(tree.flatten(values), names, strict=True)]
    if isinstance(model, keras.Sequential):
        chain = keras.Model(inputs, outputs).operations
        if len(tree.flatten(inputs)) == 1 and all(isinstance(one, keras.Layer) for one in chain):
            return keras.Sequential(chain, name=model.name, trainable=model.trainable)
    return keras.Model(
        tree.pack_sequence_as(input_structure(model), inputs),
        tree.pack_sequence_as(output_structure(model), outputs),
        name=model.name,
        trainable=model.trainable,
    )


def _begun(tensor: Tensor, waiting: Delayed | Joined | None) -> tuple[Any, Any]:
    """Return the value of an input within a new model, and that model's input, or inputs."""
    if not isinstance(waiting, Joined):
        new = _input(tensor, waiting.small if waiting else None)
        return waiting.of(new) if waiting else new, new
    inputs = [_input(tensor, small, f"_{number}") for number, small in enumerate(waiting.small)]
    return waiting.of(inputs), inputs


def _input(tensor: Tensor, small: Tensor = None, ending: str = "") -> Tensor:
    """Return a new input like an old one: name, sparse, optional.

    It has another tensor's shape, but for sides that the old one leaves open.
    """
    config = tensor._keras_history.operation.get_config()
    config["name"] += ending
    if small is not None:
        shape = tuple(
            None if old is None else new for old, new in zip(tensor.shape, small.shape, strict=True)
        )
        config |= {"batch_shape": shape, "dtype": small.dtype}
    new = keras.layers.InputLayer.from_config(config).output
    new.name = tensor.name + ending
    return new


def calls(graph: keras.Model) -> Iterator[tuple[Any, list[Tensor], list[Tensor]]]:
    """Yield every call in a graph: the layer, the tensors it takes and those it returns."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if not node.is_input:
                yield node.operation, node.input_tensors, node.outputs
