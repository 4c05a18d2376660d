"""IDX files, by the names that they usually have."""

import re
from pathlib import Path

from nnlib.data.idx import read_any_idx
from nnlib.importing.arrays import Labelled, read_pairs
from nnlib.importing.notes import Notes
from nnlib.importing.pixels import Size


def is_idx(name: str) -> bool:
    """Whether a file is an IDX file by its name: train-images-idx3-ubyte, .idx3-ubyte, .gz."""
    return re.search(r"[.-]idx[0-9]?(-[a-z]+)?(\.gz)?$", name.lower()) is not None


def read_idx_folder(
    folder: Path, names: list[str], shape: Size | None, notes: Notes
) -> dict[str, Labelled]:
    """Read the parts of a data set in IDX files.

    Parameters
    ----------
    folder : Path
    names : list of str
        The IDX files in it.
    shape : (int, int), optional
        Height and width of images that are given as rows of pixels.
    notes : Notes

    Raises
    ------
    UserError
        If a file is broken, or images lack labels.
    """
    return read_pairs(
        names, lambda name: read_any_idx(folder / name), str(folder), shape=shape, notes=notes
    )
