import hashlib
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from polyphase.datasets import DataError, Images
from polyphase.datasets.images import assemble, keras_split


def ramp(count, height=2, width=3, channels=1):
    """Images whose every pixel says which image it belongs to."""
    values = np.arange(count, dtype=np.float32) / 100
    pixels = np.broadcast_to(values[:, None, None, None], (count, height, width, channels)).copy()
    return Images(pixels, tuple(f"image {i}" for i in range(count)))


def numbers(images):
    return [round(float(value) * 100) for value in images.pixels[:, 0, 0, 0]]


def test_the_split_is_keras_own_for_every_count():
    from keras.src.trainers.data_adapters.array_slicing import train_validation_split

    for count in [*range(10, 400), 1438, 60_000]:
        train, validation = train_validation_split(np.arange(count), validation_split=0.2)
        assert keras_split(count) == len(train), count
        assert count - keras_split(count) == len(validation), count


def test_with_a_test_set_the_last_fifth_is_validation_and_the_order_is_kept():
    data = assemble("name", "source", ramp(11), ramp(3))
    assert numbers(data.train) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert numbers(data.validation) == [8, 9, 10]
    assert numbers(data.test) == [0, 1, 2]
    assert data.validation.labels == ("image 8", "image 9", "image 10")
    assert (data.name, data.source, data.shape) == ("name", "source", (2, 3, 1))


def test_without_a_test_set_a_fifth_is_drawn_and_the_rest_stays_in_drawn_order():
    data = assemble("name", "source", ramp(23))
    order = np.random.default_rng(0).permutation(23).tolist()
    assert numbers(data.test) == order[:4]
    assert numbers(data.train) == order[4:19]  # floor(0.8 * 19) = 15
    assert numbers(data.validation) == order[19:]
    for part in (data.train, data.validation, data.test):
        assert part.labels == tuple(f"image {i}" for i in numbers(part))


def test_the_digest_is_of_all_pixels_of_train_validation_and_test():
    data = assemble("name", "source", ramp(10), ramp(2))
    floats = np.concatenate([data.train.pixels, data.validation.pixels, data.test.pixels])
    assert data.sha256 == hashlib.sha256(floats.astype("<f4").tobytes()).hexdigest()
    changed = ramp(2)
    changed.pixels[1, 1, 2, 0] += 0.01
    assert assemble("name", "source", ramp(10), changed).sha256 != data.sha256


def test_fewer_than_ten_images_are_refused():
    assert len(assemble("name", "source", ramp(10)).test) == 2
    with pytest.raises(DataError, match=r"At least 10 images .* Received: 9 in source"):
        assemble("name", "source", ramp(9))


def test_test_images_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"\(2, 3, 1\) to train and \(2, 4, 1\) to test"):
        assemble("name", "source", ramp(10), ramp(10, width=4))


def test_images_are_frozen_and_print_their_size_instead_of_their_content():
    images = ramp(12, channels=3)
    assert len(images) == 12
    assert repr(images) == "Images(count=12, height=2, width=3, channels=3)"
    with pytest.raises(FrozenInstanceError):
        images.labels = ()


@pytest.mark.parametrize(
    "pixels", [np.zeros((2, 3, 4), np.float32), np.zeros((2, 3, 4, 1), np.float64)]
)
def test_images_of_other_axes_or_dtype_are_refused(pixels):
    with pytest.raises(DataError, match=rf"must be float32 .* Received: {pixels.dtype}"):
        Images(pixels, ("", ""))


def test_images_without_a_label_each_are_refused():
    with pytest.raises(DataError, match="2 images and 1 labels"):
        Images(np.zeros((2, 3, 4, 1), np.float32), ("a",))
