"""The accuracies by labels as given, as corrected, and without the corrected samples, by hand."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnlib.analysis.corrections import Accuracy, accuracies
from nnlib.data.corrections import DROPPED


def table(*rows):
    return pd.DataFrame(rows, columns=["given", "label", "predicted"], dtype=int)


def test_by_hand():
    # Ten published samples. Six are not corrected, and the network is right about four of them.
    # Three are relabelled: it agrees with the new label, with the old one, and with neither. One is
    # dropped, and it says what was given.
    corrections = table((7, 1, 1), (7, 1, 7), (7, 1, 3), (5, DROPPED, 5))
    found = accuracies(Accuracy(right=4 + 1, samples=6 + 3), corrections)
    assert found.as_given == (4 + 1 + 1, 10)
    assert found.corrected == (5, 9)
    assert found.without_corrected == (4, 6)
    assert found.as_given.share == pytest.approx(0.6)


def test_a_dropped_sample_that_was_wrong_counts_among_those_given():
    found = accuracies(Accuracy(3, 4), table((5, DROPPED, 6)))
    assert found == ((3, 5), (3, 4), (3, 4))


def test_without_corrections_all_are_the_same():
    assert accuracies(Accuracy(3, 4), table()) == ((3, 4),) * 3


def test_where_all_are_corrected_nothing_is_left():
    found = accuracies(Accuracy(1, 1), table((0, 1, 1)))
    assert found == ((0, 1), (1, 1), (0, 0))
    assert found.without_corrected.share is None


CLASS = st.integers(0, 2)


@given(st.lists(st.tuples(CLASS, st.integers(DROPPED, 2), CLASS), min_size=1))
def test_as_counted_sample_by_sample(samples):
    """`samples` are what was given, what it is now, and what is predicted."""
    kept = [(label, predicted) for _, label, predicted in samples if label != DROPPED]
    same = [(given, predicted) for given, label, predicted in samples if given == label]
    as_given = [(given, predicted) for given, _, predicted in samples]

    def count(pairs):
        return sum(label == predicted for label, predicted in pairs), len(pairs)

    changed = [row for row in samples if row[0] != row[1]]
    found = accuracies(Accuracy(*count(kept)), table(*changed))
    assert found == (count(as_given), count(kept), count(same))
