"""Pairs of classes that are confused: how often, in which direction, and with which seeds."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from nnlib.analysis.confusion import (
    as_confusion_matrix,
    compare_directions,
    shares_of_actual,
    without_diagonal,
)
from nnlib.stats.intervals import wilson_interval


def confused_pairs(
    confusion: ArrayLike, train_confusion: ArrayLike, repeats: Collection[ArrayLike]
) -> pd.DataFrame:
    """Pairs of classes that were confused, the most frequent first.

    Parameters
    ----------
    confusion, train_confusion : array_like of int of shape (C, C)
        Confusion matrices on the test and on the training set.
    repeats : collection of S array_like of int of shape (C, C)
        Those on the test set of networks trained with S other seeds.

    Returns
    -------
    DataFrame with these columns

    `actual`, `predicted`, `count` : int
    `share_of_actual`, `share_low`, `share_high` : float
        Share of that class's samples, with its 95 % Wilson interval.
    `share_of_errors`, `running_share` : float
        Share of all errors, and that of all pairs up to this one.
    `train_share`, `reverse_train_share` : float
        Shares of that class's samples in the training set, and of the other's in that direction.
    `repeats_mean`, `repeats_low`, `repeats_high` : float
        Mean, least and most of the counts with other seeds; NaN without any.
    `reverse_count` : int, `reverse_share` : float
        How often the second class is taken for the first.
    `p` : float, `sign` : int
        Whether this direction is the more frequent one: `compare_directions`.

    Raises
    ------
    TypeError, ValueError
        If they are not confusion matrices of the same classes.
    """
    directions = compare_directions(confusion, repeats)
    confusion = as_confusion_matrix(confusion)
    train_confusion = as_confusion_matrix(train_confusion, "train_confusion")
    if train_confusion.shape != confusion.shape:
        raise ValueError("train_confusion and confusion are about different classes")
    errors = without_diagonal(confusion)
    actual, predicted = np.nonzero(errors)
    count = errors[actual, predicted]
    shares, train_shares = shares_of_actual(confusion), shares_of_actual(train_confusion)
    low, high = wilson_interval(count, confusion.sum(axis=1)[actual])
    of_repeats = [np.asarray(each, float)[actual, predicted] for each in repeats]
    counts = np.array(of_repeats or [np.full(len(count), np.nan)])  # (S, pairs)
    pairs = pd.DataFrame(
        {
            "actual": actual,
            "predicted": predicted,
            "count": count,
            "share_of_actual": shares[actual, predicted],
            "share_low": low,
            "share_high": high,
            "share_of_errors": count / errors.sum(),
            "train_share": train_shares[actual, predicted],
            "reverse_train_share": train_shares[predicted, actual],
            "repeats_mean": counts.mean(axis=0),
            "repeats_low": counts.min(axis=0),
            "repeats_high": counts.max(axis=0),
            "reverse_count": errors[predicted, actual],
            "reverse_share": shares[predicted, actual],
            "p": directions.p[actual, predicted],
            "sign": directions.sign[actual, predicted],
        }
    )
    pairs = pairs.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    return pairs.assign(running_share=pairs["count"].cumsum() / errors.sum())
