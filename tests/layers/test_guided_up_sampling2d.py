"""GuidedUpSampling2D follows the guide's edges, by the formula, and keeps Keras' contract."""

import itertools

import keras
import numpy as np
import pytest

from polyphase.layers import GuidedUpSampling2D
from tests.gradients import to_numpy
from tests.ops import cases


def loops(x, guide, kernel, sigma, radius, size):
    """Return the upsampled image by the definition, in float64."""
    (height, width), (s_h, s_w) = x.shape[1:3], size
    features = guide @ kernel
    cells = features.reshape(len(x), height, s_h, width, s_w, -1).mean(axis=(2, 4))
    y = np.zeros((*guide.shape[:3], x.shape[-1]))
    for n, row, column in itertools.product(*map(range, y.shape[:3])):
        place = (row + 0.5) / s_h - 0.5, (column + 0.5) / s_w - 0.5
        total = 0
        for i, j in itertools.product(range(-radius, radius + 1), repeat=2):
            at = row // s_h + i, column // s_w + j
            inside = min(max(at[0], 0), height - 1), min(max(at[1], 0), width - 1)
            far = sum((a - b) ** 2 for a, b in zip(place, at, strict=True))
            unlike = np.sum((features[n, row, column] - cells[(n, *inside)]) ** 2)
            weight = np.exp(-far / (2 * sigma**2) - unlike / 2)
            y[n, row, column] += weight * x[(n, *inside)]
            total += weight
        y[n, row, column] /= total
    return y


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize(("size", "radius"), [((2, 2), 1), ((3, 2), 2)])
def test_it_is_the_mean_of_neighbours_that_are_near_and_alike(size, radius, data_format):
    x, guide = cases.noise(0, 2, 3, 4, 5), cases.noise(1, 2, 3 * size[0], 4 * size[1], 3)
    layer = GuidedUpSampling2D(radius, size, projection=4, data_format=data_format)
    inputs = [cases.to_format(one, data_format).astype("float32") for one in (x, guide)]
    layer(inputs)
    layer.log_sigma.assign(np.log(0.7))
    expected = loops(x, guide, to_numpy(layer.kernel), 0.7, radius, size)
    y = cases.from_format(to_numpy(layer(inputs)), data_format)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-5)


def test_an_edge_of_the_guide_is_kept():
    """Where the guide jumps, so does the result, however blurred the small image's edge is."""
    guide = np.repeat(np.where(np.arange(16) < 8, -1.0, 1.0)[None, None, :, None], 16, axis=1)
    x = np.repeat(np.where(np.arange(8) < 4, 0.0, 1.0)[None, None, :, None], 8, axis=1)
    layer = GuidedUpSampling2D(2, projection=1)
    layer([x, guide])
    layer.kernel.assign([[10.0]])
    y = to_numpy(layer([x, guide]))[0, :, :, 0]
    np.testing.assert_allclose(y, np.repeat([[0.0] * 8 + [1.0] * 8], 16, axis=0), atol=1e-6)


def test_a_constant_stays():
    layer = GuidedUpSampling2D(1, 3)
    y = layer([np.full((1, 2, 3, 4), 5.0), cases.noise(0, 1, 6, 9, 2)])
    np.testing.assert_allclose(to_numpy(y), 5.0, rtol=1e-6)


@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.grid(2)
def test_a_model_of_unknown_sides_trains_saves_and_loads(policy, data_format, tmp_path):
    shapes = [
        (None, None, c) if data_format == "channels_last" else (c, None, None) for c in (4, 3)
    ]
    inputs = [keras.Input(shape) for shape in shapes]
    layer = GuidedUpSampling2D(1, 2, 4, data_format, dtype=policy)
    model = keras.Model(inputs, layer(inputs))
    x, guide = (
        cases.to_format(cases.noise(0, 2, side, side, c), data_format).astype("float32")
        for side, c in ((3, 4), (6, 3))
    )
    model.compile("sgd", "mse")
    before = [to_numpy(one) for one in model.trainable_variables]
    model.fit([x, guide], np.ones(model([x, guide]).shape), verbose=0)
    after = [to_numpy(one) for one in model.trainable_variables]
    assert all((one != other).any() for one, other in zip(before, after, strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    y = model([x, guide])
    assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
    np.testing.assert_array_equal(to_numpy(again([x, guide])), to_numpy(y))


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ([(1, 3, 4, 2), (1, 6, 9, 3)], r"a guide of the output's sides, \(6, 8\)"),
        ([(2, 3, 4, 2), (1, 6, 8, 3)], "a guide of the output's sides"),
        ([(1, 3, 4, 2)], r"a list of two images, \[x, guide\]"),
        ([(1, 3, 4), (1, 6, 8)], "a list of two images"),
    ],
)
def test_inputs_that_do_not_fit_are_said_in_a_sentence(shapes, words):
    with pytest.raises(ValueError, match=words):
        GuidedUpSampling2D(1)([np.ones(shape, "float32") for shape in shapes])


def test_a_radius_below_1_is_refused():
    with pytest.raises(ValueError, match="`radius` must be a positive integer"):
        GuidedUpSampling2D(0)
