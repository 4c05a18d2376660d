"""IDX, the format of the MNIST files: a header of big-endian sizes, then the bytes, all in gzip.

As http://yann.lecun.com/exdb/mnist used to describe it: two zero bytes, the type (8 for uint8), the
number of dimensions, each dimension as a 32-bit integer, the elements in C order.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from nnlib.base.blocks import blocks
from nnlib.base.errors import UserError
from nnlib.base.files import whole_file

UINT8 = 0x08
MAX_DIMENSIONS = 3
# Of other files than ours: the codes of the types, whose numbers are big-endian.
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_DIMENSIONS = 4
GZIP = b"\x1f\x8b"  # what compressed files begin with
# Deflate expands at most 1032-fold (https://zlib.net/zlib_tech.html): a header that promises more
# is wrong, which is found without allocating memory.
MAX_EXPANSION = 1032


# What Python raises for a file that is missing, not a gzip file or not an IDX file.
UNREADABLE = (OSError, EOFError, zlib.error, struct.error)


class IdxFile:
    """A gzip-compressed IDX file of unsigned bytes, to be read whole or by iterating over blocks.

    A block is an ndarray of uint8 of shape (n, ...), with n rows of the array, at most
    `nnlib.base.blocks.BLOCK`.

    Parameters
    ----------
    path : str or Path

    Attributes
    ----------
    path : str or Path
    shape : tuple of int
        The shape that the header gives.

    Raises
    ------
    UserError
        If the file cannot be read, or is not a whole gzip-compressed IDX file of unsigned bytes.
        The header is checked here, the rest while it is read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            with gzip.open(self.path) as file:
                self.shape = self._read_shape(file)
        except UNREADABLE as error:
            raise self._unreadable(error) from error

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Read the blocks, from the first one on."""
        size = math.prod(self.shape)
        read = 0
        try:
            with gzip.open(self.path) as file:
                self._read_shape(file)
                for rows in blocks(self.shape[0]):
                    shape = (rows.stop - rows.start, *self.shape[1:])
                    content = file.read(math.prod(shape))
                    read += len(content)
                    if len(content) < math.prod(shape):
                        raise self._wrong(f"truncated: {read} bytes, but {self.shape} needs {size}")
                    yield np.frombuffer(content, np.uint8).reshape(shape)
                if file.read(1):
                    raise self._wrong(f"trailing bytes: {self.shape} needs only {size}")
        except UNREADABLE as error:
            raise self._unreadable(error) from error

    def read(self) -> NDArray[np.uint8]:
        """The whole array, in the shape that the header gives."""
        array = np.empty(self.shape, np.uint8)
        for rows, block in zip(blocks(self.shape[0]), self, strict=True):
            array[rows] = block
        return array

    def _read_shape(self, file: gzip.GzipFile) -> tuple[int, ...]:
        zeros, type_code, ndim = struct.unpack(">HBB", file.read(4))
        if zeros != 0 or type_code != UINT8:
            raise self._wrong("not an IDX file of unsigned bytes (wrong first bytes)")
        if not 1 <= ndim <= MAX_DIMENSIONS:
            raise self._wrong(f"{ndim} dimensions, but images have 3 and labels 1")
        shape = struct.unpack(f">{ndim}I", file.read(4 * ndim))
        size = math.prod(shape)
        if size > MAX_EXPANSION * self.path.stat().st_size:
            raise self._wrong(f"truncated: it cannot hold the {size} bytes of shape {shape}")
        return shape

    def _wrong(self, problem: str) -> UserError:
        return UserError(f"{self.path}: {problem}", file=self.path)

    def _unreadable(self, error: Exception) -> UserError:
        return self._wrong(f"cannot be read as a gzip-compressed IDX file: {error}")


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of unsigned bytes, as `IdxFile` does."""
    return IdxFile(path).read()


def read_any_idx(path: Path) -> NDArray[Any]:
    """Read an IDX file of any type, compressed or not, whatever its name says.

    Returns
    -------
    ndarray of one of `TYPES`, of 1 to `MOST_DIMENSIONS` dimensions

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
            return _read_any(file, path, MAX_EXPANSION * size if is_packed else size)
    except UNREADABLE as error:
        raise UserError(f"{path} cannot be read as an IDX file: {error}", file=path) from error


def _read_any(file: gzip.GzipFile | BinaryIO, path: Path, most: int) -> NDArray[Any]:
    """Read an open file, which can hold so many bytes at most."""
    zeros, code, ndim = struct.unpack(">HBB", file.read(4))
    if zeros != 0 or code not in TYPES or not 1 <= ndim <= MOST_DIMENSIONS:
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


def write_idx(path: str | Path, array: NDArray[np.uint8]) -> None:
    """Write unsigned bytes of any shape as a gzip-compressed IDX file."""
    write_idx_blocks(path, array.shape, [array])


def write_idx_blocks(
    path: str | Path, shape: tuple[int, ...], arrays: Iterable[NDArray[np.uint8]]
) -> None:
    """Write a gzip-compressed IDX file from blocks of its rows.

    Parameters
    ----------
    path : str or Path
    shape : tuple of int
        Shape of the whole array.
    arrays : iterable of ndarray of uint8 of shape (n, *shape[1:])
    """
    # Not with Python's own gzip, whose bytes depend on the system's zlib. Level 2 takes half the
    # time of the default, for 5% more bytes. With this window size, zlib writes a gzip header,
    # which holds neither a name nor a time.
    gzip_window = 16 + zlib_ng.MAX_WBITS
    compressor = zlib_ng.compressobj(level=2, wbits=gzip_window)
    with whole_file(path) as part, part.open("wb") as file:
        header = struct.pack(f">HBB{len(shape)}I", 0, UINT8, len(shape), *shape)
        file.write(compressor.compress(header))
        for array in arrays:
            file.write(compressor.compress(np.ascontiguousarray(array)))
        file.write(compressor.flush())
