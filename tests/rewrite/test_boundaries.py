"""What waits to be upsampled crosses the boundaries of nested models, and only for a gain."""

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.rewrite import multiply_adds
from polyphase.rewrite.cost import Cost
from tests.rewrite.helpers import assert_equal_outputs

WAYS = ["nearest", "bilinear"]


def head(interpolation="nearest", size=4):
    """A model that ends in an upsampling, as keras-hub's DeepLab does."""
    x = inputs = keras.Input((3, 4, 5), name="features")
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    x = layers.UpSampling2D(size, interpolation=interpolation, name="up")(x)
    return keras.Model(inputs, x, name="head")


def tail(sides=(6, 8), *middle):
    """A model that begins with what an upsampling passes, and a convolution that absorbs it."""
    x = inputs = keras.Input((*sides, 5), name="image")
    for layer in middle:
        x = layer(x)
    x = layers.Conv2D(2, 3, padding="same", name="draw")(x)
    return keras.Model(inputs, x, name="tail")


def folded(model):
    new, report = pp.fold(model, return_report=True)
    assert_equal_outputs(model, new)
    return new, {one.layer: one for one in report.findings}


@pytest.mark.parametrize("interpolation", WAYS)
def test_an_upsampling_at_the_end_waits_for_what_is_behind_the_model(interpolation):
    inputs = keras.Input((3, 4, 5))
    x = layers.Conv2D(3, 1, name="classes")(head(interpolation)(inputs))
    new, findings = folded(keras.Model(inputs, x))
    assert "delayed until after the 1x1 convolution 'classes'" in findings["head/up"].what
    assert new.get_layer("head").output.shape[1:] == (3, 4, 6)
    assert multiply_adds(new) < multiply_adds(keras.Model(inputs, x))


@pytest.mark.parametrize("behind", [None, layers.MaxPooling2D(2), layers.Flatten()])
def test_a_model_keeps_its_output_where_nothing_is_gained(behind):
    inputs = keras.Input((3, 4, 5))
    x = head()(inputs)
    new, findings = folded(keras.Model(inputs, behind(x) if behind else x))
    assert new.get_layer("head").output.shape[1:] == (12, 16, 6)
    assert not findings["head/up"].folded


def test_two_readers_of_whom_one_gains_nothing_get_the_whole_image():
    inputs = keras.Input((3, 4, 5))
    x = head()(inputs)
    new, _ = folded(keras.Model(inputs, [layers.Conv2D(3, 1)(x), layers.MaxPooling2D(2)(x)]))
    assert new.get_layer("head").output.shape[1:] == (12, 16, 6)


def test_a_model_that_is_called_twice_waits_twice():
    one, two = keras.Input((3, 4, 5)), keras.Input((3, 4, 5))
    shared, draw = head(size=2), layers.Conv2D(2, 3, padding="same", name="draw")
    new, findings = folded(keras.Model([one, two], [draw(shared(one)), draw(shared(two))]))
    assert findings["head/up"].folded
    assert type(new.get_layer("draw")) is pp.layers.UpSampleConv2D


@pytest.mark.parametrize("middle", [(), (layers.ReLU(), layers.BatchNormalization())])
def test_an_upsampling_before_a_model_is_absorbed_within(middle):
    inputs = keras.Input((3, 4, 5))
    x = tail((6, 8), *middle)(layers.UpSampling2D(2, name="up")(inputs))
    new, findings = folded(keras.Model(inputs, x))
    assert findings["up"].what == "absorbed by 'draw'"
    assert type(new.get_layer("tail").get_layer("draw")) is pp.layers.UpSampleConv2D
    assert new.get_layer("tail").input_shape[1:] == (3, 4, 5)


def test_a_model_keeps_its_input_where_nothing_is_gained():
    inputs = keras.Input((3, 4, 5))
    x = tail((6, 8), layers.MaxPooling2D(2))(layers.UpSampling2D(2, name="up")(inputs))
    new, findings = folded(keras.Model(inputs, x))
    assert new.get_layer("tail").input_shape[1:] == (6, 8, 5)
    assert not findings["up"].folded


def test_a_model_called_with_an_upsampled_image_and_with_another_keeps_its_input():
    one, two = keras.Input((3, 4, 5)), keras.Input((6, 8, 5))
    shared = tail()
    x = layers.UpSampling2D(2, name="up")(one)
    new, findings = folded(keras.Model([one, two], [shared(x), shared(two)]))
    assert new.get_layer("tail").input_shape[1:] == (6, 8, 5)
    assert not findings["up"].folded


def test_out_of_one_model_and_into_another():
    inputs = keras.Input((3, 4, 5))
    x = inner = keras.Input((12, 16, 6))
    x = layers.Conv2D(3, 1, name="classes")(x)
    behind = keras.Model(inner, layers.Activation("sigmoid")(x), name="behind")
    new, findings = folded(keras.Model(inputs, behind(head()(inputs))))
    assert findings["head/up"].folded
    assert new.get_layer("behind").input_shape[1:] == (3, 4, 6)


def test_a_model_in_a_model_in_a_model():
    inputs, middle = keras.Input((3, 4, 5)), keras.Input((3, 4, 5))
    outer = keras.Model(middle, layers.ReLU()(head()(middle)), name="outer")
    new, findings = folded(keras.Model(inputs, layers.Conv2D(3, 3, name="draw")(outer(inputs))))
    assert findings["outer/head/up"].what == "absorbed by 'draw'"
    assert type(new.get_layer("draw")) is pp.layers.UpSampleConv2D


