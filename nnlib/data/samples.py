"""A set of samples, ready for the network, as a pair of `.npy` files."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nnlib.base.archives import write_array
from nnlib.base.blocks import blocks
from nnlib.base.errors import UserError
from nnlib.base.files import BROKEN_ARRAYS, whole_file


class Samples(NamedTuple):
    """Inputs and targets, in memory or mapped from files."""

    x: NDArray[np.floating[Any]]  # (N, D)
    t: NDArray[np.integer[Any]]  # (N,)


def save_samples(
    folder: Path, name: str, x: Iterable[NDArray[np.float32]], t: NDArray[np.uint8]
) -> None:
    """Write `x_NAME.npy` and `t_NAME.npy`, as `numpy.save` would.

    Parameters
    ----------
    folder : Path
    name : str
    x : iterable of ndarray of float32 of shape (n, D)
        The inputs, in blocks of n samples.
    t : ndarray of uint8 of shape (N,)
        The targets.
    """
    x = iter(x)
    first = next(x)
    with whole_file(folder / f"x_{name}.npy") as part, part.open("wb") as file:
        shape = (len(t), first.shape[1])
        header = {"descr": first.dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in chain([first], x):
            file.write(block.data)
    write_array(folder / f"t_{name}.npy", t)


def check_labels(path: str | Path, labels: NDArray[np.integer[Any]], classes: int) -> None:
    """Raise a UserError that names the file if a label in it is not one of the classes."""
    if labels.max(initial=0) >= classes:
        index = int(np.argmax(labels >= classes))
        raise UserError(
            f"{path}: label {index} is {labels[index]}, but the classes are 0 to {classes - 1}",
            file=path,
        )


def load_samples(folder: Path, name: str, classes: int) -> Samples:
    """Map the files of `save_samples` into memory; the system reads only what is used.

    Parameters
    ----------
    folder : Path
    name : str
    classes : int
        C.

    Raises
    ------
    UserError
        If a file is missing or broken, holds another kind of array or an empty one, a number that
        is not finite or a label that is not one of the classes, or if the two differ in the number
        of samples.
    """
    x_path, t_path = folder / f"x_{name}.npy", folder / f"t_{name}.npy"
    x = _load(x_path, np.float32, ndim=2)
    t = _load(t_path, np.uint8, ndim=1)
    if len(x) != len(t):
        raise UserError(
            f"{folder}: {x_path.name} has {len(x)} samples, {t_path.name} {len(t)}", file=x_path
        )
    check_labels(t_path, t, classes)
    if not all(np.isfinite([x[rows].min(), x[rows].max()]).all() for rows in blocks(len(x))):
        raise UserError(f"{x_path} holds a value that is not finite", file=x_path)
    return Samples(x, t)


def load_sets(folder: Path, classes: int) -> tuple[Samples, Samples]:
    """Map the training and the test set into memory, as `load_samples` does.

    Raises
    ------
    UserError
        As for `load_samples`, or if the two have inputs of different sizes.
    """
    train_set, test_set = (load_samples(folder, name, classes) for name in ("train", "test"))
    sizes = train_set.x.shape[1], test_set.x.shape[1]
    if sizes[0] != sizes[1]:
        raise UserError(
            f"{folder}: x_train.npy has {sizes[0]} inputs per sample, x_test.npy {sizes[1]}",
            file=folder / "x_test.npy",
        )
    return train_set, test_set


def _load(path: Path, dtype: DTypeLike, ndim: int) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except BROKEN_ARRAYS as error:
        raise UserError(f"{path} cannot be read: {error}", file=path) from error
    is_array = isinstance(array, np.ndarray)
    if not is_array or array.dtype != dtype or array.ndim != ndim or array.size == 0:
        found = f"{array.dtype} of shape {array.shape}" if is_array else "an archive"
        raise UserError(
            f"{path}: expected an array of {np.dtype(dtype)} with {ndim} dimensions, not empty; "
            f"found {found}",
            file=path,
        )
    return np.asarray(array)  # a plain array on the same memory: numpy.memmap slows indexing down
