"""Models and layers that are classes: what they do is found, joined, reported, saved and loaded."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from keras import layers, ops

import polyphase
from polyphase.layers import Conv2DTranspose, UpSampleConv2D, UpSampleSeparableConv2D
from polyphase.rewrite import fold
from polyphase.rewrite.copying import foreign
from polyphase.rewrite.loading import what_to_import

GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((2, 4, 4, 3), dtype="float32")
# As it does when it loads the original: a class without `build` is built by its first call.
KERAS_WARNS = pytest.mark.filterwarnings("ignore:.*was called on layer")


@keras.saving.register_keras_serializable(package="tests")
class Block(layers.Layer):
    """An upsampling and a convolution, in a private attribute."""

    def __init__(self, filters=3, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.data_format = filters, data_format
        own = {"data_format": data_format, "dtype": self.dtype_policy}
        self.up = layers.UpSampling2D(name="up", **own)
        self._conv = layers.Conv2D(filters, 3, padding="same", name="conv", **own)

    def call(self, x):
        return self._conv(self.up(x))

    def get_config(self):
        return super().get_config() | {"filters": self.filters, "data_format": self.data_format}


class Own(keras.Model):
    """A model whose layers and code are given by each test."""

    def __init__(self, name="own", **kwargs):
        super().__init__(name=name, **kwargs)
        self.make()


@keras.saving.register_keras_serializable(package="tests")
class Nested(Own):
    """Classes in a tuple, a Sequential, a transposed convolution."""

    def make(self):
        self.stages = (Block(4, name="a"), Block(3, name="b"))
        self.block = keras.Sequential(
            [layers.UpSampling2D(interpolation="bilinear", name="up"), layers.Conv2D(2, 3)],
            name="block",
        )
        self.last = layers.Conv2DTranspose(3, 4, 2, padding="same", name="last")

    def call(self, x, training=None):
        for stage in self.stages:
            x = stage(x, training=training)
        return self.last(self.block(x))


@keras.saving.register_keras_serializable(package="tests")
class Shared(Own):
    """One upsampling for three convolutions, in a list."""

    def make(self):
        self.up = layers.UpSampling2D(name="up")
        self.all = [layers.Conv2D(3, 3, padding="same", name=f"conv_{i}") for i in range(3)]

    def call(self, x):
        for one in self.all:
            x = one(self.up(x))
        return x


@keras.saving.register_keras_serializable(package="tests")
class Named(Own):
    """Dictionaries in and out; two that join, and two that do not."""

    def make(self):
        self.ups = {name: layers.UpSampling2D(name=f"up_{name}") for name in "abcd"}
        self.conv = layers.Conv2D(3, 3, padding="same", name="conv", activation="relu")
        self.separable = layers.SeparableConv2D(3, 3, padding="same", name="separable")
        self.both = layers.Concatenate(name="both")
        self.noise = layers.Dropout(0.5, seed=1)

    def call(self, inputs, training=None):
        small, large = inputs["small"], inputs["large"]
        x = self.conv(self.ups["a"](small))
        y = self.separable(self.ups["b"](small))
        z = self.both([self.ups["c"](small), large])
        return {"x": self.noise(x, training=training), "y": y, "z": z, "w": self.ups["d"](small)}


def randomised(model, *args, **kwargs):
    keras.utils.set_random_seed(0)
    model(*args, **kwargs)
    for weight in model.weights:
        noise = GENERATOR.standard_normal(weight.shape)
        weight.assign(np.abs(noise) + 0.5 if "variance" in weight.path else 0.3 * noise)
    return model


def values(model, x, **kwargs):
    results = keras.tree.flatten(model(x, **kwargs))
    return [ops.convert_to_numpy(ops.cast(y, "float32")) for y in results]


def assert_equal(one, other, x, tolerance=1e-5, **kwargs):
    for expected, actual in zip(values(one, x, **kwargs), values(other, x, **kwargs), strict=True):
        assert actual.shape == expected.shape
        atol = tolerance * np.abs(expected).max()
        np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


def kinds_in(model):
    return [type(one) for one in model._flatten_layers()]


def found(report):
    return {one.layer: one.what for one in report.findings}


NAMED = {"small": X, "large": GENERATOR.standard_normal((2, 8, 8, 3), dtype="float32")}
MODELS = {
    "nested": (
        Nested,
        X,
        {
            "own/a/up": "absorbed by 'conv'",
            "own/b/up": "absorbed by 'conv'",
            "own/block/up": "absorbed by 'conv2d'",
            "own/last": "computed by polyphase.layers.Conv2DTranspose",
        },
        {UpSampleConv2D: 3, Conv2DTranspose: 1, layers.Identity: 3},
    ),
    "shared": (
        Shared,
        X,
        {"own/up": "absorbed by 'conv_0', 'conv_1', 'conv_2'"},
        {UpSampleConv2D: 3, layers.Identity: 1},
    ),
    "named": (
        Named,
        NAMED,
        {
            "own/up_a": "absorbed by 'conv'",
            "own/up_b": "absorbed by 'separable'",
            "own/up_c": "computed before 'both'",
            "own/up_d": "computed for the output of 'own'",
        },
        {UpSampleConv2D: 1, UpSampleSeparableConv2D: 1, layers.Identity: 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_class_is_folded_without_names(name, tmp_path):
    keras.backend.clear_session()  # names of layers begin at nothing
    kind, x, expected, counts = MODELS[name]
    model = randomised(kind(), x)
    before = [(id(one), type(one), set(vars(one))) for one in model._flatten_layers()]
    weights = model.get_weights()
    folded, report = fold(model, return_report=True)
    assert found(report) == expected
    assert report.difference < 1e-5
    assert {one: kinds_in(folded).count(one) for one in counts} == counts
    for training in (False, True):
        assert_equal(model, folded, x, training=training)
    assert isinstance(folded, kind)
    assert [w.path for w in folded.weights] == [w.path for w in model.weights]
    assert not {id(one) for one in model.variables} & {id(one) for one in folded.variables}
    # The original is as it was.
    assert before == [(id(one), type(one), set(vars(one))) for one in model._flatten_layers()]
    for one, other in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    # What is folded is saved and loaded, and folded again.
    folded.save(tmp_path / "folded.keras")
    loaded = keras.models.load_model(tmp_path / "folded.keras")
    assert kinds_in(loaded)[1:] == kinds_in(folded)[1:]
    assert_equal(folded, loaded, x)
    again, report = fold(folded, return_report=True)
    assert_equal(folded, again, x)
    assert not any(one.folded for one in report.findings)


def test_it_trains_as_the_original():
    model = randomised(Nested(), X)
    model.stages[0].trainable = False
    folded = fold(model)
    assert len(folded.trainable_weights) == len(model.trainable_weights) == 6
    target = np.ones((2, 60, 60, 3), "float32")
    for one in (model, folded):
        one.compile(optimizer=keras.optimizers.SGD(0.01), loss="mean_squared_error")
        one.train_on_batch(X, target)
    for one, other in zip(model.get_weights(), folded.get_weights(), strict=True):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_inside_of_a_graph_channels_first_and_in_half_precision(dtype):
    if keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow convolves channels first on a GPU only")
    inputs = keras.Input((3, 4, 5))
    x = layers.Conv2D(3, 1, data_format="channels_first", dtype=dtype)(inputs)
    x = Block(4, "channels_first", dtype=dtype, name="block")(x)
    inner = keras.Model(x, Block(2, "channels_first", dtype=dtype, name="within")(x), name="inner")
    y = GENERATOR.standard_normal((2, 3, 4, 5), dtype="float32")
    model = randomised(keras.Model(inputs, inner(x)), y)
    folded, report = fold(model, return_report=True)
    assert found(report) == {
        "block/up": "absorbed by 'conv'", "inner/within/up": "absorbed by 'conv'"
    }  # fmt: skip
    assert report.before is None  # what classes compute is not counted
    assert_equal(model, folded, y, 1e-5 if dtype == "float32" else 2e-2)


class Reads(Own):
    """Code reads the upsampled image too: where, `what` says."""

    what = "result"

    def make(self):
        self.up = layers.UpSampling2D(name="up")
        self.conv = layers.Conv2D(3, 3, padding="same", name="conv")
        self.other = layers.UpSampling2D(name="other")
        self.last = layers.Conv2D(3, 3, padding="same", name="last")
        self.never = layers.UpSampling2D(name="never")
        self.never.build((None, 4, 4, 3))

    def call(self, x, training=None):
        large = self.up(x)
        y = self.conv(large)
        if self.what == "result":
            y = y + ops.sum(large)
        if self.what == "shape":
            y = y * (large.shape[1] / x.shape[1])
        if self.what == "training" and training:
            y = y + ops.sum(large)
        if self.what == "loss" and training:
            self.add_loss(ops.sum(large))
        return self.last(self.other(y))


@pytest.mark.parametrize("what", ["result", "shape", "training", "loss"])
def test_what_code_reads_stays(what):
    model = randomised(Reads(), X)
    model.what = Reads.what = what
    folded, report = fold(model, return_report=True)
    assert found(report) == {
        "own/up": "left alone: joined, the outputs differ on random input",
        "own/other": "absorbed by 'last'",
        "own/never": "left alone: nothing calls 'never'",
    }
    for training in (False, True):
        assert_equal(model, folded, X, training=training)
    assert np.sum(model.losses) == pytest.approx(np.sum(folded.losses))


class Silent(Own):
    """What code reads is multiplied by a weight that is zero yet."""

    def make(self):
        self.up = layers.UpSampling2D(name="up")
        self.conv = layers.Conv2D(3, 3, padding="same", name="conv")
        self.gain = self.add_weight((1,), "zeros", name="gain")

    def call(self, x):
        large = self.up(x)
        return self.conv(large) + self.gain * ops.sum(large)


def test_what_a_weight_of_zero_hides_is_seen():
    model = Silent()
    model(X)
    what = "left alone: joined, the outputs differ on random input"
    assert found(fold(model, return_report=True)[1]) == {"own/up": what}


@keras.saving.register_keras_serializable(package="tests")
class Late(layers.Layer):
    """Layers inside of layers that are made by the first call."""

    class Inner(layers.Layer):
        def build(self, shape):
            self.up = layers.UpSampling2D(name="up")
            self.conv = layers.Conv2D(3, 3, name="conv")
            self.up.build(shape)
            self.conv.build((*shape[:1], None, None, shape[-1]))

        def call(self, x):
            return self.conv(self.up(x))

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = self.Inner(name="inner")

    def call(self, x):
        return self.inner(x)


@KERAS_WARNS
def test_layers_that_the_first_call_makes_are_saved_and_loaded(tmp_path):
    inputs = keras.Input((4, 4, 3))
    model = randomised(keras.Model(inputs, Late(name="late")(inputs)), X)
    folded, report = fold(model, return_report=True)
    assert found(report) == {"late/inner/up": "absorbed by 'conv'"}
    folded.save(tmp_path / "folded.keras")
    loaded = keras.models.load_model(tmp_path / "folded.keras")
    assert kinds_in(loaded).count(UpSampleConv2D) == 1
    assert_equal(model, loaded, X)


@KERAS_WARNS
def test_in_a_time_distributed_layer_that_stays_one(tmp_path):
    series = GENERATOR.standard_normal((2, 3, 4, 4, 3), dtype="float32")
    plain = keras.Sequential([keras.Input((4, 4, 3)), layers.UpSampling2D(name="up"),
                              layers.Conv2D(3, 1, name="conv")], name="plain")  # fmt: skip
    y = keras.Input((8, 8, 3))
    classes = keras.Model(y, Block(2, name="block")(y), name="classes")
    inputs = keras.Input((3, 4, 4, 3))
    x = layers.TimeDistributed(plain, name="first")(inputs)
    model = keras.Model(inputs, layers.TimeDistributed(classes, name="second")(x))
    randomised(model, series)
    folded, report = fold(model, return_report=True)
    assert [type(one) for one in folded.layers[1:]] == [layers.TimeDistributed] * 2
    assert [(one.layer.split("/")[0], one.what) for one in report.findings] == [
        ("first", "absorbed by 'conv'"), ("second", "absorbed by 'conv'")
    ]  # fmt: skip
    folded.save(tmp_path / "folded.keras")
    loaded = keras.models.load_model(tmp_path / "folded.keras")
    assert kinds_in(loaded).count(UpSampleConv2D) == 2
    for other in (folded, loaded):
        assert_equal(model, other, series)


class Twice(Own):
    """A convolution of an upsampled image, and of another."""

    def make(self):
        self.up = layers.UpSampling2D(name="up")
        self.conv = layers.Conv2D(3, 3, padding="same", name="conv")

    def call(self, x):
        return self.conv(self.conv(self.up(x)))


def test_a_convolution_of_other_images_too_stays():
    report = fold(randomised(Twice(), X), return_report=True)[1]
    assert found(report) == {"own/up": "left alone: 'conv' is called with other images too"}


class Code(layers.Layer):
    """Upsamples by code; `how` is a function of an image."""

    def __init__(self, how=None, **kwargs):
        super().__init__(**kwargs)
        self.how = how

    def call(self, x):
        return HOW[self.how](x)

    def get_config(self):
        return super().get_config() | {"how": self.how}


def native(x):
    """The backend's own."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.image.resize(x, (8, 8))
    if keras.backend.backend() == "torch":
        from torch.nn import functional

        return functional.interpolate(x, scale_factor=2)
    import jax

    return jax.image.resize(x, (*x.shape[:1], 8, 8, x.shape[-1]), "nearest")


