"""What networks predict that were trained alike, but for the seed."""

from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlib.analysis.confusion import as_confusion_matrix, confusion_matrix
from nnlib.base.errors import UserError
from nnlib.base.files import BROKEN_ARRAYS


def confusions(
    predicted: Iterable[ArrayLike], actual: ArrayLike, classes: int
) -> NDArray[np.int64]:
    """The confusion matrix of each network.

    Parameters
    ----------
    predicted : S array_like of int of shape (N,)
    actual : array_like of int of shape (N,)
    classes : int
        C.

    Returns
    -------
    ndarray of int of shape (S, C, C), the actual class by row

    Raises
    ------
    TypeError, ValueError
        If a label is no class, or they differ in their length.
    """
    matrices = [confusion_matrix(actual, each, classes) for each in predicted]
    return np.array(matrices, np.int64).reshape(-1, classes, classes)


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


def read_repeats(path: str | Path, samples: int, classes: int) -> NDArray[np.uint8]:
    """Read what the networks predict, as the stage `repeat` writes it.

    Parameters
    ----------
    path : str or Path
    samples : int
        N, those that the networks were tested on.
    classes : int

    Returns
    -------
    ndarray of uint8 of shape (S, N)

    Raises
    ------
    UserError
        If the file is missing or broken, holds another kind of array, or one about other samples,
        or a prediction that is not one of the classes.
    """
    try:
        with Path(path).open("rb") as file:
            predicted = np.lib.format.read_array(file, allow_pickle=False)
    except BROKEN_ARRAYS as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read: {reason}", file=path) from error
    if predicted.dtype != np.uint8 or predicted.shape[1:] != (samples,):
        raise UserError(
            f"{path}: expected uint8 of shape (seeds, {samples}); "
            f"found {predicted.dtype} of shape {predicted.shape}",
            file=path,
        )
    if predicted.max(initial=0) >= classes:
        seed, sample = np.argwhere(predicted >= classes)[0]
        raise UserError(
            f"{path}: the prediction of sample {sample} in row {seed} is "
            f"{predicted[seed, sample]}, but the classes are 0 to {classes - 1}",
            file=path,
        )
    return predicted
