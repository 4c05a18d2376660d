"""The samples that two test sets share, by hand, and against another way to count them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.compare.comparison import compare_predictions
from experiments.compare.report import data_verdict
from experiments.compare.shared import (
    Labelled,
    match_samples,
    predictions_of_shared,
    shared_samples,
)
from nnlib.analysis.predictions import Predictions


def labelled(pictures, names, class_names, dropped=""):
    """Pictures, each told apart by a letter, with the names of their labels."""
    images, left_out = (
        np.array([[[ord(picture), 0]] for picture in each], np.uint8).reshape(-1, 1, 2)
        for each in (pictures, dropped)
    )
    labels = np.array([class_names.index(name) for name in names.split()], np.uint8)
    return Labelled(images, labels, class_names, left_out)


#                   0     1     2     3     4
BEFORE = labelled("PQRSQ", "cat dog cat owl cow", ("cat", "cow", "dog", "owl"))
#                  0     1     2     3     4     5
AFTER = labelled("QTSQPR", "cow dog dog dog cat emu", ("dog", "cat", "emu", "cow"))


def test_samples_are_matched_by_their_images_and_of_equal_ones_by_their_labels():
    # Q is a dog in row 1 and a cow in row 4 before, and the other way round after
    assert match_samples(BEFORE, AFTER).tolist() == [4, -1, 3, 1, 0, 2]


def test_equal_samples_are_matched_in_their_order():
    names = ("cat", "dog")
    before = labelled("PPPQ", "cat cat dog cat", names)
    after = labelled("PPP", "dog cat cat", names)
    assert match_samples(before, after).tolist() == [2, 0, 1]
    after = labelled("PPP", "cat dog dog", names)
    assert match_samples(before, after).tolist() == [0, 2, 1]


def test_the_shared_samples():
    shared = shared_samples(BEFORE, AFTER)
    assert shared.class_names == ("dog", "cat", "emu", "cow", "owl")
    # R was a cat and is an emu; S was an owl and is a dog
    assert shared.after.tolist() == [0, 3, 4]
    assert shared.before.tolist() == [4, 1, 0]
    assert [shared.class_names[label] for label in shared.t] == ["cow", "dog", "cat"]
    assert shared[-5:] == (0, 1, 0, 0, 2)
    assert data_verdict(shared, None) == (
        "5 test samples are in both; 0 only before, 1 only after. 2 of them have another label "
        "after and are left out: compared are the 3 with the same label. The training sets differ "
        "too, so what changed may be due to the data."
    )
    back = shared_samples(AFTER, BEFORE)
    assert back.class_names == ("cat", "cow", "dog", "owl", "emu")
    assert back.after.tolist() == [0, 1, 4]  # R is a cat here, and S an owl
    assert back[-5:] == (1, 0, 0, 0, 2)


def test_what_was_dropped_is_told_from_what_was_not_there():
    #                  0     1     2     3     4
    before = labelled("PQRST", "cat dog cat cat dog", ("cat", "dog"), dropped="XZ")
    # Q and T were dropped, and R relabelled; S is not there any more, and Y new
    after = labelled("XPRY", "cat cat dog cat", ("cat", "dog"), dropped="TQU")
    shared = shared_samples(before, after)
    assert (shared.before.tolist(), shared.after.tolist()) == ([0], [1])
    assert shared[-5:] == (3, 2, 1, 2, 1)
    assert data_verdict(shared, 2) == (
        "2 test samples are in both; 3 only before (2 dropped after), 2 only after (1 dropped "
        "before). 1 of them has another label after and is left out: compared are the 1 with the "
        "same label. 2 of the training samples have another label too, or were dropped, so what "
        "changed may be due to the data."
    )
    assert "compared are" not in data_verdict(shared._replace(relabelled=0), 0)


def test_the_same_samples_in_another_order_of_the_classes_are_all_shared():
    before = labelled("PQ", "cat dog", ("cat", "dog"))
    after = labelled("PQ", "cat dog", ("dog", "cat"))
    shared = shared_samples(before, after)
    assert shared.is_all
    assert data_verdict(shared, 0) == ""
    assert data_verdict(shared, 1) == (
        "1 of the training samples has another label, or was dropped, so what changed may be due "
        "to the data."
    )
    assert data_verdict(shared, None) == (
        "The training sets differ, so what changed may be due to the data."
    )


@pytest.mark.parametrize(
    "after",
    [
        labelled("PQR", "cat dog cat", ("cat", "dog")),
        labelled("P", "cat", ("cat", "dog")),
        labelled("PQ", "cat cat", ("cat", "dog")),
    ],
)
def test_sets_that_differ_are_not_called_the_same(after):
    before = labelled("PQ", "cat dog", ("cat", "dog"))
    assert not shared_samples(before, after).is_all
    assert not shared_samples(after, before).is_all


def test_sets_with_nothing_in_common():
    shared = shared_samples(
        labelled("PQ", "cat dog", ("cat", "dog")), labelled("R", "cat", ("cat",))
    )
    assert (len(shared.t), shared.only_before, shared.only_after) == (0, 2, 1)


SETS = st.lists(st.tuples(st.sampled_from("PQR"), st.sampled_from(["cat", "dog"])), max_size=7)


@given(SETS, SETS)
def test_as_many_are_shared_as_the_counts_allow(before, after):
    sets = [
        labelled("".join(picture for picture, _ in each), " ".join(name for _, name in each), names)
        for each, names in ((before, ("cat", "dog")), (after, ("dog", "cat")))
    ]
    shared = shared_samples(*sets)
    counts = [Counter(picture for picture, _ in each) for each in (before, after)]
    assert len(shared.t) + shared.relabelled == (counts[0] & counts[1]).total()
    assert len(shared.t) == (Counter(before) & Counter(after)).total()
    assert len(set(shared.before.tolist())) == len(shared.before)
    for row, partner in zip(shared.after, shared.before, strict=True):
        assert before[partner] == after[row]


def test_predictions_get_the_classes_and_labels_of_the_shared_samples():
    shared = shared_samples(BEFORE, AFTER)
    y = np.array(
        [
            *([0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.6, 0.2], [0.7, 0.1, 0.1, 0.1]),
            *([0.1, 0.0, 0.4, 0.5], [0.3, 0.3, 0.2, 0.2]),
        ]
    )
    predictions = Predictions.of(y, BEFORE.labels)
    mapped = predictions_of_shared(predictions, BEFORE.class_names, shared.before, shared)
    # the columns of dog, cat, emu, cow and owl, of rows 4, 1 and 0
    np.testing.assert_array_equal(
        mapped.y, [[0.2, 0.3, 0, 0.3, 0.2], [0.6, 0.1, 0, 0.1, 0.2], [0.1, 0.7, 0, 0.1, 0.1]]
    )
    # equal probabilities: the one that comes first in the network's own order, cat, stays predicted
    assert [shared.class_names[label] for label in mapped.predicted] == ["cat", "dog", "cat"]
    assert mapped.right.tolist() == [False, True, True]
    np.testing.assert_allclose(mapped.loss, -np.log([0.3, 0.6, 0.7]))


def test_the_same_sets_leave_predictions_as_they_are():
    rng = np.random.default_rng(0)
    t = np.repeat(np.arange(3), 10)
    names = ("a", "b", "c")
    images = rng.integers(256, size=(30, 2, 2), dtype=np.uint8)
    before, after = (Predictions.of(rng.dirichlet([1, 1, 1], 30), t) for _ in range(2))
    shared = shared_samples(*[Labelled(images, t, names, images[:0])] * 2)
    expected = compare_predictions(before, after)
    found = compare_predictions(
        *(predictions_of_shared(each, names, shared.after, shared) for each in (before, after))
    )
    assert found.before == expected.before
    assert found.after == expected.after
    assert found.fixed.equals(expected.fixed)
    assert found.pairs.equals(expected.pairs)
