"""The data set's files, and `load_mnist` as the notebook calls it."""

import json
import shutil

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.data.datasets import (
    DESCRIPTION,
    FILES,
    MNIST,
    TEST,
    TRAIN,
    Dataset,
    load_mnist,
    open_images,
    open_set,
    read_dataset,
    read_labels,
    write_dataset,
)
from nnlib.data.idx import write_idx


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, shape, high in zip(
        FILES, [(30, 28, 28), (30,), (20, 28, 28), (20,)], [256, 10, 256, 10], strict=True
    ):
        write_idx(tmp_path / name, rng.integers(high, size=shape, dtype=np.uint8))
    return tmp_path


def test_load_mnist_as_the_notebook_calls_it(folder):
    (x_train, t_train), (x_test, t_test) = load_mnist(
        normalize=True, one_hot_label=True, folder=folder
    )
    assert x_train.shape == (30, 784)
    assert t_train.shape == (30, 10)
    assert x_test.shape == (20, 784)
    assert t_test.shape == (20, 10)
    assert x_train.dtype == np.float32
    assert x_train.min() == 0
    assert x_train.max() == 1
    np.testing.assert_array_equal(t_train.argmax(axis=1), read_labels(folder / TRAIN.labels, 10))
    np.testing.assert_array_equal(t_train.sum(axis=1), np.ones(30))


def test_load_mnist_with_each_choice_reversed(folder):
    (x_train, t_train), _ = load_mnist(normalize=False, flatten=False, folder=folder)
    assert x_train.shape == (30, 1, 28, 28)
    assert x_train.dtype == np.uint8
    np.testing.assert_array_equal(
        x_train[:, 0], open_images(folder / TRAIN.images, (28, 28)).read()
    )
    assert t_train.shape == (30,)


def test_load_mnist_takes_no_folder_for_a_choice(folder, monkeypatch):
    (folder / "data").mkdir()
    (folder / "data/raw").symlink_to(folder)  # what it would read if it ignored the folder
    monkeypatch.chdir(folder)
    assert len(load_mnist()[0][0]) == 30
    with pytest.raises(TypeError, match=r"normalize must be .* not 'data/fashion'; .*folder="):
        load_mnist("data/fashion")
    with pytest.raises(TypeError, match="flatten"):
        load_mnist(True, folder)
    with pytest.raises(TypeError, match="one_hot_label"):
        load_mnist(one_hot_label="False")
    for flag in (1, np.True_):
        assert load_mnist(one_hot_label=flag, folder=folder)[0][1].shape == (30, 10)


def test_load_mnist_without_files_says_which_is_missing(tmp_path):
    with pytest.raises(UserError, match="train-images"):
        load_mnist(folder=tmp_path)


def test_images_of_another_size_are_refused(tmp_path):
    write_idx(tmp_path / "images.gz", np.zeros((3, 28, 27), np.uint8))
    with pytest.raises(UserError, match=r"images\.gz.*\(3, 28, 27\)"):
        open_images(tmp_path / "images.gz", (28, 28))


def test_a_file_without_images_is_refused(tmp_path):
    write_idx(tmp_path / "images.gz", np.zeros((0, 28, 28), np.uint8))
    with pytest.raises(UserError, match=r"images\.gz.*\(N, 28, 28\), found \(0, 28, 28\)"):
        open_images(tmp_path / "images.gz", (28, 28))


def test_a_label_above_9_is_refused(tmp_path):
    write_idx(tmp_path / "labels.gz", np.array([0, 9, 10, 12], np.uint8))
    with pytest.raises(UserError, match=r"labels\.gz: label 2 is 10"):
        read_labels(tmp_path / "labels.gz", 10)


def test_labels_of_more_dimensions_are_refused(tmp_path):
    write_idx(tmp_path / "labels.gz", np.zeros((3, 1), np.uint8))
    with pytest.raises(UserError, match=r"labels\.gz.*\(3, 1\)"):
        read_labels(tmp_path / "labels.gz", 10)


def test_as_many_labels_as_images(folder):
    shutil.copy(folder / TEST.labels, folder / TRAIN.labels)
    with pytest.raises(UserError, match=r"30 images.*20 labels"):
        open_set(folder, MNIST, "train")


def test_a_description_that_is_read_is_the_one_that_was_written(tmp_path):
    clothes = Dataset(
        name="clothes",
        class_names=("Boot", 'a "bag", =1+1'),
        class_noun="item",
        image_shape=(40, 24),
        has_strokes=False,
        prepared_as_mnist=False,
    )
    write_dataset(tmp_path, clothes)
    assert read_dataset(tmp_path) == clothes


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"class_names": ["a"]}, "class_names"),
        ({"class_names": list(map(str, range(101)))}, "class_names"),
        ({"class_names": ["a", "b", "a"]}, "class_names.*twice"),
        ({"class_names": ["a", "b\r"]}, "class_names.*control character"),
        ({"class_names": ["a", ""]}, "class_names"),
        ({"class_noun": "<b>"}, "class_noun"),
        ({"class_noun": ""}, "class_noun"),
        ({"class_noun": "½"}, "class_noun"),
        ({"class_noun": " leaf"}, "class_noun"),
        ({"image_shape": [0, 28]}, "image_shape"),
        ({"name": ""}, "name"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_description_that_cannot_be_right_is_refused(tmp_path, changes, says):
    (tmp_path / DESCRIPTION).write_text(json.dumps(MNIST.model_dump() | changes))
    with pytest.raises(UserError, match=rf"{DESCRIPTION}: .*{says}"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("digit", "digits"),
        ("class", "classes"),
        ("box", "boxes"),
        ("dish", "dishes"),
        ("city", "cities"),
        ("toy", "toys"),
        ("roof", "roofs"),
        ("leaf", "leaves"),
        ("maple leaf", "maple leaves"),
        ("man", "men"),
        ("snow-woman", "snow-women"),
        ("human", "humans"),
        ("fish", "fishes"),
        ("species", "species"),
    ],
)
def test_the_plural_of_a_noun(noun, plural):
    assert MNIST.model_copy(update={"class_noun": noun}).class_nouns == plural
