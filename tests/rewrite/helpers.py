"""Random weights, random inputs, equal outputs."""

import functools

import keras
import numpy as np
from keras import tree

from tests.rewrite.models import MODELS


def arrays(model, seed=0):
    generator = np.random.default_rng(seed)
    inputs = [generator.standard_normal((3, *t.shape[1:]), dtype="float32") for t in model.inputs]
    structure = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    return tree.pack_sequence_as(structure, inputs)


def randomised(name):
    keras.utils.set_random_seed(1)
    model = MODELS[name]()
    generator = np.random.default_rng(2)
    for weight in model.weights:
        noise = generator.standard_normal(weight.shape)
        scale = 1 / np.sqrt(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0.3
        weight.assign(np.abs(noise) + 0.5 if "variance" in weight.path else scale * noise)
    return model


def outputs(model, x, **kwargs):
    return [keras.ops.convert_to_numpy(y) for y in tree.flatten(_called(model, x, **kwargs))]


def _called(model, x, **kwargs):
    """Call a model; on JAX compiled as a whole, which takes a fraction of compiling its parts."""
    if keras.backend.backend() != "jax":
        return model(x, **kwargs)
    import jax

    kept = model.non_trainable_variables
    state = [[one.value for one in some] for some in (model.trainable_variables, kept)]
    call = functools.partial(model.stateless_call, **kwargs)
    exact = {"xla_allow_excess_precision": False}  # else half precision is rounded elsewhere
    y, after = jax.jit(call, compiler_options=exact)(*state, x)
    for variable, value in zip(kept, after, strict=True):
        variable.assign(value)
    return y


def assert_equal_outputs(model, folded, **kwargs):
    x = arrays(model)
    for expected, actual in zip(
        outputs(model, x, **kwargs), outputs(folded, x, **kwargs), strict=True
    ):
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def layers_of(model, *kinds):
    return [layer for layer in model.layers if type(layer) in kinds]
