import pickle
import struct
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from polyphase.datasets import DataError, load


def pictures(count, *shape, start=0):
    size = count * int(np.prod(shape))
    return ((np.arange(size) * 7 + start) % 251).astype(np.uint8).reshape(count, *shape)


def header(path, shape, descr="|u1"):
    """An .npy file that declares an array and holds none of it."""
    with path.open("wb") as file:
        fields = {"descr": descr, "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, fields)
    return path.read_bytes()


def archive(path, **members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return path


def test_keras_layout_keeps_its_own_test_set(tmp_path):
    path = tmp_path / "two sets.npz"
    x, t = pictures(20, 3, 5), pictures(4, 3, 5, start=9)
    np.savez_compressed(path, x_train=x, y_train=np.arange(20), x_test=t, y_test=list("abcd"))
    data = load(path)
    assert (data.name, data.source, data.shape) == ("two sets", str(path), (3, 5, 1))
    np.testing.assert_array_equal(data.train.pixels[..., 0], x[:16].astype(np.float32) / 255)
    np.testing.assert_array_equal(data.validation.pixels[..., 0], x[16:].astype(np.float32) / 255)
    np.testing.assert_array_equal(data.test.pixels[..., 0], t.astype(np.float32) / 255)
    assert data.train.labels + data.validation.labels == tuple(map(str, range(20)))
    assert data.test.labels == tuple("abcd")
    assert load(data.source).sha256 == data.sha256


def test_x_train_alone_is_enough_and_other_arrays_are_left_alone(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x_train=pictures(10, 2, 3, 3), note=np.array([object()]))
    data = load(path)
    assert (len(data.train), len(data.validation), len(data.test)) == (6, 2, 2)
    assert data.shape == (2, 3, 3)
    assert set(data.train.labels) == {""}


def test_labels_of_a_drawn_test_set_follow_their_images(tmp_path):
    path = tmp_path / "x.npz"
    x = np.broadcast_to(np.arange(30, dtype=np.uint8)[:, None, None], (30, 2, 2))
    np.savez(path, x_train=x, y_train=np.arange(30))
    data = load(path)
    for part in (data.train, data.validation, data.test):
        assert [str(round(p * 255)) for p in part.pixels[:, 0, 0, 0].tolist()] == list(part.labels)


def test_one_array_gives_the_same_data_in_either_file(tmp_path):
    x = pictures(12, 4, 3)
    np.save(tmp_path / "a.npy", np.asfortranarray(x))
    np.savez(tmp_path / "b.NPZ.npz", whatever=x)
    a, b = load(str(tmp_path / "a.npy")), load(tmp_path / "b.NPZ.npz")
    assert a.sha256 == b.sha256
    assert a.name == "a"
    order = np.random.default_rng(0).permutation(12)
    np.testing.assert_array_equal(a.test.pixels[..., 0], x[order[:2]].astype(np.float32) / 255)


def test_relative_paths_are_remembered_as_absolute_ones(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", pictures(12, 4, 3))
    monkeypatch.chdir(tmp_path)
    assert load("a.npy").source == str(tmp_path / "a.npy")


def test_a_bad_array_is_named_with_its_file(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x_train=pictures(10, 3, 5), x_test=np.full((2, 3, 5), np.nan))
    with pytest.raises(DataError, match=r"x_test of .*x\.npz must be finite.*first in image 0"):
        load(path)


def test_a_wrong_number_of_labels_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, x_train=pictures(10, 3, 5), y_train=np.arange(9))
    with pytest.raises(DataError, match=r"y_train of .*x\.npz .* each of the 10 images"):
        load(path)


def test_too_few_images_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", pictures(9, 4, 3))
    with pytest.raises(DataError, match=r"At least 10 images .* Received: 9 in .*a\.npy"):
        load(tmp_path / "a.npy")


def test_several_arrays_without_x_train_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", a=pictures(10, 3, 5), b=pictures(10, 3, 5))
    with pytest.raises(DataError, match=r"x\.npz must hold x_train .* Received: a, b\. Save"):
        load(tmp_path / "x.npz")


def test_an_archive_without_arrays_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("readme.txt", "nothing")
    with pytest.raises(DataError, match="Received: no arrays"):
        load(tmp_path / "x.npz")


def test_test_labels_without_test_images_are_refused(tmp_path):
    np.savez(tmp_path / "x.npz", x_train=pictures(10, 3, 5), y_test=np.arange(3))
    with pytest.raises(DataError, match="holds y_test without x_test"):
        load(tmp_path / "x.npz")


class Bomb:
    """Unpickling it raises, so a test that meets an AssertionError has unpickled it."""

    def __reduce__(self):
        return exec, ("raise AssertionError('unpickled')",)


def test_python_objects_are_refused_and_never_unpickled(tmp_path):
    objects = np.array([Bomb() for _ in range(12)])
    np.save(tmp_path / "a.npy", objects)
    np.savez(tmp_path / "a.npz", x_train=pictures(10, 3, 5), y_train=objects)
    with pytest.raises(DataError, match=r"a\.npy holds Python objects \(pickled\)"):
        load(tmp_path / "a.npy")
    with pytest.raises(DataError, match=r"y_train of .*a\.npz holds Python objects"):
        load(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_a_bare_pickle_under_a_numpy_name_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(DataError, match=rf"{name} cannot be read: "):
        load(tmp_path / name)


@pytest.mark.parametrize(
    ("descr", "count"), [("|u1", 1 << 34), ("<f8", 1 << 33), ("<U9", 2 * 10**9)]
)
def test_more_than_64_gib_are_refused_by_the_header(tmp_path, descr, count):
    """The file holds no data, so reading it would fail in another way. Bytes become float32."""
    header(tmp_path / "a.npy", (count + 1, 1, 1), descr)
    with pytest.raises(DataError, match=r"a\.npy would need .* GiB. At most 64 GiB"):
        load(tmp_path / "a.npy")
    header(tmp_path / "a.npy", (count // 64, 1, 1), descr)
    with pytest.raises(DataError, match=r"a\.npy cannot be read"):
        load(tmp_path / "a.npy")


def test_the_arrays_of_an_archive_are_added_up(tmp_path):
    half = header(tmp_path / "half", (10_000_000_000, 1, 1))
    with pytest.raises(DataError, match=r"a\.npz would need 74\.5 GiB"):
        load(archive(tmp_path / "a.npz", x_train=half, x_test=half))
    negative = header(tmp_path / "negative", (-(10**10), 1, 1))
    with pytest.raises(DataError, match=r"x_test of .* declares the shape"):
        load(archive(tmp_path / "b.npz", x_train=half, x_test=negative))


@pytest.mark.parametrize("keep", [0, 5, 40, 200])
@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_truncated_files_are_refused_by_name(tmp_path, name, keep):
    path = tmp_path / name
    if name == "a.npy":
        np.save(path, pictures(12, 4, 3))
    else:
        np.savez(path, pictures(12, 4, 3))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        DataError, match=r"^.*a\.np[yz] cannot be read: [^\n]*\. Replace the file\.$"
    ):
        load(path)


def test_a_flipped_bit_in_an_archive_is_noticed(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x_train=pictures(12, 4, 3))
    content = bytearray(path.read_bytes())
    content[content.index(pictures(12, 4, 3).tobytes()) + 20] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npz cannot be read: Bad CRC-32"):
        load(path)


@pytest.mark.parametrize("text", ["not a dict", "{[]: 1}", "-" * 9000 + "1", "{'a': 'b", "\\\n("])
def test_a_malformed_header_is_refused(tmp_path, text):
    body = text.encode() + b"\n"
    path = tmp_path / "a.npy"
    path.write_bytes(npy.magic(1, 0) + struct.pack("<H", len(body)) + body)
    with pytest.raises(DataError, match=r"a\.npy cannot be read"):
        load(path)


def test_another_file_version_is_refused(tmp_path):
    (tmp_path / "a.npy").write_bytes(npy.magic(3, 0) + b"\0" * 20)
    with pytest.raises(DataError, match=r"version \(3, 0\).*Save the array again"):
        load(tmp_path / "a.npy")
