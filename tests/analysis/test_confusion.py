"""Confusion and the figures drawn from it, against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from nnlib.analysis.confusion import (
    confusion_matrix,
    mean_probabilities,
    most_taken_for,
    per_class,
    read_confusion,
)
from nnlib.analysis.predictions import Predictions, write_predictions
from nnlib.base.tables import CHUNK
from nnlib.stats.intervals import wilson_interval

CASES = {
    "random": lambda rng: (rng.integers(10, size=500), rng.integers(10, size=500)),
    "all right": lambda rng: (np.arange(10), np.arange(10)),
    "all wrong": lambda rng: (np.arange(10), (np.arange(10) + 1) % 10),
    "one class predicted": lambda rng: (rng.integers(10, size=200), np.full(200, 3)),
    "classes missing": lambda rng: (rng.integers(3, size=50), rng.integers(4, size=50)),
    "one sample": lambda rng: (np.array([7]), np.array([1])),
}


@pytest.fixture(params=CASES, ids=list(CASES))
def labels(request):
    return CASES[request.param](np.random.default_rng(0))


def test_confusion_matrix_is_scikit_learns(labels):
    confusion = confusion_matrix(*labels, 10)
    np.testing.assert_array_equal(
        confusion, sklearn_metrics.confusion_matrix(*labels, labels=range(10))
    )


def test_confusion_of_a_table_that_is_read_in_blocks(tmp_path):
    rng = np.random.default_rng(0)
    y = rng.dirichlet(np.ones(3), CHUNK + 100)
    actual = rng.integers(3, size=len(y))
    write_predictions(tmp_path / "train.csv", Predictions.of(y, actual))
    confusion = read_confusion(tmp_path / "train.csv", actual, 3)
    np.testing.assert_array_equal(confusion, confusion_matrix(actual, y.argmax(axis=1), 3))


def test_confusion_matrix_of_bytes():
    confusion = confusion_matrix(np.array([99], np.uint8), np.array([98], np.uint8), 100)
    assert confusion[99, 98] == confusion.sum() == 1


def test_figures_of_each_class_are_scikit_learns(labels):
    table = per_class(confusion_matrix(*labels, 10))
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        *labels, labels=range(10), zero_division=np.nan
    )
    np.testing.assert_array_equal(table["support"], support)
    np.testing.assert_array_equal(table["predictions"], np.bincount(labels[1], minlength=10))
    np.testing.assert_allclose(table["recall"], recall, rtol=1e-12)
    np.testing.assert_allclose(table["precision"], precision, rtol=1e-12)
    np.testing.assert_allclose(table["f1"], f1, rtol=1e-12)


def test_intervals_of_each_class_worked_by_hand():
    table = per_class(np.array([[7, 3], [1, 5]]))
    for name, right, total in (("recall", [7, 5], [10, 6]), ("precision", [7, 5], [8, 8])):
        low, high = wilson_interval(right, total)
        np.testing.assert_allclose(table[f"{name}_low"], low)
        np.testing.assert_allclose(table[f"{name}_high"], high)


def test_what_a_class_is_most_often_taken_for():
    confusion = np.array([[9, 3, 1, 3], [0, 5, 0, 0], [5, 3, 2, 0], [0, 0, 0, 0]])
    assert most_taken_for(confusion) == [[1, 3], [], [0], []]


def test_mean_probabilities_are_the_means_of_each_class():
    rng = np.random.default_rng(0)
    actual, y = rng.integers(3, size=40), rng.dirichlet(np.ones(4), size=40)
    means = mean_probabilities(Predictions.of(y, actual))
    for digit in range(3):
        np.testing.assert_allclose(means[digit], y[actual == digit].mean(axis=0))
    assert np.isnan(means[3]).all()  # a class without samples
