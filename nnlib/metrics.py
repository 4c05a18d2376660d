"""Which digits are confused with which, and how well each is told from the others."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray


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


def per_class(confusion: NDArray[np.int64]) -> pd.DataFrame:
    """Support, recall, precision and F1 of each class.

    Recall is the share of a class that is recognised, precision the share of its predictions that
    are right, F1 their harmonic mean; each is 0 where it would be 0 / 0, as in scikit-learn.

    Parameters
    ----------
    confusion : ndarray of int of shape (C, C)

    Returns
    -------
    DataFrame with the columns `support`, `recall`, `precision`, `f1`, indexed by class
    """
    right = np.diag(confusion)
    support, predictions = confusion.sum(axis=1), confusion.sum(axis=0)
    return pd.DataFrame(
        {
            "support": support,
            "recall": right / np.maximum(support, 1),
            "precision": right / np.maximum(predictions, 1),
            # 2 TP / (2 TP + FN + FP), which is 2 r p / (r + p)
            "f1": 2 * right / np.maximum(support + predictions, 1),
        }
    )


def confused_pairs(confusion: NDArray[np.int64]) -> pd.DataFrame:
    """Pairs of classes that were confused, the most frequent first.

    Parameters
    ----------
    confusion : ndarray of int of shape (C, C)

    Returns
    -------
    DataFrame with the columns `actual`, `predicted`, `count`, `share_of_actual` (of that class's
    samples) and `share_of_errors` (of all errors)
    """
    errors = confusion - np.diag(np.diag(confusion))
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
    return pairs.sort_values("count", ascending=False, kind="stable", ignore_index=True)
