"""What networks trained with other seeds predict, in a file and out of it."""

import re

import numpy as np
import pytest

from nnlib.analysis.repeats import accuracies, confusions, read_repeats
from nnlib.base.archives import write_array
from nnlib.base.errors import UserError

ACTUAL = np.array([0, 0, 1, 2, 2])
PREDICTED = np.array([[0, 1, 1, 2, 2], [0, 0, 1, 2, 2], [1, 1, 2, 0, 1]], np.uint8)


def save_archive(path):
    with path.open("wb") as file:
        np.savez(file, PREDICTED)


@pytest.fixture
def path(tmp_path):
    write_array(tmp_path / "predictions.npy", PREDICTED)
    return tmp_path / "predictions.npy"


def test_the_confusion_matrices_and_accuracies():
    found = confusions(PREDICTED, ACTUAL, 3)
    assert found[0].tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 2]]
    assert found[2].tolist() == [[0, 2, 0], [0, 0, 1], [1, 1, 0]]
    assert accuracies(found).tolist() == [4 / 5, 1, 0]
    none = confusions(PREDICTED[:0], ACTUAL, 3)
    assert none.shape == (0, 3, 3)
    assert accuracies(none).shape == (0,)


def test_what_is_written_is_read(path):
    found = read_repeats(path, 5, 3)
    assert found.dtype == np.uint8
    assert np.array_equal(found, PREDICTED)


def test_none_are_none(path):
    write_array(path, PREDICTED[:0])
    assert read_repeats(path, 5, 3).shape == (0, 5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: np.save(path, PREDICTED[:, 1:]), r"expected uint8 of shape \(seeds, 5\)"),
        (lambda path: np.save(path, PREDICTED[0]), r"found uint8 of shape \(5,\)"),
        (lambda path: np.save(path, PREDICTED.astype(int)), "found int64"),
        (lambda path: np.save(path, PREDICTED + np.uint8(1)), "sample 3 in row 0 is 3, but the"),
        (save_archive, "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "cannot be read"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_text("seed,actual\n1,2\n"), "cannot be read"),
        (lambda path: path.unlink(), "cannot be read"),
    ],
)
def test_what_are_no_predictions_of_these_samples_is_refused(path, change, says):
    change(path)
    with pytest.raises(UserError, match=f"{re.escape(str(path))}.*{says}") as caught:
        read_repeats(path, 5, 3)
    assert "\n" not in str(caught.value)
    assert caught.value.file == path
