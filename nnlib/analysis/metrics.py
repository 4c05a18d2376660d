"""Which classes are confused with which, and how well each is told from the others."""

from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.analysis.intervals import wilson_interval
from nnlib.arrays import Floats

Number = TypeVar("Number", np.int64, np.float64)


def confusion_matrix(actual: ArrayLike, predicted: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count the samples of each pair of actual and predicted class.

    Parameters
    ----------
    actual, predicted : array_like of int of shape (N,), in 0 ... classes - 1
    classes : int
        C.

    Returns
    -------
    ndarray of int of shape (C, C), the actual class by row, the predicted one by column
    """
    pairs = np.asarray(actual, np.int64) * classes + np.asarray(predicted, np.int64)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def without_diagonal(confusion: NDArray[Number]) -> NDArray[Number]:
    """The errors of a confusion matrix: 0 in place of what is predicted right."""
    return confusion - np.diag(np.diag(confusion))


def shares_of_actual(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """A confusion matrix as shares of each actual class; 0 for a class without samples."""
    return confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)


def per_class(confusion: NDArray[np.int64]) -> pd.DataFrame:
    """Support, recall, precision and F1 of each class.

    Recall is the share of a class that is recognised, precision the share of its predictions that
    are right, F1 their harmonic mean. Each is NaN where it would be 0 / 0: the recall of a class
    without samples, the precision of one that is never predicted.

    Parameters
    ----------
    confusion : ndarray of int of shape (C, C)

    Returns
    -------
    DataFrame with the columns `support`, `predictions` (int), `recall`, `recall_low`,
    `recall_high`, `precision`, `precision_low`, `precision_high` (with their 95 % Wilson intervals)
    and `f1`, indexed by class
    """
    right = np.diag(confusion)
    table = pd.DataFrame({"support": confusion.sum(axis=1), "predictions": confusion.sum(axis=0)})
    for name, total in (("recall", table["support"]), ("precision", table["predictions"])):
        table[name] = right / total.where(total > 0)
        table[f"{name}_low"], table[f"{name}_high"] = wilson_interval(right, total)
    # 2 TP / (2 TP + FN + FP), which is 2 r p / (r + p)
    total = table["support"] + table["predictions"]
    table["f1"] = 2 * right / total.where(total > 0)
    return table


def confused_pairs(confusion: NDArray[np.int64]) -> pd.DataFrame:
    """Pairs of classes that were confused, the most frequent first.

    Parameters
    ----------
    confusion : ndarray of int of shape (C, C)

    Returns
    -------
    DataFrame with the columns `actual`, `predicted`, `count`, `share_of_actual` (of that class's
    samples), `share_of_errors` (of all errors) and `running_share` (of all errors, up to this pair)
    """
    errors = without_diagonal(confusion)
    actual, predicted = np.nonzero(errors)
    count = errors[actual, predicted]
    pairs = pd.DataFrame(
        {
            "actual": actual,
            "predicted": predicted,
            "count": count,
            "share_of_actual": count / confusion.sum(axis=1)[actual],
            "share_of_errors": count / errors.sum(),
        }
    )
    pairs = pairs.sort_values("count", ascending=False, kind="stable", ignore_index=True)
    return pairs.assign(running_share=pairs["count"].cumsum() / errors.sum())


def most_taken_for(confusion: NDArray[np.int64]) -> list[list[int]]:
    """The class that each class is most often taken for, or all of them in a tie.

    Parameters
    ----------
    confusion : ndarray of int of shape (C, C)

    Returns
    -------
    list of C lists of int, empty where a class has no errors
    """
    errors = without_diagonal(confusion)
    return [np.flatnonzero((row > 0) & (row == row.max())).tolist() for row in errors]


def mean_probabilities(actual: ArrayLike, y: Floats) -> Floats:
    """Mean probability that the samples of each class give to each class: a soft confusion matrix.

    Parameters
    ----------
    actual : array_like of int of shape (N,), in 0 ... C - 1
    y : ndarray of shape (N, C)
        Probabilities.

    Returns
    -------
    ndarray of shape (C, C), the actual class by row; NaN in the rows of classes without samples
    """
    classes = y.shape[1]
    members = np.asarray(actual) == np.arange(classes)[:, np.newaxis]  # (C, N)
    support = members.sum(axis=1, keepdims=True)
    return members @ y / np.where(support > 0, support, np.nan)
