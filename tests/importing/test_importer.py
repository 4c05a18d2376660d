"""The split, the order, what is the same, and what is written and said."""

import csv

import numpy as np
import pytest

from nnlib.base.errors import UserError
from nnlib.data.datasets import MNIST
from nnlib.importing.importer import (
    Imported,
    Options,
    Samples,
    import_images,
    table,
    write_imported,
)
from nnlib.importing.notes import Notes
from nnlib.importing.splits import split_by_class
from tests.importing.conftest import write_picture


@pytest.mark.parametrize(
    ("n", "share", "expected"),
    [
        (1, 0.5, 0),  # to learn from, rather than to test
        (2, 0.01, 1),
        (2, 0.99, 1),
        (3, 0.5, 2),
        (6, 1 / 6, 1),
        (60, 1 / 6, 10),
        (100, 0.995, 99),
    ],
)
def test_each_class_has_its_share_and_two_samples_are_parted(n, share, expected):
    labels = np.array([0] * 7 + [1] * n + [2] * 9, np.uint8)
    train, test = split_by_class(labels, share, np.random.default_rng(0))
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert (labels[test] == 1).sum() == expected
    assert list(train) == sorted(train)
    assert list(test) == sorted(test)


def write(path, x, y, **test):
    np.savez(path, x_train=x, y_train=y, **test)
    return path


def distinct(n, start=0):
    """Different images, of 3 x 3 pixels."""
    images = np.zeros((n, 3, 3), np.uint8)
    images[:, 0, 0], images[:, 0, 1], images[:, 1, 1] = np.arange(start, start + n), 9, 255
    return images


def test_the_order_of_the_training_set_is_random_and_follows_the_seed(tmp_path):
    y = np.repeat([0, 1, 2], 60)
    path = write(tmp_path / "a.npz", distinct(180), y, x_test=distinct(30, 200), y_test=y[:30])
    orders = {}
    for seed in (1, 1, 2):
        imported = import_images(path, Options(seed=seed))
        order = tuple(imported.train.labels)
        assert orders.setdefault(seed, order) == order
        assert set(order[-15:]) == {0, 1, 2}  # what `validation` holds out
        assert imported.test.origins == [f"a.npz:x_test[{i}]" for i in range(30)]
        for image, label, origin in zip(*imported.train, strict=True):
            row = int(origin.split("[")[1][:-1])
            assert image[0, 0] == row
            assert label == y[row]
    assert orders[1] != orders[2]
    assert any("random order, drawn with seed 2" in text for _, text in imported.notes.rows())


def test_the_split_follows_the_seed(tmp_path):
    path = write(tmp_path / "a.npz", distinct(180), np.repeat([0, 1, 2], 60))
    first, again, other = (import_images(path, Options(seed=seed)).test for seed in (1, 1, 2))
    assert first.origins == again.origins != other.origins


def test_what_is_said_of_the_split_is_so_for_few_samples_too(tmp_path):
    path = write(tmp_path / "a.npz", distinct(5), [0, 0, 1, 1, 2])
    notes = [text for _, text in import_images(path, Options()).notes.rows()]
    assert (
        "split: 2 of 5 samples, drawn with seed 1, became the test set: about 0.167 of each class, "
        "but at least one of those with two or more"
    ) in notes
    assert not any("of all classes" in text for text in notes)


def test_a_set_that_cannot_be_split_is_refused(tmp_path):
    path = write(tmp_path / "a.npz", distinct(3), [0, 1, 2])
    with pytest.raises(UserError, match="no class has two samples"):
        import_images(path, Options())


def looked_at(path):
    imported = import_images(path, Options())
    return [text for kind, text in imported.notes.rows() if kind == "look at"]


