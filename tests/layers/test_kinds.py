"""Every class of layers is registered once, and every table by kind has an answer for it."""

import math

import pytest

from polyphase import layers
from polyphase.inspection import alignment, readings
from polyphase.layers import kinds
from polyphase.rewrite import cost, to_keras

OURS = [kind for kind in kinds.KINDS if kind.ours]
TABLES = {
    "inspection.alignment.GRIDS": (alignment.GRIDS, kinds.KINDS),
    "inspection.readings.READERS": (readings.READERS, kinds.KINDS),
    "rewrite.cost.WRITTEN": (cost.WRITTEN, kinds.KINDS),
    "rewrite.to_keras.STEPS": (to_keras.STEPS, OURS),
}
CONVOLUTIONS = [
    pytest.param(kind, rank, one, id=one.__module__.split(".")[0] + "." + one.__name__)
    for kind in kinds.KINDS
    for classes in (kind.keras, kind.ours)
    for rank, one in classes.items()
    if kind.kernels
]


def test_every_layer_of_ours_is_registered_once():
    registered = [one.__name__ for kind in kinds.KINDS for one in kind.ours.values()]
    assert sorted(registered) == sorted(layers.__all__)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_an_answer_for_every_kind(name):
    table, asked = TABLES[name]
    assert {kind.operator for kind in asked} - {kind.operator for kind in table} == set()


@pytest.mark.parametrize(("kind", "rank", "one"), CONVOLUTIONS)
def test_the_channels_of_a_built_layer_are_where_its_kind_says(kind, rank, one):
    arguments = {"units": 5} if kind is kinds.DENSE else {"filters": 5, "kernel_size": 2}
    if kind in (kinds.DEPTHWISE, kinds.UPSAMPLED_DEPTHWISE):
        arguments = {"kernel_size": 2, "depth_multiplier": 2}
    shape = (2, *[6] * rank, 3)
    if kind is kinds.CONCATENATED:
        arguments, shape = arguments | {"size": [1]}, [shape]
    layer = one(**arguments)
    layer.build(shape)
    first, last = (getattr(layer, kind.kernels[at]) for at in (0, -1))
    assert first.shape[kind.inputs] == 3
    if kind.outputs:
        channels = math.prod(last.shape[axis] for axis in kind.outputs)
        assert channels == layer.compute_output_shape(shape)[-1]
