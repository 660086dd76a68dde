"""Decoders by name and a user's own by module and function."""

import sys

import keras
import numpy as np
import pytest

from polyphase.models import DECODERS, TRAITS, comparison_autoencoder, decoder

OWN = """
import keras

def mine(filters, activation, name):
    return keras.layers.Conv2DTranspose(
        filters, 2, strides=2, activation=activation, name=name
    )

def same_size(filters, activation, name):
    return keras.layers.Conv2D(filters, 1, name=name)

def broken(filters, activation, name):
    raise RuntimeError("no idea")

value = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_decoders.py").write_text(OWN)
    yield "own_decoders"
    sys.modules.pop("own_decoders", None)


def test_a_users_function_of_the_current_folder_is_a_decoder(own):
    model = comparison_autoencoder(f"{own}:mine", (9, 11, 1), (5, 6))
    assert model.output_shape == (None, 9, 11, 1)
    assert model.get_layer("up_1").kernel_size == (2, 2)
    assert model.get_layer("up_2").filters == 6


@pytest.mark.parametrize("name", DECODERS)
def test_known_names_are_found(name):
    assert decoder(name) is DECODERS[name]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("none", "cannot be imported: module 'own_decoders' has no attribute 'none'"),
        ("value", "must be a function. Received: int"),
        ("same_size", r"must double the sides.*Received: \(4, 4, 3\)"),
        ("broken", "fails when it is called .* no idea"),
    ],
)
def test_what_is_no_decoder_is_said(own, function, message):
    with pytest.raises(ValueError, match=message):
        decoder(f"{own}:{function}")


def test_an_unknown_name_or_module_is_said():
    with pytest.raises(
        ValueError, match=r"Unknown decoder 'cubist'. Choose from: nearest, .*or give"
    ):
        decoder("cubist")
    with pytest.raises(ValueError, match="No module named 'nowhere_at_all'"):
        decoder("nowhere_at_all:f")


SINGLE = [name for name, traits in TRAITS.items() if not traits.behind]
PAIRS = [
    (large, small)
    for large in SINGLE
    for small in SINGLE
    if large != small and TRAITS[large].contains(TRAITS[small])
]


def response(stage):
    """Return what a stage of one channel makes of one pixel, 12 x 12 around it."""
    pixel = np.zeros((1, 9, 9, 1), "float32")
    pixel[0, 4, 4] = 1
    return keras.ops.convert_to_numpy(stage(pixel))[0, 2:14, 2:14, 0]


def stage_of(name):
    stage = decoder(name)(1, "linear", "up")
    stage.build((None, 9, 9, 1))
    return stage


def test_what_contains_what():
    assert set(TRAITS) == set(DECODERS)
    assert ("transposed-6", "subpixel") in PAIRS
    assert ("subpixel", "transposed-6") in PAIRS
    assert ("transposed-4", "nearest") in PAIRS
    assert ("nearest-4", "nearest") in PAIRS
    assert ("transposed-4", "nearest-4") not in PAIRS


@pytest.mark.parametrize("name", SINGLE)
def test_the_window_is_what_one_pixel_reaches(name):
    rows, columns = np.nonzero(np.abs(response(stage_of(name))) > 1e-7)
    first, last = TRAITS[name].taps
    for places in (rows, columns):  # pixel 4 is at 2 * 4 - 2 here
        assert (places.min() - 6, places.max() - 6) == (first, last)


def weights_for(name, wanted):
    """Return weights of `name` whose response is `wanted`, by least squares."""
    stage = stage_of(name)
    shapes = [weight.shape for weight in stage.weights]
    sizes = [int(np.prod(shape)) for shape in shapes]

    def given(vector):
        parts = np.split(vector.astype("float32"), np.cumsum(sizes)[:-1])
        stage.set_weights([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])
        return response(stage).ravel()

    kernel = sizes[0]  # the bias stays zero
    columns = [given(np.eye(sum(sizes))[i]) for i in range(kernel)]
    found = np.linalg.lstsq(np.stack(columns, axis=1), wanted.ravel(), rcond=None)[0]
    given(np.concatenate([found, np.zeros(sum(sizes) - kernel)]))
    return stage


@pytest.mark.parametrize(("large", "small"), PAIRS)
def test_a_larger_class_does_what_a_smaller_one_does(large, small):
    theirs = stage_of(small)
    ours = weights_for(large, response(theirs))
    image = np.random.default_rng(0).standard_normal((2, 9, 9, 1)).astype("float32")
    one, other = (keras.ops.convert_to_numpy(stage(image)) for stage in (ours, theirs))
    edge = slice(2, -2) if TRAITS[small].interpolation == "bilinear" else slice(None)
    np.testing.assert_allclose(one[:, edge, edge], other[:, edge, edge], atol=4e-6)


@pytest.mark.parametrize(
    ("small", "large"), [("transposed-3", "nearest"), ("subpixel", "transposed-4")]
)
def test_a_smaller_class_does_not_do_what_a_larger_one_does(small, large):
    theirs = stage_of(small)
    assert not TRAITS[large].contains(TRAITS[small])
    assert np.abs(response(weights_for(large, response(theirs))) - response(theirs)).max() > 0.01


def test_factors_that_differ_are_named():
    assert TRAITS["nearest"].differs(TRAITS["transposed-4"]) == ["tied weights"]
    assert TRAITS["transposed-4"].differs(TRAITS["transposed-6"]) == ["window"]
    assert TRAITS["nearest"].differs(TRAITS["nearest-4"]) == ["window"]
    assert TRAITS["transposed-6"].differs(TRAITS["subpixel"]) == []
    assert TRAITS["nearest"].differs(TRAITS["bilinear"]) == ["window", "interpolation"]
    assert TRAITS["bilinear"].differs(TRAITS["dysample"]) == ["interpolation", "prediction"]
    assert "second convolution" in TRAITS["nearest"].differs(TRAITS["nearest+conv"])


@pytest.mark.parametrize("name", DECODERS)
def test_first_weights_keep_the_size_of_what_passes(name):
    """He: the mean square of a linear result is twice that of its input, whatever the operator."""
    traits = TRAITS[name]
    if traits.behind or traits.predicted or traits.interpolation == "bilinear":
        pytest.skip("interpolating noise, and a second convolution, make it smaller")
    keras.utils.set_random_seed(0)
    stage = decoder(name)(64, "linear", "up")
    image = np.random.default_rng(0).standard_normal((4, 16, 16, 32)).astype("float32")
    inner = keras.ops.convert_to_numpy(stage(image))[:, 4:-4, 4:-4]
    assert np.mean(inner**2) == pytest.approx(2, rel=0.1)