def by_hand(x):
    return ops.reshape(ops.stack([x, x], axis=2), (-1, 8, 4, 3))


NATIVE = {"jax": "jax.image.resize", "tensorflow": "tf.image.resize",
          "torch": "torch.nn.functional.interpolate"}[keras.backend.backend()]  # fmt: skip
HOW = {
    "keras.ops.image.resize in the code of Code": lambda x: ops.image.resize(x, (8, 8)),
    "keras.ops.repeat in the code of Code": lambda x: ops.repeat(x, 2, axis=1),
    f"{NATIVE} in the code of Code": native,
    "the code of Code makes its images larger": by_hand,
}


@pytest.mark.parametrize("how", HOW)
def test_upsampling_by_code_is_reported_with_its_place(how):
    class Outer(Own):
        def make(self):
            self.inner = Code(how, name="inner")
            self.conv = layers.Conv2D(2, 3, name="conv")

        def call(self, x):
            return self.conv(self.inner(x))

    report = fold(randomised(Outer(), X), return_report=True)[1]
    assert found(report) == {"own/inner": f"left alone: {how}"}
    assert not report.findings[0].folded
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, Code(how, name="code")(inputs))
    assert found(fold(model, return_report=True)[1]) == {"code": f"left alone: {how}"}
    inputs = keras.Input((4, 4, 3))
    function = layers.Lambda(HOW[how], name="function", output_shape=lambda shape: shape)
    report = fold(keras.Model(inputs, function(inputs)), return_report=True)[1]
    assert found(report) == {"function": f"left alone: {how.replace('Code', 'Lambda')}"}


