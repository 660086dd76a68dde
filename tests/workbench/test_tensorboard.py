"""TensorBoard's files, read back: scalars by epoch and the images."""

import struct

import numpy as np
import pytest

from polyphase.workbench import Progress
from tests.report.synthetic import comparison

pytest.importorskip("tensorboardX", reason="needs the extra `tensorboard`")


def events(folder):
    """Yield the events of a file: a length, its checksum, the message and its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.iterdir()
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def test_losses_measures_and_images_are_written_per_decoder_and_seed(tmp_path):
    from polyphase.workbench.tensorboard import Board

    found = comparison(seeds=(0, 1), decoders=("nearest", "subpixel"))
    board = Board(tmp_path)
    for trial in found.trials:
        for epoch, result in enumerate(trial.history):
            count = len(trial.history)
            last = epoch + 1 == count
            board(Progress(trial.decoder, trial.seed, epoch, count, result, last))
    board.finish(found)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "nearest-seed0", "nearest-seed1", "subpixel-seed0", "subpixel-seed1",
    ]  # fmt: skip
    trial = found.of("subpixel")[1]
    values = [
        (value.tag, event.step, value)
        for event in events(tmp_path / "subpixel-seed1")
        for value in event.summary.value
    ]
    losses = [value.simple_value for tag, _, value in values if tag == "loss/validation"]
    np.testing.assert_allclose(losses, [e.validation_loss for e in trial.history], rtol=1e-6)
    steps = [step for tag, step, _ in values if tag == "loss/validation"]
    assert steps == list(range(1, len(trial.history) + 1))
    assert {tag for tag, _, value in values if value.HasField("image")} == {
        "originals", "reconstructions",
    }  # fmt: skip
    (psnr,) = [value.simple_value for tag, _, value in values if tag == "final/psnr"]
    assert psnr == pytest.approx(trial.psnr, rel=1e-6)
