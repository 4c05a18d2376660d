"""Arrays that NumPy saved: `.npz` as Keras' and KMNIST's, and `.npy`."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlib.base.errors import UserError
from nnlib.base.files import BROKEN_ARRAYS
from nnlib.importing.arrays import Labelled, read_pairs
from nnlib.importing.notes import Notes
from nnlib.importing.pixels import Size

UNNAMED = "arr_0"  # what numpy.savez calls an array without a name


def read_numpy_files(
    paths: Sequence[Path], shape: Size | None, notes: Notes
) -> dict[str, Labelled]:
    """Read the parts of a data set in one or more files.

    Parameters
    ----------
    paths : sequence of Path
    shape : (int, int), optional
        Height and width of images that are given as rows of pixels.
    notes : Notes

    Raises
    ------
    UserError
        If a file is broken or holds Python objects, or images lack labels.
    """
    places = {}  # of each array, by its name
    for path in paths:
        for key in _keys(path):
            name = path.name if key in {None, UNNAMED} else f"{path.name}:{key}"
            places[name] = (path, key)
    where = str(paths[0] if len(paths) == 1 else paths[0].parent)
    return read_pairs(
        list(places), lambda name: _read(*places[name]), where, shape=shape, notes=notes
    )


def _keys(path: Path) -> list[str | None]:
    """The names of the arrays in a file; None for the one of a `.npy`."""
    if path.suffix.lower() == ".npy":
        return [None]
    if not zipfile.is_zipfile(path):
        raise _broken(path, "it is no archive")
    try:
        with path.open("rb") as file:  # which NumPy would leave open if it is broken
            return list(np.load(file, allow_pickle=False))
    except BROKEN_ARRAYS as error:
        raise _broken(path, error) from error


def _read(path: Path, key: str | None) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            content = np.load(file, allow_pickle=False)
            return content if key is None else content[key]
    except BROKEN_ARRAYS as error:
        raise _broken(path, error) from error


def _broken(path: Path, reason: object) -> UserError:
    if "Object arrays" in str(reason):
        return UserError(
            f"{path} holds Python objects, which may run code when they are read: save numbers or "
            "texts instead (array.astype(int), array.astype(str))",
            file=path,
        )
    text = " ".join(str(reason).split())
    return UserError(f"{path} cannot be read as arrays of NumPy: {text}", file=path)
