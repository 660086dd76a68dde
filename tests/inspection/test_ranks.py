"""Signals and volumes are inspected and repaired as images are."""

import keras
import numpy as np
import pytest
from keras import layers

import polyphase as pp
from polyphase.inspection.alignment import offset
from polyphase.layers import kinds
from tests.gradients import to_numpy

SIDES = {1: (32,), 2: (16, 16), 3: (8, 8, 8)}
OVERLAP = {1: [2, 1], 2: [[4, 2], [2, 1]], 3: [[[8, 4], [4, 2]], [[4, 2], [2, 1]]]}


def sequential(rank, *stages):
    return keras.Sequential([keras.Input((*SIDES[rank], 2)), *stages])


def transposed(rank, *args, **kwargs):
    return kinds.TRANSPOSED.keras[rank](*args, **kwargs)


@pytest.mark.parametrize("rank", SIDES)
def test_overlap_chi_and_pattern_of_ones(rank):
    """Three taps of one at stride 2: phases of 2 and 1 taps per axis."""
    model = sequential(rank, transposed(rank, 1, 3, 2, kernel_initializer="ones", name="up"))
    (stage,) = pp.inspect(model).stages
    counts = np.array(OVERLAP[rank])
    assert stage.overlap.tolist() == counts.tolist()
    assert stage.chi == pytest.approx(counts.std() / counts.mean())
    np.testing.assert_allclose(stage.pattern, counts / counts.mean())
    assert stage.reaches_output["constant"] == pytest.approx(1)
    assert "up" in str(pp.inspect(model))


@pytest.mark.parametrize("rank", SIDES)
def test_a_model_that_cancels_the_pattern_shows_none(rank):
    pooling = kinds.AVERAGE_POOLING.keras[rank](2, strides=1)
    up = transposed(rank, 1, 3, 2, kernel_initializer="ones", padding="same")
    (stage,) = pp.inspect(sequential(rank, up, pooling)).stages
    assert stage.reaches_output["constant"] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("rank", SIDES)
def test_repair_makes_a_constant_constant(rank):
    model = sequential(rank, transposed(rank, 3, 3, 2))
    assert pp.inspect(model).stages[0].chi > 0.1
    calm = pp.repair(model)
    assert pp.inspect(calm).stages[0].chi < 1e-6
    y = to_numpy(calm(np.ones((1, *SIDES[rank], 2), "float32")))
    inside = y[(0, *[slice(2, -2)] * rank)].reshape(-1, 3)
    np.testing.assert_allclose(inside, inside[:1].repeat(len(inside), 0), atol=1e-5)


