"""Rows of large arrays: in blocks, so that memory does not grow with the data, or some of them."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK = 1000  # rows: images of 28 x 28 pixels as float32 take 3 MB


def blocks(n: int, size: int = BLOCK) -> Iterator[slice]:
    """The rows 0 ... n - 1 as slices of `size` rows; the last one may be shorter."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def evenly_spaced(n: int, most: int) -> NDArray[np.intp]:
    """All of the rows 0 ... n - 1, or `most` of them, evenly spaced, the first and the last too."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(np.intp)
