"""IDX files of every type of the format, compressed or not, whatever their names say."""

import gzip
import math
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nnlib.base.errors import UserError
from nnlib.data.idx import MAX_EXPANSION, UNREADABLE
from nnlib.importing.arrays import Labelled, check_counts, pair_names
from nnlib.importing.names import label_texts
from nnlib.importing.notes import Notes
from nnlib.importing.pixels import Size, grey_arrays

GZIP = b"\x1f\x8b"
# The codes of the types; all numbers are big-endian.
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 4


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
    parts = {}
    for part, (images_name, labels_name) in pair_names(names, str(folder), notes).items():
        images = grey_arrays(read_any_idx(folder / images_name), images_name, shape)
        labels = label_texts(read_any_idx(folder / labels_name), labels_name, notes)
        check_counts(images, labels, images_name, labels_name)
        parts[part] = Labelled(images, labels, images_name)
    return parts


def read_any_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file.

    Returns
    -------
    ndarray of one of `TYPES`, of 1 to `MAX_DIMENSIONS` dimensions

    Raises
    ------
    UserError
        If it is not a whole IDX file.
    """
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == GZIP
        with gzip.open(path) if is_packed else path.open("rb") as file:
            return _read(file, path, MAX_EXPANSION * size if is_packed else size)
    except UNREADABLE as error:
        raise UserError(f"{path} cannot be read as an IDX file: {error}", file=path) from error


def _read(file: gzip.GzipFile | BinaryIO, path: Path, most: int) -> NDArray[Any]:
    """Read an open file, which can hold so many bytes at most."""
    zeros, code, ndim = struct.unpack(">HBB", file.read(4))
    if zeros != 0 or code not in TYPES or not 1 <= ndim <= MAX_DIMENSIONS:
        raise UserError(f"{path} is not an IDX file: it has other first bytes", file=path)
    shape = struct.unpack(f">{ndim}I", file.read(4 * ndim))
    dtype = np.dtype(TYPES[code])
    size = math.prod(shape) * dtype.itemsize
    content = file.read(size) if size <= most else b""
    if len(content) < size:
        raise UserError(f"{path} is truncated: its {shape} numbers need {size:,} bytes", file=path)
    if file.read(1):
        raise UserError(f"{path} has bytes after the {size:,} of its {shape} numbers", file=path)
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
