"""Confusion matrices of networks that were trained alike, but for the seed."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from nnlib.analysis.metrics import as_confusion_matrix
from nnlib.errors import UserError
from nnlib.tables import read_csv, write_csv

COLUMNS = ["seed", "actual", "predicted", "count"]


def accuracies(confusions: Collection[ArrayLike]) -> NDArray[np.float64]:
    """Share of the samples that each network reads right.

    Parameters
    ----------
    confusions : collection of S array_like of int of shape (C, C)

    Returns
    -------
    ndarray of shape (S,)

    Raises
    ------
    TypeError, ValueError
        If they are not confusion matrices.
    """
    matrices = [as_confusion_matrix(confusion, "confusions") for confusion in confusions]
    return np.array([np.trace(matrix) / matrix.sum() for matrix in matrices])


def write_confusions(path: str | Path, seeds: Sequence[int], confusions: NDArray[np.int64]) -> None:
    """Write confusion matrices as a table of `COLUMNS`, a row for each cell of each.

    Parameters
    ----------
    path : str or Path
    seeds : sequence of int of length S
    confusions : ndarray of int of shape (S, C, C), the actual class by row
    """
    cells = np.indices(confusions.shape).reshape(3, -1)  # of each row: which seed, and the classes
    seed = np.asarray(seeds, np.int64)[cells[0]]
    rows = np.column_stack([seed, cells[1], cells[2], confusions.ravel()])
    write_csv(path, pd.DataFrame(rows, columns=COLUMNS))


def read_confusions(path: str | Path, support: NDArray[np.integer]) -> NDArray[np.int64]:
    """Read what `write_confusions` wrote.

    Parameters
    ----------
    path : str or Path
    support : ndarray of int of shape (C,)
        The samples of each class that the networks were tested on.

    Returns
    -------
    ndarray of int of shape (S, C, C)

    Raises
    ------
    UserError
        If the file is not a table of whole matrices, or is about other samples.
    """
    table = read_csv(path, COLUMNS)
    classes = len(support)
    shape = (len(table) // classes**2, classes, classes)
    cells = np.indices(shape).reshape(3, -1)
    if len(table) != cells.shape[1] or not np.array_equal(table[COLUMNS[1:3]].T, cells[1:]):
        raise UserError(f"{path}: expected a row for each pair of the {classes} classes", file=path)
    if table.empty:
        return np.empty(shape, np.int64)
    counts = table["count"].to_numpy()
    confusions: NDArray[np.int64] = counts.reshape(shape)
    if counts.dtype != np.int64 or (counts < 0).any() or (confusions.sum(axis=2) != support).any():
        raise UserError(f"{path}: the counts are not those of the test set's classes", file=path)
    return confusions
