"""Large arrays, a few rows at a time, which stay in the CPU's cache while they are worked on."""

from collections.abc import Iterator

from nnlib.arrays import Floats

PIECE = 1 << 16  # elements, 256 KB in float32


def pieces(*arrays: Floats) -> Iterator[list[Floats]]:
    """Views of the same rows of each array, in order; all arrays have the same shape."""
    size = arrays[0][:1].size
    rows = max(PIECE // max(size, 1), 1)
    for first in range(0, len(arrays[0]), rows):
        yield [array[first : first + rows] for array in arrays]
