"""The published data sets: what is known of them, and what is made of their files."""

import re
import zipfile

import numpy as np
import pytest

from nnlib.data.datasets import FILES, TRAIN, open_images, open_set, read_labels
from nnlib.data.sources import PUBLISHED
from tests.published import SIZES, idx, publish


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_read_is_what_was_published(tmp_path, name):
    samples = publish(name, tmp_path / "published")
    source, raw = PUBLISHED[name], tmp_path / "data" / "raw"
    paths = {path.name: path for path in (tmp_path / "published").iterdir()}
    source.write(raw, paths)
    assert {path.name for path in raw.iterdir()} == set(FILES)
    for part, n in SIZES.items():
        images, labels = samples[part]
        file, read = open_set(raw, source.dataset, part)
        assert file.shape == (n, 28, 28)
        np.testing.assert_array_equal(file.read(), images)
        assert read.tolist() == labels
    if name in {"mnist", "fashion", "kmnist"}:
        for file in FILES:
            assert (raw / file).read_bytes() == paths[file].read_bytes()


@pytest.fixture
def emnist(tmp_path):
    """An archive that holds one letter of each set, all labelled 1, with ink in the first row."""
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 0] = 255
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
        for split in ("balanced", "digits", "letters"):
            for part in ("train", "test"):
                start = f"gzip/emnist-{split}-{part}"
                archive.writestr(f"{start}-images-idx3-ubyte.gz", idx(image))
                archive.writestr(f"{start}-labels-idx1-ubyte.gz", idx([1]))
    return {"gzip.zip": tmp_path / "gzip.zip"}


@pytest.mark.parametrize("name", ["emnist-balanced", "emnist-digits", "emnist-letters"])
def test_emnists_images_are_transposed(tmp_path, emnist, name):
    PUBLISHED[name].write(tmp_path, emnist)
    (image,) = open_images(tmp_path / TRAIN.images, (28, 28)).read()
    assert (image[:, 0] == 255).all()
    assert (image[:, 1:] == 0).all()


@pytest.mark.parametrize(
    ("name", "called"), [("emnist-balanced", "1"), ("emnist-digits", "1"), ("emnist-letters", "A")]
)
def test_emnists_letters_are_counted_from_1(tmp_path, emnist, name, called):
    PUBLISHED[name].write(tmp_path, emnist)
    names = PUBLISHED[name].dataset.class_names
    (label,) = read_labels(tmp_path / TRAIN.labels, len(names))
    assert names[label] == called


def test_the_first_of_qmnists_columns_is_the_class(tmp_path):
    columns = [[7, 4, 2437, 102, 37, 265_243, 0, 0], [2, 4, 2437, 6, 32, 3, 0, 0]]
    images = np.zeros((2, 28, 28))
    contents = {"images-idx3-ubyte": idx(images), "labels-idx2-int": idx(columns, 12, ">i4")}
    paths = {}
    for part in ("train", "test"):
        for kind, content in contents.items():
            name = f"qmnist-{part}-{kind}.gz"
            paths[name] = tmp_path / name
            paths[name].write_bytes(content)
    PUBLISHED["qmnist"].write(tmp_path / "raw", paths)
    assert read_labels(tmp_path / "raw" / TRAIN.labels, 10).tolist() == [7, 2]


def test_the_classes_of_emnist_are_those_of_its_mappings():
    # emnist-letters-mapping.txt begins with "1 65 97", and ends with "26 90 122"
    names = PUBLISHED["emnist-letters"].dataset.class_names
    assert [ord(name) for name in names] == list(range(65, 91))
    # emnist-balanced-mapping.txt: 48 to 57, 65 to 90, and these
    names = PUBLISHED["emnist-balanced"].dataset.class_names
    small = [97, 98, 100, 101, 102, 103, 104, 110, 113, 114, 116]
    assert [ord(name) for name in names] == [*range(48, 58), *range(65, 91), *small]


def test_what_is_known_of_their_images():
    datasets = {name: source.dataset for name, source in PUBLISHED.items()}
    assert {each.image_shape for each in datasets.values()} == {(28, 28)}
    assert [name for name, each in datasets.items() if not each.has_strokes] == ["fashion"]
    prepared = [name for name, each in datasets.items() if each.prepared_as_mnist]
    assert prepared == ["mnist", "qmnist"]
    nouns = {name: each.class_noun for name, each in datasets.items()}
    assert nouns == {
        "mnist": "digit",
        "fashion": "item",
        "kmnist": "character",
        "qmnist": "digit",
        "emnist-balanced": "character",
        "emnist-letters": "letter",
        "emnist-digits": "digit",
    }
    assert len({each.name for each in datasets.values()}) == len(datasets)


def test_each_file_has_a_checksum_of_its_own():
    files = {each for source in PUBLISHED.values() for each in source.files.items()}
    assert len(files) == 17  # four each of MNIST and three like it, and EMNIST's archive
    checksums = {file.sha256 for _, file in files}
    assert len(checksums) == len(files)
    assert all(re.fullmatch("[0-9a-f]{64}", checksum) for checksum in checksums)
