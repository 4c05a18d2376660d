"""The majority vote of networks trained with several seeds, by hand."""

import numpy as np

from nnlib.analysis.predictions import Predictions
from nnlib.analysis.seeds import vote


def predictions(own, t):
    return Predictions.of(0.1 + 0.7 * np.eye(3)[own], t)


def test_the_vote_on_a_case_worked_by_hand():
    t = [0, 0, 0, 0, 1, 1]
    own = [0, 1, 0, 2, 1, 2]
    repeats = np.array(
        [
            [0, 0, 1, 1, 0, 0],
            [0, 0, 1, 2, 0, 1],
            [0, 1, 1, 1, 1, 0],
        ]
    )
    # all right; a tie, so wrong as its own; outvoted; always wrong, in a tie; a tie, so right as
    # its own; outvoted by another wrong class
    found = vote(predictions(own, t), repeats)
    assert (found.networks, found.right, found.fixed, found.broken) == (4, 2, 0, 1)
    assert found.always_wrong.tolist() == [False, False, False, True, False, False]


def test_a_vote_that_repairs():
    found = vote(predictions([1, 0], [0, 0]), np.array([[0, 0], [0, 0]]))
    assert (found.networks, found.right, found.fixed, found.broken) == (3, 2, 1, 0)
    assert not found.always_wrong.any()


def test_without_others_the_network_votes_alone():
    found = vote(predictions([1, 0], [0, 0]), np.empty((0, 2), int))
    assert (found.networks, found.right, found.fixed, found.broken) == (1, 1, 0, 0)
    assert found.always_wrong.tolist() == [True, False]
