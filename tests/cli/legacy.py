"""A trained model as Keras 2.2 saved it in 2019: an HDF5 file, attribute by attribute."""

import base64
import json
import marshal
from pathlib import Path

import h5py
import numpy as np

VERSION = b"2.2.4"


def write(path: Path, config: dict, weights: dict[str, dict[str, np.ndarray]]) -> None:
    """Write a model's configuration, and its weights by layer and name."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["training_config"] = json.dumps({"loss": "mse", "optimizer_config": {}}).encode()
        write_weights(file.create_group("model_weights"), weights)


def write_weights(group: h5py.Group, weights: dict[str, dict[str, np.ndarray]]) -> None:
    """Write weights as `model.save_weights` did; `group` may be a file."""
    group.attrs["layer_names"] = [name.encode() for name in weights]
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = VERSION
    for layer, arrays in weights.items():
        inner = group.create_group(layer)
        inner.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in arrays]
        for name, array in arrays.items():
            inner.create_dataset(f"{layer}/{name}:0", data=array)


def functional(*layers: dict, shape: tuple = (4, 4, 3)) -> dict:
    """Return the configuration of a chain of layers, of class `Model`, as it was called."""
    start = {
        "name": "input_1",
        "class_name": "InputLayer",
        "config": {
            "batch_input_shape": [None, *shape],
            "dtype": "float32",
            "sparse": False,
            "name": "input_1",
        },
        "inbound_nodes": [],
    }
    chain = [start]
    for layer in layers:
        before = [[[chain[-1]["name"], 0, 0, {}]]]
        chain.append({**layer, "name": layer["config"]["name"], "inbound_nodes": before})
    return {
        "class_name": "Model",
        "config": {
            "name": "model_1",
            "layers": chain,
            "input_layers": [["input_1", 0, 0]],
            "output_layers": [[chain[-1]["name"], 0, 0]],
        },
    }


def sequential(*layers: dict, shape: tuple = (4, 4, 3)) -> dict:
    """Return the configuration of a `Sequential` model, whose first layer has the input's shape."""
    first, *others = layers
    first = {**first, "config": {"batch_input_shape": [None, *shape], **first["config"]}}
    return {
        "class_name": "Sequential",
        "config": {"name": "sequential_1", "layers": [first, *others]},
    }


def sequential_of_2018(*layers: dict) -> dict:
    """Return the same before Keras 2.2.3: without a name."""
    return {"class_name": "Sequential", "config": sequential(*layers)["config"]["layers"]}


def nested(*layers: dict) -> dict:
    """Return a `Sequential` model that begins with another, and adds nothing to it."""
    inner = sequential(*layers)
    after = {"class_name": "Activation", "config": {"name": "after", "activation": "linear"}}
    return {
        "class_name": "Sequential",
        "config": {"name": "outer", "layers": [inner, after]},
    }


def upsampling(name: str = "bigger") -> dict:
    return {
        "class_name": "UpSampling2D",
        "config": {
            "name": name,
            "trainable": True,
            "size": [2, 2],
            "data_format": "channels_last",
            "interpolation": "nearest",
        },
    }


def convolution(name: str = "draw", filters: int = 2, kernel: int = 3) -> dict:
    return {
        "class_name": "Conv2D",
        "config": {
            "name": name,
            "trainable": True,
            "filters": filters,
            "kernel_size": [kernel, kernel],
            "strides": [1, 1],
            "padding": "same",
            "data_format": "channels_last",
            "dilation_rate": [1, 1],
            "activation": "linear",
            "use_bias": True,
            "kernel_initializer": {
                "class_name": "VarianceScaling",
                "config": {
                    "scale": 1.0,
                    "mode": "fan_avg",
                    "distribution": "uniform",
                    "seed": None,
                },
            },
            "bias_initializer": {"class_name": "Zeros", "config": {}},
            "kernel_regularizer": None,
            "bias_regularizer": None,
            "activity_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
        },
    }


def code(name: str = "trick") -> dict:
    """A `Lambda` that would leave the file `ran` behind, marshalled as Keras 2 did."""
    function = (lambda x: (open("ran", "w").close(), x)[1]).__code__
    return {
        "class_name": "Lambda",
        "config": {
            "name": name,
            "trainable": True,
            "function": [base64.b64encode(marshal.dumps(function)).decode(), None, None],
            "function_type": "lambda",
            "module": "__main__",
            "output_shape": None,
            "output_shape_type": "raw",
            "output_shape_module": None,
            "arguments": {},
        },
    }
