"""Decoders by name and a user's own by module and function."""

import sys

import pytest

from polyphase.models import DECODERS, comparison_autoencoder, decoder

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
        ("value", "is no function but int"),
        ("same_size", r"must double the sides.*Received: \(4, 4, 3\)"),
        ("broken", "fails when called .* no idea"),
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
