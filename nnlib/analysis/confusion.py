"""Which classes are confused with which, and how well each is told from the others."""

from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.analysis.predictions import read_prediction_blocks
from nnlib.base.arrays import Floats
from nnlib.base.checks import (
    as_count,
    as_counts,
    as_indices,
    as_probabilities,
    check_lengths,
)
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
    counts = [confusion_matrix(block["actual"], block["predicted"], classes) for block in blocks]
    return np.sum(counts, axis=0)


def as_confusion_matrix(confusion: ArrayLike, name: str = "confusion") -> NDArray[np.int64]:
    """A confusion matrix of at least one class, as int64: sums of smaller integers may overflow.

    Parameters
    ----------
    confusion : array_like of int of shape (C, C)
    name : str
        Of the argument.

    Raises
    ------
    TypeError, ValueError
        If it is not such a matrix.
    """
    counts = as_counts(confusion, name).astype(np.int64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.size == 0:
        raise ValueError(f"{name} must have the shape (C, C), not {counts.shape}")
    return counts


def without_diagonal(confusion: NDArray[Number]) -> NDArray[Number]:
    """The errors of a confusion matrix, of counts or of shares: 0 for what is predicted right."""
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise ValueError(f"confusion must have the shape (C, C), not {confusion.shape}")
    return confusion - np.diag(np.diag(confusion))


def shares_of_actual(confusion: ArrayLike) -> NDArray[np.float64]:
    """A confusion matrix as shares of each actual class; 0 for a class without samples."""
    confusion = as_confusion_matrix(confusion)
    return confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)


def per_class(confusion: ArrayLike) -> pd.DataFrame:
    """Support, recall, precision and F1 of each class.

    Recall is the share of a class that is recognised, precision the share of its predictions that
    are right, F1 their harmonic mean. Each is NaN where it would be 0 / 0: the recall of a class
    without samples, the precision of one that is never predicted.

    Parameters
    ----------
    confusion : array_like of int of shape (C, C)

    Returns
    -------
    DataFrame with the columns `support`, `predictions` (int), `recall`, `recall_low`,
    `recall_high`, `precision`, `precision_low`, `precision_high` (with their 95 % Wilson intervals)
    and `f1`, indexed by class

    Raises
    ------
    TypeError, ValueError
        If it is not a confusion matrix.
    """
    confusion = as_confusion_matrix(confusion)
    right = np.diag(confusion)
    table = pd.DataFrame({"support": confusion.sum(axis=1), "predictions": confusion.sum(axis=0)})
    for name, total in (("recall", table["support"]), ("precision", table["predictions"])):
        table[name] = right / total.where(total > 0)
        table[f"{name}_low"], table[f"{name}_high"] = wilson_interval(right, total)
    # 2 TP / (2 TP + FN + FP), which is 2 r p / (r + p)
    total = table["support"] + table["predictions"]
    table["f1"] = 2 * right / total.where(total > 0)
    return table


def most_taken_for(confusion: ArrayLike) -> list[list[int]]:
    """The class that each class is most often taken for, or all of them in a tie.

    Parameters
    ----------
    confusion : array_like of int of shape (C, C)

    Returns
    -------
    list of C lists of int, empty where a class has no errors

    Raises
    ------
    TypeError, ValueError
        If it is not a confusion matrix.
    """
    errors = without_diagonal(as_confusion_matrix(confusion))
    return [np.flatnonzero((row > 0) & (row == row.max())).tolist() for row in errors]


def mean_probabilities(actual: ArrayLike, y: ArrayLike) -> Floats:
    """Mean probability that the samples of each class give to each class: a soft confusion matrix.

    Parameters
    ----------
    actual : array_like of int of shape (N,), in 0 ... C - 1
    y : array_like of shape (N, C)
        Probabilities.

    Returns
    -------
    ndarray of shape (C, C), the actual class by row; NaN in the rows of classes without samples

    Raises
    ------
    TypeError, ValueError
        If `y` are not probabilities, `actual` not classes, or their numbers differ.
    """
    y = as_probabilities(y)
    classes = y.shape[1]
    actual = as_indices(actual, classes, "actual")
    check_lengths({"actual": actual, "y": y})
    members = actual == np.arange(classes)[:, np.newaxis]  # (C, N)
    support = members.sum(axis=1, keepdims=True)
    return members @ y / np.where(support > 0, support, np.nan)


def compare_directions(confusion: ArrayLike, repeats: Collection[ArrayLike]) -> Differences:
    """Whether each class is taken for each other more often, as a share, than the other for it.

    Parameters
    ----------
    confusion : array_like of int of shape (C, C)
    repeats : collection of S array_like of int of shape (C, C)
        Confusion matrices, on the same samples, of networks trained with S other seeds.

    Returns
    -------
    Differences of shape (C, C); p is symmetric, and 1 on the diagonal

    Raises
    ------
    TypeError, ValueError
        If they are not confusion matrices of the same classes.
    """
    matrices = _as_matrices(confusion, repeats)
    counts, support = matrices[0].tolist(), matrices[0].sum(axis=1).tolist()
    first, second = np.triu_indices(len(counts), 1)
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    p = np.ones(matrices.shape[1:])
    p[first, second] = holm(
        [fisher_exact((counts[a][b], counts[b][a]), (support[a], support[b])) for a, b in pairs]
    )
    p[second, first] = p[first, second]

    shares = np.array([shares_of_actual(matrix) for matrix in matrices])
    return significant(p, shares - shares.transpose(0, 2, 1))


def compare_recalls(confusion: ArrayLike, repeats: Collection[ArrayLike]) -> Differences:
    """Whether each class's recall differs from that of all other classes together.

    Parameters
    ----------
    confusion : array_like of int of shape (C, C)
    repeats : collection of S array_like of int of shape (C, C)
        As for `compare_directions`.

    Returns
    -------
    Differences of shape (C,)

    Raises
    ------
    TypeError, ValueError
        As for `compare_directions`.
    """
    matrices = _as_matrices(confusion, repeats)
    right = matrices.diagonal(axis1=1, axis2=2)  # (1 + S, C)
    support = matrices.sum(axis=2)
    return Differences(
        *(of_group[0] for of_group in compare_parts(right[:, np.newaxis], support[:, np.newaxis]))
    )


def _as_matrices(confusion: ArrayLike, repeats: Collection[ArrayLike]) -> NDArray[np.int64]:
    """The matrix and its repeats, (1 + S, C, C)."""
    matrices = [
        as_confusion_matrix(confusion),
        *(as_confusion_matrix(each, "repeats") for each in repeats),
    ]
    if len({matrix.shape for matrix in matrices}) > 1:
        raise ValueError("repeats and confusion are about different classes")
    return np.array(matrices)