def test_what_is_the_same_is_counted_and_named(tmp_path):
    x = distinct(8)
    x[1] = x[0]  # twice in training, with two labels
    x[5] = x[4] = x[3]  # three times in training
    x_test = distinct(4, 100)
    x_test[0], x_test[2] = x[3], x[7]  # in both
    x_test[3] = x_test[1]
    y, y_test = [0, 1, 0, 1, 1, 1, 0, 1], [1, 0, 0, 0]
    path = write(tmp_path / "a.npz", x, y, x_test=x_test, y_test=y_test)
    found = looked_at(path)
    assert [text.split(":")[0] for text in found] == [
        "3 samples of the training set repeat others",
        "1 sample of the test set repeats another",
        "2 samples of the test set are in the training set too",
        "2 images have several labels",
    ]
    assert found[1].endswith("a.npz:x_test[3] = a.npz:x_test[1]")
    assert "a.npz:x_test[2] = a.npz:x_train[7]" in found[2]  # labels 0 and 1
    assert {"a.npz:x_train[0]", "a.npz:x_train[1]"} <= set(found[3].replace(",", "").split())


def test_sets_without_repetitions_need_no_look(tmp_path):
    path = write(tmp_path / "a.npz", distinct(8), [0, 1] * 4, x_test=distinct(2, 50), y_test=[0, 1])
    assert looked_at(path) == []


def test_classes_without_samples_are_said(tmp_path):
    (tmp_path / "classes.txt").write_text("a\nb\nc\nd\n")
    path = write(
        tmp_path / "a.npz", distinct(6), [0, 1, 1] * 2, x_test=distinct(2, 50), y_test=[0, 2]
    )
    assert looked_at(path) == [
        "2 classes without training samples: c, d",
        "2 classes without test samples: b, d",
    ]


def test_blank_images_are_said(tmp_path):
    x = distinct(6)
    x[2] = 7
    path = write(tmp_path / "a.npz", x, [0, 1] * 3, x_test=distinct(2, 50), y_test=[0, 1])
    assert looked_at(path) == ["1 blank image: a.npz:x_train[2]"]


def test_samples_are_listed_with_their_files(tmp_path):
    for name in ("=1+2", "dog, brown"):
        for i, part in enumerate(("train", "test")):
            write_picture(
                tmp_path / "in" / part / name / "1.png", np.full((3, 3), 60 * i + len(name))
            )
    imported = import_images(tmp_path / "in", Options())
    write_imported(tmp_path / "out", imported, MNIST)
    with (tmp_path / "out/samples.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["set"], row["index"]) for row in rows] == [
        *(("train", "0"), ("train", "1")),
        *(("test", "0"), ("test", "1")),
    ]
    assert {(row["class"], row["file"]) for row in rows[2:]} == {
        ("0", "test/=1+2/1.png"),
        ("1", "test/dog, brown/1.png"),
    }


@pytest.mark.parametrize("origin", ["=cmd|' /C calc'!A0/1.png", "+1.png", "-1.png", "@x/1.png"])
def test_no_file_is_taken_for_a_formula(tmp_path, origin):
    samples = Samples(np.zeros((1, 3, 3), np.uint8), np.zeros(1, np.uint8), [origin])
    write_imported(tmp_path / "out", Imported(("a", "b"), samples, samples, Notes()), MNIST)
    with (tmp_path / "out/samples.csv").open(encoding="utf-8", newline="") as file:
        assert {row["file"] for row in csv.DictReader(file)} == {f"./{origin}"}


def test_file_names_that_are_no_text_do_no_harm(tmp_path):
    samples = Samples(np.zeros((1, 3, 3), np.uint8), np.zeros(1, np.uint8), ["cat/\udce9\n.png"])
    write_imported(tmp_path / "out", Imported(("a", "b"), samples, samples, Notes()), MNIST)
    text = (tmp_path / "out/samples.csv").read_text(encoding="utf-8")
    assert '"cat/\\udce9\n.png"' in text


def test_the_table_says_all(tmp_path):
    notes = Notes()
    notes.add("found", "a")
    notes.add("left out", "b")
    notes.add("found", "c")
    labels = np.array([0] * 1234 + [1], np.uint8)
    train = Samples(np.zeros((1235, 3, 3), np.uint8), labels, [""] * 1235)
    test = Samples(np.zeros((1, 3, 3), np.uint8), labels[-1:], [""])
    assert table(Imported(("靴", "boots"), train, test, notes)).splitlines() == [
        " training    test  class",
        "    1,234       0  靴",
        "        1       1  boots",
        "    1,235       1  2 classes",
        "    found  a",
        "    found  c",
        " left out  b",
    ]
