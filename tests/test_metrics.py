"""PeriodicBias and PeriodicVariance against plain loops, and within Keras' training."""

import keras
import numpy as np
import pytest

from polyphase.metrics import PeriodicBias, PeriodicVariance
from tests.gradients import to_numpy

SIZES = [2, 3, (2, 3), (1, 2), (3,), (2, 1, 3)]
SIDES = (7, 8, 5)


def images(seed=0, rank=2):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal((4, *SIDES[:rank], 3), dtype="float32") for _ in range(2)]


def per_phase(residual, size, statistic):
    """Return `(phases, channels)`, by walking over the pixels."""
    pixels = {}
    for index in np.ndindex(residual.shape[:-1]):
        phase = tuple(i % s for i, s in zip(index[1:], size, strict=True))
        pixels.setdefault(phase, []).append(residual[index])
    return np.array([statistic(np.array(one, "float64"), axis=0) for one in pixels.values()])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("metric", "statistic"), [(PeriodicBias, np.mean), (PeriodicVariance, np.var)]
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_value_is_the_spread_over_the_phases(size, metric, statistic, data_format):
    for rank in (len(size),) if isinstance(size, tuple) else (1, 2, 3):
        true, predicted = images(rank=rank)
        predicted[:, ::2] += 0.5
        each = size if isinstance(size, tuple) else (size,) * rank
        values = per_phase(predicted.astype("float64") - true, each, statistic)
        expected = np.sqrt(np.mean(np.var(values, axis=0)))
        one = metric(size, data_format=data_format)
        if data_format == "channels_first":
            true, predicted = (np.moveaxis(y, -1, 1) for y in (true, predicted))
        for batch in (slice(0, 1), slice(1, 4)):  # of unequal sizes
            one.update_state(true[batch], predicted[batch])
        np.testing.assert_allclose(to_numpy(one.result()), expected, rtol=1e-4)


def test_an_error_that_is_the_same_everywhere_is_no_pattern():
    true, _ = images()
    for metric in (PeriodicBias(2), PeriodicVariance(2)):
        assert float(to_numpy(metric(true, true + 0.25))) < 1e-6


def test_a_checkerboard_whose_sign_changes_by_image_is_missed_by_both():
    board = (np.indices((8, 8)).sum(axis=0) % 2 * 2.0 - 1)[None, :, :, None]
    predicted = np.concatenate([board, -board]).astype("float32")
    for metric in (PeriodicBias(2), PeriodicVariance(2)):
        assert float(to_numpy(metric(np.zeros_like(predicted), predicted))) == 0


def test_a_pattern_at_one_place_that_changes_its_sign_is_variance_and_no_bias():
    true = np.zeros((2, 8, 8, 1), "float32")
    predicted = true.copy()
    predicted[0, ::2, ::2], predicted[1, ::2, ::2] = 1, -1
    assert float(to_numpy(PeriodicBias(2)(true, predicted))) == 0
    assert float(to_numpy(PeriodicVariance(2)(true, predicted))) == pytest.approx(np.sqrt(3) / 4)


@pytest.mark.parametrize("metric", [PeriodicBias, PeriodicVariance])
def test_resetting_forgets_and_configuration_goes_round(metric):
    true, predicted = images()
    one = metric((2, 3), data_format="channels_last")
    assert float(to_numpy(one.result())) == 0
    first = float(to_numpy(one(true, predicted)))
    one.reset_state()
    again = keras.metrics.deserialize(keras.metrics.serialize(one))
    assert type(again) is metric
    for other in (one, again):
        assert float(to_numpy(other(true, predicted))) == pytest.approx(first)
    assert one.name in ("periodic_bias", "periodic_variance")


def test_they_are_metrics_of_a_training():
    true, _ = images()
    model = keras.Sequential(
        [keras.Input((7, 8, 3)), keras.layers.Conv2D(3, 3, padding="same", name="c")]
    )
    model.compile("sgd", "mse", metrics=[PeriodicBias(2), PeriodicVariance(2)])
    history = model.fit(true, true, batch_size=2, epochs=2, verbose=0).history
    logs = model.evaluate(true, true, verbose=0, return_dict=True)
    assert len(history["periodic_bias"]) == 2
    metric = PeriodicBias(2)
    expected = float(to_numpy(metric(true, model.predict(true, verbose=0))))
    assert logs["periodic_bias"] == pytest.approx(expected, rel=1e-4)


def test_wrong_arguments_are_named():
    true, predicted = images()
    with pytest.raises(ValueError, match="the same shape"):
        PeriodicBias(2)(true, predicted[:, :4])
    with pytest.raises(ValueError, match="signals of rank 3"):
        PeriodicBias(2)(true[0, 0], predicted[0, 0])
    with pytest.raises(ValueError, match=r"`size` must be a positive integer or one of them"):
        PeriodicBias((2, 2))(true[0], predicted[0])
    with pytest.raises(ValueError, match="no sample weights"):
        PeriodicBias(2).update_state(true, predicted, np.ones(4))
    with pytest.raises(ValueError, match="`size` must be"):
        PeriodicVariance(1.5)
