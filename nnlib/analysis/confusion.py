"""Which classes are confused with which, and how well each is told from the others."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.analysis.predictions import Predictions, read_prediction_blocks
from nnlib.base.arrays import Floats
from nnlib.base.checks import as_count, as_indices, check_lengths
from nnlib.stats.intervals import wilson_interval
from nnlib.stats.proportions import fisher_exact, holm
from nnlib.stats.significance import Differences, compare_parts, significant

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

    Raises
    ------
    TypeError, ValueError
        If a label is no class, or the two differ in their length.
    """
    classes = as_count(classes, "classes", least=1)
    actual = as_indices(actual, classes, "actual")
    predicted = as_indices(predicted, classes, "predicted")
    check_lengths({"actual": actual, "predicted": predicted})
    pairs = actual * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def read_confusion(path: str | Path, labels: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count a table of predictions, of which no more than a block is held at once.

    Parameters, errors and what is returned: as for
    `nnlib.analysis.predictions.read_predictions` and `confusion_matrix`.
    """
    blocks = read_prediction_blocks(path, labels, classes)
    counts = [confusion_matrix(block.t, block.predicted, classes) for block in blocks]
    return np.sum(counts, axis=0)


def without_diagonal(confusion: NDArray[Number]) -> NDArray[Number]:
    """The errors of a confusion matrix, of counts or of shares: 0 for what is predicted right."""
    return confusion - np.diag(np.diag(confusion))


def shares_of_actual(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Confusion matrices (..., C, C) as shares of each actual class; 0 for one without samples."""
    return confusion / np.maximum(confusion.sum(axis=-1, keepdims=True), 1)


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
    `recall_high`, `precision`, `precision_low`, `precision_high` (with their 95% Wilson intervals)
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


def mean_probabilities(predictions: Predictions) -> Floats:
    """Mean probability that the samples of each class give to each class: a soft confusion matrix.

    Returns
    -------
    ndarray of shape (C, C), the actual class by row; NaN in the rows of classes without samples
    """
    members = predictions.t == np.arange(predictions.classes)[:, np.newaxis]  # (C, N)
    support = members.sum(axis=1, keepdims=True)
    return members @ predictions.y / np.where(support > 0, support, np.nan)


def compare_recalls(confusion: NDArray[np.int64], repeats: NDArray[np.int64]) -> Differences:
    """Whether each class's recall differs from that of all other classes together.

    Parameters
    ----------
    confusion : ndarray of int of shape (C, C)
    repeats : ndarray of int of shape (S, C, C)
        Confusion matrices, on the same samples, of networks trained with S other seeds.

    Returns
    -------
    Differences of shape (C,)
    """
    matrices = np.array([confusion, *repeats])  # (1 + S, C, C)
    right = matrices.diagonal(axis1=1, axis2=2)  # (1 + S, C)
    support = matrices.sum(axis=2)
    return Differences(
        *(of_group[0] for of_group in compare_parts(right[:, np.newaxis], support[:, np.newaxis]))
    )


def compare_with_train(
    confusion: NDArray[np.int64], repeats: NDArray[np.int64], train_confusion: NDArray[np.int64]
) -> Differences:
    """Whether each share of an actual class differs from that on the training set.

    Parameters
    ----------
    confusion, train_confusion : ndarray of int of shape (C, C)
        On the test set and on the training set.
    repeats : ndarray of int of shape (S, C, C)
        On the test set, of networks trained with S other seeds.

    Returns
    -------
    Differences of shape (C, C), adjusted for all of them; p is 1 where a set has no samples
    """
    matrices = np.array([confusion, train_confusion])  # (2, C, C)
    support = np.broadcast_to(matrices.sum(axis=2, keepdims=True), matrices.shape)
    cells = (each.reshape(2, -1).T.tolist() for each in (matrices, support))
    p = holm([fisher_exact(tuple(k), tuple(n)) for k, n in zip(*cells, strict=True)])
    shares = shares_of_actual(np.array([confusion, *repeats]))
    return significant(p.reshape(confusion.shape), shares - shares_of_actual(train_confusion))