def test_what_makes_nothing_larger_is_not_reported():
    class Plain(Own):
        def make(self):
            self.same, self.conv = layers.Resizing(4, 4), layers.Conv2D(2, 3)

        def call(self, x):
            smaller = ops.image.resize(self.same(x), (2, 2))
            return self.conv(ops.repeat(x, 2, axis=-1)) + ops.mean(smaller)

    report = fold(randomised(Plain(), X), return_report=True)[1]
    assert report.findings == ()
    assert "there is no upsampling" in str(report)


def test_what_is_not_built_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="'own' is not built. Call it on an example first"):
        fold(Nested())
    with pytest.raises(TypeError, match="takes a Keras model. Received: Dense"):
        fold(layers.Dense(3))


def test_it_loads_in_a_fresh_process_with_polyphase_and_its_own_classes(tmp_path):
    (tmp_path / "own.py").write_text(
        textwrap.dedent(
            """
            import keras

            @keras.saving.register_keras_serializable(package="own")
            class Block(keras.layers.Layer):
                def __init__(self, filters, **kwargs):
                    super().__init__(**kwargs)
                    self.filters = filters
                    self.up = keras.layers.UpSampling2D()
                    self.conv = keras.layers.Conv2D(filters, 3)

                def build(self, shape):
                    self.up.build(shape)
                    self.conv.build(self.up.compute_output_shape(shape))

                def call(self, x):
                    return self.conv(self.up(x))

                def get_config(self):
                    return {**super().get_config(), "filters": self.filters}
            """
        )
    )
    write = """
        import keras, own, polyphase, numpy as np
        inputs = keras.Input((4, 4, 3))
        model = keras.Model(inputs, own.Block(2)(inputs))
        folded, report = polyphase.fold(model, return_report=True)
        assert report.imports == ("own.Block",)
        folded.save("folded.keras")
        np.save("expected.npy", model.predict(np.ones((1, 4, 4, 3)), verbose=0))
        """
    read = """
        import keras, polyphase, numpy as np
        {}
        model = keras.models.load_model("folded.keras")
        kinds = [type(one).__name__ for one in model._flatten_layers()]
        assert "UpSampleConv2D" in kinds and "UpSampling2D" not in kinds, kinds
        actual = model.predict(np.ones((1, 4, 4, 3)), verbose=0)
        np.testing.assert_allclose(actual, np.load("expected.npy"), atol=1e-5)
        """
    assert in_a_process(write, tmp_path) == ""
    assert in_a_process(read.format("import own"), tmp_path) == ""
    assert "Could not locate class 'Block'" in in_a_process(read.format(""), tmp_path)


