"""TensorFlow Lite files, run by their own interpreter."""

import warnings

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `tensorflow`")

import tensorflow as tf

from polyphase import layers
from polyphase.rewrite import fold, tflite
from polyphase.rewrite.export import ExportError
from tests.rewrite.helpers import arrays, outputs, randomised


def interpreted(path, x):
    """What TensorFlow's interpreter makes of inputs, which are told apart by their shapes."""
    with warnings.catch_warnings(action="ignore"):
        run = tf.lite.Interpreter(str(path)).get_signature_runner()
    listed = {one.shape: one for one in (x if isinstance(x, list) else [x])}
    arguments = run.get_input_details()
    found = run(**{name: listed[tuple(one["shape"])] for name, one in arguments.items()})
    return [found[f"output_{number}"] for number in range(len(found))]


def single(model):
    x = arrays(model, seed=5)
    return [one[:1] for one in x] if isinstance(x, list) else x[:1]


@pytest.mark.parametrize("name", ["generator", "unet"])
@pytest.mark.parametrize("faster", [True, False])
def test_either_file_computes_what_the_model_does(name, faster, tmp_path, monkeypatch):
    model = randomised(name)
    folded = fold(model, inference=True)
    monkeypatch.setattr(tflite, "surely_less", lambda new, old: faster)
    monkeypatch.setattr(tflite, "_SECONDS", 0.02)
    off, times = tflite.to_tflite(model, folded, tmp_path / "m.tflite")
    assert off < 1e-4
    assert (times[0] == times[1]) == (not faster)
    x = single(model)
    for one, other in zip(outputs(model, x), interpreted(tmp_path / "m.tflite", x), strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-4 * np.abs(one).max())


@pytest.mark.parametrize("channels", [8, 32])
def test_the_interpreter_runs_learned_upsamplers(channels, tmp_path):
    """Few channels are reassembled by a loop, many by products; no axes more than it takes."""
    inputs = keras.Input((12, 14, channels))
    x = layers.CARAFE2D(2, compression=4)(inputs)
    model = keras.Model(inputs, layers.DySample2D((2, 3), dynamic_scope=True)(x))
    off, times = tflite.to_tflite(model, model, tmp_path / "m.tflite")
    assert off < 1e-5
    assert times is not None


def test_without_an_interpreter_the_model_is_written_as_it_was(tmp_path, monkeypatch):
    model = randomised("generator")
    monkeypatch.setattr(tflite, "_interpreter", lambda: None)
    assert tflite.to_tflite(model, fold(model), tmp_path / "m.tflite") == (None, None)
    x = single(model)
    (found,) = interpreted(tmp_path / "m.tflite", x)
    np.testing.assert_allclose(found, outputs(model, x)[0], rtol=0, atol=1e-5)


def test_without_tensorflow_it_says_what_to_install(tmp_path, monkeypatch):
    model = randomised("generator")
    monkeypatch.setattr(tflite.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExportError, match=r"pip install 'polyphase\[tensorflow\]'"):
        tflite.to_tflite(model, model, tmp_path / "m.tflite")
