"""Pairs of classes that are confused: how often, in which direction, and with which seeds."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnlib.analysis.confusion import shares_of_actual, without_diagonal
from nnlib.stats.intervals import wilson_interval
from nnlib.stats.proportions import fisher_exact, holm
from nnlib.stats.significance import Differences, significant


def confused_pairs(
    confusion: NDArray[np.int64],
    train_confusion: NDArray[np.int64],
    repeats: NDArray[np.int64],
) -> pd.DataFrame:
    """Pairs of classes that were confused, the most frequent first.

    Parameters
    ----------
    confusion, train_confusion : ndarray of int of shape (C, C)
        Confusion matrices on the test and on the training set.
    repeats : ndarray of int of shape (S, C, C)
        Those on the test set of networks trained with S other seeds.

    Returns
    -------
    DataFrame with these columns

    `actual`, `predicted`, `count` : int
    `share_of_actual`, `share_low`, `share_high` : float
        Share of that class's samples, with its 95% Wilson interval.
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
    """
    directions = compare_directions(confusion, repeats)
    errors = without_diagonal(confusion)
    actual, predicted = np.nonzero(errors)
    count = errors[actual, predicted]
    shares, train_shares = shares_of_actual(confusion), shares_of_actual(train_confusion)
    low, high = wilson_interval(count, confusion.sum(axis=1)[actual])
    counts = repeats[:, actual, predicted].astype(float)  # (S, pairs)
    if len(counts) == 0:
        counts = np.full((1, len(count)), np.nan)
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


def compare_directions(confusion: NDArray[np.int64], repeats: NDArray[np.int64]) -> Differences:
    """Whether each class is taken for each other more often, as a share, than the other for it.

    Parameters
    ----------
    confusion : ndarray of int of shape (C, C)
    repeats : ndarray of int of shape (S, C, C)
        Confusion matrices, on the same samples, of networks trained with S other seeds.

    Returns
    -------
    Differences of shape (C, C); p is symmetric, and 1 on the diagonal
    """
    matrices = np.array([confusion, *repeats])  # (1 + S, C, C)
    counts, support = matrices[0].tolist(), matrices[0].sum(axis=1).tolist()
    first, second = np.triu_indices(len(counts), 1)
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    p = np.ones(matrices.shape[1:])
    p[first, second] = holm(
        [fisher_exact((counts[a][b], counts[b][a]), (support[a], support[b])) for a, b in pairs]
    )
    p[second, first] = p[first, second]

    shares = shares_of_actual(matrices)
    return significant(p, shares - shares.transpose(0, 2, 1))
