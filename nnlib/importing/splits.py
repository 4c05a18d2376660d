"""A test set of the samples of one set, where there is no other."""

import math

import numpy as np
from numpy.typing import NDArray


def split_by_class(
    labels: NDArray[np.uint8], share: float, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw a test set that has the same share of the samples of each class.

    Parameters
    ----------
    labels : ndarray of uint8 of shape (N,)
    share : float
        Of the samples of a class, rounded; but of two samples or more, at least one stays in
        either set. A class with one sample stays in the training set.
    rng : numpy.random.Generator

    Returns
    -------
    train, test : ndarray of int
        Rows, in their order.
    """
    in_test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        n = min(max(1, math.floor(share * len(rows) + 0.5)), len(rows) - 1)
        in_test[rng.permutation(rows)[:n]] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)
