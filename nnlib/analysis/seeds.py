"""What networks that were trained with several seeds make of the same samples together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnlib.analysis.predictions import Predictions


class Vote(NamedTuple):
    """The majority vote of a network and of those trained with other seeds."""

    networks: int
    right: int  # samples whose actual class has the most votes
    fixed: int  # of these, how many the network itself misclassifies
    broken: int  # samples that only the network itself classifies right
    always_wrong: NDArray[np.bool_]  # (N,), the samples that every network misclassifies


def vote(predictions: Predictions, repeats: NDArray[np.integer]) -> Vote:
    """Let the networks vote on each sample; in a tie, the network in question decides.

    Parameters
    ----------
    predictions : Predictions
        Of the network in question.
    repeats : ndarray of int of shape (S, N)
        What networks trained with S other seeds predict.

    Returns
    -------
    Vote
    """
    t, own = predictions.t, predictions.predicted
    everyone = np.array([own, *repeats])  # (1 + S, N)
    votes = np.zeros(predictions.y.shape)  # (N, C)
    for predicted in everyone:
        votes[np.arange(len(t)), predicted] += 1
    votes[np.arange(len(t)), own] += 0.5
    right = votes.argmax(axis=1) == t
    return Vote(
        networks=len(everyone),
        right=int(right.sum()),
        fixed=int((right & ~predictions.right).sum()),
        broken=int((~right & predictions.right).sum()),
        always_wrong=(everyone != t).all(axis=0),
    )
