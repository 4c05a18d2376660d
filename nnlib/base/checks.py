"""Checks of arguments: each returns numbers that can be computed with, or names the argument.

NumPy takes almost anything. Strings equal no number, -1 is the last class, small integers overflow,
and NaN is the largest number of all: the result is a number, and wrong. pandas aligns two columns
by their index; here they are taken by position.
"""

import operator
from collections.abc import Mapping, Sized
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nnlib.base.arrays import Floats

# How far from 1 the probabilities of a sample may sum: those of float16, rounded one by one, do so
# to within 0.0005.
TOLERANCE = 1e-3


def as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """An argument as an array, without an index of pandas.

    Parameters
    ----------
    values : array_like
    name : str
        Of the argument; the other functions of this module take it too.

    Raises
    ------
    ValueError
        If the rows differ in length, or a value is masked.
    """
    if type(values) is np.ndarray:  # quickly, for the sake of each update of a training
        return values
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is not an array: {error}") from error


def as_floats(values: ArrayLike, name: str) -> Floats:
    """Real numbers as float32 or wider: float32 stays, booleans, integers and float16 are promoted.

    Parameters
    ----------
    values : array_like of any shape
    name : str

    Returns
    -------
    ndarray of the same shape, of the same dtype if that is wide enough, otherwise of float64

    Raises
    ------
    TypeError
        If the values are not real numbers: strings, complex numbers, other objects.
    ValueError
        As for `as_array`.
    """
    array = as_array(values, name)
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize >= 4:
        return array
    if kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
    return array.astype(np.float64)


def as_indices(values: ArrayLike, size: int, name: str) -> NDArray[np.intp]:
    """Labels, which are indices of classes, or other indices, such as those of rows.

    Parameters
    ----------
    values : array_like of int of shape (N,), in 0 ... size - 1
    size : int
        C, or the number of rows.
    name : str

    Returns
    -------
    ndarray of intp of shape (N,)

    Raises
    ------
    TypeError
        If the values are not integers; booleans are not.
    ValueError
        If they have another shape, or one is out of range.
    """
    array = as_array(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must have the shape (N,), not {array.shape}")
    if array.size == 0:  # which NumPy takes for floats
        return np.empty(0, np.intp)
    kind = array.dtype.kind
    if kind not in "iu":
        raise TypeError(f"{name} must hold integers, not {array.dtype}")
    if (kind == "i" and array.min() < 0) or array.max() >= size:
        index = int(np.argmax((array < 0) | (array >= size)))
        raise ValueError(f"{name}[{index}] is {array[index]}, not in 0 ... {size - 1}")
    return array.astype(np.intp, copy=False)


def as_targets(t: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.intp]:
    """Targets `t` as class indices, whether given as indices or one-hot.

    Parameters
    ----------
    t : array_like of int of shape (N,), or one-hot of shape (N, C), of any dtype
    shape : tuple
        Shape (N, C) of the probabilities that the targets belong to.

    Returns
    -------
    ndarray of intp of shape (N,)

    Raises
    ------
    TypeError
        If the targets are not integers, or one-hot.
    ValueError
        If they have another shape, one is no class, or a row is not one-hot.
    """
    t = as_array(t, "t")
    if t.shape == shape[:1]:
        return as_indices(t, shape[1], "t")
    if t.shape != shape:
        raise ValueError(f"t: targets of shape {t.shape} for probabilities of shape {shape}")
    if t.dtype.kind not in "biuf":
        raise TypeError(f"t must hold integers, or be one-hot, not {t.dtype}")
    labels = t.argmax(axis=1)
    of_label = t[np.arange(len(t)), labels]
    is_one_hot = (of_label == 1) & (np.count_nonzero(t, axis=1) == 1)
    if not is_one_hot.all():
        row = int(np.argmin(is_one_hot))
        raise ValueError(f"t[{row}] is {t[row]}, which is not one-hot")
    return labels


def as_probabilities(y: ArrayLike, name: str = "y") -> Floats:
    """Probabilities of C classes, for each of N samples.

    Parameters
    ----------
    y : array_like of shape (N, C)
    name : str

    Returns
    -------
    ndarray of shape (N, C), of the dtype of `as_floats`

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If they have another shape, or a row is not a distribution: one of its values is negative
        or not finite, or their sum is not 1 to within `TOLERANCE`.
    """
    y = as_floats(y, name)
    if y.ndim != 2 or y.shape[1] == 0:
        raise ValueError(f"{name} must have the shape (N, C), not {y.shape}")
    if y.size and not y.min() >= 0:  # which NaN is not either
        is_distribution = (y >= 0).all(axis=1)
    else:
        with np.errstate(over="ignore"):
            total = y @ np.ones(y.shape[1], y.dtype)  # faster than y.sum(axis=1)
        is_distribution = np.abs(total - 1) <= TOLERANCE
    if not is_distribution.all():
        row = int(np.argmin(is_distribution))
        raise ValueError(
            f"{name}[{row}] is {y[row]}, but probabilities are not negative, and sum to 1"
        )
    return y


def as_shares(values: ArrayLike, name: str) -> Floats:
    """Confidences or accuracies: real numbers from 0 to 1, to within `TOLERANCE` above.

    Parameters
    ----------
    values : array_like of shape (N,)
    name : str

    Returns
    -------
    ndarray of shape (N,), of the dtype of `as_floats`

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If they have another shape, or one is out of range, or NaN.
    """
    shares = as_floats(values, name)
    if shares.ndim != 1:
        raise ValueError(f"{name} must have the shape (N,), not {shares.shape}")
    is_share = (shares >= 0) & (shares <= 1 + TOLERANCE)
    if not is_share.all():
        index = int(np.argmin(is_share))
        raise ValueError(f"{name}[{index}] is {shares[index]}, not a share from 0 to 1")
    return shares


def as_counts(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Counts as float64, so that no sum or product of them overflows.

    Parameters
    ----------
    values : array_like of whole numbers >= 0, of any shape and real dtype
    name : str

    Returns
    -------
    ndarray of float64 of the same shape

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If one is negative, or not a whole number.
    """
    counts = as_floats(values, name).astype(np.float64, copy=False)
    if not ((counts >= 0) & (counts < np.inf) & (counts == np.floor(counts))).all():
        raise ValueError(f"{name} must hold whole numbers from 0 on, not {counts}")
    return counts


def as_count(value: int, name: str, least: int = 0) -> int:
    """A count as a Python int, which never overflows.

    Parameters
    ----------
    value : int, of Python or NumPy
    name : str
    least : int
        The smallest that is allowed.

    Raises
    ------
    TypeError
        If the value is not an integer.
    ValueError
        If it is too small.
    """
    try:
        count = operator.index(value)
    except TypeError as error:
        raise TypeError(f"{name} must be an integer, not {value!r}") from error
    if count < least:
        raise ValueError(f"{name} is {count}, but must be {least} or more")
    return count


def check_lengths(arrays: Mapping[str, ArrayLike]) -> None:
    """Raise a ValueError if arguments, by their names, differ in their length."""
    lengths = {name: np.shape(array)[:1] for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"the numbers of samples differ: {found}")


def check_not_empty(array: Sized, name: str) -> None:
    """Raise a ValueError if there is no sample, and so no mean."""
    if len(array) == 0:
        raise ValueError(f"{name} is empty: it has no samples")
