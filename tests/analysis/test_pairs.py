"""The table of confused pairs, worked by hand."""

import numpy as np
import pytest

from nnlib.analysis.confusion import confusion_matrix
from nnlib.analysis.pairs import compare_directions, confused_pairs
from nnlib.stats.intervals import wilson_interval

CONFUSION = np.array([[7, 3, 0], [0, 5, 0], [5, 3, 2]])
TRAIN = np.array([[90, 0, 10], [1, 19, 0], [30, 0, 30]])
REPEATS = np.array(
    [[[8, 2, 0], [1, 4, 0], [4, 4, 2]], [[4, 6, 0], [0, 5, 0], [7, 1, 2]]]
)  # fmt: skip
NO_REPEATS = np.empty((0, 3, 3), np.int64)


def test_pairs_worked_by_hand():
    pairs = confused_pairs(CONFUSION, TRAIN, REPEATS)
    assert pairs[["actual", "predicted", "count"]].to_numpy().tolist() == [
        [2, 0, 5],
        [0, 1, 3],
        [2, 1, 3],
    ]
    np.testing.assert_allclose(pairs["share_of_actual"], [5 / 10, 3 / 10, 3 / 10])
    np.testing.assert_allclose(pairs["share_of_errors"], [5 / 11, 3 / 11, 3 / 11])
    np.testing.assert_allclose(pairs["running_share"], [5 / 11, 8 / 11, 1])
    np.testing.assert_allclose(
        pairs[["share_low", "share_high"]].T, wilson_interval([5, 3, 3], [10, 10, 10])
    )
    np.testing.assert_allclose(pairs["train_share"], [30 / 60, 0, 0])
    np.testing.assert_allclose(pairs["reverse_train_share"], [10 / 100, 1 / 20, 0])
    assert pairs[["repeats_mean", "repeats_low", "repeats_high"]].to_numpy().tolist() == [
        [5.5, 4, 7],
        [4, 2, 6],
        [2.5, 1, 4],
    ]
    assert pairs["reverse_count"].tolist() == [0, 0, 0]
    assert pairs["reverse_share"].tolist() == [0, 0, 0]
    differences = compare_directions(CONFUSION, REPEATS)
    assert pairs["p"].tolist() == [differences.p[2, 0], differences.p[0, 1], differences.p[2, 1]]
    assert pairs["sign"].tolist() == [0, 0, 0]


def test_the_reverse_is_the_other_direction():
    confusion = CONFUSION + np.array([[0, 0, 1], [0, 0, 2], [0, 0, 0]])
    pairs = confused_pairs(confusion, TRAIN, REPEATS).set_index(["actual", "predicted"])
    assert pairs.loc[(2, 0), "reverse_count"] == 1
    assert pairs.loc[(2, 0), "reverse_share"] == 1 / 11
    assert pairs.loc[(0, 2), "reverse_count"] == 5
    assert pairs.loc[(1, 2), "reverse_share"] == 3 / 10


def test_without_repeats_their_counts_are_unknown():
    pairs = confused_pairs(CONFUSION, TRAIN, NO_REPEATS)
    assert pairs[["repeats_mean", "repeats_low", "repeats_high"]].isna().all(axis=None)
    assert pairs["count"].tolist() == [5, 3, 3]


@pytest.fixture
def labels():
    rng = np.random.default_rng(0)
    return rng.integers(3, size=300), rng.integers(3, size=300)


def test_pairs_add_up_to_the_errors(labels):
    actual, predicted = labels
    for confusion in (confusion_matrix(actual, predicted, 3), confusion_matrix(actual, actual, 3)):
        pairs = confused_pairs(confusion, TRAIN, NO_REPEATS)
        assert pairs["count"].sum() == confusion.sum() - np.trace(confusion)
        assert pairs["share_of_errors"].sum() == pytest.approx(1 if len(pairs) else 0)
