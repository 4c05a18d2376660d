"""IDX, the format of the MNIST files: a header of big-endian sizes, then the bytes, under gzip.

As http://yann.lecun.com/exdb/mnist used to describe it: two zero bytes, the type (8 for uint8), the
number of dimensions, each dimension as a 32-bit integer, the elements in C order.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from zlib_ng import gzip_ng

from nnlib.errors import ANEW, UserError
from nnlib.files import whole_file

UINT8 = 0x08
MAX_DIMENSIONS = 3
# Deflate expands at most 1032-fold (https://zlib.net/zlib_tech.html): a header that promises more
# than that is wrong, and no memory is needed to find out.
MAX_EXPANSION = 1032


def read_idx(path: str | Path) -> NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of unsigned bytes.

    Returns
    -------
    ndarray of uint8, in the shape that the header gives

    Raises
    ------
    UserError
        If the file cannot be read, is no gzip, or is no whole IDX file of unsigned bytes.
    """
    path = Path(path)
    try:
        with gzip.open(path) as file:
            zeros, type_code, ndim = struct.unpack(">HBB", file.read(4))
            if zeros != 0 or type_code != UINT8:
                raise UserError(
                    f"{path}: not an IDX file of unsigned bytes (wrong first bytes); {ANEW}"
                )
            if not 1 <= ndim <= MAX_DIMENSIONS:
                raise UserError(
                    f"{path}: {ndim} dimensions, where images have 3 and labels 1; {ANEW}"
                )
            shape = struct.unpack(f">{ndim}I", file.read(4 * ndim))
            size = math.prod(shape)
            if size > MAX_EXPANSION * path.stat().st_size:
                raise UserError(
                    f"{path}: truncated: it cannot hold the {size} bytes of shape {shape}; {ANEW}"
                )
            content = file.read(size + 1)  # one more, to see whether the file ends there
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise UserError(
            f"{path}: cannot be read as a gzip-compressed IDX file: {error}; {ANEW}"
        ) from error
    if len(content) != size:
        problem = "trailing bytes" if len(content) > size else f"truncated at {len(content)} bytes"
        raise UserError(f"{path}: {problem}: shape {shape} takes {size}; {ANEW}")
    return np.frombuffer(content, np.uint8).reshape(shape).copy()  # without the copy, read-only


def write_idx(path: str | Path, array: NDArray[np.uint8]) -> None:
    """Write unsigned bytes of any shape as a gzip-compressed IDX file."""
    header = struct.pack(f">HBB{array.ndim}I", 0, UINT8, array.ndim, *array.shape)
    # Not by Python's own gzip, whose bytes are those of the system's zlib; and with no time in it.
    # Level 2 takes half the time of the default, for 5 % more bytes.
    content = gzip_ng.compress(  # type: ignore[no-untyped-call]
        header + array.tobytes(), compresslevel=2, mtime=0
    )
    with whole_file(path) as part:
        part.write_bytes(content)
