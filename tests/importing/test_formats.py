"""The same 1,797 digits in each format give the same data set."""

from collections import Counter

import numpy as np
import pytest

from nnlib.data.datasets import FILES, MNIST, open_set, read_dataset
from nnlib.importing.importer import Options, import_images, write_imported
from tests.importing.conftest import NAMES, WRITERS, as_bytes, split, write_picture


def counts(images, labels):
    """How often each image occurs with each label, in whatever order."""
    return Counter(
        (int(label), image.tobytes()) for image, label in zip(images, labels, strict=True)
    )


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_the_same_data_set(write, digits, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    write(source, digits)
    imported = import_images(source, Options())
    shape = imported.image_shape
    dataset = MNIST.model_copy(update={"class_names": imported.class_names, "image_shape": shape})
    write_imported(target, imported, dataset)
    assert {path.name for path in target.iterdir()} == {*FILES, "dataset.json", "samples.csv"}
    dataset = read_dataset(target)
    assert dataset.class_names == NAMES
    assert dataset.image_shape == (8, 8)
    for part, (images, labels) in split(digits).items():
        file, found = open_set(target, dataset, part)
        assert counts(file.read(), found) == counts(as_bytes(images), labels)


def test_the_same_files_give_the_same_bytes(digits, tmp_path):
    images, labels = digits
    contents = []
    for name, order in (("one", 1), ("two", -1)):  # the latter made in the opposite order
        source, target = tmp_path / name / "source", tmp_path / name / "target"
        for row in range(200)[::order]:
            picture = as_bytes(images[row])
            write_picture(source / NAMES[labels[row]] / f"{row}.png", picture)
        imported = import_images(source, Options())
        write_imported(target, imported, MNIST)
        contents.append({path.name: path.read_bytes() for path in target.iterdir()})
    assert contents[0] == contents[1]


def test_without_a_test_set_the_one_set_is_split_by_class(digits, tmp_path):
    images, labels = digits
    np.savez(tmp_path / "digits.npz", images=images, target=labels)
    imported = import_images(tmp_path / "digits.npz", Options(share=0.25))
    expected = [round(n / 4) for n in np.bincount(labels)]
    found = np.bincount(imported.test.labels)
    assert np.abs(found - expected).max() <= 1
    both = counts(imported.train.images, imported.train.labels) + counts(
        imported.test.images, imported.test.labels
    )
    assert both == counts(as_bytes(images), labels)
    for samples in (imported.train, imported.test):  # where each is from
        for image, label, origin in zip(*samples, strict=True):
            row = int(origin.removeprefix("digits.npz:images[").removesuffix("]"))
            np.testing.assert_array_equal(image, as_bytes(images[row]))
            assert label == labels[row]