def test_several_inputs_and_outputs_each_cross_on_their_own():
    small, skip = keras.Input((3, 4, 5)), keras.Input((6, 8, 5))
    inner = [keras.Input((6, 8, 5)), keras.Input((6, 8, 5))]
    y = layers.Conv2D(4, 3, padding="same", name="draw")(inner[0])
    joined = keras.Model(
        inner, [y, layers.UpSampling2D(2, name="last")(inner[1] * 2.0)], name="two"
    )
    first, second = joined([layers.UpSampling2D(2, name="up")(small), skip])
    second = layers.Conv2D(2, 3, name="end")(second)
    new, findings = folded(keras.Model([small, skip], [first, second]))
    assert findings["up"].folded
    assert findings["two/last"].folded
    assert type(new.get_layer("end")) is pp.layers.UpSampleConv2D


def test_a_folded_model_trains_on_and_loads(tmp_path):
    inputs = keras.Input((3, 4, 5))
    model = keras.Model(inputs, layers.Conv2D(3, 1, name="classes")(head()(inputs)))
    new = pp.fold(model)
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype("float32")
    y = np.zeros((2, 12, 16, 3), "float32")
    for one in (model, new):
        one.compile(keras.optimizers.SGD(0.1), "mse")
        one.fit(x, y, epochs=2, verbose=0)
    assert_equal_outputs(model, new)
    new.save(tmp_path / "new.keras")
    assert_equal_outputs(model, keras.saving.load_model(tmp_path / "new.keras"))


def pyramid(joined, behind, interpolation="nearest"):
    """Three images of one size, joined, and the model behind them, as keras-hub's SegFormer is."""
    inputs = [keras.Input((side, side, 4)) for side in (8, 4, 2)]
    large, *small = inputs
    grown = [
        layers.UpSampling2D(size, interpolation=interpolation, name=f"up_{size}")(x)
        for size, x in zip((2, 4), small, strict=True)
    ]
    return keras.Model(inputs, behind(joined([large, *grown])))


@pytest.mark.parametrize(("interpolation", "taps"), [("nearest", 3), ("bilinear", 1)])
@pytest.mark.parametrize("sequential", [True, False])
def test_what_will_be_concatenated_is_split_within_a_model(interpolation, taps, sequential):
    inner = keras.Input((8, 8, 12), name="image")
    chain = [layers.Conv2D(6, taps, padding="same", name="fuse"), layers.BatchNormalization()]
    head = keras.Sequential([inner, *chain], name="behind")
    if not sequential:
        head = keras.Model(inner, chain[1](chain[0](inner)), name="behind")
    model = pyramid(layers.Concatenate(), head, interpolation)
    new, findings = folded(model)
    assert findings["up_4"].what == "absorbed by 'fuse', whose kernel was split"
    assert [x.shape[1:3] for x in new.get_layer("behind").inputs] == [(8, 8), (4, 4), (2, 2)]
    assert Cost.of(new).activation_bytes < Cost.of(model).activation_bytes


def test_a_model_keeps_its_one_input_where_the_concatenation_is_needed():
    inner = keras.Input((8, 8, 12))
    behind = keras.Model(inner, layers.MaxPooling2D(2)(inner), name="behind")
    new, findings = folded(pyramid(layers.Concatenate(), behind))
    assert len(new.get_layer("behind").inputs) == 1
    assert findings["up_2"].what == "computed before the model 'behind': its inputs stay"


def test_a_model_called_with_two_concatenations_of_the_same_parts_is_one():
    inputs = [keras.Input((side, side, 4)) for side in (8, 4)]
    inner = keras.Input((8, 8, 8))
    shared = keras.Model(inner, layers.Conv2D(2, 3, name="fuse")(inner), name="behind")
    outputs = [
        shared(layers.Concatenate()([inputs[0], layers.UpSampling2D(2, name=name)(inputs[1])]))
        for name in ("one", "two")
    ]
    new, findings = folded(keras.Model(inputs, outputs))
    assert findings["one"].folded
    assert findings["one"].what == findings["two"].what
    assert len(new.get_layer("behind").inputs) == 2


def test_a_model_called_with_two_concatenations_of_other_parts_keeps_its_input():
    inputs = [keras.Input((side, side, channels)) for channels in (3, 5) for side in (8, 4)]
    inner = keras.Input((8, 8, 8))
    shared = keras.Model(inner, layers.Conv2D(2, 3, name="fuse")(inner), name="behind")
    up = layers.UpSampling2D(2)
    first = layers.Concatenate()([inputs[0], up(inputs[3])])
    second = layers.Concatenate()([inputs[2], up(inputs[1])])
    new, _ = folded(keras.Model(inputs, [shared(first), shared(second)]))
    assert len(new.get_layer("behind").inputs) == 1


def test_a_model_of_open_sides_takes_upsampled_images_of_any_size():
    inner = keras.Input((None, None, 5))
    shared = keras.Model(inner, layers.Conv2D(2, 3, name="draw")(inner), name="behind")
    inputs = [keras.Input((3, 4, 5)), keras.Input((5, 3, 5))]
    outputs = [
        shared(layers.UpSampling2D(2, name=name)(x))
        for name, x in zip(("one", "two"), inputs, strict=True)
    ]
    new, findings = folded(keras.Model(inputs, outputs))
    assert {findings[name].what for name in ("one", "two")} == {"absorbed by 'draw'"}
    assert new.get_layer("behind").input_shape == (None, None, None, 5)
