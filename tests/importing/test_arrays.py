"""Arrays in IDX and NumPy's files: every type and layout, and what is wrong with others."""

import gzip
import struct

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.data.idx import read_any_idx
from nnlib.importing.idx_files import is_idx
from nnlib.importing.importer import Options, import_images
from tests.importing.conftest import CODES, write_idx

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(12, 4, 5), dtype=np.uint8)
IMAGES[0, 0, 0] = 255
LABELS = np.arange(12) % 3


def write_parts(folder, images=IMAGES, labels=LABELS, **options):
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte", images, **options)
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels)


def refusal(path, **options):
    with pytest.raises(UserError) as caught:
        import_images(path, Options(**options))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def texts(imported):
    return [text for _, text in imported.notes.rows()]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("packed", [False, True])
def test_every_type_of_idx_is_read_whatever_the_name_says(tmp_path, code, packed):
    array = (RNG.integers(-100, 100, size=(2, 3, 4))).astype(code)
    if code in {"i2", "i4"}:
        array *= 300  # more than a byte
    if code[0] == "f":
        array /= 7
    for name in ("a-idx3-ubyte", "a.idx3-ubyte.gz"):
        write_idx(tmp_path / name, array, code, packed=packed)
        read = read_any_idx(tmp_path / name)
        assert read.dtype == np.dtype(code)
        np.testing.assert_array_equal(read, array)


def test_idx_is_read_as_its_description_says(tmp_path):
    (tmp_path / "a").write_bytes(b"\0\0\x0b\x02\0\0\0\x01\0\0\0\x03\x01\x02\xff\xff\0\x07")
    np.testing.assert_array_equal(read_any_idx(tmp_path / "a"), [[258, -1, 7]])


HEADER = struct.pack(">HBBI", 0, 8, 1, 3)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "cannot be read as an IDX file"),
        (HEADER[:6], "cannot be read as an IDX file"),
        (b"\x89PNG\r\n\x1a\n....", "is not an IDX file"),
        (b"\0\0\x0a\x01\0\0\0\x01a", "is not an IDX file"),
        (b"\0\0\x08\x00a", "is not an IDX file"),
        (HEADER + b"ab", r"is truncated: its \(3,\) numbers need 3 bytes"),
        (HEADER + b"abcd", "bytes after the 3 of its"),
        (gzip.compress(HEADER + b"abc")[:-5], "cannot be read as an IDX file"),
        (struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3), "is truncated"),
        (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3)), "is truncated"),
    ],
    ids=[
        *("empty", "half a header", "a picture", "no type", "no dimensions", "too few", "too many"),
        *("gzip cut off", "a header that promises everything", "the same in gzip"),
    ],
)
def test_a_broken_idx_file_is_named(tmp_path, content, problem):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS)
    assert "train-images-idx3-ubyte" in refusal(tmp_path)
    with pytest.raises(UserError, match=problem):
        read_any_idx(path)


@pytest.mark.parametrize(
    "name",
    [
        *("train-images-idx3-ubyte", "train-images.idx3-ubyte", "t10k-labels-idx1-ubyte.gz"),
        *("TRAIN-IMAGES-IDX3-UBYTE", "qmnist-train-labels-idx2-int.gz", "train-images.idx"),
    ],
)
def test_idx_files_are_known_by_their_names(name):
    assert is_idx(name)
    assert not is_idx(f"{name}.txt")


@pytest.mark.parametrize(
    "names",
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte"),
        ("emnist-balanced-train-images-idx3-ubyte.gz", "emnist-balanced-train-labels-idx1-ubyte"),
        ("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"),
        ("images-idx3-ubyte", "labels-idx1-ubyte"),
    ],
)
@pytest.mark.parametrize("test", ["t10k", "test", "qmnist-test10k", None])
def test_parts_are_known_by_their_names(tmp_path, names, test):
    for name, array in zip(names, (IMAGES, LABELS), strict=True):
        write_idx(tmp_path / name, array)
    if test and "train" in names[0]:
        write_idx(tmp_path / f"{test}-images-idx3-ubyte", IMAGES[:5])
        write_idx(tmp_path / f"{test}-labels-idx1-ubyte", LABELS[:5])
    imported = import_images(tmp_path, Options())
    is_split = test is None or "train" not in names[0]
    assert (len(imported.train.labels), len(imported.test.labels)) == (
        (9, 3) if is_split else (12, 5)
    )