def in_a_process(script, folder):
    """Return the error of a script that runs where its files are; "": it ends well."""
    source = str(polyphase.__path__[0]).removesuffix("polyphase")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {source!r})\n"
         + textwrap.dedent(script)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stderr if done.returncode else ""


class Anew(Own):
    """An upsampling that every call makes."""

    def make(self):
        self.conv = layers.Conv2D(2, 3, name="conv")

    def call(self, x):
        return self.conv(layers.UpSampling2D(name="up")(x))


def test_a_layer_that_every_call_makes_is_listed_so():
    model = Anew()
    model(X)
    folded, report = fold(model, return_report=True)
    np.testing.assert_allclose(*map(ops.convert_to_numpy, (folded(X), model(X))), atol=1e-5)
    assert {one.what for one in report.findings} == {"left alone: every call makes it anew"}


class Unsaid(Own):
    """A class that does not say for which shapes it was built; its first convolution does."""

    def make(self):
        self.up = layers.UpSampling2D(name="up")
        self.first = layers.Conv2D(3, 3, padding="same", name="first")
        self.conv = layers.Conv2D(2, 3, name="conv")

    def call(self, x):
        return self.conv(self.up(self.first(x)))

    def get_build_config(self):
        return None


def test_a_class_that_does_not_say_its_shapes_is_tried_on_those_of_its_first_layer():
    model = Unsaid()
    model(X)
    folded, report = fold(model, return_report=True)
    np.testing.assert_allclose(*map(ops.convert_to_numpy, (folded(X), model(X))), atol=1e-5)
    assert [one.folded for one in report.findings] == [True]


@KERAS_WARNS
def test_the_class_that_a_file_needs_is_the_one_that_was_written(tmp_path):
    """Not the one of the same name that knows what was joined."""
    model = Unsaid()
    model(X)
    inputs = keras.Input((4, 4, 3))
    folded = fold(keras.Model(inputs, model(inputs)))
    assert foreign(folded) == [Unsaid]
    folded.save(tmp_path / "model.keras")
    assert "import tests.rewrite.test_classes.Unsaid" in what_to_import(
        folded, tmp_path / "model.keras"
    )