@pytest.mark.parametrize("rank", SIDES)
def test_where_a_decoder_lies_beside_its_encoder_by_impulses(rank):
    """A strided 2-tap convolution and a 3-tap transposed one: half a sample late, per axis."""
    down = kinds.CONVOLUTION.keras[rank](1, 2, 2, kernel_initializer="ones")
    up = transposed(rank, 1, 3, 2, padding="same", kernel_initializer="ones", name="up")
    model = sequential(rank, down, up)
    assert offset(model) == (-0.5,) * rank
    (shift,) = pp.inspect(model).shifts
    assert str(shift).startswith("up: the ")
    x = np.zeros((1, *SIDES[rank], 2), "float32")
    middle = tuple(side // 2 for side in SIDES[rank])
    x[(0, *(slice(m, m + 2) for m in middle))] = 1  # centred at m + 1/2
    y = to_numpy(model(x))[0, ..., 0]
    centre = [(np.indices(y.shape)[i] * y).sum() / y.sum() for i in range(rank)]
    np.testing.assert_allclose(centre, [m + 1.0 for m in middle], atol=1e-5)


@pytest.mark.parametrize("rank", SIDES)
def test_strided_convolutions_and_upsampling_are_read(rank):
    upsampling = kinds.UPSAMPLING.keras[rank](2)
    model = sequential(rank, kinds.CONVOLUTION.keras[rank](2, 3, 2), upsampling)
    found = {stage.gradient: stage for stage in pp.inspect(model).stages}
    assert found[True].chi > 0
    assert found[False].chi == 0


def test_a_causal_convolution_lies_late():
    causal = layers.Conv1D(1, 5, padding="causal")
    assert offset(sequential(1, causal)) == (-2.0,)


@pytest.mark.parametrize("rank", [1, 3])
def test_what_signals_and_volumes_show_is_measured(rank):
    """Constants of any level; a kernel that raises every second sample by a tenth, or none."""
    levels = np.random.default_rng(0).uniform(0.2, 1, (32, *[1] * (rank + 1)))
    x = np.broadcast_to(levels, (32, *SIDES[rank], 1)).astype("float32")
    for raised in (0.1, 0.0):
        up = transposed(rank, 1, 2, 2, name="up", use_bias=False)
        model = keras.Sequential([keras.Input(x.shape[1:]), up])
        kernel = np.ones((2,) * rank) + raised * (-1.0) ** np.indices((2,) * rank)[-1]
        up.set_weights([kernel[..., None, None]])
        (stage,) = pp.inspect(model, images=x).stages
        assert stage.in_images.period == (2,) * rank
        assert stage.in_images.seen == bool(raised)
        planted = raised * np.sqrt(np.mean(levels**2))
        span = levels.max() - levels.min() + raised * (levels.max() + levels.min())
        assert stage.in_images.levels == pytest.approx(255 * planted / span, rel=0.1, abs=0.01)


def steps(layer):
    """A layer of every step of a sequence of three images."""
    return layers.TimeDistributed(layer, name="steps")


def of_steps(*stages):
    return keras.Sequential([keras.Input((3, 16, 16, 2)), *stages])


def test_the_pattern_of_every_step_is_followed():
    up = layers.Conv2DTranspose(1, 3, 2, padding="same", kernel_initializer="ones", name="up")
    (stage,) = pp.inspect(of_steps(steps(up))).stages
    assert stage.layer == "steps/up"
    assert stage.multiply_adds == 3 * 16 * 16 * 9 * 2
    assert stage.reaches_output["constant"] == pytest.approx(1)
    pooling = layers.TimeDistributed(layers.AveragePooling2D(2, strides=1))
    (stage,) = pp.inspect(of_steps(steps(up), layers.ReLU(), pooling)).stages
    assert stage.reaches_output["constant"] == pytest.approx(0, abs=1e-3)


def test_images_of_a_sequence_show_the_pattern_at_its_period():
    up = layers.Conv2DTranspose(2, 3, 2, padding="same", kernel_initializer="ones", name="up")
    images = np.random.default_rng(0).uniform(0.5, 1, (8, 3, 16, 16, 2)).astype("float32")
    (stage,) = pp.inspect(of_steps(steps(up)), images).stages
    assert stage.in_images.period == (1, 2, 2)
    assert stage.in_images.seen
    assert "EvenPhases(2)" in str(pp.inspect(of_steps(steps(up)), images))


def test_where_the_images_of_a_sequence_lie():
    """A strided 2-tap convolution and a 3-tap transposed one, of every step: half a pixel late."""
    down = layers.TimeDistributed(layers.Conv2D(2, 2, 2))
    up = steps(layers.Conv2DTranspose(2, 3, 2, padding="same"))
    assert offset(of_steps(down, layers.TimeDistributed(layers.ReLU()), up)) == (0, -0.5, -0.5)


def test_nothing_is_said_of_steps_whose_channels_come_first():
    """The first axis after the steps is the channels' there: it is not one of space."""
    down = layers.Conv2D(2, 2, 2, data_format="channels_first")
    up = layers.Conv2DTranspose(2, 3, 2, padding="same", data_format="channels_first")
    stages = [layers.TimeDistributed(one) for one in (down, up)]
    assert offset(keras.Sequential([keras.Input((3, 2, 16, 16)), *stages])) is None