def test_of_qmnists_columns_the_first_is_the_class(tmp_path):
    columns = np.column_stack([LABELS, *RNG.integers(1000, size=(7, 12))])
    write_idx(tmp_path / "qmnist-train-images-idx3-ubyte", IMAGES)
    write_idx(tmp_path / "qmnist-train-labels-idx2-int", columns, "i4")
    imported = import_images(tmp_path, Options())
    for image, label in zip(imported.train.images, imported.train.labels, strict=True):
        assert label == LABELS[(image == IMAGES).all(axis=(1, 2))][0]
    name = "qmnist-train-labels-idx2-int"
    assert f"{name}: of 8 columns of labels, the first is the class" in texts(imported)


def test_another_number_of_labels_than_of_images_is_refused(tmp_path):
    write_parts(tmp_path, labels=LABELS[:-1])
    text = refusal(tmp_path)
    assert "train-images-idx3-ubyte holds 12 images" in text
    assert "train-labels-idx1-ubyte 11 labels" in text
    np.savez(tmp_path / "a.npz", x_train=IMAGES, y_train=LABELS[:-1])
    text = refusal(tmp_path / "a.npz")
    assert "a.npz:x_train holds 12 images, but a.npz:y_train 11 labels" in text


def test_missing_labels_are_said(tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte", IMAGES)
    assert "train-labels-idx1-ubyte" in refusal(tmp_path)  # how they are to be named
    write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", IMAGES)
    imported = import_images(tmp_path, Options())
    assert "t10k-images-idx3-ubyte, whose labels are missing" in texts(imported)
    assert len(imported.test.labels) == 3


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "t_train", "X_test", "t_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_arrays_of_an_npz_are_known_by_their_names(tmp_path, names):
    arrays = (IMAGES, LABELS, IMAGES[:5], LABELS[:5])
    np.savez(tmp_path / "a.npz", **dict(zip(names, arrays, strict=True)), other=np.zeros(3))
    imported = import_images(tmp_path / "a.npz", Options())
    assert (len(imported.train.labels), len(imported.test.labels)) == (12, 5)
    np.testing.assert_array_equal(imported.test.images, IMAGES[:5])
    assert imported.test.origins == [f"a.npz:{names[2]}[{row}]" for row in range(5)]
    assert "1 other array: a.npz:other" in texts(imported)


def test_arrays_in_files_of_their_own_are_found(tmp_path):
    for part in ("train", "test"):
        np.save(tmp_path / f"x_{part}.npy", IMAGES)
        np.savez(tmp_path / f"y_{part}.npz", LABELS)
    imported = import_images(tmp_path, Options())
    np.testing.assert_array_equal(imported.test.images, IMAGES)
    assert imported.test.origins[3] == "x_test.npy[3]"


def test_the_name_of_an_array_counts_more_than_that_of_its_file(tmp_path):
    path = tmp_path / "test-labels.npz"
    np.savez(path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:5], y_test=LABELS[:5])
    np.testing.assert_array_equal(import_images(path, Options()).test.images, IMAGES[:5])


def test_a_part_in_each_file_is_found(tmp_path):
    for part in ("train", "test"):
        np.savez(tmp_path / f"{part}.npz", x=IMAGES, y=LABELS)
    np.testing.assert_array_equal(import_images(tmp_path, Options()).test.images, IMAGES)


