"""The k smallest of many values, which come block by block."""

import numpy as np
from numpy.typing import NDArray


def keep_smallest(
    values: NDArray[np.float64],
    indices: NDArray[np.intp],
    row: NDArray[np.intp],
    index: NDArray[np.intp],
    value: NDArray[np.float64],
) -> None:
    """Let new values take the places of larger ones; of equal ones, the first index stays.

    Parameters
    ----------
    values : ndarray of float64 of shape (N, k)
        The k smallest so far of each row, ascending; infinite where there are fewer. Changed.
    indices : ndarray of intp of shape (N, k)
        The index of each. Changed.
    row, index, value : ndarrays of shape (n,)
        New values, each with the row that it belongs to; in any order, any number for a row.
    """
    k = values.shape[1]
    changed = np.unique(row)
    rows = np.concatenate([np.repeat(changed, k), row])
    all_values = np.concatenate([values[changed].ravel(), value])
    all_indices = np.concatenate([indices[changed].ravel(), index])
    order = np.lexsort((all_indices, all_values, rows))
    first = np.searchsorted(rows[order], changed)
    kept = order[first[:, np.newaxis] + np.arange(k)]
    values[changed], indices[changed] = all_values[kept], all_indices[kept]