def test_objects_are_not_unpickled(tmp_path):
    labels = np.array(["a", "b", "c"] * 4, object)
    np.savez(tmp_path / "a.npz", x=IMAGES, y=labels)
    text = refusal(tmp_path / "a.npz")
    assert "Python objects, which may run code" in text
    np.savez(tmp_path / "a.npz", x=IMAGES, y=labels.astype(str))
    assert import_images(tmp_path / "a.npz", Options()).class_names == ("a", "b", "c")


def test_a_broken_npz_is_named(tmp_path):
    np.savez(tmp_path / "a.npz", x=IMAGES, y=LABELS)
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(b"no archive")
    assert refusal(tmp_path / "a.npz").endswith("it is no archive")
    for broken in (b"", content[:-50], content.replace(b"NUMPY", b"NUMPI")):
        (tmp_path / "a.npz").write_bytes(broken)
        assert "a.npz cannot be read as arrays of NumPy" in refusal(tmp_path / "a.npz")


def test_an_npz_without_images_is_refused(tmp_path):
    np.savez(tmp_path / "a.npz", y=LABELS, z=LABELS)
    text = refusal(tmp_path / "a.npz")
    assert "has a.npz:y, a.npz:z, but training images and their labels are needed" in text


COLOURS = np.stack([IMAGES, IMAGES // 2, IMAGES // 3], axis=-1)
GREY = np.rint(COLOURS @ [0.299, 0.587, 0.114])


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (IMAGES[..., np.newaxis], IMAGES),
        (IMAGES[:, np.newaxis], IMAGES),
        (COLOURS, GREY),
        (np.moveaxis(COLOURS, -1, 1), GREY),
        (IMAGES > 127, np.where(IMAGES > 127, 255, 0)),
    ],
)
def test_images_are_laid_out_in_many_ways(tmp_path, images, expected):
    np.savez(tmp_path / "a.npz", x_train=images, y_train=LABELS, x_test=images, y_test=LABELS)
    imported = import_images(tmp_path / "a.npz", Options())
    np.testing.assert_array_equal(imported.test.images, expected)


def test_rows_of_pixels_are_square_or_of_the_shape_that_is_given(tmp_path):
    flat = RNG.integers(256, size=(12, 16))
    np.savez(tmp_path / "a.npz", x_train=flat, y_train=LABELS, x_test=flat, y_test=LABELS)
    imported = import_images(tmp_path / "a.npz", Options())
    np.testing.assert_array_equal(imported.test.images, flat.reshape(12, 4, 4))
    imported = import_images(tmp_path / "a.npz", Options(shape=(8, 2)))
    np.testing.assert_array_equal(imported.test.images, flat.reshape(12, 8, 2))
    assert "16 pixels, which are not 5 x 3, as given" in refusal(tmp_path / "a.npz", shape=(5, 3))
    np.savez(tmp_path / "a.npz", x=flat[:, :12], y=LABELS)
    text = refusal(tmp_path / "a.npz")
    assert "12 pixels, which are not a square: give their height and width, as in SHAPE=" in text


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        (np.zeros((12, 2, 2, 2, 2)), "has the shape"),
        (np.zeros(12), "has the shape"),
        (np.zeros((0, 4, 4)), "holds no images"),
        (np.full((12, 2, 2), "a"), "expected numbers"),
        (np.full((12, 2, 2), np.nan), "not finite"),
        (np.full((12, 2, 2), -np.inf), "not finite"),
        (np.full((12, 2, 2), 1e9), "nothing to learn from"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, images, problem):
    np.savez(tmp_path / "a.npz", x=images, y=LABELS)
    assert problem in refusal(tmp_path / "a.npz")


def test_arrays_of_different_sizes_are_brought_to_one(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        x_train=np.full((12, 6, 6), 255, np.uint8),
        y_train=LABELS,
        x_test=np.full((12, 8, 4), 255, np.uint8),
        y_test=LABELS,
    )
    imported = import_images(tmp_path / "a.npz", Options())
    assert imported.image_shape == (28, 28)
    assert imported.train.images.min() == 255
    np.testing.assert_array_equal(imported.test.images[0, 0] > 0, [*[0] * 7, *[1] * 14, *[0] * 7])
